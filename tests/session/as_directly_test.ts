/**
 * Scripts of one client that must see the same directly and on a server session that somebody else
 * uses between any two of its commands, as long as nothing pins it.
 */
import { assertEquals } from "@std/assert";
import { encodeText } from "../../src/protocol/bytes.ts";
import { Command, Head } from "../../src/protocol/constants.ts";
import { isAvailable, sharedEngine } from "../support/shared_engine.ts";
import { APP, TestProxy } from "../support/test_proxy.ts";
import { WireClient, WireError, type WirePacket } from "../support/wire_client.ts";

type Engine = "mariadb" | "mysql";

/** A text, or another command. */
type Step = string | { readonly command: number; readonly rest?: Uint8Array };

interface Script {
  readonly steps: readonly Step[];
  /** Reasons of the pins behind some of them, by index. */
  readonly pins?: Readonly<Record<number, string>>;
  readonly only?: Engine;
}

const PING = { command: Command.PING };
const STATISTICS = { command: Command.STATISTICS };
const RESET = { command: Command.RESET_CONNECTION };
const INIT_DB = { command: Command.INIT_DB, rest: encodeText("one") };
/** With two strings that are no ASCII. */
const execute = (...id: readonly number[]): Step => ({
  command: Command.STMT_EXECUTE,
  rest: Uint8Array.of(...id, 0, 1, 0, 0, 0, 0, 1, 254, 0, 254, 0, 1, 0xe9, 2, 0xc3, 0xa9),
});
/** On MariaDB, the statement that was prepared last. */
const EXECUTE = execute(255, 255, 255, 255);
const prepare = (sql: string): Step => ({
  command: Command.STMT_PREPARE,
  rest: encodeText(sql),
});
const PREPARE = prepare("SELECT 1");
const ONE_STATEMENT = { command: Command.SET_OPTION, rest: Uint8Array.of(1, 0) };
const INSERT = "INSERT INTO one.t (v) VALUES (1)";
const COUNT = "SELECT COUNT(*) FROM one.t";
const INSERT_ID = "SELECT LAST_INSERT_ID()";
const FOUND = "SELECT FOUND_ROWS()";
const THREE = "SELECT * FROM one.three";
const WARNS = "SELECT CAST('x' AS SIGNED)";

const insertIds = (sql: string, only?: Engine): Script => ({
  steps: [INSERT_ID, INSERT, sql, INSERT_ID],
  ...(only === undefined ? {} : { only }),
});
const leaves = (asked: string, before: string, step: Step, only?: Engine): Script => ({
  steps: ["SELECT 1", asked, before, step, asked],
  ...(only === undefined ? {} : { only }),
});

