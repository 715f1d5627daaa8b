/** What begins and ends each pin, as a table, and with real servers. */
import { assert, assertEquals } from "@std/assert";
import { encodeText } from "../../src/protocol/bytes.ts";
import { Command, Status } from "../../src/protocol/constants.ts";
import { Ask, classifyText } from "../../src/sql/classify.ts";
import type { Dialect } from "../../src/state/dialect.ts";
import { applyCommand, type CommandFacts } from "../../src/state/apply_command.ts";
import { leavesPins, NO_PINS, PINS, Pins } from "../../src/state/pins.ts";
import { specialVariables, trackedCharacteristics } from "../../src/state/track.ts";
import { sharedEngine } from "../support/shared_engine.ts";
import { StateSession } from "./state_session.ts";

const OCEANBASE = { dialect: "oceanbase" } as const;

function factsOf(sql: string, more: Partial<CommandFacts> = {}): CommandFacts {
  const bytes = encodeText(sql);
  const mode = { ansiQuotes: false, noBackslashEscapes: false, charset: 45 };
  const read = classifyText(bytes, { start: 0, end: bytes.length }, mode);
  return {
    command: Command.QUERY,
    cause: sql.split(" ").slice(0, 2).join(" "),
    dialect: "mysql",
    effects: read.effects,
    names: read.names,
    isRead: read.isRead,
    asksDiagnostics: (read.asks & Ask.diagnostics) !== 0,
    isUtf8: true,
    schema: "one",
    status: Status.AUTOCOMMIT,
    ...more,
  };
}

function shown(pins: Pins): string {
  return pins.list().map(({ reason, things }) =>
    things.length === 0 ? reason : `${reason}(${things.join()})`
  ).join(" ");
}

const IN_TRANS = { status: Status.IN_TRANS };
const FAILED = { status: undefined, error: 1064 };
const SEVERAL = { ...FAILED, isOneOfSeveral: true };
const id = (statementId: number, command: number, status = 0) => ({ statementId, command, status });

