/**
 * The system variables of a session that has no server: those that drivers, command-line clients
 * and tools ask for when they connect. What the proxy knows is true, the rest MySQL's default.
 * https://dev.mysql.com/doc/refman/9.0/en/server-system-variables.html
 */
import { SluiceError } from "../errors.ts";
import type { Column } from "../protocol/resultset.ts";
import { VERSION } from "../version.ts";
import { numberColumn, textColumn, unsignedColumn } from "./columns.ts";
import type { AdminScope } from "./scope.ts";

/** A switch is 1 or 0 where it is selected and ON or OFF where it is shown. */
type Setting = string | number | bigint | boolean | null;

export interface SystemVariable {
  readonly name: string;
  readonly kind: "text" | "number" | "switch";
  value(scope: AdminScope): Setting | Promise<Setting>;
}

/** MySQL's longest time that a session may be idle, in seconds: what stands for any time. */
const A_YEAR = 31_536_000;

const MODE = "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE," +
  "ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION";

const FIXED: readonly (readonly [name: string, setting: Setting])[] = [
  ["auto_increment_increment", 1],
  ["auto_increment_offset", 1],
  ["autocommit", true],
  ["big_tables", false],
  ["character_set_client", "utf8mb4"],
  ["character_set_connection", "utf8mb4"],
  ["character_set_database", "utf8mb4"],
  ["character_set_filesystem", "binary"],
  ["character_set_results", "utf8mb4"],
  ["character_set_server", "utf8mb4"],
  ["character_set_system", "utf8mb3"],
  ["collation_connection", "utf8mb4_general_ci"],
  ["collation_database", "utf8mb4_general_ci"],
  ["collation_server", "utf8mb4_general_ci"],
  ["completion_type", "NO_CHAIN"],
  ["default_storage_engine", "InnoDB"],
  ["default_week_format", 0],
  ["div_precision_increment", 4],
  ["error_count", 0],
  ["event_scheduler", "OFF"],
  ["explicit_defaults_for_timestamp", true],
  ["foreign_key_checks", true],
  ["group_concat_max_len", 1024],
  ["gtid_mode", "OFF"],
  ["have_openssl", "DISABLED"],
  ["have_profiling", "NO"],
  ["have_query_cache", "NO"],
  ["have_ssl", "DISABLED"],
  ["identity", 0],
  ["init_connect", ""],
  ["innodb_lock_wait_timeout", 50],
  ["insert_id", 0],
  ["language", "en_US"],
  ["last_insert_id", 0],
  ["lc_messages", "en_US"],
  ["lc_time_names", "en_US"],
  ["license", "Apache-2.0"],
  ["local_infile", false],
  ["lock_wait_timeout", A_YEAR],
  ["log_bin", false],
  ["lower_case_file_system", false],
  ["lower_case_table_names", 0],
  ["max_allowed_packet", 1 << 24],
  ["max_execution_time", 0],
  ["max_join_size", 18_446_744_073_709_551_615n],
  ["max_prepared_stmt_count", 16_382],
  ["net_buffer_length", 16_384],
  ["net_read_timeout", 30],
  ["net_retry_count", 10],
  ["net_write_timeout", 60],
  ["ob_compatibility_mode", "MYSQL"],
  ["performance_schema", false],
  ["protocol_version", 10],
  ["query_cache_size", 0],
  ["query_cache_type", "OFF"],
  ["read_only", false],
  ["session_track_gtids", "OFF"],
  ["session_track_schema", true],
  ["session_track_state_change", false],
  ["session_track_system_variables", ""],
  ["session_track_transaction_info", "OFF"],
  ["sql_auto_is_null", false],
  ["sql_big_selects", true],
  ["sql_buffer_result", false],
  ["sql_log_bin", false],
  ["sql_mode", MODE],
  ["sql_notes", true],
  ["sql_quote_show_create", true],
  ["sql_safe_updates", false],
  ["sql_select_limit", 18_446_744_073_709_551_615n],
  ["sql_warnings", false],
  ["storage_engine", "InnoDB"],
  ["super_read_only", false],
  ["time_zone", "SYSTEM"],
  ["transaction_isolation", "REPEATABLE-READ"],
  ["transaction_read_only", false],
  ["tx_isolation", "REPEATABLE-READ"],
  ["tx_read_only", false],
  ["unique_checks", true],
  ["version_comment", `sluice ${VERSION}`],
  ["version_compile_machine", Deno.build.arch],
  ["version_compile_os", Deno.build.os],
  ["warning_count", 0],
];

