/** The shortest list that makes one state of another. */
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { difference } from "../../src/state/difference.ts";
import type { Dialect } from "../../src/state/dialect.ts";
import { SessionState, Unread } from "../../src/state/session_state.ts";

const LOGIN: ReadonlyMap<string, string> = new Map([
  ["sql_mode", ""],
  ["character_set_client", "utf8mb4"],
  ["character_set_results", "utf8mb4"],
  ["collation_connection", "utf8mb4_general_ci"],
  ["collation of character_set_client", "utf8mb4_general_ci"],
  ["collation of character_set_results", "utf8mb4_general_ci"],
]);

interface Row {
  readonly what: string;
  readonly dialect?: Dialect;
  readonly wanted?: Readonly<Record<string, string>>;
  readonly known?: Readonly<Record<string, string>>;
  readonly schema?: string;
  readonly knownSchema?: string;
  /** `reset`, `login`, or what is sent. */
  readonly expected: string;
}

/** Names with `@` are user variables. */
const ROWS: readonly Row[] = [
  { what: "nothing", expected: "" },
  { what: "a schema", schema: "one", expected: "USE one" },
  { what: "another schema", schema: "one", knownSchema: "two", expected: "USE one" },
  { what: "no schema any more", knownSchema: "two", expected: "login" },
  { what: "a number", wanted: { wait_timeout: "5" }, expected: "SET SESSION wait_timeout=5" },
  {
    what: "text",
    wanted: { time_zone: "+01:00" },
    expected: "SET SESSION time_zone=_utf8mb4'+01:00'",
  },
  {
    what: "empty text",
    wanted: { sql_mode: "" },
    known: { sql_mode: "ANSI" },
    expected: "SET SESSION sql_mode=_utf8mb4 x''",
  },
  {
    what: "text with quotes",
    wanted: { default_master_connection: "it's" },
    dialect: "mariadb",
    expected: "SET SESSION default_master_connection=_utf8mb4 x'69742773'",
  },
  {
    what: "what only the known state has",
    known: { wait_timeout: "5" },
    expected: "SET SESSION wait_timeout=DEFAULT",
  },
  {
    what: "DEFAULT that is wrong",
    known: { unique_checks: "OFF" },
    expected: "SET SESSION unique_checks=@@GLOBAL.unique_checks",
  },
  {
    what: "NULL",
    wanted: { innodb_tmpdir: "" },
    known: { innodb_tmpdir: "/a" },
    expected: "SET SESSION innodb_tmpdir=NULL",
  },
  {
    what: "a variable that changes another",
    wanted: { max_join_size: "7" },
    expected: "SET SESSION max_join_size=7,SESSION sql_big_selects=DEFAULT",
  },
  {
    what: "both of them",
    wanted: { sql_big_selects: "ON", max_join_size: "7", wait_timeout: "5" },
    expected:
      "SET SESSION max_join_size=7,SESSION wait_timeout=5,SESSION sql_big_selects=_utf8mb4'ON'",
  },
  {
    what: "SET NAMES",
    wanted: {
      character_set_client: "latin1",
      character_set_results: "latin1",
      collation_connection: "latin1_bin",
      "collation of character_set_client": "latin1_bin",
      "collation of character_set_results": "latin1_bin",
    },
    expected: "SET NAMES latin1 COLLATE latin1_bin",
  },
  {
    what: "the login's character sets again",
    known: { character_set_results: "latin1", "collation of character_set_results": "" },
    expected: "SET NAMES utf8mb4 COLLATE utf8mb4_general_ci",
  },
  {
    what: "the results' character set alone",
    wanted: { character_set_results: "latin1", "collation of character_set_results": "" },
    expected: "SET SESSION character_set_results=_utf8mb4'latin1'",
  },
  {
    what: "no character set of results",
    wanted: { character_set_results: "", "collation of character_set_results": "" },
    expected: "SET SESSION character_set_results=NULL",
  },
  {
    what: "the collation of the client's character set",
    wanted: {
      character_set_results: "",
      collation_connection: "utf8mb4_bin",
      "collation of character_set_client": "utf8mb4_bin",
      "collation of character_set_results": "",
    },
    known: { collation_connection: "utf8mb4_bin", "collation of character_set_client": "" },
    expected: "SET NAMES utf8mb4 COLLATE utf8mb4_bin,SESSION character_set_results=NULL",
  },
  {
    what: "the client's character set alone",
    wanted: { character_set_client: "latin1", "collation of character_set_client": "" },
    expected: "SET SESSION character_set_client=_utf8mb4'latin1'",
  },
  {
    what: "the same collation of two character sets, one of which has its own again",
    wanted: {
      collation_connection: "latin1_bin",
      "collation of character_set_client": "utf8mb4_bin",
      "collation of character_set_results": "",
    },
    known: { "collation of character_set_client": "" },
    expected: "SET NAMES utf8mb4 COLLATE utf8mb4_bin," +
      "SESSION collation_connection=_utf8mb4'latin1_bin'," +
      "SESSION character_set_results=_utf8mb4'utf8mb4'",
  },
  {
    what: "a collation that the schema had overridden",
    known: { collation_database: "latin1_bin" },
    schema: "one",
    knownSchema: "one",
    expected: "USE one",
  },
  { what: "a user variable", wanted: { "@a": "5" }, expected: "SET @a:=5" },
  { what: "one with a name in quotes", wanted: { "@a `b": "5" }, expected: "SET @`a ``b`:=5" },
  { what: "another value", wanted: { "@a": "5" }, known: { "@a": "6" }, expected: "SET @a:=5" },
  {
    what: "numbers that were assigned under the same collation",
    wanted: { "@a": "5\0latin1_bin", collation_connection: "latin1_bin" },
    expected: "SET SESSION collation_connection=_utf8mb4'latin1_bin',@a:=5",
  },
  {
    what: "numbers that were assigned under others",
    wanted: {
      "@a": "1\0utf8mb4_general_ci",
      "@b": "2\0latin1_bin",
      "@c": "x'00'",
      "@d": "0.,@d:=NULL\0latin1_bin",
      "@e": "3\0utf8mb4_bin",
    },
    expected: "SET @a:=1,SESSION collation_connection=_utf8mb4'latin1_bin',@b:=2,@c:=x'00'," +
      "@d:=0.,@d:=NULL,SESSION collation_connection=_utf8mb4'utf8mb4_bin',@e:=3," +
      "SESSION collation_connection=_utf8mb4'utf8mb4_general_ci'",
  },
  {
    what: "a number that was assigned under another",
    wanted: { "@a": "5\0latin1_bin" },
    known: { "@a": "5\0utf8mb4_bin" },
    expected: "SET SESSION collation_connection=_utf8mb4'latin1_bin',@a:=5," +
      "SESSION collation_connection=_utf8mb4'utf8mb4_general_ci'",
  },
  { what: "a variable too many", known: { "@a": "5" }, expected: "reset" },
  { what: "one that was never set", known: { "@a": "" }, expected: "" },
  {
    what: "one that is wanted not to be set",
    wanted: { "@a": "" },
    known: { "@a": "1" },
    expected: "reset",
  },
  { what: "another thread's id", known: { pseudo_thread_id: "5" }, expected: "reset" },
  {
    what: "an insert id",
    wanted: { last_insert_id: "5" },
    expected: "SET SESSION last_insert_id=5",
  },
  {
    what: "somebody else's insert id",
    known: { last_insert_id: "5" },
    expected: "SET SESSION last_insert_id=0",
  },
  {
    what: "OceanBase's DEFAULT, which spreads",
    dialect: "oceanbase",
    wanted: { time_zone: "+01:00", "@a": "5" },
    known: { wait_timeout: "5" },
    expected: "SET SESSION time_zone=_utf8mb4'+01:00',@a:=5,SESSION wait_timeout=DEFAULT",
  },
];

