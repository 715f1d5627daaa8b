/** What a row of the schema table says of a key. */

export type SectionName =
  | "proxy"
  | "log"
  | "clusters"
  | "clusters.servers"
  | "clusters.tenants"
  | "users";

export type KeyType =
  /** Any text without control characters. */
  | "text"
  /** Text that names something; empty only where the default is. */
  | "name"
  /** Three numbers with points, and anything behind them; may be empty where the default is. */
  | "version"
  /** A file; relative ones count from the folder of the configuration file. */
  | "path"
  | "integer"
  | "boolean"
  /** Text with a unit; `min` and `max` in milliseconds. */
  | "duration"
  /** Text with a unit; `min` and `max` in bytes. */
  | "capacity"
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
  readonly default?: string | number | boolean | readonly string[];
  readonly required?: true;
  /** For keys without a default: a value for the example file, as in TOML. */
  readonly example?: string | number | readonly string[];
  /** Set in the example file, as required keys are; all others are shown as comments. */
  readonly shown?: true;
  readonly apply: "live" | "restart";
  /** SHOW PROXYCONFIG gives it as one of those that concern operators alone. */
  readonly visible?: "SYS";
  readonly description: string;
}