const LIVE: readonly SystemVariable[] = [
  { name: "hostname", kind: "text", value: () => Deno.hostname() },
  { name: "interactive_timeout", kind: "number", value: idleSeconds },
  {
    name: "max_connections",
    kind: "number",
    value: ({ proxy }) => proxy.config.current.proxy.clientMaxConnections,
  },
  {
    name: "port",
    kind: "number",
    value: ({ proxy }) => proxy.config.current.proxy.listen[0]?.port ?? 0,
  },
  { name: "pseudo_thread_id", kind: "number", value: ({ caller }) => caller.id },
  { name: "server_id", kind: "number", value: ({ proxy }) => proxy.config.current.proxy.proxyId },
  { name: "system_time_zone", kind: "text", value: timeZone },
  { name: "timestamp", kind: "number", value: () => Math.floor(Date.now() / 1000) },
  { name: "version", kind: "text", value: serverVersion },
  { name: "wait_timeout", kind: "number", value: idleSeconds },
];

function idleSeconds({ proxy }: AdminScope): number {
  const { defaultInactivityTimeout } = proxy.config.current.proxy;
  if (defaultInactivityTimeout === 0) return A_YEAR;
  return Math.min(A_YEAR, Math.max(1, Math.floor(defaultInactivityTimeout / 1000)));
}

/** As servers have it: `CET`, `UTC`. */
function timeZone(): string {
  const parts = new Intl.DateTimeFormat("en-US", { timeZoneName: "short" }).formatToParts();
  return parts.find(({ type }) => type === "timeZoneName")?.value ?? "UTC";
}

/** The version that clients of the default cluster are told. */
export async function serverVersion({ proxy }: AdminScope): Promise<string> {
  const { serverVersion, defaultCluster } = proxy.config.current.proxy;
  const cluster = proxy.clusters.find(({ config }) => config.name === defaultCluster) ??
    proxy.clusters[0];
  const told = serverVersion || (await cluster?.profile())?.serverVersion || VERSION;
  // What MariaDB puts before its version in the greeting, for the sake of old replicas.
  return told.replace(/^5\.5\.5-(?=\d+\.\d+)/, "");
}

/** In the order of their names. */
export const SYSTEM_VARIABLES: readonly SystemVariable[] = [
  ...FIXED.map(([name, setting]): SystemVariable => ({
    name,
    kind: typeof setting === "boolean" ? "switch" : typeof setting === "string" ? "text" : "number",
    value: () => setting,
  })),
  ...LIVE,
].sort((one, other) => one.name < other.name ? -1 : 1);

const BY_NAME = new Map(SYSTEM_VARIABLES.map((variable) => [variable.name, variable]));

/** @throws {SluiceError} for one that no session of the proxy has */
export function systemVariable(name: string): SystemVariable {
  const variable = BY_NAME.get(name.toLowerCase());
  if (variable !== undefined) return variable;
  throw new SluiceError("unknown_variable", `Unknown system variable '${name}'`);
}

/** The column of a variable that is selected. */
export function variableColumn({ kind }: SystemVariable, name: string): Column {
  if (kind === "text") return textColumn(name);
  return kind === "switch" ? numberColumn(name) : unsignedColumn(name);
}

/** The value of a variable that is selected. */
export async function selectVariable(
  variable: SystemVariable,
  scope: AdminScope,
): Promise<string | number | bigint | null> {
  const setting = await variable.value(scope);
  return typeof setting === "boolean" ? Number(setting) : setting;
}

/** Its value as SHOW VARIABLES has it. */
export async function showVariable(variable: SystemVariable, scope: AdminScope): Promise<string> {
  const setting = await variable.value(scope);
  return typeof setting === "boolean" ? (setting ? "ON" : "OFF") : String(setting ?? "");
}
