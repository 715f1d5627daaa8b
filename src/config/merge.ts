import { deepFreeze } from "./freeze.ts";
import type { KeyRow, SectionName } from "./key_row.ts";
import { PARAMETERS } from "./parameters.ts";
import { PROXY_PROPERTIES } from "./properties.ts";
import { keysOf } from "./schema.ts";
import type { ClusterConfig, Config } from "./types.ts";

export interface Merged {
  /** Frozen; the very value in force where nothing changes. */
  readonly config: Config;
  /** What is other than before: parameters, `users`, `clusters.<name>`. */
  readonly changed: readonly string[];
  /** What is not as wanted until a restart, in the same words. */
  readonly waiting: readonly string[];
}

/**
 * What a running proxy can make of a configuration: values of live keys are the wanted ones, those
 * of other keys stay. What stays the same stays the same object.
 */
export function mergeLive(current: Config, wanted: Config): Merged {
  const clusters = mergeClusters(current.clusters, wanted.clusters);
  const proxy = { ...mergeTable(current.proxy, wanted.proxy, fixedProperties("proxy")) };
  // Logins cannot be led to a cluster that the next start will bring.
  if (!clusters.some((cluster) => cluster.name === proxy.defaultCluster)) {
    proxy.defaultCluster = current.proxy.defaultCluster;
  }
  const log = mergeTable(current.log, wanted.log, fixedProperties("log"));
  const users = isSame(current.users, wanted.users) ? current.users : wanted.users;
  const config = deepFreeze({ proxy, log, clusters, users });
  const changed = differences(current, config);
  return {
    config: changed.length === 0 ? current : config,
    changed,
    waiting: differences(config, wanted),
  };
}

function differences(from: Config, to: Config): string[] {
  const parameters = PARAMETERS.filter(({ row }) => !isSame(valueOf(from, row), valueOf(to, row)));
  const names = new Set([...from.clusters, ...to.clusters].map((cluster) => cluster.name));
  const clusters = [...names].filter((name) =>
    !isSame(clusterOf(from.clusters, name), clusterOf(to.clusters, name))
  );
  return [
    ...parameters.map(({ name }) => name),
    ...(isSame(from.users, to.users) ? [] : ["users"]),
    ...clusters.map((name) => `clusters.${name}`),
  ];
}

function valueOf(config: Config, row: KeyRow): unknown {
  const section: Readonly<Record<string, unknown>> = row.section === "log"
    ? { ...config.log }
    : { ...config.proxy };
  return section[propertyOf(row)];
}

function propertyOf({ section, key }: KeyRow): string {
  const properties: Readonly<Record<string, string>> = PROXY_PROPERTIES;
  return section === "proxy" ? properties[key] ?? key : key;
}

/** Those that stay until a restart. */
function fixedProperties(section: SectionName): string[] {
  return keysOf(section).filter((row) => row.apply === "restart").map(propertyOf);
}

function mergeTable<T extends object>(current: T, wanted: T, fixed: readonly string[]): T {
  const before = new Map(Object.entries(current));
  const merged = Object.entries(wanted).map(([property, value]) =>
    fixed.includes(property) || isSame(before.get(property), value)
      ? [property, before.get(property)]
      : [property, value]
  );
  // Each property has its value of one of two objects of the type.
  return Object.fromEntries(merged) as T;
}

function mergeClusters(
  current: readonly ClusterConfig[],
  wanted: readonly ClusterConfig[],
): ClusterConfig[] {
  return current.map((cluster) => {
    const next = clusterOf(wanted, cluster.name);
    if (next === undefined || isSame(cluster, next)) return cluster;
    const { servers, tenants } = next;
    return {
      ...mergeTable(cluster, next, fixedProperties("clusters")),
      servers: mergeNamed(cluster.servers, servers, fixedProperties("clusters.servers")),
      tenants: mergeNamed(cluster.tenants, tenants, fixedProperties("clusters.tenants")),
    };
  });
}

function mergeNamed<T extends { readonly name: string }>(
  current: readonly T[],
  wanted: readonly T[],
  fixed: readonly string[],
): T[] {
  return current.map((one) => {
    const next = wanted.find((other) => other.name === one.name);
    return next === undefined ? one : mergeTable(one, next, fixed);
  });
}

function clusterOf(clusters: readonly ClusterConfig[], name: string): ClusterConfig | undefined {
  return clusters.find((cluster) => cluster.name === name);
}

/** Both were made by the same code, and so have their properties in the same order. */
function isSame(left: unknown, right: unknown): boolean {
  return left === right || JSON.stringify(left) === JSON.stringify(right);
}
