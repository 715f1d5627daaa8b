/** What the process is and has: `SHOW PROXYINFO`, PROXYCLUSTER, PROXYMEMORY; is it alive. */
import { SluiceError } from "../errors.ts";
import type { Column } from "../protocol/resultset.ts";
import { makeColumn } from "../protocol/resultset.ts";
import { VERSION } from "../version.ts";
import { type AdminAnswer, OK, type Row } from "./answer.ts";
import { listing, numberColumn, textColumn } from "./columns.ts";
import { isLike } from "./like.ts";
import type { Operands } from "./operands.ts";
import type { AdminScope } from "./scope.ts";

/** `PING PROXY`: an error where the proxy takes no new clients, so that balancers turn away. */
export function pingProxy({ proxy }: AdminScope): AdminAnswer {
  if (proxy.isAccepting) return OK;
  throw new SluiceError("shutdown", "Server shutdown in progress");
}

export function proxyVersionColumns(operands: Operands): readonly Column[] {
  return [makeColumn(operands.text("name") ?? "proxy_version()")];
}

/** `SELECT PROXY_VERSION() [[AS] name]` */
export function proxyVersion(_scope: AdminScope, operands: Operands): AdminAnswer {
  return listing(proxyVersionColumns(operands), [[VERSION]]);
}

export function proxyStatusColumns(operands: Operands): readonly Column[] {
  return [makeColumn(operands.text("name") ?? "proxy_status")];
}

/** `SELECT PROXY_STATUS() [[AS] name]` */
export function proxyStatus({ proxy }: AdminScope, operands: Operands): AdminAnswer {
  return listing(proxyStatusColumns(operands), [[proxy.isAccepting ? "RUNNING" : "STOPPING"]]);
}

export const INFO_COLUMNS: readonly Column[] = [textColumn("name"), textColumn("info")];

/** `SHOW PROXYINFO BINARY` */
export function showBinary({ proxy }: AdminScope): AdminAnswer {
  const { deno, v8, typescript } = Deno.version;
  const lines = [
    `sluice-${VERSION}`,
    `deno: ${deno}, v8: ${v8}, typescript: ${typescript}`,
    `target: ${Deno.build.target}`,
    `executable: ${Deno.execPath()}`,
    `pid: ${proxy.pid}, started: ${new Date(proxy.startedAt).toISOString()}`,
  ];
  return listing(INFO_COLUMNS, [["binary info", lines.join("\n")]]);
}

export const CLUSTER_COLUMNS: readonly Column[] = [
  textColumn("cluster_name"),
  numberColumn("cluster_id"),
  textColumn("rs_url"),
  textColumn("root_addr"),
  textColumn("role"),
  textColumn("replica_type"),
  textColumn("kind"),
  textColumn("server_name"),
  textColumn("zone"),
  numberColumn("weight"),
  textColumn("state"),
  numberColumn("server_sessions"),
  textColumn("tenants"),
];

/** `SHOW PROXYCLUSTER [LIKE pattern]`: one row a server. What is not known here is NULL. */
export async function showClusters(scope: AdminScope, operands: Operands): Promise<AdminAnswer> {
  const { clusters, manager } = scope.proxy;
  const pattern = operands.text("pattern");
  const sessions = new Map<string, number>();
  await manager.servers.visit(({ address }) => {
    sessions.set(address, (sessions.get(address) ?? 0) + 1);
  });
  const now = Date.now();
  const rows = clusters.filter(({ config }) => isLike(config.name, pattern)).flatMap((cluster) =>
    cluster.backends.map((backend): Row => {
      const { kind, name, tenants } = cluster.config;
      const { config, address } = backend;
      const carried = tenants.filter(({ servers }) =>
        servers.length === 0 || servers.includes(config.name)
      );
      return [
        name,
        null,
        null,
        address,
        config.role.toUpperCase(),
        null,
        kind,
        config.name,
        config.zone,
        config.weight,
        backend.isSuspect(now) ? "SUSPECT" : "ACTIVE",
        sessions.get(address) ?? 0,
        carried.map((tenant) => tenant.name).join(";"),
      ];
    })
  );
  return listing(CLUSTER_COLUMNS, rows);
}

export const MEMORY_COLUMNS: readonly Column[] = [
  "mod_name",
  "mod_type",
  "hold",
  "used",
  "count",
  "avg_used",
].map(textColumn);

/** `SHOW PROXYMEMORY`: numbers are texts with commas, as operators know them. */
export function showMemory({ proxy }: AdminScope): AdminAnswer {
  const { rss, heapTotal, heapUsed, external } = Deno.memoryUsage();
  const { clients, servers } = proxy.manager;
  const sizes: readonly (readonly [string, number, number])[] = [
    ["PROCESS", rss, rss],
    ["HEAP", heapTotal, heapUsed],
    // The buffers of connections are here.
    ["OUTSIDE_OF_HEAP", external, external],
  ];
  const counts: readonly (readonly [string, number])[] = [
    ["CLIENT_SESSION", clients.size],
    ["SERVER_SESSION", servers.size],
  ];
  return listing(MEMORY_COLUMNS, [
    ...sizes.map((
      [name, hold, used],
    ) => [name, "allocator", withCommas(hold), withCommas(used), null, null]),
    // What one object takes cannot be told apart.
    ...counts.map(([name, count]) => [name, "user", null, null, withCommas(count), null]),
  ]);
}

function withCommas(value: number): string {
  return value.toLocaleString("en-US");
}
