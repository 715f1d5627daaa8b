/** Scenarios about variables, character sets and schemas. */
import { SCHEMAS, USER_VARIABLES } from "./data.ts";
import type { Random } from "./random.ts";
import { type Feature, ownTable, query, type Subject } from "./scenario.ts";
import type { Op } from "./steps.ts";

/** Values for system variables of every type; what `shows` is a statement that they act on. */
const VARIABLES: readonly (readonly [name: string, values: readonly string[], shows?: string])[] = [
  ["div_precision_increment", ["0", "9", "DEFAULT"], "SELECT 1 / 7"],
  ["group_concat_max_len", ["10", "1024"], "SELECT GROUP_CONCAT(name) FROM one.fixed"],
  ["sql_select_limit", ["1", "2", "DEFAULT"], "SELECT * FROM two.fixed ORDER BY id"],
  ["max_error_count", ["1", "2", "64", "DEFAULT"]],
  ["sort_buffer_size", ["65536", "DEFAULT", "'text'"]],
  [
    "time_zone",
    ["'+03:00'", "'-11:30'", "'SYSTEM'", "DEFAULT", "'nowhere'"],
    "SELECT FROM_UNIXTIME(0)",
  ],
  ["lc_time_names", ["'de_DE'", "'ja_JP'", "DEFAULT"], "SELECT DAYNAME('2024-02-29')"],
  ["lc_messages", ["'de_DE'", "'en_US'"]],
  ["timestamp", ["1700000000", "1.25", "DEFAULT"]],
  ["sql_mode", [
    "'ANSI_QUOTES'",
    "'PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES'",
    "'NO_BACKSLASH_ESCAPES'",
    "'STRICT_TRANS_TABLES'",
    "'IGNORE_SPACE'",
    "''",
    "DEFAULT",
  ], `SELECT "fixed" || 'a\\\\b'`],
  ["foreign_key_checks", ["0", "1", "ON", "OFF"]],
  ["unique_checks", ["0", "1"]],
  ["sql_safe_updates", ["1", "0"]],
  ["sql_auto_is_null", ["1", "0"]],
  ["sql_big_selects", ["0", "1"]],
  ["max_join_size", ["1000", "DEFAULT"]],
  ["default_week_format", ["1", "3"], "SELECT WEEK('2024-01-01')"],
  ["auto_increment_increment", ["3", "1"]],
  ["auto_increment_offset", ["2", "1"]],
  ["wait_timeout", ["1000", "28800"]],
  ["net_write_timeout", ["61", "DEFAULT"]],
  ["long_query_time", ["9.5", "DEFAULT"]],
  ["optimizer_switch", ["'index_merge=off'", "'index_merge=on'", "DEFAULT"]],
  ["tmp_table_size", ["1048576", "DEFAULT"]],
  ["completion_type", ["'CHAIN'", "'NO_CHAIN'"]],
  ["default_storage_engine", ["'MEMORY'", "'InnoDB'", "DEFAULT"]],
  ["max_sort_length", ["64", "1024"]],
  ["innodb_lock_wait_timeout", ["3", "50"]],
  ["last_insert_id", ["77", "0", "18446744073709551615"], "SELECT LAST_INSERT_ID()"],
  ["transaction_isolation", ["'READ-COMMITTED'", "'SERIALIZABLE'", "'REPEATABLE-READ'"]],
  ["no_such_variable", ["1"]],
  ["port", ["1"]],
];

/** It would chain transactions in what others make, and keep server sessions where none is due. */
const APART = new Set(["completion_type", "transaction_isolation"]);

/**
 * MySQL: what an INSERT with a given id makes of the next one depends on the increment of the one
 * before that has used the same cached table, whichever session that was.
 */
const NOT_ON_MYSQL = "auto_increment_increment";

const PREFIXES = ["", "SESSION ", "@@SESSION.", "LOCAL ", "@@"] as const;

const variables: Feature = {
  name: "variables",
  make({ random, engine }) {
    const rows = VARIABLES.filter(([name]) =>
      !APART.has(name) && (engine !== "mysql" || name !== NOT_ON_MYSQL)
    );
    const chosen = random.some(rows, 3);
    const ops: Op[] = [];
    if (random.chance(0.7)) {
      const list = chosen.map(([name, values]) =>
        `${random.pick(PREFIXES)}${name} = ${random.pick(values)}`
      );
      ops.push(query(`SET ${list.join(", ")}`));
    }
    for (const [name, , shows] of chosen) {
      if (name === "timestamp" || name === "port") continue;
      ops.push(query(`SELECT @@SESSION.${name}`));
      if (shows !== undefined) ops.push(query(shows));
      if (name !== "port" && random.chance(0.2)) {
        ops.push(query(`SHOW SESSION VARIABLES LIKE '${name}'`));
      }
    }
    return ops;
  },
};

