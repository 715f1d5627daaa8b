import type { TomlNode } from "./toml_document.ts";
import type { Address } from "./types.ts";

export type SectionName =
  | "proxy"
  | "log"
  | "clusters"
  | "clusters.servers"
  | "clusters.tenants"
  | "users";

export interface SectionRow {
  readonly name: SectionName;
  /** Written `[[name]]` and any number of times. */
  readonly repeated: boolean;
  /** Only shown in the example file, not part of the configuration it makes. */
  readonly optional?: true;
  readonly description: string;
}

/** Sections in the order of the example file. */
export const SECTIONS: readonly SectionRow[] = [
  { name: "proxy", repeated: false, description: "The proxy itself: what clients meet." },
  { name: "log", repeated: false, description: "What is logged, how and where to." },
  {
    name: "clusters",
    repeated: true,
    description: "One block for each cluster: a set of database servers with the same data.",
  },
  {
    name: "clusters.servers",
    repeated: true,
    optional: true,
    description:
      'In place of the list "servers" above: one block for each server, with more settings.',
  },
  {
    name: "clusters.tenants",
    repeated: true,
    optional: true,
    description: "A named part of the cluster above, chosen by the login name user@tenant.",
  },
  {
    name: "users",
    repeated: true,
    description: "One block for each account that clients may log in with.",
  },
];

export type KeyType =
  /** Any text without control characters. */
  | "text"
  /** Text that names something; empty only where the default is. */
  | "name"
  /** A file; relative ones count from the folder of the configuration file. */
  | "path"
  | "integer"
  /** Text with a unit; `min` and `max` in milliseconds. */
  | "duration"
  | "choice"
  /** `host:port`; `min` is the lowest port. */
  | "address"
  /** An address, or a table by section `clusters.servers`. */
  | "server"
  /** Any text; no message shows it. */
  | "secret"
  | "hash"
  | "environment";

export interface KeyRow {
  readonly section: SectionName;
  readonly key: string;
  readonly type: KeyType;
  readonly list?: true;
  /** The list must not be empty. */
  readonly filled?: true;
  readonly min?: number;
  readonly max?: number;
  readonly choices?: readonly string[];
  /** Characters that a name must not have. */
  readonly without?: string;
  /** As in TOML. */
  readonly default?: string | number | readonly string[];
  readonly required?: true;
  /** For keys without a default: a value for the example file, as in TOML. */
  readonly example?: string | readonly string[];
  /** Set in the example file, as required keys are; all others are shown as comments. */
  readonly shown?: true;
  readonly apply: "live" | "restart";
  readonly description: string;
}

/**
 * Every key of the configuration: one row feeds reading, defaults, messages, `--print-config` and
 * `config.example.toml`. Keys that ODP has too bear ODP's names.
 */
