/** Scenarios about statements and what servers know of the last one. */
import { type Feature, ownTable, query, type Subject } from "./scenario.ts";
import type { Op } from "./steps.ts";
import { pause } from "./variable_features.ts";

/** Changes of the client's own table, with their errors. */
export function change(subject: Subject): Op {
  const { random } = subject;
  const table = `${random.pick(["one", "two"])}.${ownTable(subject)}`;
  const n = random.int(8);
  return query(random.pick([
    `INSERT INTO ${table} (v, s) VALUES (${n}, 'row')`,
    `INSERT INTO ${table} (v) VALUES (1), (2), (3)`,
    `INSERT INTO ${table} (id, v) VALUES (${n}, 1)`,
    `INSERT IGNORE INTO ${table} (id, s) VALUES (${n}, 'longer than twelve')`,
    `INSERT INTO ${table} (s) VALUES ('longer than twelve')`,
    `INSERT INTO ${table} (id, v) VALUES (${n}, 1) ON DUPLICATE KEY UPDATE v = v + 1`,
    `REPLACE INTO ${table} (id, v) VALUES (${n}, 2)`,
    `UPDATE ${table} SET v = v + 1 WHERE id < ${n}`,
    `UPDATE ${table} SET v = v WHERE id = ${n}`,
    `DELETE FROM ${table} WHERE id > ${n + 8}`,
    `DELETE FROM ${table}`,
  ]));
}

export function read(subject: Subject): Op {
  const { random } = subject;
  const table = `${random.pick(["one", "two"])}.${ownTable(subject)}`;
  return query(random.pick([
    `SELECT * FROM ${table} ORDER BY id LIMIT 20`,
    `SELECT COUNT(*), SUM(v) FROM ${table}`,
    "SELECT 1, 'text', NULL, 1.50, 1e3, CURRENT_USER()",
    "SELECT * FROM one.fixed WHERE id = 2",
    "SELECT f.*, g.name AS other FROM one.fixed f JOIN two.fixed g USING (id) ORDER BY id",
    "SELECT 1 FROM DUAL WHERE FALSE",
  ]));
}

const plain: Feature = {
  name: "plain",
  make(subject) {
    const { random } = subject;
    const wrong = query(random.pick([
      "SELEC 1",
      "SELECT * FROM one.missing",
      "SELECT missing FROM one.fixed",
      "SELECT (SELECT id FROM one.fixed)",
      "",
      "/* nothing */",
      "SELECT 1 /* é */ -- end",
    ]));
    return random.some([0], 3).map(() =>
      random.chance(0.45) ? change(subject) : random.chance(0.8) ? read(subject) : wrong
    ).concat(random.chance(0.05) ? [{ kind: "ping" }] : []);
  },
};

/** Nothing but the conditions of a statement is left. */
const mistakes: Feature = {
  name: "mistakes",
  make: ({ random }) => [
    query(random.pick([
      "SELECT * FROM one.missing",
      "SELECT 1 / 0, CAST('x' AS SIGNED)",
      "SELECT CAST('1x' AS SIGNED)",
      "SELEC 1",
    ])),
  ],
};

/** What a statement leaves for the next one, with others' statements between or not. */
const FACTS: readonly (readonly [name: string, ask: readonly string[]])[] = [
  ["rowCount", ["SELECT ROW_COUNT()", "SELECT ROW_COUNT() + 0 AS n, 'x'"]],
  ["foundRows", ["SELECT FOUND_ROWS()"]],
  ["insertIds", ["SELECT LAST_INSERT_ID()", "SELECT @@identity", "SELECT @@last_insert_id"]],
  ["warnings", [
    "SHOW WARNINGS",
    "SHOW ERRORS",
    "SHOW COUNT(*) WARNINGS",
    "SHOW COUNT(*) ERRORS",
    "SELECT @@warning_count, @@error_count",
    "SHOW WARNINGS LIMIT 1",
  ]],
  ["diagnosticsArea", [
    "GET DIAGNOSTICS @a = NUMBER",
    "GET DIAGNOSTICS CONDITION 1 @a = MESSAGE_TEXT, @b = RETURNED_SQLSTATE",
    "GET DIAGNOSTICS @a = NUMBER, @b = ROW_COUNT",
    "GET DIAGNOSTICS CONDITION 2 @a = MYSQL_ERRNO, @b = CLASS_ORIGIN",
    "GET DIAGNOSTICS @a = NUMBER; GET DIAGNOSTICS CONDITION @a @b = MESSAGE_TEXT",
    "SELECT @a, @b, COLLATION(@b)",
  ]],
];

