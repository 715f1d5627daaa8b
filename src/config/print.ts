import { formatAddress } from "./address.ts";
import { formatDuration } from "./duration.ts";
import { keysOf, type SectionName, SECTIONS, type SectionValues } from "./schema.ts";
import { type TomlValue, tomlValue } from "./toml_text.ts";
import type { ClusterConfig, Config, LogConfig, ProxyConfig, UserConfig } from "./types.ts";
import { headerOf } from "./wanted.ts";

/** Stand where a password is set; both are valid values of their keys. */
const HIDDEN_PASSWORD = "********";
const HIDDEN_HASH = `*${"0".repeat(40)}`;

/** Each key of a section: forgetting one does not compile. */
type Printed<S extends SectionName> = Readonly<
  Record<keyof SectionValues<S>, TomlValue | undefined>
>;

/** The whole configuration with its defaults as valid TOML; passwords and hashes are hidden. */
export function renderConfig(config: Config): string {
  return [
    "# The configuration in effect. Passwords are hidden: each ******** stands for one.\n",
    block("proxy", proxyValues(config.proxy)),
    block("log", logValues(config.log)),
    ...config.clusters.flatMap(clusterBlocks),
    ...config.users.map((user) => block("users", userValues(user))),
  ].join("\n");
}

function block<S extends SectionName>(name: S, values: Printed<S>): string {
  const section = SECTIONS.find((row) => row.name === name);
  const lines = section === undefined ? [] : [headerOf(section)];
  const byKey: Readonly<Record<string, TomlValue | undefined>> = values;
  for (const { key, type } of keysOf(name)) {
    const value = byKey[key];
    if (value === undefined) continue;
    const note = type === "secret" || type === "hash" ? "  # hidden" : "";
    lines.push(`${key} = ${tomlValue(value)}${note}`);
  }
  return `${lines.join("\n")}\n`;
}

function proxyValues(proxy: ProxyConfig): Printed<"proxy"> {
  return {
    listen: proxy.listen.map(formatAddress),
    "proxy_id": proxy.proxyId,
    "client_max_connections": proxy.clientMaxConnections,
    "login_timeout": formatDuration(proxy.loginTimeout),
    "connect_timeout": formatDuration(proxy.connectTimeout),
    "shutdown_grace": formatDuration(proxy.shutdownGrace),
    "default_cluster": proxy.defaultCluster,
    "default_authentication_plugin": proxy.defaultAuthenticationPlugin,
    "mysql_version": proxy.serverVersion,
    "rsa_private_key_file": proxy.rsaPrivateKeyFile,
  };
}

function logValues(log: LogConfig): Printed<"log"> {
  return { level: log.level, format: log.format, file: log.file };
}

function clusterBlocks(cluster: ClusterConfig): string[] {
  const { name, kind, sharing, servers, tenants } = cluster;
  return [
    block("clusters", { name, kind, sharing, servers: undefined }),
    ...servers.map((server) =>
      block("clusters.servers", { ...server, address: formatAddress(server.address) })
    ),
    ...tenants.map((tenant) => block("clusters.tenants", { ...tenant })),
  ];
}

function userValues({ name, cluster, tenant, secret, server }: UserConfig): Printed<"users"> {
  return {
    name,
    cluster,
    tenant,
    password: secret.kind === "clear" ? HIDDEN_PASSWORD : undefined,
    "password_file": undefined,
    "password_env": undefined,
    "password_hash": secret.kind === "sha1_hash" ? HIDDEN_HASH : undefined,
    "server_user": server?.user,
    "server_password": server === undefined ? undefined : HIDDEN_PASSWORD,
    "server_password_file": undefined,
    "server_password_env": undefined,
  };
}