export const KEYS = [
  {
    section: "proxy",
    key: "listen",
    type: "address",
    list: true,
    filled: true,
    min: 0,
    default: ["127.0.0.1:2883"],
    shown: true,
    apply: "restart",
    description:
      'Addresses that clients connect to: "host:port" or "[IPv6]:port"; port 0: any free one',
  },
  {
    section: "proxy",
    key: "proxy_id",
    type: "integer",
    min: 0,
    max: 8191,
    default: 0,
    apply: "restart",
    description:
      "Number of this proxy, part of every session id; distinct for each proxy of a group",
  },
  {
    section: "proxy",
    key: "client_max_connections",
    type: "integer",
    min: 0,
    max: 262_144,
    default: 8192,
    apply: "live",
    description: "Most client sessions at a time; 0: no limit",
  },
  {
    section: "proxy",
    key: "login_timeout",
    type: "duration",
    min: 100,
    max: 600_000,
    default: "10s",
    apply: "live",
    description: "Longest time from a client's connect to the end of its login",
  },
  {
    section: "proxy",
    key: "connect_timeout",
    type: "duration",
    min: 10,
    max: 600_000,
    default: "3s",
    apply: "live",
    description: "Longest time from dialing a server to the end of the login there",
  },
  {
    section: "proxy",
    key: "shutdown_grace",
    type: "duration",
    min: 0,
    max: 3_600_000,
    default: "10s",
    apply: "live",
    description: "How long running statements may go on when the proxy is told to stop",
  },
  {
    section: "proxy",
    key: "default_cluster",
    type: "name",
    default: "",
    apply: "live",
    description: "Cluster of logins that name none; empty: the first one",
  },
  {
    section: "proxy",
    key: "default_authentication_plugin",
    type: "choice",
    choices: ["server", "caching_sha2_password", "mysql_native_password"],
    default: "server",
    apply: "live",
    description: "How to ask for passwords",
  },
  {
    section: "proxy",
    key: "mysql_version",
    type: "text",
    default: "",
    apply: "live",
    description: "Server version that clients are told; empty: that of the default cluster",
  },
  {
    section: "proxy",
    key: "rsa_private_key_file",
    type: "path",
    default: "",
    apply: "restart",
    description:
      "PEM file with the RSA key that protects passwords; empty: a new key at each start",
  },
  {
    section: "log",
    key: "level",
    type: "choice",
    choices: ["debug", "info", "warning", "error"],
    default: "info",
    apply: "live",
    description: "The least level that is logged",
  },
  {
    section: "log",
    key: "format",
    type: "choice",
    choices: ["logfmt", "json"],
    default: "logfmt",
    apply: "restart",
    description: "Form of a log line",
  },
  {
    section: "log",
    key: "file",
    type: "path",
    default: "",
    apply: "restart",
    description: "File that log lines are added to; empty: standard error",
  },
  {
    section: "clusters",
    key: "name",
    type: "name",
    without: "@#:",
    required: true,
    example: "main",
    apply: "restart",
    description: "Name of the cluster, as in the login name user@tenant#cluster",
  },
  {
    section: "clusters",
    key: "kind",
    type: "choice",
    choices: ["mysql", "oceanbase"],
    default: "mysql",
    apply: "restart",
    description: "What the servers are; MySQL and MariaDB are mysql",
  },
  {
    section: "clusters",
    key: "sharing",
    type: "choice",
    choices: ["session"],
    default: "session",
    apply: "restart",
    description: "session: a connection to a server belongs to one client",
  },
  {
    section: "clusters",
    key: "servers",
    type: "server",
    list: true,
    filled: true,
    min: 1,
    required: true,
    example: ["127.0.0.1:3306"],
    apply: "restart",
    description: "The servers, tried in this order",
  },
  {
    section: "clusters.servers",
    key: "address",
    type: "address",
    min: 1,
    required: true,
    example: "127.0.0.1:3306",
    apply: "restart",
    description: 'Where the server listens: "host:port" or "[IPv6]:port"',
  },
  {
    section: "clusters.servers",
    key: "name",
    type: "name",
    default: "",
    apply: "restart",
    description: "Name in logs and lists, unique in the cluster; empty: the address",
  },
  {
    section: "clusters.servers",
    key: "role",
    type: "choice",
    choices: ["primary", "replica"],
    default: "primary",
    apply: "live",
    description: "A primary takes writes, a replica only reads",
  },
  {
    section: "clusters.servers",
    key: "zone",
    type: "text",
    default: "",
    apply: "live",
    description: "Where the server stands",
  },
  {
    section: "clusters.servers",
    key: "weight",
    type: "integer",
    min: 0,
    max: 1000,
    default: 1,
    apply: "live",
    description: "Relative share of the load; with sharing by session the order counts instead",
  },
  {
    section: "clusters.tenants",
    key: "name",
    type: "name",
    without: "@#:",
    required: true,
    example: "reports",
    apply: "restart",
    description: "Name of the tenant",
  },
  {
    section: "clusters.tenants",
    key: "servers",
    type: "name",
    list: true,
    default: [],
    apply: "restart",
    description: "Names of the servers that carry it; empty: all of the cluster",
  },
  {
    section: "clusters.tenants",
    key: "schema",
    type: "text",
    default: "",
    apply: "restart",
    description: "Schema of logins that name none; empty: none",
  },
  {
    section: "users",
    key: "name",
    type: "name",
    without: "@#",
    required: true,
    example: "app",
    apply: "live",
    description: "Account name, without tenant and cluster",
  },
  {
    section: "users",
    key: "cluster",
    type: "name",
    without: "@#:",
    default: "",
    apply: "live",
    description: "Cluster that the account is for; empty: any",
  },
  {
    section: "users",
    key: "tenant",
    type: "name",
    without: "@#:",
    default: "",
    apply: "live",
    description: "Tenant that the account is for; empty: any",
  },
  {
    section: "users",
    key: "password",
    type: "secret",
    example: "change-me",
    shown: true,
    apply: "live",
    description: 'The password itself; "" for none',
  },
  {
    section: "users",
    key: "password_file",
    type: "path",
    example: "/run/secrets/app_password",
    apply: "live",
    description: "File with the password; one line end after it does not count",
  },
  {
    section: "users",
    key: "password_env",
    type: "environment",
    example: "APP_PASSWORD",
    apply: "live",
    description: "Environment variable with the password",
  },
  {
    section: "users",
    key: "password_hash",
    type: "hash",
    example: "*0123456789ABCDEF0123456789ABCDEF01234567",
    apply: "live",
    description: "What the server stores for mysql_native_password",
  },
  {
    section: "users",
    key: "server_user",
    type: "name",
    default: "",
    apply: "live",
    description: "Account towards the servers; empty: the same, with the same password",
  },
  {
    section: "users",
    key: "server_password",
    type: "secret",
    example: "change-me-too",
    apply: "live",
    description: "Password of server_user",
  },
  {
    section: "users",
    key: "server_password_file",
    type: "path",
    example: "/run/secrets/server_password",
    apply: "live",
    description: "File with the password of server_user",
  },
  {
    section: "users",
    key: "server_password_env",
    type: "environment",
    example: "SERVER_PASSWORD",
    apply: "live",
    description: "Environment variable with the password of server_user",
  },
] as const satisfies readonly KeyRow[];

type Row = typeof KEYS[number];
type ScalarOf<R extends Row> = R extends { readonly type: "integer" | "duration" } ? number
  : R extends { readonly type: "address" } ? Address
  : R extends { readonly type: "server" } ? TomlNode
  : R extends { readonly type: "hash" } ? Uint8Array
  : R extends { readonly choices: readonly (infer C)[] } ? C
  : string;

/** What a section reads as; undefined where a key without default is missing or wrong. */
export type SectionValues<S extends SectionName> = {
  readonly [R in Extract<Row, { readonly section: S }> as R["key"]]:
    | (R extends { readonly list: true } ? readonly ScalarOf<R>[] : ScalarOf<R>)
    | (R extends { readonly default: unknown } ? never : undefined);
};

export function keysOf(section: SectionName): readonly KeyRow[] {
  return KEYS.filter((row) => row.section === section);
}
