import { assert, assertEquals, assertMatch } from "@std/assert";
import { createConnection, type FieldPacket } from "mysql2";
import { bootstrapStatement } from "../../src/admin/bootstrap.ts";
import type { AdminScope } from "../../src/admin/scope.ts";
import { SYSTEM_VARIABLES } from "../../src/admin/system_variables.ts";
import type { Cluster } from "../../src/backend/cluster.ts";
import { SluiceError } from "../../src/errors.ts";
import type { Value } from "../../src/protocol/binary_value.ts";
import { ColumnType } from "../../src/protocol/constants.ts";
import { VERSION } from "../../src/version.ts";
import { DRIVER_STATEMENTS } from "../fixtures/driver_statements.ts";
import { encodeResultSet } from "../support/codec/replies.ts";
import { type SharedEngine, sharedEngine } from "../support/shared_engine.ts";
import { tokensOf } from "./tokens.ts";
import { caller, FakeClient, newManager, type ReadAnswer, readAnswer, scopeOf } from "./tools.ts";

const SETTINGS = {
  serverVersion: "",
  defaultCluster: "second",
  defaultInactivityTimeout: 90_500,
  clientMaxConnections: 77,
  proxyId: 5,
  listen: [{ hostname: "127.0.0.1", port: 2883 }],
};

function cluster(name: string, serverVersion: string): Cluster {
  return {
    config: { name },
    profile: () => Promise.resolve({ serverVersion }),
  } as unknown as Cluster;
}

function scope(settings: Partial<typeof SETTINGS> = {}): AdminScope {
  const manager = newManager();
  new FakeClient(manager, { id: 7, peer: "192.0.2.9:50123", bytesIn: 1_000, statements: 3 });
  new FakeClient(manager, { id: 8, phase: "executing", bytesIn: 20, statements: 4 });
  Object.assign(manager.ended, { clients: 40, statements: 500, bytesIn: 7 });
  const proxy = { ...SETTINGS, ...settings };
  return scopeOf(
    manager,
    caller({ id: 7, user: "root", tenant: "proxysys", identity: "proxysys" }),
    {
      clusters: [cluster("first", "8.0.1"), cluster("second", "5.5.5-10.11.2-MariaDB")],
      config: { current: { proxy } } as unknown as AdminScope["proxy"]["config"],
      startedAt: Date.now() - 65_500,
    },
  );
}

async function answer(sql: string, given = scope()): Promise<ReadAnswer | string> {
  const statement = bootstrapStatement(tokensOf(sql));
  if (statement === undefined) return "none";
  assertEquals(statement.parameters, 0);
  try {
    const answer = readAnswer(await statement.run(given, []));
    assertEquals(statement.refusal, undefined);
    if (answer.kind === "rows") {
      assertEquals(answer.columns, statement.columns);
      // Every value fits its column in both forms.
      for (const binary of [false, true]) {
        const form = { capabilities: 0, extendedCapabilities: 0, binary };
        encodeResultSet({ ...answer, status: 0, warnings: 0 }, form);
      }
    }
    return answer;
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    assertEquals(statement.refusal?.message, error.message);
    assertEquals(statement.columns, []);
    return `${error.code} ${error.message}`;
  }
}

/** Names of columns and the values of all rows. */
async function rows(sql: string, given?: AdminScope): Promise<[string[], ...Value[][]]> {
  const found = await answer(sql, given);
  if (typeof found === "string" || found.kind !== "rows") throw new Error(`No rows: ${sql}`);
  return [found.columns.map(({ name }) => name), ...found.rows.map((row) => [...row])];
}

Deno.test("What drivers send by themselves is answered", async () => {
  for (const { driver, sql, answer: expected } of DRIVER_STATEMENTS) {
    const found = await answer(sql);
    const kind = typeof found === "string"
      ? "refused"
      : found.kind === "rows" && found.rows.length === 1 && expected === "row"
      ? "row"
      : found.kind;
    assertEquals({ driver, sql, answer: kind }, { driver, sql, answer: expected });
  }
});

