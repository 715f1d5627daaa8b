import { readClusters } from "./clusters.ts";
import { deepFreeze } from "./freeze.ts";
import { checkListen } from "./listen.ts";
import { lineOf, tablesOf, unknownName } from "./lookup.ts";
import { nearest } from "./nearest.ts";
import { sizeConflict } from "./pool_sizes.ts";
import { enumerate, ProblemList, quote } from "./problems.ts";
import { KEYS, SECTIONS } from "./schema.ts";
import { readOwnSecret } from "./secrets.ts";
import { readSection } from "./section.ts";
import { besideConfig, type ConfigSystem, readFileText, writingProblem } from "./system.ts";
import { keyText, type TomlTable, tomlTable } from "./toml_document.ts";
import type { ClusterConfig, Config } from "./types.ts";
import { readUsers } from "./users.ts";
import { headerOf } from "./wanted.ts";

/** Where values come from beside the document, and where problems go. */
export interface Reading {
  readonly system: ConfigSystem;
  readonly problems: ProblemList;
}

/** The frozen configuration of a document; undefined when `problems` were added to. */
export function buildConfig(
  root: TomlTable,
  system: ConfigSystem,
  problems: ProblemList,
): Config | undefined {
  checkSections(root, problems);
  const clusters = readClusters(tablesOf(root, "clusters", problems), problems);
  const config: Config = {
    proxy: readProxy(root, clusters, { system, problems }),
    log: readLog(root, { system, problems }),
    clusters,
    users: readUsers(tablesOf(root, "users", problems), clusters, { system, problems }),
  };
  addSizeConflict(config.proxy, root, problems);
  return problems.isEmpty ? deepFreeze(config) : undefined;
}

/** Adds what the sizes of pools are wrong with, by the document that has made them so. */
export function addSizeConflict(
  proxy: Config["proxy"],
  root: TomlTable,
  problems: ProblemList,
): void {
  const node = root.entries.get("proxy")?.node;
  if (node?.kind !== "table") return;
  const conflict = sizeConflict(proxy, (key) => node.entries.has(key));
  if (conflict === undefined) return;
  problems.add(lineOf(node, conflict.key), `proxy.${conflict.key}`, conflict.problem);
}

/** The configuration that has nothing of `[proxy]` and `[log]` set. */
export function defaultsOf(config: Config): Config {
  const problems = new ProblemList("");
  const system = { readFile: () => "", env: () => undefined, tryWriting: () => {} };
  const root = tomlTable(0, "header");
  const proxy = readProxy(root, config.clusters, { system, problems });
  return { ...config, proxy, log: readLog(root, { system, problems }) };
}

/** Adds sections that must be there, and everything at the top of the document that is none. */
function checkSections(root: TomlTable, problems: ProblemList): void {
  for (const [name, keys] of [["clusters", "servers"], ["users", "a password"]] as const) {
    const node = root.entries.get(name)?.node;
    if (node !== undefined && (node.kind !== "list" || node.items.length > 0)) continue;
    problems.add(0, name, `Expected at least one [[${name}]] with name and ${keys}, got none`);
  }
  const top = SECTIONS.filter((section) => !section.name.includes("."));
  for (const [key, { line, node }] of root.entries) {
    if (top.some((section) => section.name === key)) continue;
    const like = nearest(key, top.map((section) => section.name));
    const meant = SECTIONS.find((section) => section.name === like);
    const row = KEYS.find((row) => row.key === key);
    const owner = SECTIONS.find((section) => section.name === row?.section);
    const isSection = (node.kind === "table" && node.origin !== "inline") ||
      (node.kind === "list" && node.byHeaders);
    let hint = "";
    if (isSection && meant !== undefined) hint = ` (did you mean ${headerOf(meant)}?)`;
    else if (owner !== undefined) hint = ` (did you mean it for ${headerOf(owner)}?)`;
    const what = isSection ? "Unknown section" : "Unknown key before the first section";
    const known = enumerate(SECTIONS.map(headerOf));
    problems.add(line, keyText([key]), `${what}${hint}, known sections: ${known}`);
  }
}