/** Statements one after the other, and the pins behind each. */
const ROWS: readonly (readonly (readonly [string, string, Partial<CommandFacts>?])[])[] = [
  [["SELECT 1", ""], ["BEGIN", "transaction", IN_TRANS], ["SELECT 1", "transaction", IN_TRANS], [
    "x",
    "transaction unknown_state",
    FAILED,
  ], ["COMMIT", "unknown_state"]],
  [["INSERT INTO t VALUES (1)", "transaction", IN_TRANS], ["ROLLBACK", ""]],
  [
    ["SET TRANSACTION READ ONLY", "next_transaction", {
      characteristics: "SET TRANSACTION READ ONLY;",
    }],
    ["SET @a=1", "next_transaction"],
    ["SELECT 1", "", { characteristics: "" }],
  ],
  [["SET TRANSACTION READ ONLY", "next_transaction"], ["BEGIN", "transaction", IN_TRANS], [
    "COMMIT",
    "",
  ]],
  [
    ["SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", "next_transaction", OCEANBASE],
    ["SELECT @@transaction_isolation", "next_transaction", { ...OCEANBASE, changes: -1 }],
    ["SELECT 1 FROM t", "next_transaction", { ...OCEANBASE, changes: -1 }],
    ["SELECT 1 INTO @a", "next_transaction", { ...OCEANBASE, changes: 1 }],
    ["DO 1", "next_transaction", { ...OCEANBASE, changes: 1 }],
    ["UPDATE t SET v = 1", "next_transaction", OCEANBASE],
    ["UPDATE t SET v = 2", "", { ...OCEANBASE, changes: 1 }],
  ],
  [
    ["SET TRANSACTION READ ONLY", "next_transaction", OCEANBASE],
    ["COMMIT", "", OCEANBASE],
  ],
  [["SET TRANSACTION READ ONLY", "", FAILED]],
  [["XA START 'a'", "transaction xa", IN_TRANS], ["XA END 'a'", "transaction xa", IN_TRANS], [
    "XA COMMIT 'a' ONE PHASE",
    "",
  ]],
  // A deadlock has rolled it back.
  [
    ["XA START 'a'", "transaction xa", IN_TRANS],
    ["UPDATE t SET v = 1", "transaction xa", {
      status: undefined,
      error: 1213,
    }],
    ["SELECT 1", "xa"],
    ["XA END 'a'", "xa", { status: undefined, error: 1614 }],
    [
      "XA ROLLBACK 'a'",
      "",
    ],
  ],
  [
    ["SAVEPOINT a", "savepoint", { status: 0 }],
    ["INSERT INTO t VALUES (1)", "savepoint transaction", IN_TRANS],
    ["ROLLBACK TO a", "savepoint transaction", IN_TRANS],
    ["COMMIT", "", { status: 0 }],
  ],
  [["SAVEPOINT a", ""], ["BEGIN", "transaction", IN_TRANS], [
    "SAVEPOINT a",
    "transaction",
    IN_TRANS,
  ]],
  [["SET TRANSACTION READ ONLY", "next_transaction"], ["SET autocommit = 1", "next_transaction"], [
    "UNLOCK TABLES",
    "next_transaction",
  ]],
  [["CALL p()", "routine next_transaction", { characteristics: "SET TRANSACTION READ ONLY;" }]],
  [["SELECT NEXT VALUE FOR s", ""], ["SELECT NEXT VALUE FOR s", "sequence", {
    asksSequences: true,
  }]],
  [
    ["LOCK TABLES a READ; x", "lock_tables unknown_state", SEVERAL],
    [
      "CREATE TEMPORARY TABLE a (n INT); x",
      "lock_tables unknown_state temporary_table(one.a)",
      SEVERAL,
    ],
    ["UNLOCK TABLES; x", "lock_tables unknown_state temporary_table(one.a)", SEVERAL],
  ],
  [
    ["CREATE TEMPORARY TABLE a (n INT)", "temporary_table(one.a)"],
    ["CREATE TEMPORARY TABLE two.b (n INT)", "temporary_table(one.a,two.b)"],
    ["DROP TABLE c", "temporary_table(one.a,two.b)"],
    ["DROP TABLE a", "temporary_table(one.a,two.b)", FAILED],
    ["DROP TEMPORARY TABLE one.a, two.b", ""],
  ],
  [["CREATE TEMPORARY TABLE a (n INT)", "", FAILED]],
  [["CREATE TEMPORARY TABLE a (n INT)", "temporary_table(one.a)"], [
    "ALTER TABLE a RENAME TO b",
    "temporary_table(one.b)",
  ], ["DROP TABLE b", ""]],
  [
    ["CREATE TEMPORARY TABLE a (n INT)", "temporary_table(one.a)", { dialect: "mariadb" }],
    ["DROP TABLE a, nosuch", "", { dialect: "mariadb", status: undefined, error: 1051 }],
  ],
  [["LOCK TABLES a READ", "lock_tables"], ["LOCK TABLES b READ", "lock_tables"], [
    "UNLOCK TABLES",
    "",
  ]],
  [["LOCK TABLES a READ", "lock_tables"], ["BEGIN", "transaction", IN_TRANS]],
  [["FLUSH TABLES WITH READ LOCK", "server_lock(tables)"], ["COMMIT", "server_lock(tables)"], [
    "UNLOCK TABLES",
    "",
  ]],
  [["LOCK INSTANCE FOR BACKUP", "server_lock(instance)"], [
    "UNLOCK TABLES",
    "server_lock(instance)",
  ], ["UNLOCK INSTANCE", ""]],
  [
    ["SELECT GET_LOCK('A',1)", "user_lock(a)"],
    ["SELECT GET_LOCK('a',1)", "user_lock(a)"],
    ["SELECT GET_LOCK('b',1)", "user_lock(a,b)"],
    ["DO RELEASE_LOCK('a')", "user_lock(a,b)"],
    ["COMMIT", "user_lock(a,b)"],
    ["DO RELEASE_LOCK('c')", "user_lock(a,b)"],
    ["SELECT RELEASE_LOCK('A'), RELEASE_LOCK('b')", ""],
  ],
  [["SELECT GET_LOCK(CONCAT('a'),1)", "user_lock()"], ["SELECT RELEASE_LOCK('a')", "user_lock()"], [
    "DO RELEASE_ALL_LOCKS()",
    "",
  ]],
  [["HANDLER t OPEN AS h", "handler(h)"], ["HANDLER h READ FIRST", "handler(h)"], [
    "HANDLER h CLOSE",
    "",
  ]],
  [["SELECT SQL_CALC_FOUND_ROWS 1", "found_rows"], ["SET @a=1", "found_rows"], [
    "SELECT FOUND_ROWS()",
    "",
  ]],
  [["CALL p()", "routine"], ["SELECT 1", "routine"]],
  [["SELECT my_function()", "routine"]],
  [["FROBNICATE", "unknown_state"], ["SELECT 1", "unknown_state"]],
  [["SET sql_mode = '', session_track_system_variables = 'autocommit', NAMES utf8mb4", ""]],
  [["SET session_track_schema = 0; USE two", "unknown_state"]],
  [["SET session_track_schema = 1", "unknown_state", FAILED]],
  [["SET GLOBAL session_track_schema = 1", ""]],
  [
    ["SET insert_id=5", "special_variable(insert_id)", {
      specialVariables: [{ name: "insert_id", isOver: false }],
    }],
    ["SELECT 1", "special_variable(insert_id)"],
    ["INSERT INTO t VALUES (NULL)", "", { hasInsertId: true }],
  ],
  [
    ["SET gtid_next='x:1'", "special_variable(gtid_next)", {
      specialVariables: [{ name: "gtid_next", isOver: false }],
    }],
    ["SET gtid_next=AUTOMATIC", "", { specialVariables: [{ name: "gtid_next", isOver: true }] }],
  ],
  [["", "cursor(5)", id(5, Command.STMT_EXECUTE, Status.CURSOR_EXISTS)], [
    "",
    "cursor(5)",
    id(5, Command.STMT_FETCH, Status.CURSOR_EXISTS),
  ], ["", "", id(5, Command.STMT_FETCH, Status.LAST_ROW_SENT)]],
  [
    ["", "cursor(5)", id(5, Command.STMT_EXECUTE, Status.CURSOR_EXISTS)],
    ["", "cursor(5,6)", id(6, Command.STMT_EXECUTE, Status.CURSOR_EXISTS)],
    ["", "cursor(6)", id(5, Command.STMT_CLOSE)],
    ["", "", id(6, Command.STMT_RESET)],
  ],
  [["", "cursor(5)", id(5, Command.STMT_EXECUTE, Status.CURSOR_EXISTS)], [
    "",
    "",
    id(5, Command.STMT_EXECUTE),
  ]],
  [["", "long_data(5)", id(5, Command.STMT_SEND_LONG_DATA)], [
    "",
    "long_data(5)",
    id(5, Command.STMT_SEND_LONG_DATA),
  ], ["", "", id(5, Command.STMT_EXECUTE)]],
  [["", "long_data(5)", id(5, Command.STMT_SEND_LONG_DATA)], ["", "", id(5, Command.STMT_RESET)]],
  [["FROBNICATE", "unknown_state"], ["", "", { command: Command.RESET_CONNECTION }]],
];

