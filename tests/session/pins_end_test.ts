/** Every reason to stay on a shared server session, and what ends it. */
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { type Connection, createConnection } from "mysql2";
import { concat, encodeText } from "../../src/protocol/bytes.ts";
import { Command } from "../../src/protocol/constants.ts";
import { type PinReason, PINS } from "../../src/state/pins.ts";
import { eventually } from "../support/eventually.ts";
import { isAvailable, sharedEngine } from "../support/shared_engine.ts";
import { APP, TestProxy } from "../support/test_proxy.ts";
import { MODERN, WireClient, WireError } from "../support/wire_client.ts";

type Step = string | ((client: WireClient) => Promise<unknown>);
type EngineName = "mariadb" | "mysql";

interface Case {
  readonly reason: PinReason;
  /** Before the client is looked at. */
  readonly before?: readonly Step[];
  /** Each of them leaves the pin, with this cause of its first one. */
  readonly begins: readonly Step[];
  readonly cause: string;
  /** The pin shows when somebody else needs the server session. */
  readonly isAsked?: true;
  /** All but the last one leave the pin; none where it ends with the need of somebody else. */
  readonly ends: readonly Step[];
  /** Where there is such a thing; both unless given. */
  readonly only?: EngineName;
}

const ROWS = 5;

const PREPARE = [
  "CREATE USER app@'%' IDENTIFIED BY 'secret'",
  "GRANT ALL ON *.* TO app@'%'",
  "CREATE DATABASE pins",
  "CREATE TABLE pins.t (id INT PRIMARY KEY AUTO_INCREMENT, v VARCHAR(100))",
  "CREATE TABLE pins.loaded (v VARCHAR(100))",
  `INSERT INTO pins.t (v) VALUES ${Array.from({ length: ROWS }, (_, at) => `('${at}')`)}`,
  "CREATE PROCEDURE pins.adds() INSERT INTO pins.loaded VALUES ('from a routine')",
  "CREATE PROCEDURE pins.sets(OUT value INT) SET value = 1, @inner = 2",
  "CREATE PROCEDURE pins.makes() CREATE TEMPORARY TABLE pins.made (v INT)",
  "CREATE PROCEDURE pins.copies() CREATE TEMPORARY TABLE pins.made SELECT 1 AS v",
  "CREATE PROCEDURE pins.prepares() PREPARE inner_one FROM 'SELECT 1'",
  // In one piece, the name of the function would keep whoever runs any routine on MariaDB.
  "CREATE PROCEDURE pins.runs() BEGIN SET @text = CONCAT('DO GET_', 'LOCK(''inner'', 0)'); " +
  "PREPARE inner_one FROM @text; EXECUTE inner_one; DEALLOCATE PREPARE inner_one; END",
  "CREATE PROCEDURE pins.locks() FLUSH TABLES WITH READ LOCK",
  "CREATE FUNCTION pins.own() RETURNS INT NO SQL RETURN 1",
  "CREATE FUNCTION pins.making() RETURNS INT NO SQL " +
  "BEGIN CREATE TEMPORARY TABLE pins.made (v INT); RETURN 1; END",
  "CREATE TABLE pins.watched (v VARCHAR(100))",
  "CREATE TRIGGER pins.watch BEFORE INSERT ON pins.watched FOR EACH ROW SET @seen = NEW.v",
  "CREATE TABLE pins.copied (v VARCHAR(100))",
  "CREATE TRIGGER pins.copy BEFORE INSERT ON pins.copied FOR EACH ROW " +
  "BEGIN CREATE TEMPORARY TABLE pins.made (v INT); END",
];

// ---- commands that are no text ----

function numbers(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 * values.length);
  const view = new DataView(bytes.buffer);
  values.forEach((value, at) => view.setUint32(4 * at, value, true));
  return bytes;
}

/** Of the statement that the client has prepared last. */
const ids = new WeakMap<WireClient, number>();

function prepare(sql: string): Step {
  return async (client) => {
    const { statementId } = await client.prepare(sql);
    ids.set(client, statementId);
  };
}

/** https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_stmt_execute.html */
function about(command: number, ...rest: readonly Uint8Array[]): Step {
  return async (client) => {
    const packets = await client.command(
      concat([Uint8Array.of(command), numbers(ids.get(client)!), ...rest]),
    );
    const error = packets.find(({ payload }) => payload[0] === 0xff);
    if (error !== undefined) throw new WireError(error.payload);
  };
}

