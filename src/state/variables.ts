/**
 * System variables whose reports cannot simply be kept and assigned again. Everything that is not
 * in the table is kept as reported, assigned as text or number, and put back by DEFAULT.
 * https://dev.mysql.com/doc/refman/9.0/en/session-state-tracking.html
 */
import type { Dialect } from "./dialect.ts";

/** What a report of the variable means. */
export type ReportKind =
  /** The value, to be kept. */
  | "value"
  /** Noise, or read-only. */
  | "nothing"
  /** Somebody changed what servers report. */
  | "tracking"
  /** Of no use elsewhere: it is for the next statement, changes with every use, or by others. */
  | "once"
  /** A number even where the variable was put back: only reading it later tells. */
  | "clock";

export interface VariableRow {
  readonly report?: ReportKind;
  /** Another name of the variable that is meant. */
  readonly sameAs?: string;
  /** It shows a part of that variable, which has changed to something that must be read. */
  readonly partOf?: string;
  /** Assigning it changes that variable too, without a report. */
  readonly changes?: string;
  /** An empty text stands for NULL. */
  readonly isNullable?: true;
  /** Text, even if it looks like a number. */
  readonly isText?: true;
  /**
   * An expression for the login's value where DEFAULT is not it; `reset`: only a reset brings it
   * back.
   */
  readonly back?: string;
  /** It matters when a statement is executed, never when it is prepared. */
  readonly isForExecution?: true;
}

/** Rows by the names they are for, which blanks separate. */
type Rows = readonly (readonly [names: string, row: VariableRow])[];

const NOTHING: VariableRow = { report: "nothing" };
const NULLABLE: VariableRow = { isNullable: true };

const COMMON: Rows = [
  ["session_track_system_variables session_track_schema", { report: "tracking" }],
  ["session_track_state_change session_track_transaction_info", { report: "tracking" }],
  ["session_track_gtids", { report: "tracking" }],
  ["error_count warning_count external_user proxy_user", NOTHING],
  ["max_allowed_packet max_user_connections net_buffer_length", NOTHING],
  ["insert_id rand_seed1 rand_seed2", { report: "once" }],
  ["timestamp", { report: "clock", isForExecution: true }],
  ["identity", { sameAs: "last_insert_id" }],
  ["pseudo_thread_id", { back: "reset", isForExecution: true }],
  ["character_set_results", { isNullable: true, isForExecution: true }],
  ["default_master_connection debug", { isText: true }],
  ["max_insert_delayed_threads", { sameAs: "max_delayed_threads" }],
  [
    "autocommit completion_type idle_transaction_timeout innodb_lock_wait_timeout " +
    "interactive_timeout lock_wait_timeout long_query_time max_execution_time " +
    "max_statement_time net_read_timeout net_write_timeout time_zone transaction_isolation " +
    "transaction_read_only tx_isolation tx_read_only wait_timeout",
    { isForExecution: true },
  ],
];

/** Rows that OceanBase needs none of: it reports all that has changed. */
const OPEN: Rows = [
  ["innodb_tmpdir", NULLABLE],
  ["innodb_ft_user_stopword_table", { isNullable: true, isText: true }],
  // The collation says both. A report of the character set alone leaves the collation open.
  ["character_set_connection", { partOf: "collation_connection" }],
  ["character_set_database", { partOf: "collation_database" }],
  // Its global value, which DEFAULT takes, may be that of a schema.
  ["collation_database", { back: "@@GLOBAL.collation_server" }],
  ["character_set_server", { partOf: "collation_server" }],
  ["max_join_size", { changes: "sql_big_selects" }],
];

const PLAIN: VariableRow = {};