function stateOf(values: Readonly<Record<string, string>> = {}, schema = ""): SessionState {
  const state = SessionState.afterLogin(schema, LOGIN);
  for (const [name, value] of Object.entries(values)) {
    if (name === "last_insert_id") state.insertId = value;
    else if (name.startsWith("@")) state.setUserVariable(name.slice(1), value);
    else state.setVariable(name, value);
  }
  return state;
}

function sent(wanted: SessionState, known: SessionState, dialect: Dialect): string {
  const found = difference(wanted, known, { dialect });
  if (found === undefined) return "";
  if (found.again !== undefined) return found.again;
  assert(found.cost > 0);
  const schema = found.schema === undefined ? [] : [`USE ${found.schema}`];
  return [...schema, found.role ?? [], found.set ?? []].flat().join("; ");
}

for (const { what, dialect = "mysql", wanted, known, schema, knownSchema, expected } of ROWS) {
  Deno.test(`The difference is ${what}`, () => {
    const have = stateOf(known, knownSchema);
    assertEquals(sent(stateOf(wanted, schema), have, dialect), expected);
  });
}

Deno.test("Only statements that ask for the insert id need it", () => {
  const options = { dialect: "mysql", asksInsertId: false } as const;
  assertEquals(difference(stateOf(), stateOf({ last_insert_id: "5" }), options), undefined);
});

