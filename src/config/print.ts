import { formatAddress } from "./address.ts";
import { formatCapacity } from "./capacity.ts";
import { formatDuration } from "./duration.ts";
import type { SectionName } from "./key_row.ts";
import { keysOf, SECTIONS, type SectionValues } from "./schema.ts";
import { type TomlValue, tomlValue } from "./toml_text.ts";
import type { ClusterConfig, Config, LogConfig, ProxyConfig, Secret, UserConfig } from "./types.ts";
import { headerOf } from "./wanted.ts";

/** Stand where a password is set; both are valid values of their keys. */
const HIDDEN_PASSWORD = "********";
const HIDDEN_HASH = `*${"0".repeat(40)}`;

/** Each key of a section: forgetting one does not compile. */
type Printed<S extends SectionName> = Readonly<
  Record<keyof SectionValues<S>, TomlValue | undefined>
>;

/** Keys whose values are not the file's but of the overlay beside it. */
export interface OverlayNote {
  readonly file: string;
  readonly keys: readonly { readonly section: SectionName; readonly key: string }[];
}

const NO_OVERLAY: OverlayNote = { file: "", keys: [] };

/** The whole configuration with its defaults as valid TOML; passwords and hashes are hidden. */
export function renderConfig(config: Config, overlay: OverlayNote = NO_OVERLAY): string {
  const note = overlay.keys.length === 0
    ? ""
    : `# "overlay": the value is that of ${overlay.file}.\n`;
  return [
    `# The configuration in effect. Passwords are hidden: each ******** stands for one.\n${note}`,
    block("proxy", proxyValues(config.proxy), overlay),
    block("log", logValues(config.log), overlay),
    ...config.clusters.flatMap(clusterBlocks),
    ...config.users.map((user) => block("users", userValues(user))),
  ].join("\n");
}

function block<S extends SectionName>(
  name: S,
  values: Printed<S>,
  overlay: OverlayNote = NO_OVERLAY,
): string {
  const section = SECTIONS.find((row) => row.name === name);
  const lines = section === undefined ? [] : [headerOf(section)];
  const byKey: Readonly<Record<string, TomlValue | undefined>> = values;
  for (const { key, type } of keysOf(name)) {
    const value = byKey[key];
    if (value === undefined) continue;
    const notes = [
      ...(type === "secret" || type === "hash" ? ["hidden"] : []),
      ...(overlay.keys.some((one) => one.section === name && one.key === key) ? ["overlay"] : []),
    ];
    const note = notes.length === 0 ? "" : `  # ${notes.join(", ")}`;
    lines.push(`${key} = ${tomlValue(value)}${note}`);
  }
  return `${lines.join("\n")}\n`;
}

export function proxyValues(proxy: ProxyConfig): Printed<"proxy"> {
  return {
    listen: proxy.listen.map(formatAddress),
    "proxy_id": proxy.proxyId,
    "client_max_connections": proxy.clientMaxConnections,
    "user_max_connections": proxy.userMaxConnections,
    "tenant_max_connections": proxy.tenantMaxConnections,
    "login_timeout": formatDuration(proxy.loginTimeout),
    "default_inactivity_timeout": formatDuration(proxy.defaultInactivityTimeout),
    "connect_timeout": formatDuration(proxy.connectTimeout),
    "shutdown_grace": formatDuration(proxy.shutdownGrace),
    "default_cluster": proxy.defaultCluster,
    "default_authentication_plugin": proxy.defaultAuthenticationPlugin,
    "mysql_version": proxy.serverVersion,
    "rsa_private_key_file": proxy.rsaPrivateKeyFile,
    ...secretValues("obproxy_sys_password", proxy.obproxySysSecret),
    ...secretValues("inspector_password", proxy.inspectorSecret),
    "skip_proxy_sys_private_check": proxy.skipProxySysPrivateCheck,
    "client_session_id_version": proxy.clientSessionIdVersion,
    "internal_cmd_mem_limited": formatCapacity(proxy.internalCmdMemLimited),
    "session_pool_default_min_conn": proxy.poolMinConnections,
    "session_pool_default_max_conn": proxy.poolMaxConnections,
    "session_pool_server_max_conn": proxy.poolServerMaxConnections,
    "session_pool_default_idle_timeout": formatDuration(proxy.poolIdleTimeout),
    "session_pool_default_blocking_timeout": formatDuration(proxy.poolBlockingTimeout),
    "session_pool_default_life_time": formatDuration(proxy.poolLifeTime),
    "session_pool_default_prefill": proxy.poolPrefill,
    "session_pool_prepared_statements": proxy.poolPreparedStatements,
  };
}

export function logValues(log: LogConfig): Printed<"log"> {
  return { level: log.level, format: log.format, file: log.file };
}

function clusterBlocks(cluster: ClusterConfig): string[] {
  const { name, kind, sharing, servers, tenants } = cluster;
  return [
    block("clusters", { name, kind, sharing, servers: undefined }),
    ...servers.map(({ address, maxConnections, ...server }) =>
      block("clusters.servers", {
        ...server,
        address: formatAddress(address),
        "max_connections": maxConnections,
      })
    ),
    ...tenants.map(({ maxConnections, sharing, ...tenant }) =>
      block("clusters.tenants", { ...tenant, "max_connections": maxConnections, sharing })
    ),
  ];
}

/** Keys of a password: where it came from is not known any more. */
type SecretValues<K extends string> = Readonly<
  Record<K | `${K}_file` | `${K}_env` | `${K}_hash`, string | undefined>
>;

function secretValues<K extends string>(key: K, secret: Secret | undefined): SecretValues<K> {
  const values: Record<string, string | undefined> = {
    [key]: secret?.kind === "clear" ? HIDDEN_PASSWORD : undefined,
    [`${key}_file`]: undefined,
    [`${key}_env`]: undefined,
    [`${key}_hash`]: secret?.kind === "sha1_hash" ? HIDDEN_HASH : undefined,
  };
  return values as SecretValues<K>;
}

function userValues({ name, cluster, tenant, secret, ...rest }: UserConfig): Printed<"users"> {
  const { server, maxConnections, sharing } = rest;
  return {
    name,
    cluster,
    tenant,
    ...secretValues("password", secret),
    "server_user": server?.user,
    "server_password": server === undefined ? undefined : HIDDEN_PASSWORD,
    "server_password_file": undefined,
    "server_password_env": undefined,
    "max_connections": maxConnections,
    sharing,
  };
}
