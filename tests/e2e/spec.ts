/**
 * What every driver program is told and what it must find: the accounts, the cases, and one table
 * with a column of every type. Programs in seven languages read it as JSON, so that the wanted values
 * are written once.
 */

import type { EngineName } from "../../src/dev/engines/engine.ts";

/**
 * How a program turns its driver's value into the canonical text of `values`:
 * `int`, `uint`, `decimal`, `year` and `bit` are digits; `float` and `double` compare as numbers; `bytes`
 * are hex; `date`, `time` and `datetime` have MySQL's text with six fraction digits; `json` compares
 * parsed.
 */
export type ColumnKind =
  | "int"
  | "uint"
  | "decimal"
  | "float"
  | "double"
  | "bit"
  | "string"
  | "bytes"
  | "date"
  | "time"
  | "datetime"
  | "year"
  | "json";

export interface ColumnSpec {
  readonly name: string;
  /** Type as in CREATE TABLE. */
  readonly type: string;
  readonly kind: ColumnKind;
  /** Canonical text of the rows 1 and 2; row 3 holds NULL everywhere. */
  readonly values: readonly [string, string];
}

const SMILE = "emoji \u{1F600}\u{1F1E9}\u{1F1EA}\u{1F468}\u200D\u{1F469}\u200D\u{1F467}";
const ESCAPES = "quote ' double \" back \\ tab \t line \n return \r percent % under _";
const NINES = "9".repeat(65);