const openCursor = about(Command.STMT_EXECUTE, Uint8Array.of(1), numbers(1));
const fetch = (rows: number) => about(Command.STMT_FETCH, numbers(rows));
const resetStatement = about(Command.STMT_RESET);
const closeStatement = about(Command.STMT_CLOSE);
const sendLongData = about(
  Command.STMT_SEND_LONG_DATA,
  Uint8Array.of(0, 0),
  encodeText("a part "),
);
/** With one parameter of type BLOB, which was sent before. */
const executeLong = about(
  Command.STMT_EXECUTE,
  Uint8Array.of(0),
  numbers(1),
  Uint8Array.of(0, 1, 0xfc, 0),
);

const LOAD = "LOAD DATA LOCAL INFILE 'rows' INTO TABLE pins.loaded";

const askForFile: Step = async (client) => {
  await client.send(concat([Uint8Array.of(Command.QUERY), encodeText(LOAD)]));
  assertEquals((await client.packet())!.payload[0], 0xfb);
};

const sendFile: Step = async (client) => {
  await client.sendMore(encodeText("one\ntwo\n"));
  await client.sendMore(new Uint8Array(0));
  assertEquals((await client.packet())!.payload[0], 0);
};

function fails(sql: string): Step {
  return (client) => assertRejects(() => client.run(sql), WireError);
}

const reset: Step = (client) => client.simple(Command.RESET_CONNECTION);

// ---- reasons ----