const ROWS: Readonly<Record<Dialect, ReadonlyMap<string, VariableRow>>> = {
  mysql: byName([
    ...COMMON,
    ...OPEN,
    ["statement_id", NOTHING],
    ["gtid_next", { report: "once" }],
    ["external_table_storage_engine external_table_secondary_storage_engine", NULLABLE],
    // Their DEFAULT is the opposite of their value.
    ["foreign_key_checks", { back: "@@GLOBAL.foreign_key_checks" }],
    ["unique_checks", { back: "@@GLOBAL.unique_checks" }],
    ["pseudo_slave_mode", { sameAs: "pseudo_replica_mode" }],
  ]),
  mariadb: byName([
    ...COMMON,
    ...OPEN,
    ["gtid_seq_no", { report: "once" }],
    ["last_gtid in_transaction wsrep_gtid_seq_no", NOTHING],
    // Of a replication, not of a session.
    ["max_relay_log_size sql_slave_skip_counter", NOTHING],
    ["default_tmp_storage_engine enforce_storage_engine", NULLABLE],
    // What is reported of it depends on the time zone.
    ["system_versioning_asof", { report: "once" }],
    ["transaction_isolation", { sameAs: "tx_isolation" }],
    ["transaction_read_only", { sameAs: "tx_read_only" }],
    ["old_alter_table", { sameAs: "alter_algorithm" }],
    ["storage_engine", { sameAs: "default_storage_engine" }],
    ["min_examined_row_limit", { sameAs: "log_slow_min_examined_row_limit" }],
    ["slow_query_log", { sameAs: "log_slow_query" }],
    ["long_query_time", { sameAs: "log_slow_query_time" }],
    ["tmp_memory_table_size", { sameAs: "tmp_table_size" }],
    ["old", { changes: "old_mode" }],
    ["wsrep_causal_reads", { partOf: "wsrep_sync_wait" }],
    ["log_queries_not_using_indexes", { partOf: "log_slow_filter" }],
    ["log_slow_admin_statements", { partOf: "log_slow_disabled_statements" }],
    ["log_slow_slave_statements", { partOf: "log_slow_disabled_statements" }],
  ]),
  oceanbase: byName([
    ...COMMON,
    ["timestamp", { report: "clock", back: "0", isForExecution: true }],
    // Whatever it is told, it reports everything.
    ["session_track_system_variables session_track_schema session_track_state_change", PLAIN],
    ["session_track_transaction_info session_track_gtids", PLAIN],
    // It does nothing, and does not take what it reports.
    ["table_definition_cache", NOTHING],
    ["ob_default_lob_inrow_threshold", { back: "@@GLOBAL.ob_default_lob_inrow_threshold" }],
    ["character_set_connection character_set_database character_set_server", NOTHING],
    ["tx_isolation", { sameAs: "transaction_isolation" }],
    ["tx_read_only", { sameAs: "transaction_read_only" }],
  ]),
};

function byName(rows: Rows): Map<string, VariableRow> {
  return new Map(
    rows.flatMap(([names, row]) => names.split(" ").map((name) => [name, row] as const)),
  );
}

/** @param name in lower case */
export function rowOf(name: string, dialect: Dialect): VariableRow {
  return ROWS[dialect].get(name) ?? PLAIN;
}

/** Whether the variable says what servers report. @param name in lower case */
export function saysWhatIsReported(name: string | undefined, dialect: Dialect): boolean {
  return name !== undefined && rowOf(name, dialect).report === "tracking";
}

/** The variable that a change of schema sets, whatever it was set to. */
export const SET_BY_SCHEMA = "collation_database";

const COLLATION_OF = "collation of ";

export const CLIENT = "character_set_client";
export const RESULTS = "character_set_results";
export const CONNECTION = "collation_connection";

/**
 * No variables, but kept as such, by those that they belong to: the collations that SET NAMES or the
 * login gave character sets. Servers do not tell them, yet the definitions of columns have the
 * number of that of the results; MariaDB gives strings that are parameters that of the client's
 * character set, and MySQL names it in errors. An assignment of the variable takes the character
 * set's own.
 */
const COLLATIONS: ReadonlyMap<string, string> = new Map(
  [RESULTS, CLIENT].map((name) => [name, `${COLLATION_OF}${name}`]),
);
const NO_COLLATIONS: ReadonlyMap<string, string> = new Map();

/** By the variables; OceanBase has none. */
export function hiddenCollations(dialect: Dialect): ReadonlyMap<string, string> {
  return dialect === "oceanbase" ? NO_COLLATIONS : COLLATIONS;
}

export function isHiddenCollation(name: string): boolean {
  return name.startsWith(COLLATION_OF);
}

/** Kept by `SessionState.insertId`. */
export const INSERT_ID = "last_insert_id";

/** Names of collations begin with their character set's. */
export function charsetOf(collation: string): string {
  const end = collation.indexOf("_");
  return end < 0 ? collation : collation.slice(0, end);
}

/** Text of a clock that runs. */
const DEFAULT = "DEFAULT";

const NUMBER = /^-?\d+(\.\d+)?$/;

/** The text that assigns a reported value. */
export function assignable(text: string, row: VariableRow): string {
  if (row.report === "clock" && text === DEFAULT) return DEFAULT;
  if (row.isNullable === true && text === "") return "NULL";
  return row.isText !== true && NUMBER.test(text) ? text : stringLiteral(text);
}

/** What no sql_mode and no character set of clients gives another meaning. */
const HARMLESS = /^[ !#-&(-[\]-~]+$/;

/**
 * A string in ASCII that means the same in every session. It says its character set, since servers
 * do not understand a bare one where collation_connection is of a set like ucs2; the empty one has
 * no quotes, since EMPTY_STRING_IS_NULL would make it NULL.
 */
export function stringLiteral(text: string): string {
  if (HARMLESS.test(text)) return `_utf8mb4'${text}'`;
  return `_utf8mb4 x'${new TextEncoder().encode(text).toHex()}'`;
}

/** An expression for the value that the variable had behind the login, or `reset`. */
export function backTo(name: string, dialect: Dialect): string {
  return rowOf(name, dialect).back ?? "DEFAULT";
}