/** `[proxy]` below `root`; what is not there has its default. */
export function readProxy(
  root: TomlTable,
  clusters: readonly ClusterConfig[],
  { system, problems }: Reading,
): Config["proxy"] {
  const [table = tomlTable(1, "header")] = tablesOf(root, "proxy", problems);
  const values = readSection(table, "proxy", problems);
  const names = clusters.map((cluster) => cluster.name);
  const wanted = values.default_cluster;
  if (wanted !== "" && names.length > 0 && !names.includes(wanted)) {
    problems.add(
      lineOf(table, "default_cluster"),
      "proxy.default_cluster",
      unknownName("cluster", wanted, names),
    );
  }
  checkListen(values.listen, table, problems);
  const keyFile = besideConfig(values.rsa_private_key_file, problems.file);
  checkKeyFile(keyFile, lineOf(table, "rsa_private_key_file"), { system, problems });
  const secrets = { section: "proxy", table, values, system, problems } as const;
  return {
    listen: values.listen,
    proxyId: values.proxy_id,
    clientMaxConnections: values.client_max_connections,
    userMaxConnections: values.user_max_connections,
    tenantMaxConnections: values.tenant_max_connections,
    loginTimeout: values.login_timeout,
    defaultInactivityTimeout: values.default_inactivity_timeout,
    connectTimeout: values.connect_timeout,
    shutdownGrace: values.shutdown_grace,
    defaultCluster: wanted === "" ? names[0] ?? "" : wanted,
    defaultAuthenticationPlugin: values.default_authentication_plugin,
    serverVersion: values.mysql_version,
    rsaPrivateKeyFile: keyFile,
    obproxySysSecret: readOwnSecret(secrets, "obproxy_sys_password"),
    inspectorSecret: readOwnSecret(secrets, "inspector_password"),
    skipProxySysPrivateCheck: values.skip_proxy_sys_private_check,
    clientSessionIdVersion: values.client_session_id_version,
    internalCmdMemLimited: values.internal_cmd_mem_limited,
    poolMinConnections: values.session_pool_default_min_conn,
    poolMaxConnections: values.session_pool_default_max_conn,
    poolServerMaxConnections: values.session_pool_server_max_conn,
    poolIdleTimeout: values.session_pool_default_idle_timeout,
    poolBlockingTimeout: values.session_pool_default_blocking_timeout,
    poolLifeTime: values.session_pool_default_life_time,
    poolPrefill: values.session_pool_default_prefill,
    poolPreparedStatements: values.session_pool_prepared_statements,
  };
}

/** `--check` must not pass a file that the start then fails on. */
function checkKeyFile(path: string, line: number, { system, problems }: Reading): void {
  if (path === "") return;
  const file = readFileText(path, system);
  if (file.ok && /^-----BEGIN (?:RSA )?PRIVATE KEY-----/m.test(file.text)) return;
  const got = `${file.ok ? "another kind of file" : file.reason} at ${quote(path)}`;
  problems.add(
    line,
    "proxy.rsa_private_key_file",
    `Expected a PEM file with an unencrypted private key, got ${got}`,
  );
}

/** `[log]` below `root`; what is not there has its default. */
export function readLog(root: TomlTable, { system, problems }: Reading): Config["log"] {
  const [table = tomlTable(1, "header")] = tablesOf(root, "log", problems);
  const values = readSection(table, "log", problems);
  const file = besideConfig(values.file, problems.file);
  const reason = file === "" ? undefined : writingProblem(file, system);
  if (reason !== undefined) {
    const got = `${reason} at ${quote(file)}`;
    problems.add(lineOf(table, "file"), "log.file", `Expected a file to add lines to, got ${got}`);
  }
  return { ...values, file };
}