const SELECTS: readonly (readonly [sql: string, names: string[], values: Value[]])[] = [
  ["SELECT 1", ["1"], [1n]],
  ["select 1, 'a', 'c' AS b, NULL, TRUE, FALSE", ["1", "a", "b", "NULL", "TRUE", "FALSE"], [
    1n,
    "a",
    "c",
    null,
    1,
    0,
  ]],
  ["SELECT @@Version_Comment", ["@@Version_Comment"], [`sluice ${VERSION}`]],
  ["SELECT @@session.autocommit", ["@@session.autocommit"], [1]],
  ["SELECT @@GLOBAL.autocommit x", ["x"], [1]],
  ["SELECT @@local.autocommit AS `my x`;", ["my x"], [1]],
  ["SELECT @@session . autocommit", ["@@session . autocommit"], [1]],
  ["SELECT @@wait_timeout w, @@interactive_timeout 'i'", ["w", "i"], [90, 90]],
  [
    "SELECT @@max_connections, @@port, @@server_id",
    ["@@max_connections", "@@port", "@@server_id"],
    [
      77,
      2883,
      5,
    ],
  ],
  ["SELECT @@sql_select_limit", ["@@sql_select_limit"], [18_446_744_073_709_551_615n]],
  ["SELECT @@version, version()", ["@@version", "version()"], [
    "10.11.2-MariaDB",
    "10.11.2-MariaDB",
  ]],
  ["SELECT user(), USER ( )", ["user()", "USER ( )"], ["root@192.0.2.9", "root@192.0.2.9"]],
  ["SELECT CURRENT_USER, current_user()", ["CURRENT_USER", "current_user()"], ["root@%", "root@%"]],
  ["SELECT connection_id() AS id, database()", ["id", "database()"], [7, null]],
  ["SELECT /* a */ 1 /* b */ AS one FROM DUAL LIMIT 1", ["one"], [1n]],
  ["SELECT 1 LIMIT 0, 1", ["1"], [1n]],
  ["SELECT 1 LIMIT 5 OFFSET 0;;", ["1"], [1n]],
];

Deno.test("Constants, variables and functions of the session are selected", async () => {
  for (const [sql, names, values] of SELECTS) {
    assertEquals([sql, ...await rows(sql)], [sql, names, values]);
  }
});

Deno.test("LIMIT may leave nothing", async () => {
  for (const limit of ["LIMIT 0", "LIMIT 1, 1", "LIMIT 0, 0", "LIMIT 1 OFFSET 1"]) {
    assertEquals(await rows(`SELECT 1 ${limit}`), [["1"]]);
  }
});

Deno.test("The time is the proxy's own", async () => {
  const before = new Date();
  const [, row] = await rows("SELECT NOW(), CURRENT_TIMESTAMP, UNIX_TIMESTAMP(), @@timestamp");
  const [now, current, seconds, timestamp] = row as [Record<string, number>, Value, number, number];
  assertEquals(current, now as never);
  assertEquals(seconds, timestamp);
  assert(seconds >= Math.floor(before.getTime() / 1000));
  assert([before.getFullYear(), new Date().getFullYear()].includes(now.year!));
  assert([before.getMinutes(), new Date().getMinutes()].includes(now.minute!));
});

Deno.test("Settings of the proxy show in the variables", async () => {
  const never = scope({ defaultInactivityTimeout: 0, serverVersion: "9.9.9-told" });
  assertEquals(await rows("SELECT @@wait_timeout, @@version", never), [
    ["@@wait_timeout", "@@version"],
    [31_536_000, "9.9.9-told"],
  ]);
  const short = scope({ defaultInactivityTimeout: 10, defaultCluster: "" });
  assertEquals((await rows("SELECT @@wait_timeout, @@version", short))[1], [1, "8.0.1"]);
});

Deno.test("An unknown system variable is told as MySQL tells it", async () => {
  for (const name of ["nosuch", "session.nosuch", "GLOBAL.nosuch"]) {
    assertEquals(await answer(`SELECT 1, @@${name}`), "1193 Unknown system variable 'nosuch'");
  }
});

