import { assertEquals, assertRejects } from "@std/assert";
import { Backend } from "../../src/backend/backend.ts";
import { askPrivileges, readPrivileges } from "../../src/backend/privileges.ts";
import type { ServerLogin } from "../../src/backend/server_login.ts";
import { queryAside, runAside } from "../../src/backend/side_connection.ts";
import { SluiceError } from "../../src/errors.ts";
import type { EngineName } from "../../src/dev/engines/engine.ts";
import { LoginKey } from "../../src/protocol/auth.ts";
import { type SharedEngine, sharedEngine } from "../support/shared_engine.ts";

const NONE = "neither";
const SEES = "sees";
const ENDS = "ends";
const BOTH = "both";

/** Rows of one SHOW GRANTS as servers gave them; see the names of the tests' accounts. */
const TEXTS: readonly (readonly [what: string, rows: readonly string[], may: string])[] = [
  ["nothing at all", [], NONE],
  ["MariaDB: nothing", [
    "GRANT USAGE ON *.* TO `plain`@`%` IDENTIFIED BY PASSWORD '*D821809F681A40A6E379B50D0463EFAE20BDD122'",
  ], NONE],
  ["MariaDB: everything", [
    "GRANT ALL PRIVILEGES ON *.* TO `all_`@`%` IDENTIFIED BY PASSWORD '*D821809F681A40A6E379B50D0463EFAE20BDD122' WITH GRANT OPTION",
  ], BOTH],
  ["MariaDB: everything, ANSI_QUOTES", [
    'GRANT ALL PRIVILEGES ON *.* TO "all_"@"%" WITH GRANT OPTION',
  ], BOTH],
  ["MariaDB: everything, sql_quote_show_create=0", [
    "GRANT ALL PRIVILEGES ON *.* TO all_@`%` WITH GRANT OPTION",
  ], BOTH],
  ["MariaDB: PROCESS", ["GRANT PROCESS ON *.* TO `proc`@`%`"], SEES],
  ["MariaDB: SUPER", ["GRANT SUPER ON *.* TO `sup`@`%`"], BOTH],
  ["MariaDB: CONNECTION ADMIN", ["GRANT CONNECTION ADMIN ON *.* TO `conn`@`%`"], ENDS],
  ["MariaDB: PROCESS among others", [
    "GRANT SELECT, INSERT, RELOAD, PROCESS, BINLOG MONITOR ON *.* TO `some`@`%` WITH GRANT OPTION",
  ], SEES],
  ["MariaDB: PROCESS by a default role", [
    "GRANT `watcher` TO `role`@`%`",
    "GRANT USAGE ON *.* TO `role`@`%`",
    "GRANT PROCESS ON *.* TO `watcher`",
    "SET DEFAULT ROLE `watcher` FOR `role`@`%`",
  ], SEES],
  ["MariaDB: PROCESS of everybody", [
    "GRANT USAGE ON *.* TO `u`@`%`",
    "GRANT PROCESS ON *.* TO PUBLIC",
  ], SEES],
  ["MariaDB: a role that is called like a grant", [
    "GRANT `PROCESS, SUPER ON *.* TO x` TO `role2`@`%`",
    "GRANT USAGE ON *.* TO `PROCESS, SUPER ON *.* TO x`",
    "SET DEFAULT ROLE `PROCESS, SUPER ON *.* TO x` FOR `role2`@`%`",
  ], NONE],
  ["a role that is called like a privilege, unquoted", ["GRANT PROCESS TO role3@`%`"], NONE],
  ["everything on one schema", ["GRANT ALL PRIVILEGES ON `SUPER`.* TO `db`@`%`"], NONE],
  ["columns that are called like a grant", [
    "GRANT SELECT (`a, PROCESS ON *.* TO`, `b`), UPDATE (`b`) ON `SUPER`.`t` TO `db`@`%`",
  ], NONE],
  ["the same, ANSI_QUOTES", [
    'GRANT SELECT ("a, PROCESS ON *.* TO", "b"), UPDATE ("b") ON "SUPER"."t" TO "db"@"%"',
  ], NONE],
  ["the same, sql_quote_show_create=0", [
    "GRANT SELECT (`a, PROCESS ON *.* TO`, b), UPDATE (b) ON `SUPER`.t TO db@`%`",
  ], NONE],
  ["columns beside a privilege", ["GRANT SELECT (`a)`, `b`), SUPER ON *.* TO `db`@`%`"], BOTH],
  ["MariaDB: PROXY", ["GRANT PROXY ON ``@`%` TO `proxy`@`%`"], NONE],
  ["MySQL 5.7: PROXY", ["GRANT PROXY ON ''@'' TO 'root'@'localhost' WITH GRANT OPTION"], NONE],
  ["a routine", ["GRANT EXECUTE ON PROCEDURE `a`.`SUPER ON *.* TO` TO `u`@`%`"], NONE],
  ["MySQL: dynamic CONNECTION_ADMIN", [
    "GRANT USAGE ON *.* TO `conn`@`%`",
    "GRANT CONNECTION_ADMIN ON *.* TO `conn`@`%`",
  ], ENDS],
  ["MySQL: everything", [
    "GRANT SELECT, INSERT, UPDATE, RELOAD, SHUTDOWN, PROCESS, FILE, SUPER, CREATE TEMPORARY TABLES, DROP ROLE ON *.* TO `all_`@`%` WITH GRANT OPTION",
    "GRANT CLONE_ADMIN,CONNECTION_ADMIN,SERVICE_CONNECTION_ADMIN,XA_RECOVER_ADMIN ON *.* TO `all_`@`%` WITH GRANT OPTION",
  ], BOTH],
  ["MySQL: privileges with nearly the same names", [
    "GRANT SERVICE_CONNECTION_ADMIN,PASSWORDLESS_USER_ADMIN ON *.* TO `x`@`%`",
  ], NONE],
  ["MySQL: PROCESS by an active role", [
    "GRANT PROCESS ON *.* TO `role`@`%`",
    "GRANT `watcher`@`%` TO `role`@`%`",
  ], SEES],
  ["MySQL: a role that is called like a grant", [
    "GRANT USAGE ON *.* TO `role2`@`%`",
    "GRANT `PROCESS, SUPER ON *.* TO x`@`%` TO `role2`@`%`",
  ], NONE],
  ["MySQL: partial revokes", [
    "GRANT SELECT, PROCESS ON *.* TO `part`@`%`",
    "REVOKE SELECT ON `SUPER`.* FROM `part`@`%`",
  ], SEES],
  ["quotes in names", ["GRANT PROCESS ON *.* TO `we``ird' TO \" x`@`%`"], SEES],
  ["OceanBase: everything", [
    "GRANT ALL PRIVILEGES ON *.* TO 'root' WITH GRANT OPTION",
    "GRANT ALL PRIVILEGES ON `oceanbase`.* TO 'root'",
  ], BOTH],
  ["OceanBase: PROCESS", ["GRANT PROCESS ON *.* TO 'proc'"], SEES],
  ["OceanBase: a role, of which it says no more", [
    "GRANT USAGE ON *.* TO 'role'",
    "GRANT `watcher`@`%` TO `role`@`%`",
  ], NONE],
  ["no grants", ["PROCESS ON *.* TO x", "", "REVOKE SUPER ON *.* FROM x", "(`'\"((("], NONE],
];