/** Of MariaDB, and of MySQL and MariaDB: the others have other words for what they do not know. */
function moreCausesOf(subject: Subject): string[] {
  const { engine } = subject;
  const table = `one.${ownTable(subject)}`;
  const returning = [`INSERT INTO ${table} (v) VALUES (3), (4) RETURNING v`];
  const checks = ["CHECK TABLE one.fixed", "HELP 'nothing'"];
  return [...(engine === "mariadb" ? returning : []), ...(engine === "seekdb" ? [] : checks)];
}

function causeOf(subject: Subject): Op {
  const { random } = subject;
  return random.chance(0.5) ? change(subject) : query(random.pick([
    ...moreCausesOf(subject),
    `INSERT INTO one.${ownTable(subject)} (id, v) VALUES (NULL, 1), (3, 2), (3, 3)`,
    "SELECT 1 / 0, CAST('x' AS SIGNED)",
    "SELECT * FROM one.missing",
    "SELECT * FROM one.fixed LIMIT 2",
    "DROP TABLE IF EXISTS one.missing, one.missing2",
    "SELECT CAST('1x' AS SIGNED) + CAST('2y' AS SIGNED)",
    "DO 1",
    `UPDATE one.${ownTable(subject)} SET v = LAST_INSERT_ID(v + 5)`,
    "SELECT LAST_INSERT_ID(42)",
    "SET sort_buffer_size = 1",
    "SET @a = 1",
    "USE one",
    "BOTCHED",
  ]));
}

/** Several results, the last of which counts; what they leave may be asked for one question only. */
function longCauseOf(subject: Subject): Op {
  const table = `one.${ownTable(subject)}`;
  return query(subject.random.pick([
    `SELECT 1; UPDATE ${table} SET v = v + 1 WHERE id < 3`,
    `UPDATE ${table} SET v = v + 1 WHERE id < 3; SELECT 1 UNION SELECT 2`,
    `SET @a = 1; UPDATE ${table} SET v = v WHERE id = 1; SET @a = 2`,
    "SELECT CAST('1x' AS SIGNED); SET @a = 3",
    "SET @a = '1'; SET @b = '2'",
    "SELECT missing || 'a' FROM one.fixed",
    "CALL one.say('some text')",
    "CALL one.warn()",
  ]));
}

/** That are no statements. */
const COMMANDS: readonly Op[] = [
  { kind: "ping" },
  { kind: "schema", name: "one" },
  { kind: "allowSeveral", isAllowed: true },
];

/**
 * OceanBase has nothing that does nothing and answers as GET DIAGNOSTICS does, and its FOUND_ROWS()
 * behind an INSERT depends on what the session has done long before.
 */
const NOT_ON_SEEKDB: ReadonlySet<string> = new Set(["diagnosticsArea", "foundRows"]);

const facts: readonly Feature[] = FACTS.map(([name, ask]) => ({
  name,
  ...(NOT_ON_SEEKDB.has(name) ? { engines: ["mariadb", "mysql"] } : {}),
  make(subject) {
    const { random, engine } = subject;
    const isOfResult = name === "foundRows" || (name === "rowCount" && engine === "seekdb");
    return [
      // Before its first result a session says what another one had at that place in memory, and
      // OceanBase that there was one.
      ...(isOfResult ? [query("SELECT * FROM one.fixed LIMIT 2")] : []),
      name !== "foundRows" && random.chance(0.3) ? longCauseOf(subject) : causeOf(subject),
      ...(name === "insertIds" ? pause(random) : []),
      ...(random.chance(0.15) ? [random.pick(COMMANDS)] : []),
      query(random.pick(ask)),
      ...(random.chance(0.3) ? [query(random.pick(ask))] : []),
    ];
  },
}));

