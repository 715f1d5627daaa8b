/** Random statements that change what a session is, for every variable that a server has. */
import type { EngineName } from "../../src/dev/engines/engine.ts";
import { cellText, type StateSession } from "./state_session.ts";

interface Variable {
  readonly name: string;
  readonly values: readonly string[];
}

/** Where types do not tell what can be assigned, or some values would end or mislead the test. */
const VALUES: ReadonlyMap<string, readonly string[]> = new Map(
  `
time_zone '+03:00'|'SYSTEM'|'-11:30'
sql_mode ''|'ansi'|'traditional'|'no_backslash_escapes'|'ansi_quotes,pipes_as_concat'|17|'oracle'|'empty_string_is_null'|'mysql40'|'no_zero_date,allow_invalid_dates'
character_set_client latin1|utf8mb3|gbk|sjis|big5|binary|utf8mb4|cp932|gb18030
character_set_results NULL|latin1|binary|utf8mb4|ucs2|utf16
character_set_connection ucs2|latin1|utf8mb4|binary|utf32|sjis
character_set_database latin2|utf8mb4
character_set_server latin2|utf8mb4
character_set_filesystem latin1|utf8mb4
collation_connection latin1_bin|utf8mb4_unicode_ci|utf8mb4_bin|ucs2_general_ci|binary
collation_database latin2_bin|utf8mb4_bin
collation_server latin7_bin|utf8mb4_bin
default_collation_for_utf8mb4 utf8mb4_general_ci|utf8mb4_0900_ai_ci
lc_messages 'de_DE'|'en_US'
lc_time_names 'de_DE'|'ja_JP'
default_storage_engine MyISAM|'MEMORY'
storage_engine MyISAM|InnoDB
default_tmp_storage_engine MyISAM|'MEMORY'
enforce_storage_engine InnoDB|NULL
optimizer_switch 'mrr=off'|'default'|'materialization=off,semijoin=off'|'mrr=on'
optimizer_trace 'enabled=on'|'enabled=off'
optimizer_trace_features 'greedy_search=off'
timestamp 100|100.123456|0|DEFAULT
binlog_row_value_options 'PARTIAL_JSON'|''
binlog_row_image MINIMAL|FULL
binlog_format ROW|STATEMENT
block_encryption_mode 'aes-256-cbc'|'aes-128-ecb'
default_master_connection _latin1'abc'|_utf8mb4'it''s "é"'|_latin1'12'
explain_format JSON|TREE|TRADITIONAL
innodb_tmpdir '/tmp'|NULL
transaction_isolation 'READ-COMMITTED'|'SERIALIZABLE'
completion_type CHAIN|0
max_join_size 1000000|5000000|18446744073709551615
sql_select_limit 100000|0|3
myisam_stats_method nulls_equal|nulls_ignored
internal_tmp_mem_storage_engine MEMORY
terminology_use_previous BEFORE_8_0_26
updatable_views_with_limit NO|YES
use_secondary_engine OFF|ON
max_execution_time 100000|0
max_statement_time 100.5|0
ob_query_timeout 20000000|30000000
ob_trx_timeout 200000000
ob_trx_idle_timeout 200000000
wait_timeout 1000|2000
interactive_timeout 1000|2000
net_read_timeout 100|200
net_write_timeout 100|200
connection_memory_limit 100000000
idle_transaction_timeout 1000
idle_write_transaction_timeout 1000
idle_readonly_transaction_timeout 1000
max_error_count 5|10
tmp_table_size 16777216|33554432
tmp_memory_table_size 16777216|33554432
tmp_disk_table_size 1677721600
max_heap_table_size 16777216|33554432
`.trim().split("\n").map((line) => {
    const blank = line.indexOf(" ");
    return [line.slice(0, blank), line.slice(blank + 1).split("|")];
  }),
);

/** Reports switched off, variables for the next statement, and what OceanBase has its own way with. */
const LEFT_OUT =
  /^(session_track_.*|insert_id|rand_seed.|gtid_.*|pseudo_thread_id|debug.*|ob_enable_show_trace|ob_log_level|log_row_value_options|ob_proxy.*|ob_statement_trace_id|system_versioning_asof|parser_max_mem_size|max_session_mem_used|table_definition_cache|max_relay_log_size|sql_slave_skip_counter|ob_global_debug_sync|_.*)$/;

