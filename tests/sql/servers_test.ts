/** What is read, taken apart and rewritten here means the same to real servers. */
import { assert, assertEquals } from "@std/assert";
import { decodeText } from "../../src/protocol/bytes.ts";
import { Command } from "../../src/protocol/constants.ts";
import { withSessionValues } from "../../src/sql/session_values.ts";
import type { SqlMode } from "../../src/sql/mode.ts";
import { splitStatements } from "../../src/sql/split.ts";
import { tokenize } from "../../src/sql/tokens.ts";
import { chooseCount, chooseSeed, seededRandom } from "../support/random.ts";
import { type SharedEngine, sharedEngine } from "../support/shared_engine.ts";
import { WireClient, type WirePacket } from "../support/wire_client.ts";
import { COMPOUNDS, SIMPLE } from "./compound_texts.ts";
import { REPLACED } from "./connection_id_texts.ts";
import { randomList, randomSelect } from "./random_expressions.ts";
import { bytesOf, CHARSET, textOf, UTF8, VERSION, whole } from "./texts.ts";

type Name = "mariadb" | "mysql";

const engines: Record<Name, SharedEngine> = {
  mariadb: await sharedEngine("mariadb"),
  mysql: await sharedEngine("mysql"),
};

function connect(name: Name, database?: string): Promise<WireClient> {
  const { port, admin } = engines[name].engine;
  return WireClient.connect({ port, ...admin, ...(database === undefined ? {} : { database }) });
}

function send(client: WireClient, text: Uint8Array): Promise<WirePacket[]> {
  return client.simple(Command.QUERY, text);
}

function errorOf(packets: readonly WirePacket[]): string | undefined {
  const error = packets.find(({ payload }) => payload[0] === 0xff)?.payload;
  return error && decodeText(error.subarray(3));
}

/** Without the EOF packets: a constant that warns does so at another moment than a call. */
function payloads(packets: readonly WirePacket[]): string[] {
  return packets.map(({ payload }) => payload)
    .filter((payload) => payload[0] !== 0xfe || payload.length >= 9)
    .map(textOf);
}

/** The rows of a result with one column, or the error. */
function rowsOf(packets: readonly WirePacket[]): string[] {
  return [errorOf(packets) ?? "rows", ...payloads(packets.slice(2))];
}

/** Random texts in each mode. */
const TEXTS = chooseCount() / 200;

const MODES: readonly [keyof typeof CHARSET, ansiQuotes: boolean, noBackslashEscapes: boolean][] = [
  ["utf8mb4", false, false],
  ["utf8mb4", true, false],
  ["utf8mb4", false, true],
  ["latin1", false, false],
  ["cp866", true, true],
  ["big5", false, false],
  ["gbk", false, false],
  ["gbk", true, true],
  ["sjis", false, false],
  ["gb18030", false, false],
];

/** What the texts create. */
const OBJECTS = [
  "PROCEDURE IF EXISTS p",
  "FUNCTION IF EXISTS f",
  "TRIGGER IF EXISTS g",
  "EVENT IF EXISTS e",
  "VIEW IF EXISTS v",
  "TABLE IF EXISTS t2",
];