Deno.test("Roles are set as the client set them, and only a login has those of the login", () => {
  const [wanted, known] = [stateOf(), stateOf()];
  wanted.setRole("SET ROLE reader");
  assertEquals(sent(wanted, known, "mariadb"), "SET ROLE reader");
  assertEquals(sent(known, wanted, "mariadb"), "login");
});

Deno.test("What nobody has read must be read first, unless it is there", () => {
  const [wanted, known] = [stateOf(), stateOf()];
  const [user, collation] = [new Unread(), new Unread()];
  wanted.setUserVariable("a", user);
  wanted.setVariable("collation_connection", collation);
  const { unread } = difference(wanted, known, { dialect: "mysql" })!;
  assertEquals(unread?.userVariables, [["a", user]]);
  assertEquals(unread?.variables, [["collation_connection", collation]]);
  known.copyFrom(wanted);
  known.setVariable("wait_timeout", "5");
  assertEquals(sent(wanted, known, "mysql"), "SET SESSION wait_timeout=DEFAULT");
  user.text = "'x'";
  collation.text = "utf8mb4_bin";
  assertEquals(
    sent(wanted, stateOf(), "mysql"),
    "SET SESSION collation_connection=_utf8mb4'utf8mb4_bin',@a:='x'",
  );
});

Deno.test("An uncertain session is reset", () => {
  const known = stateOf();
  known.setUncertain();
  assertEquals(sent(stateOf(), known, "mysql"), "reset");
});

Deno.test("Logins that differ are differences", () => {
  const other = SessionState.afterLogin("", new Map([...LOGIN, ["sql_mode", "ANSI"]]));
  assertEquals(sent(stateOf(), other, "mysql"), "SET SESSION sql_mode=_utf8mb4 x''");
});

Deno.test("Server sessions without a schema are left to those who have none", () => {
  const wanted = stateOf({}, "shop");
  const costs = ["other", ""].map((schema) => {
    return difference(wanted, stateOf({}, schema), { dialect: "mysql" })!.cost;
  });
  assert(costs[0]! < costs[1]!);
});

Deno.test("What is sent is ASCII, and more of it costs more", () => {
  const few = stateOf({ wait_timeout: "5", lc_messages: "é" });
  const many = stateOf({ wait_timeout: "5", sql_notes: "OFF", time_zone: "SYSTEM" }, "one");
  const options = { dialect: "mysql" } as const;
  const found = difference(few, stateOf(), options)!;
  assert(/^[ -~]+$/.test(found.set!));
  assert(found.cost < difference(many, stateOf(), options)!.cost);
  assertNotEquals(difference(many, few, options), undefined);
});