function may({ seesOthers, endsOthers }: { seesOthers: boolean; endsOthers: boolean }): string {
  return seesOthers ? (endsOthers ? BOTH : SEES) : endsOthers ? ENDS : NONE;
}

for (const [what, rows, expected] of TEXTS) {
  Deno.test(`Grants are read: ${what}`, () => {
    assertEquals(may(readPrivileges(rows)), expected);
  });
}

Deno.test("A name of many quotes is read in time", () => {
  const name = "`".repeat(200_000);
  assertEquals(may(readPrivileges([`GRANT ${name} (`, `GRANT SUPER ON *.* TO ${name}`])), BOTH);
});

Deno.test("Many brackets that nothing closes are read in time", () => {
  const brackets = "(a".repeat(1_000_000);
  const rows = [`GRANT SUPER ${brackets} ON *.* TO a`, `GRANT PROCESS ON *.* TO a ${brackets}`];
  assertEquals(may(readPrivileges(rows)), SEES);
});

/** Account, statements that make it, and what it may do. */
const ACCOUNTS: readonly (readonly [name: string, statements: readonly string[], may: string])[] = [
  ["plain", [], NONE],
  ["everything", ["GRANT ALL PRIVILEGES ON *.* TO everything@'%'"], BOTH],
  ["watches", ["GRANT PROCESS ON *.* TO watches@'%'"], SEES],
  ["supers", ["GRANT SUPER, SELECT ON *.* TO supers@'%'"], BOTH],
  ["owner", [
    "CREATE TABLE test.owned (`a, PROCESS ON *.* TO` INT)",
    "GRANT ALL ON test.* TO owner@'%'",
    "GRANT SELECT (`a, PROCESS ON *.* TO`) ON test.owned TO owner@'%'",
  ], NONE],
  [
    "granted",
    ["CREATE ROLE sees_all", "GRANT PROCESS ON *.* TO sees_all"]
      .concat("GRANT sees_all TO granted@'%'"),
    NONE,
  ],
];

