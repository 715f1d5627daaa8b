/** The frozen value that a configuration file or the quick-start flags turn into. */

/** Milliseconds. In TOML a duration is text with a unit: `"500ms"`, `"10s"`, `"5m"`, `"1h"`. */
export type Milliseconds = number;

/** A TCP address, as `Deno.listen` and `Deno.connect` take it. */
export interface Address {
  readonly hostname: string;
  readonly port: number;
}

/** Authentication plugins that the proxy can speak in both roles. */
export type AuthPlugin = "caching_sha2_password" | "mysql_native_password";

/** Server roles: writes go to a primary. */
export type ServerRole = "primary" | "replica";

/**
 * `session`: a server session belongs to one client session. `transaction`: it goes back to a pool
 * when no transaction or other state of the client needs it.
 */
export type SharingMode = "session" | "transaction";

/** Pools of server sessions: one for each server, account and capability class. */
export interface PoolConfig {
  /** Server sessions that a pool keeps open. */
  readonly poolMinConnections: number;
  /** Most of a pool; 0 means no limit. */
  readonly poolMaxConnections: number;
  /** Most of one server over all its pools; 0 means no limit. */
  readonly poolServerMaxConnections: number;
  /** How long more than the least may be idle; 0 means any time. */
  readonly poolIdleTimeout: Milliseconds;
  /** How long a statement waits for a server session. */
  readonly poolBlockingTimeout: Milliseconds;
  /** After it a server session is closed when it is free; 0 means any time. */
  readonly poolLifeTime: Milliseconds;
  /** Whether the least are opened before anybody asks for one. */
  readonly poolPrefill: boolean;
}

export interface ProxyConfig extends PoolConfig {
  /** Most prepared statements that a shared server session has at a time. */
  readonly poolPreparedStatements: number;
  readonly listen: readonly Address[];
  /** 0..8191; part of every session id, distinct for each proxy of a group. */
  readonly proxyId: number;
  /** Most client sessions at a time; 0 means no limit. */
  readonly clientMaxConnections: number;
  /** The same of each account and of each tenant that has no limit of its own. */
  readonly userMaxConnections: number;
  readonly tenantMaxConnections: number;
  /** From accept to the end of the login. */
  readonly loginTimeout: Milliseconds;
  /** How long a client may be idle; 0 means any time. */
  readonly defaultInactivityTimeout: Milliseconds;
  /** From dialing a server to the end of the login there. */
  readonly connectTimeout: Milliseconds;
  /** How long busy clients may go on after SIGTERM. */
  readonly shutdownGrace: Milliseconds;
  /** Cluster of logins that name none. */
  readonly defaultCluster: string;
  /** What passwords are asked for with first; `server`: with what the servers ask for. */
  readonly defaultAuthenticationPlugin: AuthPlugin | "server";
  /** Version text of the greeting; empty means that of the default cluster's servers. */
  readonly serverVersion: string;
  /** PEM file with the RSA key of the password exchange; empty means a fresh key at each start. */
  readonly rsaPrivateKeyFile: string;
  /** Of `root@proxysys` and `inspector@proxysys`; undefined means no password, and loopback only. */
  readonly obproxySysSecret: Secret | undefined;
  readonly inspectorSecret: Secret | undefined;
  /** Whether those with a password may come from public addresses. */
  readonly skipProxySysPrivateCheck: boolean;
  /** 2: CONNECTION_ID() is answered with the `cs_id`; 1: by the server. */
  readonly clientSessionIdVersion: number;
  /** Bytes that the result of a statement of the proxy may take; 0 means no limit. */
  readonly internalCmdMemLimited: number;
}

export interface ServerConfig {
  /** Unique in its cluster; the address unless given. */
  readonly name: string;
  readonly address: Address;
  readonly role: ServerRole;
  readonly zone: string;
  readonly weight: number;
  /** Most server sessions over all pools; 0 means no limit, undefined that of `[proxy]`. */
  readonly maxConnections?: number;
}

export interface TenantConfig {
  readonly name: string;
  /** Names of the cluster's servers that carry this tenant; empty means all. */
  readonly servers: readonly string[];
  /** Schema of logins that name none; empty means none. */
  readonly schema: string;
  /** Most client sessions; 0 means no limit, undefined that of `[proxy]`. */
  readonly maxConnections?: number;
  /** Undefined means that of the cluster, or of the tenant for a user. */
  readonly sharing?: SharingMode;
}

export interface ClusterConfig {
  readonly name: string;
  readonly kind: "mysql" | "oceanbase";
  readonly sharing: SharingMode;
  readonly servers: readonly ServerConfig[];
  readonly tenants: readonly TenantConfig[];
}

/** A password known in clear, or MySQL's `*` + 40 hex digits of SHA1(SHA1(password)). */
export type Secret =
  | { readonly kind: "clear"; readonly password: string }
  | { readonly kind: "sha1_hash"; readonly stage2: Uint8Array };

export interface UserConfig {
  readonly name: string;
  /** Empty matches any cluster or tenant. */
  readonly cluster: string;
  readonly tenant: string;
  readonly secret: Secret;
  /** Account towards the servers when it differs from the client's. */
  readonly server?: { readonly user: string; readonly password: string };
  /** Most client sessions; 0 means no limit, undefined that of `[proxy]`. */
  readonly maxConnections?: number;
  /** Undefined means that of the cluster, or of the tenant for a user. */
  readonly sharing?: SharingMode;
}

export type LogLevel = "debug" | "info" | "warning" | "error";

export interface LogConfig {
  readonly level: LogLevel;
  readonly format: "logfmt" | "json";
  /** Empty means standard error. */
  readonly file: string;
}

export interface Config {
  readonly proxy: ProxyConfig;
  readonly log: LogConfig;
  readonly clusters: readonly ClusterConfig[];
  readonly users: readonly UserConfig[];
}
