/** What is said of statements is what real servers do. */
import { assert, assertEquals } from "@std/assert";
import { PacketReader } from "../../src/protocol/bytes.ts";
import { SessionTrack, Status } from "../../src/protocol/constants.ts";
import {
  decodeErr,
  decodeOk,
  decodeTrackedVariables,
  type OkPacket,
} from "../../src/protocol/response.ts";
import { classifyText } from "../../src/sql/classify.ts";
import { FUNCTION_NAMES } from "../../src/sql/function_names.ts";
import type { SqlMode } from "../../src/sql/mode.ts";
import { type SharedEngine, sharedEngine } from "../support/shared_engine.ts";
import { MODERN, WireClient, WireClosed, type WirePacket } from "../support/wire_client.ts";
import { describe, EXPRESSIONS, FACTS, USER_VARIABLES } from "./classify_texts.ts";
import { CLAIM_TABLES, CLAIMS, REPORT_OBJECTS, REPORTS, type ServerName } from "./effect_claims.ts";
import { bytesOf, UTF8, VERSION, whole } from "./texts.ts";

const PREPARE = ["CREATE DATABASE IF NOT EXISTS test", "CREATE DATABASE IF NOT EXISTS s"];

const engines: Record<ServerName, SharedEngine> = {
  mariadb: await sharedEngine("mariadb", PREPARE),
  mysql: await sharedEngine("mysql", PREPARE),
};

function connect(name: ServerName): Promise<WireClient> {
  const { port, admin } = engines[name].engine;
  return WireClient.connect({ port, ...admin, database: "test", capabilities: MODERN });
}

/** Error number of a reply, undefined for none. */
function errorOf(packets: readonly WirePacket[]): number | undefined {
  const { payload } = packets.at(-1)!;
  return payload[0] === 0xff ? decodeErr(payload).code : undefined;
}

/** Rows of a result, with values as text. */
function rowsOf(packets: readonly WirePacket[]): (string | null)[][] {
  const columns = packets[0]!.payload[0]!;
  return packets.slice(1 + columns, -1).map(({ payload }) => {
    const reader = new PacketReader(payload, "row");
    const row: (string | null)[] = [];
    while (reader.remaining > 0) {
      if (reader.peek() !== 0xfb) row.push(reader.lenencText());
      else row.push(null), reader.u8();
    }
    return row;
  });
}

async function ask(client: WireClient, sql: string): Promise<(string | null)[][]> {
  return rowsOf(await client.run(sql));
}

/** What a claim's probe gives. */
async function outcome(client: WireClient, sql: string, status: number): Promise<string> {
  if (sql === "status") return String((status & Status.IN_TRANS) !== 0);
  try {
    const packets = await client.query(sql);
    const error = errorOf(packets);
    if (error !== undefined) return String(error);
    return packets[0]!.payload[0] === 0 ? "ok" : rowsOf(packets)[0]?.join(",") ?? "no row";
  } catch (error) {
    if (error instanceof WireClosed) return "closed";
    // What was sent is refused where nobody reads any more.
    if (error instanceof Deno.errors.ConnectionReset) return "closed";
    if (error instanceof Deno.errors.BrokenPipe) return "closed";
    throw error;
  }
}

/** Everything that a server can report but GTIDs. */
const TRACK_ALL = [
  "SET SESSION session_track_system_variables = '*'",
  "SET SESSION session_track_schema = ON",
  "SET SESSION session_track_state_change = ON",
  "SET SESSION session_track_transaction_info = 'CHARACTERISTICS'",
];