const NONE = [
  "",
  ";",
  "SELECT",
  "SELECT *",
  "SELECT @a",
  "SELECT ?",
  "SELECT 1 + 1",
  "SELECT 1, ",
  "SELECT 1 AS",
  "SELECT 1 FROM t",
  "SELECT 1 FROM DUAL WHERE 1",
  "SELECT 1 WHERE 1",
  "SELECT 1 LIMIT",
  "SELECT 1 LIMIT x",
  "SELECT 1 LIMIT 1,",
  "SELECT 1 one two",
  "SELECT 1.5",
  "SELECT SLEEP(1)",
  "SELECT USER",
  "SELECT USER(1)",
  "SELECT VERSION(",
  "SELECT @@",
  "SELECT @@session.",
  "SELECT COUNT(*) FROM information_schema.TABLES",
  "(SELECT 1)",
  "SET",
  "START",
  "START SLAVE",
  "SHOW",
  "SHOW GLOBAL",
  "SHOW VARIABLES LIKE",
  "SHOW VARIABLES LIKE 'a' 'b'",
  "SHOW VARIABLES WHERE Value = 'ON'",
  "SHOW VARIABLES WHERE Variable_name",
  "SHOW VARIABLES WHERE Variable_name = 'a' AND Value = 'ON'",
  "SHOW VARIABLES WHERE Variable_name IN ('a'",
  "SHOW VARIABLES WHERE (Variable_name = 'a'",
  "SHOW BINARY LOGS",
  "SHOW PROXYNOSUCH",
  "USE",
  "USE a b",
  "INSERT INTO t VALUES (1)",
  "`SELECT` 1",
  "'SELECT' 1",
];

Deno.test("Everything else is no statement of such a session", async () => {
  for (const sql of NONE) assertEquals([sql, await answer(sql)], [sql, "none"]);
});

