/**
 * What real servers report of the statements that change a session: the facts that `src/state/`
 * rests on. Where a server's newer version answers otherwise, a row fails here first.
 */
import { assert, assertEquals } from "@std/assert";
import { encodeText } from "../../src/protocol/bytes.ts";
import { Command, SessionTrack, Status } from "../../src/protocol/constants.ts";
import { decodeTrackedVariables, trackedSchema } from "../../src/protocol/response.ts";
import { textOf } from "../../src/state/session_state.ts";
import { trackedCharacteristics } from "../../src/state/track.ts";
import { sharedEngine } from "../support/shared_engine.ts";
import { CLASSIC } from "../support/wire_client.ts";
import { preparations } from "./assignments.ts";
import { type Answer, answersOf, StateSession } from "./state_session.ts";

/** Statements, and what their OKs report: `name=value`, `schema=`, `state`, `transaction=`. */
type Row = readonly [statement: string, reported: string];

const COMMON: readonly Row[] = [
  ["USE state_one", "schema=state_one state"],
  ["SET @a=1", "state"],
  ["SELECT 1 INTO @b", ""],
  [
    "SET SESSION sql_mode='ansi_quotes,', SESSION time_zone='+01:00'",
    "sql_mode=ANSI_QUOTES state time_zone=+01:00",
  ],
  ["SET SESSION time_zone='+02:00', SESSION sort_buffer_size='x'", "error"],
  ["SET SESSION net_write_timeout=7", "net_write_timeout=7 state"],
  ["SET SESSION character_set_results=NULL", "character_set_results= state"],
  ["SET SESSION collation_connection=latin1_bin", "collation_connection=latin1_bin state"],
  ["SET SESSION character_set_connection=latin1", "character_set_connection=latin1 state"],
  [
    "SET NAMES latin1 COLLATE latin1_bin",
    "character_set_client=latin1 character_set_connection=latin1 character_set_results=latin1 state",
  ],
  [
    "SET CHARACTER SET utf8mb4",
    "character_set_client=utf8mb4 character_set_connection=utf8mb4 " +
    "character_set_results=utf8mb4 state",
  ],
  ["SET SESSION max_join_size=1000000", "max_join_size=1000000 state"],
  ["SET SESSION timestamp=100.5", "state timestamp=100.500000"],
  ["SET SESSION autocommit=0", "autocommit=OFF state"],
  ["SET SESSION autocommit=1", "autocommit=ON state"],
  ["SET TRANSACTION READ ONLY", "transaction=SET TRANSACTION READ ONLY;"],
  ["START TRANSACTION", "transaction=START TRANSACTION READ ONLY;"],
  ["SET SESSION div_precision_increment=5", "div_precision_increment=5 state"],
  ["ROLLBACK", "transaction="],
  [
    "CALL state_one.sets_mode()",
    "div_precision_increment=7 sql_mode=ANSI_QUOTES state time_zone=+01:00",
  ],
  ["DROP DATABASE IF EXISTS state_gone", ""],
  ["CREATE TEMPORARY TABLE t (a INT)", "state"],
  ["LOCK TABLES state_one.plain READ", ""],
  ["UNLOCK TABLES", ""],
];

const ROWS: Readonly<Record<"mariadb" | "mysql", readonly Row[]>> = {
  mariadb: [
    ...COMMON.filter(([statement]) => !statement.startsWith("SET CHARACTER SET")),
    ["SET STATEMENT net_write_timeout=9 FOR SELECT 1", "net_write_timeout=9 state"],
    ["DO 1", ""],
    // What is back comes with the next change.
    ["SET @a=1", "net_write_timeout=7 state"],
    ["SET @@net_write_timeout=8", ""],
    ["SET ROLE NONE", "state"],
  ],
  mysql: [
    ...COMMON,
    ["SET @@net_write_timeout=8", "net_write_timeout=8 state"],
    ["SELECT /*+ SET_VAR(sort_buffer_size=99999) */ 1", "sort_buffer_size=262144 state"],
    ["SET ROLE NONE", ""],
    ["SET SESSION foreign_key_checks=DEFAULT", "foreign_key_checks=OFF state"],
  ],
};

function reported({ ok, error }: Answer): string {
  if (error !== undefined) return "error";
  const characteristics = trackedCharacteristics(ok!);
  const schema = trackedSchema(ok!);
  const parts = ok!.track.filter(({ type }) => type === SessionTrack.SYSTEM_VARIABLES)
    .flatMap(({ data }) => decodeTrackedVariables(data).map(([name, text]) => `${name}=${text}`));
  if (schema !== undefined) parts.push(`schema=${schema}`);
  if (ok!.track.some(({ type }) => type === SessionTrack.STATE_CHANGE)) parts.push("state");
  if (characteristics !== undefined) parts.push(`transaction=${characteristics}`);
  return parts.sort().join(" ");
}