/** What an OK reports: names of variables, and words for the rest. */
function reportOf({ track }: OkPacket): string {
  const words = track.flatMap(({ type, data }) => {
    switch (type) {
      case SessionTrack.SYSTEM_VARIABLES:
        return decodeTrackedVariables(data).map(([name]) => name).filter((name) =>
          name !== "statement_id"
        );
      case SessionTrack.TRANSACTION_STATE: {
        const state = new PacketReader(data, "state").lenencText();
        return /^[TI]/.test(state) ? "begins" : state.endsWith("L") ? "locks" : "ends";
      }
      default:
        return WORDS[type] ?? `type ${type}`;
    }
  });
  const order = (word: string) => ORDER.indexOf(word);
  return words.sort((a, b) => order(a) - order(b) || (a < b ? -1 : 1)).join(" ");
}

const WORDS: Readonly<Record<number, string>> = {
  [SessionTrack.SCHEMA]: "schema",
  [SessionTrack.STATE_CHANGE]: "state",
  [SessionTrack.TRANSACTION_CHARACTERISTICS]: "characteristics",
};

/** Names of variables come first. */
const ORDER = ["schema", "state", "begins", "locks", "ends", "characteristics"];

/** Whatever was in the way of the next claim. */
const CLEANUP = ["XA END 'x'", "XA ROLLBACK 'x'", "ROLLBACK", "UNLOCK TABLES"];

/** State that a statement may leave: settings, variables, locks, tables, statements. */
const STATE: Readonly<Record<ServerName, readonly string[]>> = {
  mariadb: [
    "SELECT VARIABLE_NAME, VARIABLE_VALUE FROM information_schema.USER_VARIABLES ORDER BY 1",
    "SHOW SESSION VARIABLES",
    "SELECT LAST_INSERT_ID(), DATABASE(), CURRENT_ROLE(), IS_FREE_LOCK('a')",
    "SHOW CREATE TABLE t",
    // Fails where tables are locked.
    "SELECT COUNT(*) FROM mysql.db",
  ],
  mysql: [
    "SELECT VARIABLE_NAME, VARIABLE_VALUE FROM performance_schema.user_variables_by_thread " +
    "WHERE THREAD_ID = PS_CURRENT_THREAD_ID() ORDER BY 1",
    "SHOW SESSION VARIABLES",
    "SELECT LAST_INSERT_ID(), DATABASE(), CURRENT_ROLE(), IS_FREE_LOCK('a')",
    "SELECT COUNT(*) FROM information_schema.INNODB_TEMP_TABLE_INFO",
    "SELECT OBJECT_TYPE, OBJECT_NAME, LOCK_TYPE FROM performance_schema.metadata_locks WHERE " +
    "OWNER_THREAD_ID = PS_CURRENT_THREAD_ID() AND LOCK_DURATION <> 'TRANSACTION' ORDER BY 1, 2, 3",
    // Fails where tables are locked.
    "SELECT COUNT(*) FROM mysql.db",
    "SELECT STATEMENT_NAME FROM performance_schema.prepared_statements_instances " +
    "WHERE OWNER_THREAD_ID = PS_CURRENT_THREAD_ID() ORDER BY 1",
  ],
};

/** Variables that no statement sets. */
const MOVING = /^(timestamp|rand_seed\d|statement_id|last_gtid|gtid_\w+|innodb_\w+|error_count)$/;

async function stateOf(client: WireClient, name: ServerName): Promise<string> {
  const lines: string[] = [];
  for (const sql of STATE[name]) {
    const packets = await client.query(sql);
    const error = errorOf(packets);
    if (error !== undefined) lines.push(`${sql}: ${error}`);
    for (const row of error === undefined ? rowsOf(packets) : []) {
      if (!MOVING.test(row[0] ?? "")) lines.push(row.join("="));
    }
  }
  return lines.join("\n");
}

/** Statements that must be seen in the state, or the probe is worth nothing. */
const SEEN = [
  "SET @seen = 1",
  "SET max_error_count = 5",
  "USE s",
  "DO GET_LOCK('a', 0)",
  "SELECT LAST_INSERT_ID(5)",
  "CREATE TEMPORARY TABLE t (a INT)",
  "SELECT 1 INTO @seen_too",
  "LOCK TABLES u READ",
];