const clock: Feature = {
  name: "clock",
  make: ({ random }) => [
    query(`SET timestamp = ${random.pick(["1700000000", "86400.5"])}`),
    ...pause(random),
    // A client may have had to log in anew meanwhile.
    query("SELECT IF(NOW() < '2024-06-01', CONCAT(NOW(3), UNIX_TIMESTAMP()), 'now')"),
    query("SET timestamp = DEFAULT"),
    query("SELECT NOW() > '2020-01-01'"),
  ],
};

const isolation: Feature = {
  name: "isolation",
  make: ({ random }) => [
    query(random.pick([
      "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
      "SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE",
      "SET SESSION TRANSACTION READ ONLY",
      "SET SESSION TRANSACTION READ WRITE",
      "SET SESSION transaction_isolation = 'REPEATABLE-READ'",
      "SET transaction_isolation = 'READ-UNCOMMITTED'",
    ])),
    query("SELECT @@SESSION.transaction_isolation, @@SESSION.transaction_read_only"),
  ],
};

const CHARSETS: readonly string[] = [
  "SET NAMES utf8mb4",
  "SET NAMES latin1",
  "SET NAMES 'utf8mb4' COLLATE 'utf8mb4_unicode_ci'",
  "SET NAMES binary",
  "SET NAMES DEFAULT",
  "SET NAMES nothing",
  "SET NAMES cp1251 COLLATE cp1251_bin",
  "SET CHARACTER SET latin1",
  "SET CHARACTER SET DEFAULT",
  "SET character_set_results = NULL",
  "SET character_set_results = latin2",
  "SET character_set_client = latin1",
  "SET character_set_connection = utf8mb3",
  "SET character_set_connection = gbk",
  "SET collation_connection = utf8mb4_bin",
  "SET collation_connection = latin1_german2_ci",
  "SET SESSION collation_database = utf8mb4_bin",
  "SET SESSION character_set_filesystem = latin1",
  "SET SESSION collation_server = latin1_spanish_ci",
];

const charsets: Feature = {
  name: "charsets",
  make: ({ random, bound }) => {
    const isChange = random.chance(0.6);
    if (isChange) bound.clear();
    return [
      // Warnings from before, which MariaDB keeps, would be told in the character set from before.
      ...(isChange ? [query(random.pick(CHARSETS)), query("SELECT COUNT(*) FROM one.fixed")] : []),
      ...random.some([
        query("SELECT 'é', HEX('é'), CHARSET('a'), COLLATION('a'), COERCIBILITY('a')"),
        query("SELECT name FROM one.fixed ORDER BY id"),
        query("SELECT name FROM two.fixed WHERE name = 'TRÊS'"),
        query("SELECT 'straße' = 'STRASSE', _latin1 x'e4', N'x'"),
        query("SELECT @@character_set_client, @@character_set_connection, @@character_set_results"),
        query("SELECT @@collation_connection, @@collation_database, @@collation_server"),
      ], 3),
    ];
  },
};

const schemas: Feature = {
  name: "schemas",
  make(subject) {
    const { random } = subject;
    const name = random.pick([...SCHEMAS, "missing", ...SCHEMAS]);
    return [
      ...(random.chance(0.6)
        ? [random.chance(0.5) ? query(`USE ${name}`) : { kind: "schema" as const, name }]
        : []),
      ...random.some([
        query("SELECT DATABASE()"),
        query("SELECT * FROM fixed ORDER BY id"),
        query(`INSERT INTO ${ownTable(subject)} (v) VALUES (1)`),
        query("SHOW TABLES LIKE 'f%'"),
        query("SELECT @@character_set_database"),
      ], 3),
    ];
  },
};

const LITERALS: readonly string[] = [
  ..."0 -1 1.50 1e10 18446744073709551615 -9223372036854775808 TRUE X'00FF' 0x41 b'101'".split(
    " ",
  ),
  ...[
    "''",
    "'text'",
    "'it''s'",
    "'back\\\\slash'",
    "'é'",
    '"double"',
    "_latin1'\\\\xE4'",
    "_binary'x'",
  ],
  ..."_utf8mb4'x'|N'n'|'a' COLLATE utf8mb4_bin|'b' 'c'|'tab\\t'".split("|"),
  "123456789012345678901234567890.123456789",
];

const COMPUTED: readonly string[] = [
  ..."1 + 1|RAND(3)|UUID() IS NULL|CONCAT('a', 1)|1 / 3|CAST('2024-01-02' AS DATE)".split("|"),
  ..."CAST('10:11:12.5' AS TIME(1))|CAST('2024-01-02 03:04:05' AS DATETIME)".split("|"),
  ..."CAST(7 AS UNSIGNED)|CAST('x' AS BINARY(3))|CONVERT('é' USING latin1)|CAST(1.5 AS DOUBLE)"
    .split("|"),
  ..."JSON_OBJECT('k', 1)|(SELECT name FROM one.fixed WHERE id = 3)|(SELECT MAX(amount) FROM one.fixed)"
    .split("|"),
  "REPEAT('x', 300)|@b|COALESCE(@b, 'none')|@a + 1|ST_GeomFromText('POINT(1 2)')|x'ff00' + 0",
  "NULLIF(1, 1)|DATABASE()|REPEAT('x', NULL)",
].flatMap((text) => text.split("|"));