const CHARSETS = [
  "utf8mb4",
  "latin1",
  "latin1 COLLATE latin1_german1_ci",
  "utf8mb4 COLLATE utf8mb4_bin",
  "gbk",
  "sjis",
  "DEFAULT",
];

/** What there is to assign on the server of the session. */
export async function settableVariables(
  session: StateSession,
  engine: EngineName,
): Promise<Variable[]> {
  const variables: Variable[] = [];
  for (const [name, type, low, high, words] of await describe(session, engine)) {
    if (!LEFT_OUT.test(name!)) {
      const values = VALUES.get(name!) ?? valuesOf({ type: type!, low, high, words });
      variables.push({ name: name!, values: [...values, "DEFAULT"] });
    }
  }
  return variables;
}

type Description = readonly (string | undefined)[];

/** Name, type, least and greatest value, words. */
async function describe(session: StateSession, engine: EngineName): Promise<Description[]> {
  const sql = {
    mariadb: "SELECT LOWER(variable_name), variable_type, numeric_min_value, numeric_max_value, " +
      "enum_value_list FROM information_schema.system_variables " +
      "WHERE variable_scope LIKE 'SESSION%' ORDER BY 1",
    mysql: "SELECT variable_name, data_type, min_value, max_value " +
      "FROM performance_schema.variables_metadata WHERE variable_scope LIKE '%SESSION%' ORDER BY 1",
    seekdb: "SHOW SESSION VARIABLES",
  }[engine];
  const { rows } = await session.must(sql);
  return rows.map((row) => {
    const cells = row.map((cell) => cell === null ? undefined : cellText(cell));
    return engine === "seekdb" ? [cells[0], shownType(cells[1]!), "0", "100000"] : cells;
  });
}

function shownType(value: string): string {
  if (/^(ON|OFF|0|1|True|False)$/i.test(value)) return "BOOLEAN";
  return /^-?\d+$/.test(value) ? "INT" : "VARCHAR";
}