for (const name of ["mariadb", "mysql"] as const) {
  const shared = await sharedEngine(name, [
    ...preparations(name),
    "CREATE TABLE state_one.plain (a INT)",
  ]);
  const { ignore } = shared;

  Deno.test(`${name} reports what is expected of it`, { ignore }, async () => {
    using session = await StateSession.open(shared.engine);
    await session.reportTransactions();
    for (const [statement, expected] of ROWS[name]) {
      const answers = answersOf(await session.client.query(statement), session.client.capabilities);
      const sorted = expected.split(" ").length > 1 && !expected.startsWith("transaction")
        ? expected.split(" ").sort().join(" ")
        : expected;
      assertEquals(reported(answers.at(-1)!), sorted, statement);
    }
  });

  Deno.test(`${name} is reset to its own values, silently`, { ignore }, async () => {
    using session = await StateSession.open(shared.engine, { schema: "state_one", charset: 46 });
    await session.must("SET @a=1");
    const packets = await session.client.simple(Command.RESET_CONNECTION);
    assertEquals(reported(answersOf(packets, session.client.capabilities)[0]!), "");
    const [row] = (await session.must("SELECT DATABASE(), @a, @@collation_connection")).rows;
    const [schema, variable, collation] = row!.map((cell) =>
      cell && new TextDecoder().decode(cell)
    );
    assertEquals([schema, variable], ["state_one", null]);
    assertEquals(collation, name === "mysql" ? "utf8mb4_0900_ai_ci" : "utf8mb4_bin");
    await session.must("SET SESSION net_write_timeout=7");
    // What is reported by default only.
    assertEquals(session.known.variables.get("net_write_timeout"), undefined);
  });

  Deno.test(`${name} reports later what it could not report at once`, { ignore }, async () => {
    using session = await StateSession.open(shared.engine);
    await session.run("CALL state_one.sets_and_fails()");
    assertEquals(session.known.variables.get("time_zone"), undefined);
    assert(session.known.isPending);
    await session.settle();
    assertEquals(session.known.variables.get("time_zone"), "+01:00");
    using classic = await StateSession.open(shared.engine, {
      capabilities: CLASSIC | (1 << 23),
      schema: "state_one",
    });
    await classic.must(
      "CREATE FUNCTION sets_it() RETURNS INT DETERMINISTIC " +
        "BEGIN SET SESSION net_write_timeout=7; RETURN 1; END",
    );
    await classic.must("SELECT sets_it()");
    assertEquals(classic.known.variables.get("net_write_timeout"), undefined);
    await classic.settle();
    assertEquals(textOf(classic.known.variables.get("net_write_timeout")), "7");
  });

  Deno.test(`${name} reports the values inside of routines`, { ignore }, async () => {
    using session = await StateSession.open(shared.engine, { schema: "state_one" });
    const packets = await session.client.query("CALL sets_and_shows()");
    const [first, last] = answersOf(packets, session.client.capabilities);
    assert((first!.ok!.status & Status.MORE_RESULTS_EXISTS) !== 0);
    assert(/sql_mode=.*ANSI/.test(reported(first!)));
    assertEquals(reported(last!), "");
    const [row] = (await session.must("SELECT @@sql_mode LIKE '%ANSI%'")).rows;
    assertEquals(row, [encodeText("0")]);
  });
}

Deno.test("seekdb reports what has changed, unasked", async (context) => {
  const { ignore } = seekdb;
  await context.step({
    name: "in the next OK, with implied variables",
    ignore,
    fn: async () => {
      using session = await StateSession.open(seekdb.engine);
      await session.must("SET collation_connection=utf8mb4_bin");
      assertEquals(session.known.variable("collation_connection"), "utf8mb4_bin");
      await session.must("SET time_zone='+01:00'");
      // A SELECT has no OK.
      await session.run("SELECT LAST_INSERT_ID(7)");
      const answer = await session.must("DO 1");
      assert(reported(answer).includes("last_insert_id=7"));
      // Behind a DEFAULT, all is DEFAULT.
      await session.must("SET time_zone=DEFAULT, sql_mode='ANSI_QUOTES'");
      const [row] = (await session.must("SELECT @@sql_mode LIKE '%ANSI%'")).rows;
      assertEquals(row, [encodeText("0")]);
    },
  });
});

const seekdb = await sharedEngine("seekdb");