const CASES: readonly Case[] = [
  { reason: "transaction", begins: ["BEGIN"], cause: "BEGIN", ends: ["DO 1", "COMMIT"] },
  {
    reason: "transaction",
    begins: ["START TRANSACTION"],
    cause: "START TRANSACTION",
    ends: ["INSERT INTO pins.t (v) VALUES ('x')", "ROLLBACK"],
  },
  {
    reason: "transaction",
    before: ["SET autocommit = 0"],
    begins: ["SELECT * FROM pins.t"],
    cause: "SELECT",
    ends: ["COMMIT"],
  },
  {
    reason: "next_transaction",
    begins: ["SET TRANSACTION READ ONLY"],
    cause: "SET TRANSACTION",
    ends: ["SELECT * FROM pins.t"],
  },
  {
    reason: "xa",
    begins: ["XA START 'a'"],
    cause: "XA START",
    ends: ["INSERT INTO pins.t (v) VALUES ('x')", "XA END 'a'", "XA COMMIT 'a' ONE PHASE"],
  },
  {
    reason: "xa",
    begins: ["XA START 'a'", "XA END 'a'"],
    cause: "XA START",
    ends: ["XA ROLLBACK 'a'"],
  },
  {
    reason: "savepoint",
    before: ["SET autocommit = 0"],
    begins: ["SAVEPOINT a"],
    cause: "SAVEPOINT",
    ends: ["DO 1", "RELEASE SAVEPOINT a", "COMMIT"],
  },
  {
    reason: "sequence",
    before: ["SELECT LASTVAL(pins.s)"],
    begins: ["SELECT NEXTVAL(pins.s)"],
    cause: "SELECT",
    ends: ["SELECT LASTVAL(pins.s)", reset],
    only: "mariadb",
  },
  {
    reason: "temporary_table",
    begins: [
      "CREATE TEMPORARY TABLE pins.mine (v INT)",
      "CREATE TEMPORARY TABLE pins.more (v INT)",
    ],
    cause: "CREATE TEMPORARY",
    ends: ["DROP TABLE pins.mine", "SELECT * FROM pins.more", "DROP TEMPORARY TABLE pins.more"],
  },
  {
    reason: "lock_tables",
    begins: ["LOCK TABLES pins.t READ"],
    cause: "LOCK TABLES",
    ends: ["SELECT * FROM pins.t", "UNLOCK TABLES"],
  },
  {
    reason: "server_lock",
    begins: ["FLUSH TABLES WITH READ LOCK"],
    cause: "FLUSH TABLES",
    ends: ["DO 1", "UNLOCK TABLES"],
  },
  {
    reason: "server_lock",
    begins: ["LOCK INSTANCE FOR BACKUP"],
    cause: "LOCK INSTANCE",
    ends: ["DO 1", "UNLOCK INSTANCE"],
    only: "mysql",
  },
  {
    reason: "server_lock",
    begins: ["BACKUP STAGE START", "BACKUP STAGE FLUSH"],
    cause: "BACKUP STAGE",
    ends: ["DO 1", "BACKUP STAGE END"],
    only: "mariadb",
  },
  {
    reason: "user_lock",
    begins: ["SELECT GET_LOCK('one', 0)", "DO GET_LOCK('two', 0)"],
    cause: "SELECT",
    ends: ["DO RELEASE_LOCK('one')", "SELECT RELEASE_LOCK('two')"],
  },
  {
    reason: "user_lock",
    begins: ["DO GET_LOCK('one', 0)", "DO GET_LOCK('one', 0)"],
    cause: "DO",
    ends: ["DO RELEASE_ALL_LOCKS()"],
  },
  {
    reason: "cursor",
    before: [prepare("SELECT * FROM pins.t")],
    begins: [openCursor],
    cause: "COM_STMT_EXECUTE",
    ends: [fetch(2), "DO 1", fetch(1000)],
  },
  {
    reason: "cursor",
    before: [prepare("SELECT * FROM pins.t")],
    begins: [openCursor, fetch(1)],
    cause: "COM_STMT_EXECUTE",
    ends: [resetStatement],
  },
  {
    reason: "cursor",
    before: [prepare("SELECT * FROM pins.t")],
    begins: [openCursor],
    cause: "COM_STMT_EXECUTE",
    // It has no reply: what comes next ends it at the latest.
    ends: [closeStatement],
  },
  {
    reason: "prepared_statement",
    begins: [prepare("SELECT DATABASE()")],
    cause: "COM_STMT_PREPARE",
    ends: ["DO 1", closeStatement],
  },
  {
    reason: "handler",
    begins: ["HANDLER pins.t OPEN"],
    cause: "HANDLER",
    ends: ["HANDLER t READ FIRST", "HANDLER t CLOSE"],
  },
  {
    reason: "load_data_local",
    begins: [askForFile],
    cause: "LOAD",
    ends: [sendFile],
  },
  {
    reason: "long_data",
    before: [prepare("SELECT LENGTH(?)")],
    begins: [sendLongData, sendLongData],
    cause: "COM_STMT_SEND_LONG_DATA",
    ends: ["DO 1", executeLong],
  },
  {
    reason: "long_data",
    before: [prepare("SELECT LENGTH(?)")],
    begins: [sendLongData],
    cause: "COM_STMT_SEND_LONG_DATA",
    ends: [resetStatement],
  },
  {
    reason: "found_rows",
    begins: ["SELECT SQL_CALC_FOUND_ROWS * FROM pins.t LIMIT 1"],
    cause: "SELECT",
    ends: ["SET @x = 1", "SELECT FOUND_ROWS()"],
  },
  {
    reason: "special_variable",
    begins: ["SET insert_id = 1000"],
    cause: "SET",
    ends: ["SELECT * FROM pins.t", "INSERT INTO pins.t (v) VALUES ('x')"],
  },
  // ---- code of the server: asked for what it has left ----
  ...[
    "CALL pins.adds()",
    "CALL pins.sets(@x)",
    "SELECT pins.own()",
    "INSERT INTO pins.watched VALUES ('by a trigger')",
  ].map((begin): Case => ({
    reason: "routine",
    begins: [begin],
    cause: begin.slice(0, begin.indexOf(" pins")),
    ends: [],
  })),
  {
    reason: "routine",
    // Texts have made them before, and have nothing to do with it.
    before: [
      "CREATE TEMPORARY TABLE pins.own (v INT)",
      "DROP TABLE pins.own",
      "PREPARE own FROM 'SELECT 1'",
      "DEALLOCATE PREPARE own",
    ],
    begins: ["CALL pins.sets(@x)"],
    cause: "CALL",
    ends: [],
  },
  ...[
    "CALL pins.makes()",
    "CALL pins.copies()",
    "CALL pins.prepares()",
    "CALL pins.locks()",
    "CALL pins.runs()",
    "SELECT pins.making()",
    "INSERT INTO pins.copied VALUES ('by a trigger')",
  ].map((begin): Case => ({
    reason: "unknown_state",
    begins: [begin],
    cause: "routine",
    isAsked: true,
    ends: ["DO 1", reset],
  })),
  {
    reason: "unknown_state",
    begins: [fails("BINLOG 'x'")],
    cause: "BINLOG",
    ends: ["DO 1", reset],
  },
];