/** What those of the table use. */
const OBJECTS = [
  "DROP TABLE IF EXISTS t, u, x, y, sbtest1, s.t",
  "DROP FUNCTION IF EXISTS f",
  "CREATE TABLE t (a INT, b INT, f INT, value INT)",
  "CREATE TABLE u (a INT)",
  "CREATE TABLE s.t (a INT)",
  "CREATE TABLE sbtest1 (id INT, c INT)",
  "CREATE FUNCTION f(x INT) RETURNS INT DETERMINISTIC RETURN x",
];

const MORE = [
  "SELECT a, COUNT(*), GROUP_CONCAT(b ORDER BY a) FROM t GROUP BY a WITH ROLLUP",
  "SELECT UUID(), RAND(), NOW(), SLEEP(0), DATABASE(), USER(), VERSION(), IS_FREE_LOCK('x')",
  "SELECT @@sql_mode, @@global.wait_timeout, @@session.autocommit",
  "SELECT * FROM t WHERE a IN (SELECT a FROM u) FOR UPDATE",
  "INSERT INTO t (a, b) VALUES (1, 2), (3, 4)",
  "INSERT INTO u SELECT a FROM t",
  "UPDATE t SET a = a + 1, b = CAST('5' AS SIGNED) WHERE a > 0 LIMIT 1",
  "DELETE FROM t WHERE a = (SELECT MAX(a) FROM u)",
  "REPLACE INTO u VALUES (1)",
  "SHOW TABLES",
  "SHOW CREATE TABLE t",
  "SHOW SESSION STATUS LIKE 'Com%'",
  "EXPLAIN SELECT * FROM t JOIN u USING (a)",
  "SELECT nope FROM t",
  "SELEC",
  "SIGNAL SQLSTATE '45000'",
  "SAVEPOINT a",
];

/** Others change the server, or end the session. */
const LEFT_OUT = /^(KILL|SET|SELEC$)|OUTFILE|BINLOG|FLUSH/;

