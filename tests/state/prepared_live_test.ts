/**
 * What prepared statements keep of the session that prepared them, on real servers: a statement
 * that is prepared again in its context gives what it gave, whatever the session is set to by then.
 */
import { assertEquals, assertNotEquals } from "@std/assert";
import { Command } from "../../src/protocol/constants.ts";
import { contextOf, stateToPrepareIn } from "../../src/state/prepare_context.ts";
import { sharedEngine } from "../support/shared_engine.ts";
import { StateSession } from "./state_session.ts";

/** A setting, a statement that it matters to, another setting; `kept` is what servers keep. */
const ROWS: readonly (readonly [before: string, sql: string, after: string, kept: string])[] = [
  ["USE one", "SELECT DATABASE(), (SELECT a FROM here) a", "USE two", "mariadb mysql"],
  ["SET sql_mode=''", "SELECT \"a\" x, '1'||'0' y", "SET sql_mode='ansi'", "mariadb mysql"],
  ["SET sql_mode=''", "SELECT 'a\\\\b' x", "SET sql_mode='no_backslash_escapes'", "mariadb mysql"],
  [
    "SET NAMES utf8mb4",
    "SELECT COLLATION('a') x",
    "SET collation_connection=utf8mb4_bin",
    "mariadb mysql",
  ],
  ["SET NAMES utf8mb4", "SELECT CHARSET('a') x", "SET NAMES latin1", "mariadb mysql"],
  ["SET div_precision_increment=4", "SELECT 1/3 x", "SET div_precision_increment=9", "mysql"],
  [
    "SET lc_time_names='en_US'",
    "SELECT DAYNAME('2020-01-01') x",
    "SET lc_time_names='de_DE'",
    "mysql",
  ],
  [
    "SET group_concat_max_len=50",
    "SELECT GROUP_CONCAT(REPEAT('a',60)) x",
    "SET group_concat_max_len=10",
    "mysql",
  ],
  ["SET time_zone='+00:00'", "SELECT FROM_UNIXTIME(0) x", "SET time_zone='+05:00'", ""],
  ["SET timestamp=100", "SELECT NOW() x", "SET timestamp=200", ""],
  ["SET @a=1", "SELECT @a+1 x", "SET @a=2", ""],
];

for (const name of ["mariadb", "mysql", "seekdb"] as const) {
  const shared = await sharedEngine(name, [
    "CREATE DATABASE one",
    "CREATE DATABASE two",
    "CREATE TABLE one.here (a INT)",
    "CREATE TABLE two.here (a INT)",
    "INSERT INTO one.here VALUES (1)",
    "INSERT INTO two.here VALUES (2)",
  ]);
  for (const [before, sql, after, kept] of ROWS) {
    Deno.test(
      `${name}: ${sql} between ${before} and ${after}`,
      { ignore: shared.ignore },
      async () => {
        using client = await StateSession.open(shared.engine, { schema: "one" });
        const { dialect, known } = client;
        if ((await client.run(before)).at(-1)!.error !== undefined) return;
        await client.settle();
        const context = contextOf(known, dialect);
        const first = await client.client.prepare(sql);
        const atFirst = await execute(client, first.statementId);
        if ((await client.run(after)).at(-1)!.error !== undefined) return;
        const atLast = await execute(client, first.statementId);
        if (kept.includes(name)) assertEquals(atLast, atFirst);
        await client.settle();

        using other = await StateSession.open(shared.engine, { schema: "two" });
        const meanwhile = stateToPrepareIn(context, known, dialect);
        if (kept.includes(name)) assertNotEquals(meanwhile, undefined);
        await other.catchUp(meanwhile ?? known);
        const again = await other.client.prepare(sql);
        await other.catchUp(known);
        assertEquals(await execute(other, again.statementId), atLast);
      },
    );
  }
}

/** The rows, as they travel. */
async function execute(session: StateSession, id: number): Promise<string[]> {
  const request = new Uint8Array(10);
  const view = new DataView(request.buffer);
  request[0] = Command.STMT_EXECUTE;
  view.setUint32(1, id, true);
  view.setUint32(6, 1, true);
  const packets = await session.client.command(request);
  const error = packets.find(({ payload }) => payload[0] === 0xff);
  if (error !== undefined) return [new TextDecoder().decode(error.payload)];
  return packets.slice(1, -1).filter(({ payload }) => payload[0] === 0)
    .map(({ payload }) => payload.toHex());
}