const COLUMNS: readonly ColumnSpec[] = [
  { name: "c_bool", type: "BOOLEAN", kind: "int", values: ["0", "1"] },
  { name: "c_tinyint", type: "TINYINT", kind: "int", values: ["-128", "127"] },
  { name: "c_tinyint_u", type: "TINYINT UNSIGNED", kind: "int", values: ["0", "255"] },
  { name: "c_smallint", type: "SMALLINT", kind: "int", values: ["-32768", "32767"] },
  { name: "c_smallint_u", type: "SMALLINT UNSIGNED", kind: "int", values: ["0", "65535"] },
  { name: "c_mediumint", type: "MEDIUMINT", kind: "int", values: ["-8388608", "8388607"] },
  { name: "c_mediumint_u", type: "MEDIUMINT UNSIGNED", kind: "int", values: ["0", "16777215"] },
  { name: "c_int", type: "INT", kind: "int", values: ["-2147483648", "2147483647"] },
  { name: "c_int_u", type: "INT UNSIGNED", kind: "int", values: ["0", "4294967295"] },
  {
    name: "c_bigint",
    type: "BIGINT",
    kind: "int",
    values: ["-9223372036854775808", "9223372036854775807"],
  },
  {
    name: "c_bigint_u",
    type: "BIGINT UNSIGNED",
    kind: "uint",
    values: ["0", "18446744073709551615"],
  },
  {
    name: "c_decimal",
    type: "DECIMAL(30,10)",
    kind: "decimal",
    values: ["-12345678901234567890.0123456789", "0.0000000001"],
  },
  { name: "c_decimal_max", type: "DECIMAL(65,0)", kind: "decimal", values: [NINES, `-${NINES}`] },
  { name: "c_float", type: "FLOAT", kind: "float", values: ["-1.5", "1024.25"] },
  {
    name: "c_double",
    type: "DOUBLE",
    kind: "double",
    values: ["-1.2345678901234567e300", "2.2250738585072014e-308"],
  },
  { name: "c_bit1", type: "BIT(1)", kind: "bit", values: ["1", "0"] },
  { name: "c_bit12", type: "BIT(12)", kind: "bit", values: ["2748", "1"] },
  { name: "c_char", type: "CHAR(20)", kind: "string", values: ["\u00dcn\u00efc\u00f6d\u00e9", ""] },
  { name: "c_varchar", type: "VARCHAR(200)", kind: "string", values: [SMILE, ESCAPES] },
  { name: "c_tinytext", type: "TINYTEXT", kind: "string", values: ["tiny", ""] },
  { name: "c_text", type: "TEXT", kind: "string", values: [SMILE.repeat(100), ESCAPES] },
  {
    name: "c_mediumtext",
    type: "MEDIUMTEXT",
    kind: "string",
    values: ["\u4e2d\u6587".repeat(20_000), "x"],
  },
  { name: "c_longtext", type: "LONGTEXT", kind: "string", values: ["long ".repeat(20_000), " "] },
  {
    name: "c_binary",
    type: "BINARY(8)",
    kind: "bytes",
    values: ["0001027f80ff2700", "00".repeat(8)],
  },
  { name: "c_varbinary", type: "VARBINARY(200)", kind: "bytes", values: ["00ff27225c0a0d1a", ""] },
  { name: "c_tinyblob", type: "TINYBLOB", kind: "bytes", values: ["fb", "ff"] },
  { name: "c_blob", type: "BLOB", kind: "bytes", values: ["fbfcfdfeff00".repeat(500), "00"] },
  { name: "c_mediumblob", type: "MEDIUMBLOB", kind: "bytes", values: ["a5".repeat(70_000), ""] },
  { name: "c_longblob", type: "LONGBLOB", kind: "bytes", values: ["5c27".repeat(300), "0d0a"] },
  { name: "c_date", type: "DATE", kind: "date", values: ["1000-01-01", "9999-12-31"] },
  { name: "c_time", type: "TIME", kind: "time", values: ["-838:59:59.000000", "00:00:01.000000"] },
  {
    name: "c_time6",
    type: "TIME(6)",
    kind: "time",
    values: ["-12:34:56.000001", "23:59:59.999999"],
  },
  {
    name: "c_datetime",
    type: "DATETIME",
    kind: "datetime",
    values: ["1000-01-01 00:00:00.000000", "9999-12-31 23:59:59.000000"],
  },
  {
    name: "c_datetime6",
    type: "DATETIME(6)",
    kind: "datetime",
    values: ["2024-02-29 12:34:56.789012", "1970-01-01 00:00:00.000001"],
  },
  {
    name: "c_timestamp",
    type: "TIMESTAMP NULL",
    kind: "datetime",
    values: ["1970-01-01 00:00:01.000000", "2038-01-19 03:14:07.000000"],
  },
  {
    name: "c_timestamp6",
    type: "TIMESTAMP(6) NULL",
    kind: "datetime",
    values: ["2001-09-09 01:46:40.123456", "2024-03-31 02:30:00.000000"],
  },
  { name: "c_year", type: "YEAR", kind: "year", values: ["1901", "2155"] },
  {
    name: "c_enum",
    type: "ENUM('small','gr\u00f6\u00dfer')",
    kind: "string",
    values: ["small", "gr\u00f6\u00dfer"],
  },
  { name: "c_set", type: "SET('a','b','c')", kind: "string", values: ["a,c", ""] },
  {
    name: "c_json",
    type: "JSON",
    kind: "json",
    values: ['{"a": [1, 2.5, null, true], "\u00e4": "\u{1F600}"}', "{}"],
  },
];

/** Cases that every program reports on, in this order; `skip` with a reason counts as a report. */
export const CASES: readonly string[] = [
  "connect",
  "types_text",
  "types_prepared",
  "prepared_reuse",
  "wide",
  "charset",
  "transactions",
  "session_state",
  "multi_statements",
  "procedures",
  "streaming",
  "batch",
  "big_values",
  "load_data_local",
  "errors",
  "insert_id",
  "warnings",
  "many_statements",
  "ping",
  "reset_connection",
  "change_user",
  "reconnect",
  "parallel",
  "accounts",
  "wrong_password",
  "unknown_database",
];

const PROCEDURES: readonly string[] = [
  `CREATE PROCEDURE p_out(IN a INT, INOUT b INT, OUT c VARCHAR(50))
   BEGIN SET c = CONCAT('got ', a); SET b = b + a; END`,
  `CREATE PROCEDURE p_results(IN n INT)
   BEGIN SELECT n AS first; SELECT n + 1 AS second, 'two' AS t UNION ALL SELECT n + 2, NULL; END`,
  `CREATE PROCEDURE p_error(IN n INT)
   BEGIN SELECT n AS before_error;
   SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 1644, MESSAGE_TEXT = 'refused by p_error'; END`,
];

const DIGITS = "(SELECT 0 AS d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 " +
  "UNION ALL SELECT 4 UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 " +
  "UNION ALL SELECT 8 UNION ALL SELECT 9)";