const SCRIPTS: Readonly<Record<string, Script>> = {
  "a read lock before what fails": {
    steps: ["FLUSH TABLES WITH READ LOCK; SELECT nope", "UNLOCK TABLES", INSERT],
    pins: { 0: "server_lock", 1: "" },
  },
  "what is executed outside of any schema": {
    steps: [
      "PREPARE p FROM 'SELECT 5'",
      "USE latin",
      "SET collation_database = utf8mb4_bin",
      "EXECUTE p",
      "SELECT @@character_set_database",
    ],
  },
  "locked tables before what fails": {
    steps: ["LOCK TABLES one.t WRITE; SELECT nope", "SELECT * FROM one.three", "UNLOCK TABLES"],
    pins: { 0: "lock_tables", 2: "" },
  },
  "a temporary table before what fails": {
    steps: [
      "CREATE TEMPORARY TABLE one.tmp AS SELECT 42 AS s; SELECT nope",
      "SELECT * FROM one.tmp",
    ],
    pins: { 0: "temporary_table" },
  },
  "SET TRANSACTION before what fails": {
    steps: ["SET TRANSACTION READ ONLY; SELECT nope", INSERT, INSERT],
    pins: { 0: "next_transaction" },
  },
  "a handler before what fails": {
    steps: ["HANDLER one.t OPEN; SELECT nope", "HANDLER t READ FIRST", "HANDLER t CLOSE"],
    pins: { 0: "handler", 2: "" },
  },
  "SQL_CALC_FOUND_ROWS before what fails": {
    steps: ["SELECT SQL_CALC_FOUND_ROWS * FROM one.three LIMIT 1; SELECT nope", FOUND],
    pins: { 0: "found_rows" },
  },
  "a role and an INSERT in one text": {
    steps: [`SET ROLE r1; ${INSERT}`, COUNT, "SELECT CURRENT_ROLE()", COUNT],
    pins: { 0: "", 3: "" },
  },
  "a role before what fails": {
    steps: ["SET ROLE r1; SELECT nope", "SELECT CURRENT_ROLE()"],
    pins: { 0: "unknown_state" },
  },
  "a role by a name": {
    steps: ["PREPARE s FROM 'SET ROLE r1'", "EXECUTE s", "SELECT CURRENT_ROLE()"],
    pins: { 1: "" },
  },
  "a savepoint without autocommit": {
    steps: ["SET autocommit=0", "SAVEPOINT s1", INSERT, "ROLLBACK TO s1", "COMMIT", COUNT],
    pins: { 1: "savepoint", 4: "" },
  },
  "what looks like the end of SET TRANSACTION": {
    steps: [
      ...["SET TRANSACTION READ ONLY", "SET autocommit=1", "UNLOCK TABLES", "SELECT 1"],
      ...["COMMIT", INSERT],
    ],
    pins: { 0: "next_transaction", 1: "next_transaction", 2: "next_transaction", 4: "" },
  },
  "SET TRANSACTION of a routine": {
    steps: ["CALL one.reads_only()", INSERT, INSERT],
    pins: { 0: "routine next_transaction" },
  },
  "insert ids of a routine": insertIds("CALL one.inserts()"),
  "insert ids of a file": insertIds("LOAD DATA LOCAL INFILE 'x' INTO TABLE one.t (v)"),
  "insert ids of what fails": insertIds("INSERT INTO one.t (id, v) VALUES (NULL, 1), (1, 2)"),
  "insert ids beside rows": insertIds("INSERT INTO one.t (v) VALUES (5) RETURNING id", "mariadb"),
  "insert ids of a block": insertIds(
    "BEGIN NOT ATOMIC INSERT INTO one.t (v) VALUES (6); END",
    "mariadb",
  ),
  "rows that are NULL for their id": {
    steps: ["SET sql_auto_is_null=1", INSERT, "SELECT COUNT(*) FROM one.t WHERE id IS NULL"],
  },
  "FOUND_ROWS() behind COM_PING": leaves(FOUND, THREE, PING),
  "FOUND_ROWS() behind COM_STATISTICS": leaves(FOUND, THREE, STATISTICS),
  "FOUND_ROWS() behind COM_INIT_DB": leaves(FOUND, THREE, INIT_DB),
  "FOUND_ROWS() behind COM_STMT_PREPARE": leaves(FOUND, THREE, PREPARE),
  "FOUND_ROWS() behind ANALYZE": leaves(FOUND, THREE, "ANALYZE TABLE one.t"),
  "FOUND_ROWS() behind CHECK": leaves(FOUND, THREE, "CHECK TABLE one.t"),
  "FOUND_ROWS() behind EXPLAIN": leaves(FOUND, THREE, "EXPLAIN SELECT 1", "mysql"),
  "FOUND_ROWS() behind rows of DELETE": leaves(
    FOUND,
    THREE,
    "DELETE FROM one.t WHERE id = 0 RETURNING id",
    "mariadb",
  ),
  "ROW_COUNT() behind COM_STMT_PREPARE": leaves(
    "SELECT ROW_COUNT()",
    "UPDATE one.three SET v = v + 1",
    PREPARE,
  ),
  "ROW_COUNT() behind COM_STATISTICS": leaves(
    "SELECT ROW_COUNT()",
    "UPDATE one.three SET v = v + 1",
    STATISTICS,
  ),
  "ROW_COUNT() behind COM_PING": leaves(
    "SELECT ROW_COUNT()",
    "UPDATE one.three SET v = v + 1",
    PING,
  ),
  "warnings behind COM_PING": leaves("SHOW WARNINGS", WARNS, PING),
  "warnings behind COM_STATISTICS": leaves("SHOW WARNINGS", WARNS, STATISTICS),
  "warnings behind COM_INIT_DB": leaves("SHOW WARNINGS", WARNS, INIT_DB),
  "warnings behind COM_STMT_PREPARE": leaves("SHOW WARNINGS", WARNS, PREPARE),
  "errors behind COM_PING": leaves("SHOW ERRORS", "SELECT nope", PING),
  "the collation of a parameter": {
    steps: [
      "SET NAMES utf8mb4 COLLATE utf8mb4_unicode_ci",
      "SET character_set_results = NULL",
      prepare("SELECT COLLATION(?), 'A' = ?"),
      EXECUTE,
      "SET NAMES 'utf8mb4' COLLATE 'utf8mb4_bin', character_set_results = latin1",
      EXECUTE,
      "SET collation_connection = utf8mb4_unicode_ci",
      EXECUTE,
      "SET character_set_client = utf8mb4",
      EXECUTE,
    ],
    only: "mariadb",
  },
  "the collation that an error about a parameter names": {
    steps: [
      "SET NAMES cp1251 COLLATE cp1251_bin",
      "SET character_set_connection = gbk",
      "SET character_set_results = NULL",
      prepare("SELECT CAST(? AS CHAR(40)), ?"),
      execute(1, 0, 0, 0),
    ],
    only: "mysql",
  },
  "one statement in a text": {
    steps: [ONE_STATEMENT, "SELECT 1; SELECT 2", RESET, "SELECT 1; SELECT 2"],
    pins: { 0: "", 2: "" },
  },
  "the last value of a sequence": {
    steps: ["SELECT LASTVAL(one.s)", "SELECT NEXTVAL(one.s) > 0", "SELECT LASTVAL(one.s) > 0"],
    pins: { 0: "", 1: "sequence" },
    only: "mariadb",
  },
};