function valuesOf({ type, low, high, words }: {
  type: string;
  low: string | undefined;
  high: string | undefined;
  words: string | undefined;
}): string[] {
  const kind = type.toUpperCase();
  if (kind === "BOOLEAN") return ["ON", "OFF", "1", "0", "TRUE", "'ON'"];
  if (kind.includes("INT")) {
    const least = BigInt(low || 0);
    const most = BigInt(high || 100);
    return [least, most, least + (most - least) / 3n, least + 5n < most ? least + 5n : most]
      .map(String);
  }
  if (kind === "DOUBLE" || kind === "NUMERIC") return ["0", "1.5", "0.25", "12345.678901", "4e-7"];
  const quoted = (words ?? "").split(",").filter(Boolean).map((word) => `'${word}'`);
  if (kind === "FLAGSET") return [quoted[0]!.replace(/'$/, "=off'")];
  if (kind === "SET") quoted.push("''", "3");
  return quoted.length > 0 ? quoted : ["'abc'", "''"];
}

/** Values that user variables can have, most of which only the server can tell. */
const USER_VALUES: readonly string[] = [
  "1|-5|18446744073709551615|9223372036854775808|-9223372036854775808|TRUE|1.50|-0.000|.5|5.",
  "123456789012345678901234567890.123456789|1e0|-0e0|1e308|5e-324|0.1e0+0.2e0|'abc'|''|'it''s'",
  "x'00ff27'|X'4142'|0xff|b'101'|NOW(6)|CURDATE()|CURTIME(2)|UUID()|CONCAT('a',1)",
  "CAST(5 AS UNSIGNED)|CAST(1.5 AS DECIMAL(10,4))|CAST(5 AS DECIMAL(65,0))|REPEAT('é',3)",
  "JSON_OBJECT('a',1)|CONVERT('x' USING binary)|USER()|1=1|NULL|@v0|@v1|@nowhere|CAST(NULL AS CHAR)",
  "IFNULL(NULL,'x')|'a\\\\b'|REPEAT('long ',200)|YEAR(NOW())|UNHEX('E4F6FC')|CAST(NULL AS SIGNED)",
].join("|").split("|");

/** Not on OceanBase. */
const MORE_USER_VALUES: readonly string[] = [
  "_latin1'h' COLLATE latin1_german2_ci|_binary'a'|_latin1 x'e4'|n'abc'|CONVERT('x' USING ucs2)",
  "_ucs2 x'0041'|PI()|1/3|_utf8mb4'é' COLLATE utf8mb4_unicode_ci|POINT(1,2)|CONVERT('é' USING sjis)",
  "_sjis x'835c'|_gbk x'bf5c'|_utf8mb4'abc'",
].join("|").split("|");

export class RandomStatements {
  readonly #variables: readonly Variable[];
  readonly #engine: EngineName;
  readonly #random: () => number;

  /** @param random gives numbers below 1 */
  constructor(variables: readonly Variable[], engine: EngineName, random: () => number) {
    this.#variables = variables;
    this.#engine = engine;
    this.#random = random;
  }

  next(): string {
    const kind = this.#random();
    if (kind < 0.55) return `SET ${this.#assignment()}`;
    if (kind < 0.65) {
      const three = [this.#assignment(), this.#assignment(), this.#assignment()];
      return `SET ${three.join()}`;
    }
    if (kind < 0.72) return this.#characterSet();
    if (kind < 0.77) return `USE ${this.#pick(["state_one", "state_two"])}`;
    if (kind < 0.80) return `CALL state_one.${this.#pick(ROUTINES)}()`;
    if (kind < 0.82 && this.#engine === "mariadb") {
      return `SET STATEMENT ${this.#plain()} FOR SELECT 1`;
    }
    return this.#userVariable();
  }

  #pick<Item>(items: readonly Item[]): Item {
    return items[Math.floor(this.#random() * items.length)]!;
  }

  #assignment(): string {
    return `SESSION ${this.#plain()}`;
  }

  #plain(): string {
    const { name, values } = this.#pick(this.#variables);
    return `${name}=${this.#pick(values)}`;
  }

  #characterSet(): string {
    const set = this.#pick(CHARSETS);
    if (this.#random() < 0.7) return `SET NAMES ${set}`;
    return `SET CHARACTER SET ${set.replace(/ COLLATE.*/, "")}`;
  }

  #userVariable(): string {
    const name = `@v${Math.floor(this.#random() * 6)}`;
    const values = this.#engine === "seekdb" ? USER_VALUES : [...USER_VALUES, ...MORE_USER_VALUES];
    const value = this.#pick(values);
    const kind = this.#random();
    if (kind < 0.7) return `SET ${name}=${value}`;
    if (kind < 0.8) return `SELECT ${name}:=${value}`;
    return `SELECT ${value} INTO ${name}`;
  }
}

const ROUTINES = ["sets_mode", "sets_and_fails", "sets_and_shows", "sets_variables"];

/** Schemas and routines that the statements use. */
export function preparations(engine: EngineName): string[] {
  const other = engine === "seekdb" ? "utf8mb4" : "latin1";
  const body = "SET SESSION div_precision_increment=7; SET SESSION sql_mode='ansi'; " +
    "SET SESSION time_zone='+01:00'";
  return [
    "CREATE DATABASE state_one",
    `CREATE DATABASE state_two CHARACTER SET ${other}`,
    `CREATE PROCEDURE state_one.sets_mode() BEGIN ${body}; END`,
    "CREATE PROCEDURE state_one.sets_variables() BEGIN " +
    (engine === "seekdb" ? "" : "SELECT 'hidden' INTO @v4; SET @v5=5; ") + "SELECT 1; END",
    `CREATE PROCEDURE state_one.sets_and_fails() BEGIN ${body}; SIGNAL SQLSTATE '45000'; END`,
    `CREATE PROCEDURE state_one.sets_and_shows() BEGIN ${body}; SELECT @@sql_mode; END`,
  ];
}