for (const steps of ROWS) {
  const name = steps.map(([sql, , more]) => sql || more!.command).join("; ");
  Deno.test(`Pins of ${name}`, () => {
    const pins = new Pins();
    for (const [at, [sql, expected, more]] of steps.entries()) {
      const facts = factsOf(sql === "" ? "DO 0" : sql, more);
      const before = shown(pins);
      const isPlain = leavesPins(pins.list(), facts.effects, facts.status ?? 0);
      const plain = facts.command === Command.QUERY || facts.command === Command.STMT_EXECUTE;
      applyCommand(pins, facts, at);
      if (isPlain && plain && sql !== "") assertEquals(shown(pins), before, sql);
      assertEquals(shown(pins), expected, sql);
    }
  });
}

Deno.test("Each reason is begun by a row, or not by a command alone", () => {
  const all = ROWS.flat().map(([, pins]) => pins).join(" ");
  const byOthers = ["load_data_local", "prepared_statement"];
  for (const reason of Object.keys(PINS)) {
    assert(all.includes(reason) || byOthers.includes(reason), reason);
  }
});

Deno.test("Pins say since when, and what did it", () => {
  const pins = new Pins();
  applyCommand(pins, factsOf("CREATE TEMPORARY TABLE a (n INT)"), 10);
  applyCommand(pins, factsOf("LOCK TABLES a READ"), 20);
  applyCommand(pins, factsOf("CREATE TEMPORARY TABLE b (n INT)"), 30);
  assertEquals(pins.list().map(({ since, cause }) => [since, cause]), [[10, "CREATE TEMPORARY"], [
    20,
    "LOCK TABLES",
  ]]);
});