/** What a reply says, but for ids of rows and statements. */
function told(packets: readonly WirePacket[], step: Step): unknown {
  const [first] = packets;
  if (first!.payload[0] === Head.ERR) {
    const { code, message } = new WireError(first!.payload);
    return `${code} ${message.replaceAll(/'\d+'/g, "'#'")}`;
  }
  if (step === STATISTICS) return "";
  if (typeof step !== "string" && step.command === Command.STMT_PREPARE) return "";
  return packets.map(({ payload }) => payload.toHex());
}

async function run(client: WireClient, step: Step): Promise<readonly WirePacket[]> {
  if (typeof step === "string") return await client.query(step);
  const { command, rest } = step;
  return await client.simple(command, ...(rest === undefined ? [] : [rest]));
}

for (const name of ["mariadb", "mysql"] as const) {
  if (!await isAvailable(name)) continue;
  const role = name === "mariadb" ? "r1" : "'r1'@'%'";
  const engine = await sharedEngine(name, [
    "CREATE USER app@'%' IDENTIFIED BY 'secret'",
    "GRANT ALL ON *.* TO app@'%'",
    `CREATE ROLE ${role}`,
    `GRANT ${role} TO app@'%'`,
    "SET GLOBAL local_infile=1",
    "CREATE DATABASE one",
    "CREATE DATABASE latin CHARACTER SET latin1",
    "CREATE TABLE one.noise (id INT PRIMARY KEY AUTO_INCREMENT)",
    "ALTER TABLE one.noise AUTO_INCREMENT=5000",
    "CREATE TABLE one.three (v INT)",
    "CREATE PROCEDURE one.inserts() INSERT INTO one.t (v) VALUES (9)",
    "CREATE PROCEDURE one.reads_only() SET TRANSACTION READ ONLY",
    ...(name === "mariadb" ? ["CREATE SEQUENCE one.s"] : []),
  ]);
  const fresh = async () => {
    await engine.admin("DROP TABLE IF EXISTS one.t");
    await engine.admin("CREATE TABLE one.t (id INT PRIMARY KEY AUTO_INCREMENT, v INT)");
    await engine.admin("DELETE FROM one.three");
    await engine.admin("INSERT INTO one.three VALUES (1), (2), (3)");
  };

  for (const [title, { steps, pins = {}, only = name }] of Object.entries(SCRIPTS)) {
    Deno.test({
      name: `${name}: ${title} is as directly`,
      ignore: engine.ignore || only !== name,
      fn: async () => {
        const options = { ...APP, onInfile: () => [encodeText("7\n8\n")] };
        await fresh();
        const directly: unknown[] = [];
        {
          using client = await WireClient.connect({ ...options, port: engine.engine.port });
          for (const step of steps) directly.push(told(await run(client, step), step));
        }
        await fresh();
        await using proxy = await TestProxy.start({
          servers: [engine.engine.port],
          sharing: "transaction",
          proxy: { session_pool_default_max_conn: 1 },
        });
        using client = await WireClient.connect({ ...options, port: proxy.port });
        using noise = await WireClient.connect({ ...APP, port: proxy.port });
        const through: unknown[] = [];
        const seen: Record<number, string> = {};
        for (const [at, step] of steps.entries()) {
          through.push(told(await run(client, step), step));
          const entry = proxy.proxy.manager.clients.find(client.greeting.threadId)!;
          const reasons = entry.info().pins.map(({ reason }) => reason);
          if (at in pins) seen[at] = reasons.join(" ");
          // Of what code has done the server is asked, and the session may be free then.
          if (reasons.some((reason) => reason !== "routine")) continue;
          await noise.run("INSERT INTO one.noise VALUES (NULL)");
          await noise.run("SELECT 1; SELECT 2 UNION SELECT 3");
          await noise.run("SET @noise = 1");
        }
        assertEquals(through, directly);
        assertEquals(seen, pins);
      },
    });
  }
}