Deno.test("Statements that set up or frame a session are answered with OK", async () => {
  const statements = ["BEGIN", "begin work", "START TRANSACTION WITH CONSISTENT SNAPSHOT", "COMMIT"]
    .concat(
      "ROLLBACK AND CHAIN",
      "SET NAMES utf8mb4",
      "SET CHARACTER SET utf8",
      "SET @a = 1, @b = 2",
    )
    .concat("SET SESSION x = 1, LOCAL y = 2, @@session.z = 3", "SET sql_mode = 'GLOBAL'")
    .concat(
      "SET TRANSACTION READ ONLY",
      "/*!40101 SET NAMES utf8 */".replace(/\W\W!40101|\*\//g, ""),
    );
  for (const sql of statements) assertEquals([sql, await answer(sql)], [sql, { kind: "ok" }]);
});

Deno.test("What is not of a session cannot be set here", async () => {
  const refused = ["SET GLOBAL read_only = 1", "SET @@global.read_only = 1", "SET PERSIST x = 1"]
    .concat(
      "SET a = 1, GLOBAL b = 2",
      "SET PASSWORD = 'x'",
      "SET ROLE ALL",
      "SET @@PERSIST_ONLY.x = 1",
    )
    .concat("SET DEFAULT ROLE ALL TO x");
  for (const sql of refused) {
    const found = await answer(sql);
    assertMatch(String(found), /^1235 .*; use ALTER PROXYCONFIG SET$/, sql);
  }
});

Deno.test("There is no schema to use", async () => {
  assertEquals(await answer("USE test"), "1049 Unknown database 'test'");
  assertEquals(await answer("use `a b`;"), "1049 Unknown database 'a b'");
});

Deno.test("SHOW VARIABLES lists all, or those that are asked for", async () => {
  const [columns, ...all] = await rows("SHOW VARIABLES");
  assertEquals(columns, ["Variable_name", "Value"]);
  assertEquals(all.length, SYSTEM_VARIABLES.length);
  const names = all.map(([name]) => name as string);
  assertEquals(names, [...new Set(names)].sort());
  assertEquals(all.filter(([, value]) => typeof value !== "string"), []);
  const values = Object.fromEntries(all);
  assertEquals([values.autocommit, values.read_only, values.port], ["ON", "OFF", "2883"]);
  assertEquals([values.version, values.version_comment], ["10.11.2-MariaDB", `sluice ${VERSION}`]);
  const wanted: Record<string, string[]> = {
    "SHOW GLOBAL VARIABLES LIKE 'lower\\_case\\_%'": [
      "lower_case_file_system",
      "lower_case_table_names",
    ],
    "show session variables like 'AUTOCOMMIT'": ["autocommit"],
    "SHOW LOCAL VARIABLES LIKE 'no such'": [],
    "SHOW VARIABLES WHERE Variable_name = 'Port'": ["port"],
    "SHOW VARIABLES WHERE `VARIABLE_NAME` IN ('version', 'x', 'port')": ["port", "version"],
    "SHOW VARIABLES WHERE variable_name = 'port' OR variable_name LIKE 'vers%n'": [
      "port",
      "version",
    ],
    "SHOW VARIABLES WHERE (Variable_name = 'port') OR (Variable_name = 'version')": [
      "port",
      "version",
    ],
  };
  for (const [sql, expected] of Object.entries(wanted)) {
    const [, ...found] = await rows(sql);
    assertEquals([sql, found.map(([name]) => name)], [sql, expected]);
  }
});

Deno.test("SHOW STATUS counts what the proxy has done", async () => {
  const [columns, ...found] = await rows("SHOW GLOBAL STATUS");
  assertEquals(columns, ["Variable_name", "Value"]);
  assertEquals(Object.fromEntries(found), {
    Bytes_received: "1027",
    Bytes_sent: "4000",
    Connections: "42",
    Questions: "507",
    Ssl_cipher: "",
    Ssl_version: "",
    Threads_connected: "2",
    Threads_running: "1",
    Uptime: "65",
  });
  assertEquals((await rows("SHOW SESSION STATUS LIKE 'Ssl_cipher'"))[1], ["Ssl_cipher", ""]);
});

Deno.test("SHOW of what there is none of has columns and no rows", async () => {
  for (
    const what of ["DATABASES", "SCHEMAS LIKE 'a%'", "TABLES", "FULL TABLES FROM `x` LIKE 'y'"]
  ) {
    assertEquals((await rows(`SHOW ${what}`)).length, 1);
  }
  for (
    const what of ["WARNINGS", "ERRORS", "ENGINES", "STORAGE ENGINES", "PLUGINS", "TABLES IN x"]
  ) {
    assertEquals((await rows(`show ${what}`)).length, 1);
  }
  assertEquals(await rows("SHOW COLLATION WHERE Collation = 'utf8mb4_bin'"), [
    ["Collation", "Charset", "Id", "Default", "Compiled", "Sortlen"],
    ["utf8mb4_bin", "utf8mb4", 46, "", "Yes", 1],
  ]);
  assertEquals((await rows("SHOW CHARACTER SET LIKE 'utf8%'")).length, 3);
  assertEquals((await rows("SHOW CHARSET")).length, 5);
  assertEquals((await rows("SHOW GRANTS"))[1], ["GRANT ALL PRIVILEGES ON *.* TO `root`@`%`"]);
});

const engines: Record<"mariadb" | "mysql", SharedEngine> = {
  mariadb: await sharedEngine("mariadb"),
  mysql: await sharedEngine("mysql"),
};

function isNumber(type: number): boolean {
  return type === ColumnType.LONGLONG || type === ColumnType.LONG;
}

for (const name of ["mariadb", "mysql"] as const) {
  const { ignore } = engines[name];

  Deno.test(`Selected columns are those of ${name}`, { ignore }, async () => {
    const { port, admin } = engines[name].engine;
    const connection = await createConnection({ host: "127.0.0.1", port, ...admin });
    const statements = [
      ...DRIVER_STATEMENTS.filter(({ answer, only }) => answer === "row" && (only ?? name) === name)
        .map(({ sql }) => sql),
      ...SELECTS.map(([sql]) => sql).filter((sql) => !sql.includes(" . ") && !sql.includes("( )")),
    ];
    try {
      for (const sql of statements) {
        const [, fields] = await connection.query(sql.replace(/;+$/, "")) as [
          unknown,
          FieldPacket[],
        ];
        const columns = bootstrapStatement(tokensOf(sql))!.columns;
        assertEquals(
          [sql, columns.map((column) => [column.name, isNumber(column.type)])],
          [sql, fields.map((field) => [field.name, isNumber(field.columnType!)])],
        );
      }
    } finally {
      await connection.end();
    }
  });

  Deno.test(`Variables have the kinds of ${name}`, { ignore }, async () => {
    const { port, admin } = engines[name].engine;
    const connection = await createConnection({ host: "127.0.0.1", port, ...admin });
    try {
      let known = 0;
      for (const { name: variable, kind } of SYSTEM_VARIABLES) {
        const asked = connection.query(`SELECT @@${variable}`) as Promise<[unknown, FieldPacket[]]>;
        const outcome = await asked.catch((error: { errno: number }) => error);
        if (!Array.isArray(outcome)) {
          assertEquals([variable, outcome.errno], [variable, 1193]);
          continue;
        }
        known++;
        const { columnType } = outcome[1][0]!;
        const isFraction = columnType === ColumnType.DOUBLE || columnType === ColumnType.NEWDECIMAL;
        if (isFraction) continue;
        assertEquals([variable, kind !== "text"], [variable, isNumber(columnType!)]);
      }
      assert(known > 80);
    } finally {
      await connection.end();
    }
  });
}