for (const name of Object.keys(engines) as ServerName[]) {
  const { ignore } = engines[name];
  const mode: SqlMode = { ...UTF8, serverVersion: VERSION[name] };
  const described = (text: string) => {
    const bytes = bytesOf(text);
    return describe(classifyText(bytes, whole(bytes), mode));
  };

  Deno.test(`${name}: no stored function has one of the harmless names`, { ignore }, async () => {
    using client = await connect(name);
    const stored: string[] = [];
    for (const word of [...FUNCTION_NAMES.common, ...FUNCTION_NAMES[name]]) {
      for (const call of [`SELECT ${word}()`, `SELECT ${word}(1)`]) {
        const error = errorOf(await client.query(call));
        // ER_SP_DOES_NOT_EXIST, ER_FUNC_INEXISTENT_NAME_COLLISION
        if (error === 1305 || error === 1630) stored.push(call);
      }
    }
    assertEquals(stored, []);
  });

  Deno.test(`${name}: what has no effects changes nothing`, { ignore }, async () => {
    await engines[name].admin("USE test", ...OBJECTS);
    using client = await connect(name);
    const plain = [...EXPRESSIONS, ...FACTS].map(([text]) => text)
      .filter((text) => /^(read( \?\w+)*)?$/.test(described(text)) && !LEFT_OUT.test(text));
    let before = await stateOf(client, name);
    let succeeded = 0;
    for (const text of [...plain, ...MORE]) {
      const packets = await client.query(text);
      if (errorOf(packets) === undefined) succeeded++;
      await client.query("ROLLBACK");
      const after = await stateOf(client, name);
      assertEquals(after, before, text);
    }
    assert(succeeded > 30, `only ${succeeded} of ${plain.length + MORE.length} succeeded`);
    for (const text of SEEN) {
      await client.run(text);
      const after = await stateOf(client, name);
      assert(after !== before, `the state shows nothing of ${text}`);
      assert(!/^read$/.test(described(text)) && described(text) !== "", text);
      before = after;
      await client.run("USE test");
    }
  });

  for (const { claim, on, run, probe: [sql, expected] } of CLAIMS) {
    if (on !== undefined && on !== name) continue;
    Deno.test(`${name}: ${claim}`, { ignore }, async () => {
      await engines[name].admin("USE test", ...CLAIM_TABLES);
      const client = await connect(name);
      let status = 0;
      for (const statement of run) {
        const packets = await client.query(statement);
        const { payload } = packets.at(-1)!;
        if (payload[0] !== 0xff) status = decodeOk(payload, client.capabilities).status;
      }
      const given = await outcome(client, sql, status);
      if (given === "closed") {
        client.close();
      } else {
        for (const statement of CLEANUP) await client.query(statement);
        // Until then the locks are not gone.
        await client.quit();
      }
      assertEquals(given, expected);
    });
  }

  Deno.test(`${name}: what is reported, and what is not`, { ignore }, async () => {
    await engines[name].admin("USE test", ...CLAIM_TABLES, ...REPORT_OBJECTS);
    for (const { on, run = [], statement, reported } of REPORTS) {
      if (on !== undefined && on !== name) continue;
      const client = await connect(name);
      for (const sql of [...TRACK_ALL, ...run]) await client.run(sql);
      const packets = await client.run(statement);
      const ok = decodeOk(packets.at(-1)!.payload, client.capabilities);
      assertEquals(reportOf(ok), reported, statement);
      for (const sql of CLEANUP) await client.query(sql);
      await client.quit();
    }
  });

  Deno.test(`${name}: what a SET leaves unreported is known`, { ignore }, async () => {
    using client = await connect(name);
    await client.run("SET SESSION session_track_system_variables = '*'");
    for (const form of ["", "SESSION ", "LOCAL ", "@@session.", "@@local.", "@@"]) {
      const text = `SET ${form}max_error_count = ${form.length + 10}`;
      const packets = await client.run(text);
      const { track } = decodeOk(packets.at(-1)!.payload, client.capabilities);
      const reported = track.flatMap(({ type, data }) =>
        type === 0 ? decodeTrackedVariables(data) : []
      );
      const isReported = reported.some(([variable]) => variable === "max_error_count");
      assertEquals(described(text).includes("setsUnreported"), !isReported, text);
    }
  });

  Deno.test(`${name}: literals make the same values in every mode`, { ignore }, async () => {
    using client = await connect(name);
    let count = 0;
    for (const [text] of USER_VARIABLES) {
      const bytes = bytesOf(text);
      const { userVariables } = classifyText(bytes, whole(bytes), mode);
      if (!/^set/i.test(text) || errorOf(await client.query(text)) !== undefined) continue;
      for (const variable of userVariables) {
        if (variable.literal === undefined) continue;
        await client.run("SET sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT'");
        // NULL has the type that the variable had before.
        const copy = `@copy${count++}`;
        await client.run(`SET ${copy} = ${variable.literal}`);
        await client.run("SET sql_mode = DEFAULT");
        const original = await valueOf(client, `@\`${variable.name}\``);
        assertEquals(await valueOf(client, copy), original, `${variable.literal} of ${text}`);
        const charset = original[0]![2];
        assert(variable.takesConnectionCharset === false || charset === "utf8mb4", text);
      }
    }
    assert(count > 15, `only ${count} literals`);
  });
}

/** Bytes, character set, collation and type of a variable. */
async function valueOf(client: WireClient, variable: string): Promise<(string | null)[][]> {
  await client.run("DROP TEMPORARY TABLE IF EXISTS typed");
  await client.run(`CREATE TEMPORARY TABLE typed AS SELECT ${variable} AS v`);
  const [value] = await ask(
    client,
    `SELECT ${variable}, HEX(${variable}), CHARSET(${variable}), COLLATION(${variable})`,
  );
  return [value!, ...await ask(client, "SHOW COLUMNS FROM typed")];
}