/** Roles and administrators are not the same everywhere. */
const MORE: Record<EngineName, typeof ACCOUNTS> = {
  mariadb: [
    ["ends", ["GRANT CONNECTION ADMIN ON *.* TO ends@'%'"], ENDS],
    [
      "default_role",
      ["GRANT sees_all TO default_role@'%'"]
        .concat("SET DEFAULT ROLE sees_all FOR default_role@'%'"),
      SEES,
    ],
    [
      "nested_role",
      ["CREATE ROLE outer_role", "GRANT sees_all TO outer_role"].concat(
        "GRANT outer_role TO nested_role@'%'",
        "SET DEFAULT ROLE outer_role FOR nested_role@'%'",
      ),
      SEES,
    ],
  ],
  mysql: [
    ["ends", ["GRANT CONNECTION_ADMIN ON *.* TO ends@'%'"], ENDS],
    [
      "default_role",
      ["GRANT sees_all TO default_role@'%'"]
        .concat("SET DEFAULT ROLE sees_all TO default_role@'%'"),
      SEES,
    ],
    [
      "nested_role",
      ["CREATE ROLE outer_role", "GRANT sees_all TO outer_role"].concat(
        "GRANT outer_role TO nested_role@'%'",
        "SET DEFAULT ROLE outer_role TO nested_role@'%'",
      ),
      SEES,
    ],
  ],
  seekdb: [],
};

function preparations(name: EngineName): string[] {
  return [...ACCOUNTS, ...MORE[name]].flatMap(([user, statements]) => [
    `CREATE USER ${user}@'%' IDENTIFIED BY 'secret'`,
    ...statements,
  ]);
}

const engines: Record<EngineName, SharedEngine> = {
  mariadb: await sharedEngine("mariadb", preparations("mariadb")),
  mysql: await sharedEngine("mysql", preparations("mysql")),
  seekdb: await sharedEngine("seekdb", preparations("seekdb")),
};

function backendOf(name: EngineName): Backend {
  const { hostname, port } = engines[name].engine;
  const address = { hostname, port };
  return new Backend({ name, address, role: "primary", zone: "", weight: 1 });
}

function loginOf(user: string, change: Partial<ServerLogin> = {}): ServerLogin {
  return {
    user,
    key: LoginKey.fromPassword("secret"),
    schema: "",
    charset: 45,
    maxPacketSize: 1 << 24,
    capabilities: { base: 0, extended: 0 },
    attributes: new Uint8Array(0),
    ...change,
  };
}

const LIMITS = { timeout: 10_000 };

for (const name of Object.keys(engines) as EngineName[]) {
  const { ignore } = engines[name];

  Deno.test(`${name} is asked what its accounts may do`, { ignore }, async () => {
    const backend = backendOf(name);
    for (const [user, , expected] of [...ACCOUNTS, ...MORE[name]]) {
      const found = await askPrivileges(backend, loginOf(user), LIMITS);
      assertEquals([user, may(found)], [user, expected]);
    }
  });

  Deno.test(`${name}: rows of a statement aside`, { ignore }, async () => {
    const backend = backendOf(name);
    // Latin-1 and a schema that is not there: both are the client's matter, not of such statements.
    const login = loginOf("everything", { charset: 8, schema: "no_such_schema" });
    const ask = (sql: string) => queryAside(backend, login, { ...LIMITS, sql });
    assertEquals(await ask("SELECT 'ä€', NULL, '', 12 UNION ALL SELECT '2', 'b', 'c', -1"), [
      ["ä€", null, "", "12"],
      ["2", "b", "c", "-1"],
    ]);
    assertEquals(await ask("SELECT 1 FROM (SELECT 1) AS one WHERE FALSE"), []);
    const [[long]] = await ask("SELECT REPEAT('x', 300000)") as [[string]];
    assertEquals(long.length, 300_000);
    const wrong = await assertRejects(() => ask("SELECT 1 FROM"), SluiceError);
    assertEquals([wrong.kind, wrong.side], ["server_refused", "server"]);
    await assertRejects(() => ask("DO 1"), SluiceError, "expected a result set");
    await assertRejects(
      () => runAside(backend, login, { ...LIMITS, sql: "SELECT 1" }),
      SluiceError,
      "expected OK",
    );
    await runAside(backend, login, { ...LIMITS, sql: "DO 1" });
    await runAside(backend, login, { ...LIMITS, sql: "no statement", isWanted: () => false });
  });

  Deno.test(`${name}: an account that is not there is refused`, { ignore }, async () => {
    const login = loginOf("everything", { key: LoginKey.fromPassword("wrong") });
    const error = await assertRejects(
      () => askPrivileges(backendOf(name), login, LIMITS),
      SluiceError,
    );
    assertEquals(error.code, 1045);
  });
}