const calcFoundRows: Feature = {
  name: "calcFoundRows",
  holds: true,
  make: ({ random }) => [
    query(
      `SELECT SQL_CALC_FOUND_ROWS * FROM one.fixed ORDER BY id LIMIT ${1 + random.int(2)}` +
        (random.chance(0.1) ? "; SELECT * FROM one.missing" : ""),
    ),
    ...(random.chance(0.4) ? [query("SET @a = 2")] : []),
    query("SELECT FOUND_ROWS()"),
    query("SELECT FOUND_ROWS()"),
  ],
};

const several: Feature = {
  name: "several",
  make(subject) {
    const { random } = subject;
    const parts = random.some([
      () => sqlOf(read(subject)),
      () => sqlOf(change(subject)),
      () => "SET @a = 3",
      () => "SELECT @a",
      () => "USE two",
      () => "SET SESSION div_precision_increment = 2",
      () => "BEGIN; COMMIT",
      () => "SELECT * FROM one.missing",
      () => "SELECT 'a;b'",
    ], 3).map((make) => make());
    return [
      query(parts.join("; ") + (random.chance(0.2) ? ";" : "")),
      query("SELECT @a, DATABASE(), 1 / 7"),
      ...(random.chance(0.1)
        ? [
          { kind: "allowSeveral", isAllowed: false } as const,
          query("SELECT 1; SELECT 2"),
          { kind: "allowSeveral", isAllowed: true } as const,
        ]
        : []),
    ];
  },
};

function sqlOf(op: Op): string {
  return op.kind === "query" ? op.sql : "";
}

const routines: Feature = {
  name: "routines",
  make(subject) {
    const { random } = subject;
    const schema = random.pick(["one", "two"]);
    return [
      ...random.pick([
        ["SET @a = 4", `CALL ${schema}.twice(@a)`],
        [`CALL ${schema}.say('some text')`],
        [`CALL ${schema}.keep(${random.int(100)})`],
        [`CALL ${schema}.tune(${random.int(9)})`, "SELECT 1 / 7"],
        [`CALL ${schema}.fail()`],
        [`CALL ${schema}.warn()`],
        [`CALL ${schema}.last()`],
        [`SELECT ${schema}.adjust(${random.int(9)})`],
        [`SELECT ${schema}.remember(${random.int(100)})`],
        [`CALL ${schema}.missing()`],
        // A server loads it unless the session has run it before, and takes the collation of its
        // own schema anew with that.
        ["SET @a = 4", `CALL ${schema}.twice(@a)`, `CALL ${schema}.twice(1)`],
      ]).map(query),
      ...pause(random),
      query("SELECT @a, @b, @c, @@div_precision_increment"),
    ];
  },
};

const triggers: Feature = {
  name: "triggers",
  make: ({ random }) => [
    query(`INSERT INTO ${random.pick(["one", "two"])}.watched VALUES (${random.int(9)})`),
    ...pause(random),
    query("SELECT @b, @@div_precision_increment"),
  ],
};

const sessions: Feature = {
  name: "sessions",
  isOuter: true,
  make(subject) {
    const kind = subject.random.pick(["reset", "reconnect", "changeUser"] as const);
    subject.slots.clear();
    subject.typed.clear();
    return [
      { kind },
      // The first statement must not see what another one has left.
      ...(kind === "reconnect" && subject.random.chance(0.5) ? [query("SHOW WARNINGS")] : []),
      query("SELECT @a, @b, DATABASE(), @@sql_mode, @@character_set_client"),
    ];
  },
};

export const STATEMENT_FEATURES: readonly Feature[] = [
  ...[plain, mistakes, ...facts, calcFoundRows, several, routines, triggers, sessions],
];