/** Run by the harness with the administrator's account, in the program's own empty schema. */
export function schemaStatements(): string[] {
  const columns = COLUMNS.map((column) => `${column.name} ${column.type}`).join(", ");
  return [
    `CREATE TABLE types (id INT PRIMARY KEY, ${columns}) DEFAULT CHARSET = utf8mb4`,
    "CREATE TABLE stream (id INT PRIMARY KEY, note VARCHAR(200) NOT NULL)",
    `INSERT INTO stream SELECT a.d * 1000 + b.d * 100 + c.d * 10 + e.d,
     REPEAT('x', (c.d * 10 + e.d) * 2) FROM ${DIGITS} a, ${DIGITS} b, ${DIGITS} c, ${DIGITS} e`,
    "CREATE TABLE tx (id INT PRIMARY KEY, note VARCHAR(20))",
    "CREATE TABLE multi (id INT PRIMARY KEY)",
    "CREATE TABLE batch (id INT PRIMARY KEY, note VARCHAR(100))",
    "CREATE TABLE big (id INT PRIMARY KEY, data LONGBLOB)",
    "CREATE TABLE loaded (id INT PRIMARY KEY, note VARCHAR(100)) DEFAULT CHARSET = utf8mb4",
    "CREATE TABLE auto (id BIGINT UNSIGNED PRIMARY KEY AUTO_INCREMENT, note VARCHAR(20))",
    "CREATE TABLE errors (id INT PRIMARY KEY, small TINYINT NOT NULL)",
    "CREATE TABLE charset (id INT PRIMARY KEY, note VARCHAR(100)) DEFAULT CHARSET = utf8mb4",
    "INSERT INTO errors VALUES (1, 1)",
    ...PROCEDURES,
  ];
}

export interface Account {
  readonly user: string;
  readonly password: string;
  /** Answer to `SELECT CURRENT_USER()`. */
  readonly currentUser: string;
}

/** The one argument of every program: the path of a file with this as JSON. */
export interface Job {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** Empty but for the tables and procedures above. */
  readonly database: string;
  /** Another schema that the account may use. */
  readonly otherDatabase: string;
  readonly engine: EngineName;
  /** Part of the answer to `SELECT VERSION()`. */
  readonly version: string;
  /** Login names to try; `accounts[0]` is another account than `user`, for the change of user. */
  readonly accounts: readonly Account[];
  /** Bytes of the parameter and column of `big_values`. */
  readonly bigBytes: number;
  /** Bytes of the one that is sent inside a statement, where hex digits may double it. */
  readonly bigTextBytes: number;
  /** A character set that is not Unicode, a text in it, and its bytes in hex. */
  readonly otherCharset: { readonly name: string; readonly text: string; readonly hex: string };
  /** 5,000 rows for `loaded`: `id TAB note`. */
  readonly localFile: string;
  readonly emptyFile: string;
  /** Statements that put rows 1 to 3 into `types` with literals. */
  readonly insertTypes: readonly string[];
  readonly columns: readonly ColumnSpec[];
  readonly cases: readonly string[];
}

/** The part of a job that is the same for every program. */
export function commonJob(): Pick<Job, "insertTypes" | "columns" | "cases"> {
  const insertTypes = [0, 1, 2].map((row) => {
    const values = COLUMNS.map((column) => literal(column, row));
    return `INSERT INTO types VALUES (${[row + 1, ...values].join(", ")})`;
  });
  return { insertTypes, columns: COLUMNS, cases: CASES };
}

/** Note of row `id` in `localFile`. */
export function localRow(id: number): string {
  return `${id}\tnote ${id} \u{1F600}`;
}

function literal(column: ColumnSpec, row: number): string {
  const value = column.values[row];
  if (value === undefined) return "NULL";
  switch (column.kind) {
    case "int":
    case "uint":
    case "decimal":
    case "float":
    case "double":
    case "bit":
    case "year":
      return value;
    case "bytes":
      return `X'${value}'`;
    default:
      return `'${value.replace(/[\\']/g, "\\$&").replaceAll("\n", "\\n").replaceAll("\r", "\\r")}'`;
  }
}