Deno.test("The pins of a session are listed while there are any", () => {
  const pins = new Pins();
  assert(!pins.isPinned && pins.list() === NO_PINS);
  pins.set("prepared_statement", true, { since: 4, cause: "COM_STMT_PREPARE" });
  pins.set("prepared_statement", true, { since: 5, cause: "COM_STMT_EXECUTE" });
  assertEquals(pins.list().map(({ since, cause }) => [since, cause]), [[4, "COM_STMT_PREPARE"]]);
  pins.set("prepared_statement", false, { since: 5, cause: "COM_STMT_CLOSE" });
  pins.add("routine", { since: 5, cause: "CALL" });
  applyCommand(pins, factsOf("LOCK TABLES a READ"), 6);
  const listed = pins.list();
  assertEquals(listed.map(({ reason, since }) => [reason, since]), [
    ["routine", 5],
    ["lock_tables", 6],
  ]);
  pins.end("routine");
  applyCommand(pins, factsOf("UNLOCK TABLES"), 7);
  assert(!pins.isPinned && pins.list() === NO_PINS);
  assertEquals(listed.map(({ reason }) => reason), ["routine", "lock_tables"]);
  pins.add("routine", { since: 8, cause: "CALL" });
  pins.endAll();
  assert(pins.list() === NO_PINS);
});

Deno.test("What holds a pin is listed once, and is gone with its last time where that counts", () => {
  const pins = new Pins();
  const begin = { since: 1, cause: "" };
  for (const thing of ["a", "b", "a"]) pins.add("temporary_table", begin, thing);
  for (const thing of ["a", "b", "a"]) pins.add("user_lock", begin, thing);
  assertEquals(shown(pins), "temporary_table(a,b) user_lock(a,b)");
  assertEquals([pins.has("user_lock", "a"), pins.has("user_lock", "c")], [true, false]);
  assertEquals([pins.size("user_lock"), pins.size("handler")], [2, 0]);
  for (const reason of ["temporary_table", "user_lock", "handler"] as const) {
    pins.remove(reason, "a");
    pins.remove(reason, "c");
  }
  assertEquals(shown(pins), "temporary_table(b) user_lock(a,b)");
  pins.removeAll("user_lock", "b");
  pins.remove("user_lock", "a");
  assertEquals(shown(pins), "temporary_table(b)");
});

/** So many that work for each of the others shows. */
const MANY = 20_000;

Deno.test("Thousands of temporary tables come and go", () => {
  const pins = new Pins();
  for (let at = 0; at < MANY; at++) {
    applyCommand(pins, factsOf(`CREATE TEMPORARY TABLE t${at} (n INT)`), at);
  }
  assertEquals(pins.size("temporary_table"), MANY);
  for (let at = 0; at < MANY; at++) applyCommand(pins, factsOf(`DROP TABLE t${at}`), at);
  assert(!pins.isPinned);
});

/** Statements with the pins behind each, as servers report their status. */
const LIVE: readonly (readonly [string, string])[] = [
  ["SET SESSION autocommit=0", ""],
  ["SELECT * FROM pins.t", "transaction"],
  ["COMMIT", ""],
  ["SET SESSION autocommit=1", ""],
  ["SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", "next_transaction"],
  ["SELECT * FROM pins.t", ""],
  ["SET TRANSACTION READ ONLY", "next_transaction"],
  ["START TRANSACTION", "transaction"],
  ["ROLLBACK", ""],
  ["XA START 'a'", "transaction xa"],
  ["XA END 'a'", "transaction xa"],
  ["XA ROLLBACK 'a'", ""],
  ["CREATE TEMPORARY TABLE pins.a (n INT)", "temporary_table(pins.a)"],
  ["DROP TABLE pins.a", ""],
  ["LOCK TABLES pins.t READ", "lock_tables"],
  ["START TRANSACTION", "transaction"],
  ["COMMIT AND CHAIN", "transaction"],
  ["COMMIT", ""],
  ["SELECT GET_LOCK('x',0)", "user_lock(x)"],
  ["DO RELEASE_ALL_LOCKS()", ""],
];

for (const name of ["mariadb", "mysql"] as const) {
  const shared = await sharedEngine(name, ["CREATE DATABASE pins", "CREATE TABLE pins.t (n INT)"]);
  Deno.test(`${name}: pins follow what the server reports`, { ignore: shared.ignore }, async () => {
    using session = await StateSession.open(shared.engine);
    const dialect: Dialect = session.dialect;
    await session.reportTransactions();
    const pins = new Pins();
    for (const [sql, expected] of LIVE) {
      const ok = (await session.must(sql)).ok!;
      applyCommand(
        pins,
        factsOf(sql, {
          dialect,
          status: ok.status,
          characteristics: trackedCharacteristics(ok),
          specialVariables: specialVariables(ok, dialect),
        }),
        0,
      );
      assertEquals(shown(pins), expected, sql);
    }
  });
}