/** The last of strings made of it: MySQL's numbers have a collation that nothing else shows. */
const SHOWN = USER_VARIABLES.slice(0, 3).map((name) =>
  `@${name}, HEX(@${name}), CHARSET(@${name}), COLLATION(@${name}), COERCIBILITY(@${name}), ` +
  `COLLATION(CONCAT(@${name}, ''))`
);

function showUserVariable({ random, engine }: Subject): Op {
  // To OceanBase, a number that SELECT has assigned is something else than one of a SET.
  const shown = engine === "seekdb" ? SHOWN.map((all) => all.replace(/, COERC.*/, "")) : SHOWN;
  return random.chance(0.8)
    ? query(`SELECT ${random.pick(shown)}`)
    : query("SELECT @`value of`, @'ünï', @\"ünï\", @undefined");
}

function nameOf(random: Random): string {
  return random.pick(["@a", "@b", "@c", "@A", "@`value of`", "@'ünï'"]);
}

const userLiterals: Feature = {
  name: "userLiterals",
  make: (subject) => [
    query(
      `SET ${
        subject.random.some([0], 3).map(() =>
          `${nameOf(subject.random)} ${subject.random.pick(["=", ":="])} ` +
          subject.random.pick(LITERALS)
        ).join(", ")
      }`,
    ),
    showUserVariable(subject),
    ...(subject.random.chance(0.3) ? [showUserVariable(subject)] : []),
  ],
};

const userNulls: Feature = {
  name: "userNulls",
  make: (subject) => [
    query(`SET ${nameOf(subject.random)} = NULL, ${nameOf(subject.random)} := NULL`),
    showUserVariable(subject),
  ],
};

/**
 * OceanBase describes a decimal or a float that was computed otherwise than the same one as a literal,
 * and a truth value as no literal.
 */
function isPlainNumber(expression: string): boolean {
  return !/ \/ |amount|IS NULL|^x'.*\+/.test(expression);
}

const userComputed: Feature = {
  name: "userComputed",
  make(subject) {
    const { random, engine } = subject;
    const value = random.pick(engine === "seekdb" ? COMPUTED.filter(isPlainNumber) : COMPUTED);
    const name = nameOf(random);
    // The same of a column that is shorter than 64 bits.
    const id = engine === "seekdb" ? "id + 0" : "id";
    return [
      query(random.pick([
        `SET ${name} = ${value}`,
        `SELECT ${name} := ${value}`,
        `SELECT ${value} INTO ${name}`,
        `SELECT ${id}, name INTO @a, @b FROM one.fixed WHERE id = ${random.int(5)}`,
        `SELECT ${id} INTO @a FROM one.fixed`,
        `SET @a = 1, ${name} = ${value}, @c = 'last'`,
      ])),
      ...pause(random),
      showUserVariable(subject),
      showUserVariable(subject),
    ];
  },
};

const allVariables: Feature = {
  name: "allVariables",
  // Some of OceanBase's follow the memory that is free where the server starts.
  engines: ["mariadb", "mysql"],
  make: () => [{ kind: "query", sql: "SHOW SESSION VARIABLES", listsVariables: true }],
};

/** What servers report is for the proxy: a client that wants less of it does it no harm. */
const fewerReports: Feature = {
  name: "fewerReports",
  make: ({ random }) => [
    query(random.pick([
      "SET SESSION session_track_system_variables = ''",
      "SET SESSION session_track_schema = OFF",
    ])),
    query(`SET SESSION div_precision_increment = ${random.int(9)}`),
    query(`USE ${random.pick(SCHEMAS)}`),
    ...pause(random),
    query("SELECT DATABASE(), @@div_precision_increment"),
  ],
};

const roles: Feature = {
  name: "roles",
  // MariaDB describes CURRENT_ROLE() otherwise once COM_CHANGE_USER has taken a role away.
  engines: ["mysql"],
  make: ({ random }) => [
    query(random.pick(["SET ROLE reader", "SET ROLE reader", "SET ROLE NONE", "SET ROLE missing"])),
    ...pause(random),
    query("SELECT CURRENT_ROLE()"),
  ],
};

const setStatement: Feature = {
  name: "setStatement",
  engines: ["mariadb"],
  make: ({ random }) => [
    query(random.pick([
      "SET STATEMENT sql_mode = 'ANSI' FOR SELECT @@sql_mode",
      "SET STATEMENT div_precision_increment = 1, sort_buffer_size = 90000 FOR SELECT 1 / 7",
      "SET STATEMENT max_statement_time = 100 FOR SELECT 1",
    ])),
    query("SELECT @@sql_mode, @@div_precision_increment, @@sort_buffer_size, @@max_statement_time"),
  ],
};

/** Something that others can come between. */
export function pause(random: Random): Op[] {
  return random.chance(0.5) ? [query("SELECT 1")] : [];
}

export const VARIABLE_FEATURES: readonly Feature[] = [
  ...[variables, clock, isolation, charsets, schemas, userLiterals, userComputed, allVariables],
  ...[setStatement, userNulls, roles, fewerReports],
];