for (const name of ["mariadb", "mysql"] as const) {
  const { ignore } = engines[name];
  const mode: SqlMode = { ...UTF8, serverVersion: VERSION[name] };

  Deno.test(`${name}: a rewritten CONNECTION_ID() gives the same columns and rows`, {
    ignore,
  }, async () => {
    const client = await connect(name);
    const id = client.greeting.threadId;
    let same = 0;
    for (const [text] of REPLACED) {
      const bytes = bytesOf(text);
      const rewritten = withSessionValues(bytes, whole(bytes), {
        mode,
        values: { connectionId: id },
      })!;
      for (const command of [Command.QUERY, Command.STMT_PREPARE]) {
        const wanted = await client.simple(command, bytes);
        const given = await client.simple(command, rewritten);
        // Some of the texts are another server's; their errors name places in the text.
        if (errorOf(wanted) !== undefined) {
          assert(errorOf(given) !== undefined, text);
          continue;
        }
        // The first packet of a prepared statement has its number.
        const from = command === Command.STMT_PREPARE ? 1 : 0;
        assertEquals(payloads(given).slice(from), payloads(wanted).slice(from), text);
        same++;
      }
    }
    assert(same > REPLACED.length * 1.7, `${same} of ${REPLACED.length} texts, twice each`);
    await client.quit();
  });

  Deno.test(`${name}: random lists with CONNECTION_ID() give the same columns and rows`, {
    ignore,
  }, async () => {
    const seed = chooseSeed();
    const random = seededRandom(seed);
    const client = await connect(name);
    const id = client.greeting.threadId;
    let same = 0;
    for (let count = 0; count < TEXTS * 10; count++) {
      const bytes = bytesOf(randomList(random));
      const rewritten = withSessionValues(bytes, whole(bytes), {
        mode,
        values: { connectionId: id },
      });
      if (rewritten === undefined) continue;
      const wanted = await send(client, bytes);
      const given = await send(client, rewritten);
      const told = `${textOf(bytes)}, SLUICE_SEED=${seed}`;
      assertEquals(errorOf(given) === undefined, errorOf(wanted) === undefined, told);
      if (errorOf(wanted) !== undefined) continue;
      assertEquals(payloads(given), payloads(wanted), told);
      same++;
    }
    assert(same > TEXTS, `${same} lists were compared, SLUICE_SEED=${seed}`);
    await client.quit();
  });

  Deno.test(`${name} takes texts apart at the same places`, { ignore }, async () => {
    await engines[name].admin("CREATE TABLE IF NOT EXISTS test.t (a INT)");
    const client = await connect(name, "test");
    const texts = [...COMPOUNDS, ...SIMPLE.map((text) => [text, "both"] as const)];
    for (const [text, taker] of texts) {
      for (const object of OBJECTS) await client.run(`DROP ${object}`);
      const bytes = bytesOf(`${text}; SELECT 'next'`);
      const error = errorOf(await send(client, bytes));
      const isTaken = taker === "both" || taker === name;
      assertEquals(error === undefined, isTaken, `${text}: ${error}`);
      if (isTaken) assertEquals(splitStatements(bytes, whole(bytes), mode).length, 2, text);
    }
    await client.quit();
  });

  Deno.test(`${name}: random texts mean the same when they are written token by token`, {
    ignore,
  }, async () => {
    const seed = chooseSeed();
    const random = seededRandom(seed);
    const client = await connect(name);
    let understood = 0;
    for (const [charset, ansiQuotes, noBackslashEscapes] of MODES) {
      const own = { ...mode, charset: CHARSET[charset], ansiQuotes, noBackslashEscapes };
      const sqlMode = [ansiQuotes && "ANSI_QUOTES", noBackslashEscapes && "NO_BACKSLASH_ESCAPES"];
      // GB18030 is MySQL's only.
      if (errorOf(await client.query(`SET NAMES ${charset}`)) !== undefined) continue;
      await client.run(`SET sql_mode = '${sqlMode.filter(Boolean).join()}'`);
      for (let count = 0; count < TEXTS; count++) {
        const bytes = bytesOf(randomSelect(random));
        const wanted = await send(client, bytes);
        if (errorOf(wanted) !== undefined) continue;
        understood++;
        const tokens = tokenize(bytes, whole(bytes), own);
        const plain = tokens.map(({ start, end }) => textOf(bytes.subarray(start, end))).join(" ");
        const given = await send(client, bytesOf(plain));
        const told = `${textOf(bytes)} as ${plain} in ${charset}, SLUICE_SEED=${seed}`;
        assertEquals(rowsOf(given), rowsOf(wanted), told);
      }
    }
    assert(understood > TEXTS, `${understood} texts were understood, SLUICE_SEED=${seed}`);
    await client.quit();
  });
}