// ---- the proxy ----

/** Two clients that share one server session, and an operator. */
class Bench implements AsyncDisposable {
  readonly client: WireClient;
  readonly other: WireClient;
  readonly #proxy: TestProxy;
  readonly #operator: Connection;

  private constructor(proxy: TestProxy, clients: [WireClient, WireClient], operator: Connection) {
    this.#proxy = proxy;
    [this.client, this.other] = clients;
    this.#operator = operator;
  }

  static async start(port: number): Promise<Bench> {
    const proxy = await TestProxy.start({
      servers: [port],
      sharing: "transaction",
      proxy: {
        obproxy_sys_password: "operator",
        session_pool_default_max_conn: 1,
        session_pool_default_blocking_timeout: "60s",
      },
    });
    const connect = () => WireClient.connect({ ...APP, port: proxy.port, capabilities: MODERN });
    const root = { user: "root@proxysys", password: "operator" };
    const operator = await createConnection({ host: "127.0.0.1", port: proxy.port, ...root });
    return new Bench(proxy, [await connect(), await connect()], operator);
  }

  async rows(sql: string): Promise<Record<string, unknown>[]> {
    const [rows] = await this.#operator.query(sql);
    return rows as Record<string, unknown>[];
  }

  /** How many server sessions are free, and how many clients wait for one. */
  async pool(): Promise<{ idle: unknown; waiting: unknown }> {
    const [pool] = await this.rows("SHOW GLOBALSESSION");
    return { idle: pool!["idle_client_count"], waiting: pool!["waiting_client_count"] };
  }

  async isFree(): Promise<void> {
    await eventually("the server session is back in the pool", async () => {
      assertEquals(await this.rows("SHOW PROXYPINS"), []);
      assertEquals(await this.pool(), { idle: 1, waiting: 0 });
      return true;
    });
  }

  /** @param when for the message */
  async isPinned({ reason, cause }: Case, when: string): Promise<void> {
    await eventually(`the client is pinned ${when}`, async () => {
      const pins = await this.rows("SHOW PROXYPINS");
      const [pin] = pins.filter((row) => row["reason"] === reason);
      if (pin === undefined) throw new Error(`Expected ${reason}, got ${JSON.stringify(pins)}`);
      assertEquals([pin["cause"], pin["ends"]], [cause, PINS[reason].ends]);
      assertEquals([pin["Id"], pin["User"]], [this.client.greeting.threadId, APP.user]);
      assertMatch(String(pin["server"]), /^127\.0\.0\.1:/);
      return true;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client.close();
    this.other.close();
    await this.#operator.end();
    await this.#proxy[Symbol.asyncDispose]();
  }
}

for (const name of ["mariadb", "mysql"] as const) {
  if (!await isAvailable(name)) continue;
  const sequences = name === "mariadb" ? ["CREATE SEQUENCE pins.s"] : [];
  const engine = await sharedEngine(name, [...PREPARE, ...sequences]);
  for (const [at, row] of CASES.entries()) {
    const { reason, before = [], begins, ends, isAsked, only = name } = row;
    Deno.test({
      name: `${name}: pin ${reason} (case ${at + 1}) ends, and the next client gets the session`,
      ignore: engine.ignore || only !== name,
      fn: async () => {
        await using bench = await Bench.start(engine.engine.port);
        const { client, other } = bench;
        const run = (step: Step) => typeof step === "string" ? client.run(step) : step(client);
        await run("DO 1");
        for (const step of before) await run(step);
        await bench.isFree();
        for (const [at, step] of begins.entries()) {
          await run(step);
          if (isAsked !== true) await bench.isPinned(row, `behind the begin ${at + 1}`);
        }
        const answer = other.run("SELECT 1");
        for (const [at, step] of ends.entries()) {
          await bench.isPinned(row, `before the end ${at + 1}`);
          await eventually("the other waits", async () => (await bench.pool()).waiting === 1);
          await run(step);
        }
        assertEquals((await answer).length, 4);
        await bench.isFree();
        // The client goes on where the other was.
        await run("DO 1");
        await bench.isFree();
      },
    });
  }
}

Deno.test("Every reason has a test", () => {
  const tested = new Set(CASES.map(({ reason }) => reason));
  const left = Object.keys(PINS).filter((reason) => !tested.has(reason as PinReason));
  assertEquals(left, []);
});
