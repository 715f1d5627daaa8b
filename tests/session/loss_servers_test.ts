/** Server sessions that real servers lose: killed there, or with the whole server. */
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { type Connection, createConnection } from "mysql2";
import { startEngine } from "../../src/dev/engines/engine.ts";
import { query } from "../../src/dev/engines/query.ts";
import { eventually } from "../support/eventually.ts";
import type { ServerSession } from "../../src/backend/server_session.ts";
import { concat, decodeText, encodeText } from "../../src/protocol/bytes.ts";
import { Command } from "../../src/protocol/constants.ts";
import { decodeErr } from "../../src/protocol/response.ts";
import { WireClient, type WirePacket } from "../support/wire_client.ts";
import { seededRandom } from "../support/random.ts";
import { report } from "../support/report.ts";
import { isAvailable, sharedEngine } from "../support/shared_engine.ts";
import { APP, TestProxy } from "../support/test_proxy.ts";

const PREPARE = [
  "CREATE USER app@'%' IDENTIFIED BY 'secret'",
  "GRANT ALL ON *.* TO app@'%'",
  "CREATE DATABASE one",
  "CREATE TABLE one.t (id INT PRIMARY KEY AUTO_INCREMENT, v INT)",
];

async function value(client: Connection, sql: string, values?: unknown[]): Promise<unknown> {
  const [rows] = values === undefined
    ? await client.query(sql)
    : await client.execute(sql, values as number[]);
  return Object.values((rows as Record<string, unknown>[])[0] ?? {})[0];
}

/** The error that a statement fails with. */
async function failure(running: Promise<unknown>): Promise<{ errno: number; message: string }> {
  const error = await assertRejects(() => running, Error);
  return error as Error & { errno: number };
}

const LOST = /^Lost connection to server 127\.0\.0\.1:\d+ /;

/** Flags, iterations, no NULL, types, and the type of a text: what comes behind the id. */
const NEW = Uint8Array.of(0, 1, 0, 0, 0, 0, 1, 0xfd, 0);
const CURSOR = Uint8Array.of(1, 1, 0, 0, 0);

/** Of the first parameter. */
const PART = Uint8Array.of(0, 0, 0x6e, 0x6f);

/** A client that writes numbers which nobody else writes. */
interface Client {
  readonly id: number;
  readonly connection: Connection;
  /** What the server has confirmed, and what it has not. */
  readonly written: number[];
  readonly doubtful: number[];
  losses: number;
}

const STEPS = 120;

async function work(client: Client, random: () => number): Promise<void> {
  const { id, connection } = client;
  for (let step = 0; step < STEPS; step++) {
    const v = id * STEPS * 2 + step * 2;
    const choice = random();
    if (choice < 0.5) {
      // A read is hidden, unless it is hit twice.
      const slept = await attempt(client, value(connection, "SELECT CONCAT(SLEEP(0.002), @me)"));
      if (slept !== undefined) assertEquals(slept, `0${id}`);
    } else if (choice < 0.8) {
      const done = await attempt(client, connection.query(`INSERT INTO t (v) VALUES (${v})`));
      (done === undefined ? client.doubtful : client.written).push(v);
    } else {
      await transaction(client, v);
    }
  }
}

/** Writes two numbers, or none: what is lost before COMMIT is certainly not there. */
async function transaction(client: Client, v: number): Promise<void> {
  const { connection } = client;
  for (const sql of ["BEGIN", `INSERT INTO t (v) VALUES (${v})`, "SELECT COUNT(*) FROM t"]) {
    if (await attempt(client, connection.query(sql)) === undefined) {
      await attempt(client, connection.query("ROLLBACK"));
      const count = await attempt(
        client,
        value(connection, `SELECT COUNT(*) FROM t WHERE v = ${v}`),
      );
      if (count !== undefined) assertEquals(count, 0);
      return;
    }
  }
  const done = await attempt(client, connection.query("COMMIT"));
  (done === undefined ? client.doubtful : client.written).push(v);
}

/** @returns undefined where the server session was lost, and the client told so */
async function attempt<Result>(
  client: Client,
  running: Promise<Result>,
): Promise<Result | undefined> {
  try {
    return await running;
  } catch (error) {
    const { errno, message } = error as Error & { errno: number };
    // MySQL interrupts what it kills.
    if (errno !== 1317 && errno !== 1158) throw error;
    if (errno === 1158) assertMatch(message, LOST);
    client.losses++;
    return undefined;
  }
}

/** Kills one of the proxy's connections after the other. */
function killAtRandom(
  admin: (sql: string) => Promise<Record<string, unknown>[]>,
  random: () => number,
) {
  let isOver = false;
  const killing = {
    count: 0,
    async stop(): Promise<void> {
      isOver = true;
      await running;
    },
  };
  const running = (async () => {
    while (!isOver) {
      const rows = await admin("SELECT ID FROM information_schema.PROCESSLIST WHERE USER = 'app'");
      const victim = rows[Math.floor(random() * rows.length)];
      if (victim === undefined) continue;
      try {
        await admin(`KILL ${victim.ID}`);
        killing.count++;
      } catch (error) {
        // It has ended by itself meanwhile.
        assertStringIncludes(String(error), "Unknown thread id");
      }
    }
  })();
  return killing;
}

function anySeed(): { seed: number; random: () => number } {
  const seed = Math.floor(Math.random() * 2 ** 32);
  return { seed, random: seededRandom(seed) };
}

for (const name of ["mariadb", "mysql"] as const) {
  if (!await isAvailable(name)) continue;
  const server = await sharedEngine(name, PREPARE);
  const { ignore } = server;

  interface Row {
    readonly ID: number;
    readonly INFO: string | null;
  }

  /** Kills what the proxy has there, once one of them runs a statement with this in it. */
  const kill = async (running?: string): Promise<void> => {
    const list = async () =>
      await server.admin(
        "SELECT ID, INFO FROM information_schema.PROCESSLIST WHERE USER = 'app'",
      ) as unknown as Row[];
    const found = await eventually("it runs", async () => {
      const rows = await list();
      const isThere = running === undefined || rows.some(({ INFO }) => INFO?.includes(running));
      return isThere && rows;
    });
    for (const { ID } of found) await server.admin(`KILL ${ID}`);
    await eventually("they are gone", async () => {
      const left = await list();
      return found.every(({ ID }) => left.every((row) => row.ID !== ID));
    });
  };

  const lossTest = (
    title: string,
    run: (client: Connection, proxy: TestProxy) => Promise<void>,
  ) =>
    Deno.test({
      name: `${name}: ${title}`,
      ignore,
      fn: async () => {
        await server.admin("TRUNCATE one.t");
        await using proxy = await TestProxy.start({
          clusters: [{
            name: "main",
            servers: [`127.0.0.1:${server.engine.port}`],
            sharing: "transaction",
          }],
          proxy: { session_pool_default_blocking_timeout: "20s" },
        });
        const client = await createConnection({ host: "127.0.0.1", port: proxy.port, ...APP });
        try {
          await client.query("USE one");
          await client.query("SET SESSION time_zone = '+03:00', @a = 'kept'");
          await run(client, proxy);
          assertEquals(await value(client, "SELECT @@time_zone"), "+03:00");
          assertEquals(await value(client, "SELECT @a"), "kept");
          assertEquals(await value(client, "SELECT DATABASE()"), "one");
        } finally {
          client.destroy();
        }
      },
    });

  lossTest("an idle session that is killed is replaced with full state", async (client) => {
    await kill();
    assertEquals(await value(client, "SELECT 7"), 7);
  });

  lossTest("a read whose session is killed is run once more", async (client) => {
    const running = value(client, "SELECT SLEEP(2) + 7 AS slept");
    await kill("SLEEP");
    assertEquals(Number(await running), 7);
  });

  lossTest("a prepared read whose session is killed is run once more", async (client) => {
    const running = value(client, "SELECT SLEEP(?) + 7 AS slept", [2]);
    await kill("SLEEP");
    assertEquals(Number(await running), 7);
    assertEquals(Number(await value(client, "SELECT SLEEP(?) + 7 AS slept", [0])), 7);
  });

  lossTest("a write whose session is killed is not run again", async (client) => {
    const running = client.query("INSERT INTO t (v) SELECT SLEEP(5) FROM DUAL");
    const failed = failure(running);
    await kill("SLEEP");
    const { errno, message } = await failed;
    // MySQL says itself that it has interrupted the statement.
    if (errno !== 1317) {
      assertEquals(errno, 1158);
      assertMatch(message, LOST);
      assertMatch(message, /it is not known whether the statement was done$/);
    }
    // MySQL may have done it: a SLEEP that is interrupted gives 1, and goes in. A whole one gives 0.
    assertEquals(await value(client, "SELECT COUNT(*) FROM t WHERE v = 0"), 0);
    assert(Number(await value(client, "SELECT COUNT(*) FROM t")) <= 1);
  });

  lossTest(
    "a transaction that is lost while it waits is told of, and rolled back",
    async (client) => {
      await client.query("BEGIN");
      await client.query("INSERT INTO t (v) VALUES (1)");
      await kill();
      const { errno, message } = await failure(client.query("INSERT INTO t (v) VALUES (2)"));
      assertEquals(errno, 1158);
      assertMatch(message, LOST);
      assertMatch(message, /; the transaction is gone$/);
      await client.query("INSERT INTO t (v) VALUES (3)");
      assertEquals(await value(client, "SELECT SUM(v) FROM t"), "3");
    },
  );

  lossTest("a read that is lost in its transaction is not run outside of it", async (client) => {
    await client.query("BEGIN");
    await client.query("INSERT INTO t (v) VALUES (1)");
    const failed = failure(value(client, "SELECT SLEEP(5), COUNT(*) FROM t"));
    await kill("SLEEP");
    const { errno } = await failed;
    if (errno === 1317) await failure(client.query("SELECT 1"));
    else assertEquals(errno, 1158);
    assertEquals(await value(client, "SELECT COUNT(*) FROM t"), 0);
  });

  lossTest("temporary tables and locks that are lost are named", async (client) => {
    await client.query("CREATE TEMPORARY TABLE mine (v INT)");
    await client.query("SELECT GET_LOCK('Gate', 0)");
    await kill();
    const { errno, message } = await failure(client.query("SELECT * FROM mine"));
    assertEquals(errno, 1158);
    assertMatch(
      message,
      /lost with the server session: temporary table one\.mine, user lock gate/i,
    );
    assertEquals(await value(client, "SELECT IS_FREE_LOCK('Gate')"), 1);
    assertEquals((await failure(client.query("SELECT * FROM mine"))).errno, 1146);
    assertEquals((await client.query("SHOW PROXYPINS"))[0], []);
  });

  lossTest("a lock that waits in the pool is named where it is lost", async (client) => {
    await client.query("SELECT GET_LOCK('Gate', 0)");
    await kill();
    const { errno, message } = await failure(client.query("SELECT 1"));
    assertEquals(errno, 1158);
    assertMatch(message, /between statements: .*; lost with the server session: user lock gate/i);
    assertEquals(await value(client, "SELECT IS_FREE_LOCK('Gate')"), 1);
    assertEquals((await client.query("SHOW PROXYPINS"))[0], []);
  });

  lossTest("autocommit stays as it was wanted", async (client) => {
    await client.query("SET autocommit = 0");
    await client.query("INSERT INTO t (v) VALUES (1)");
    await kill();
    await failure(client.query("COMMIT"));
    await client.query("INSERT INTO t (v) VALUES (2)");
    await client.query("ROLLBACK");
    assertEquals(await value(client, "SELECT COUNT(*) FROM t"), 0);
    assertEquals(await value(client, "SELECT @@autocommit"), 0);
    await client.query("SET autocommit = 1");
  });

  lossTest("values that only the lost session had are named, and then gone", async (client) => {
    await client.query("SELECT CONNECTION_ID() INTO @computed");
    await kill();
    const { message } = await failure(client.query("SELECT @computed"));
    assertMatch(message, /@computed/);
    assertEquals(await value(client, "SELECT @computed"), null);
  });

  /** A client that has prepared a statement with one text as its parameter. */
  const preparedTest = (
    title: string,
    run: (client: WireClient, id: Uint8Array, proxy: TestProxy) => Promise<void>,
  ) =>
    Deno.test({
      name: `${name}: ${title}`,
      ignore,
      fn: async () => {
        await using proxy = await TestProxy.start({
          clusters: [{
            name: "main",
            servers: [`127.0.0.1:${server.engine.port}`],
            sharing: "transaction",
          }],
        });
        using client = await WireClient.connect({ port: proxy.port, ...APP });
        const text = encodeText("SELECT CONCAT(?, '!') AS said FROM information_schema.TABLES");
        const [head] = await client.simple(Command.STMT_PREPARE, text);
        await run(client, head!.payload.slice(1, 5), proxy);
        // The statement is there, as it was prepared.
        const value = Uint8Array.of(3, 0x79, 0x65, 0x73);
        const packets = await client.simple(
          Command.STMT_EXECUTE,
          head!.payload.slice(1, 5),
          NEW,
          value,
        );
        assertStringIncludes(decodeText(concat(packets.map(({ payload }) => payload))), "yes!");
      },
    });

  const expectLost = (packets: readonly WirePacket[], words: RegExp) => {
    const { code, message } = decodeErr(packets.at(-1)!.payload);
    assertEquals(code, 1158);
    assertMatch(message, words);
  };

  preparedTest("parts of values that are lost are named", async (client, id) => {
    await client.send(concat([Uint8Array.of(Command.STMT_SEND_LONG_DATA), id, PART]));
    await client.simple(Command.PING);
    await kill();
    expectLost(await client.simple(Command.STMT_EXECUTE, id, NEW), /long data/);
  });

  preparedTest(
    "parts of values that do not reach the server are told of",
    async (client, id, proxy) => {
      await client.simple(Command.PING);
      const [session] = [...proxy.proxy.manager.servers.values()] as ServerSession[];
      session!.write = () => {
        void server.admin(`KILL ${session!.threadId}`);
        return Promise.reject(new Deno.errors.BrokenPipe("Broken pipe"));
      };
      await client.send(concat([Uint8Array.of(Command.STMT_SEND_LONG_DATA), id, PART]));
      expectLost(await client.simple(Command.STMT_EXECUTE, id, NEW), /long data/);
    },
  );

  preparedTest("a cursor that is lost is named", async (client, id) => {
    const value = Uint8Array.of(3, 0x79, 0x65, 0x73);
    const opens = concat([CURSOR, NEW.subarray(5), value]);
    await client.simple(Command.STMT_EXECUTE, id, opens);
    await kill();
    const count = Uint8Array.of(1, 0, 0, 0);
    expectLost(await client.simple(Command.STMT_FETCH, id, count), /cursor/);
  });

  Deno.test({
    name: `${name}: whatever is killed, nothing runs twice and no client's session ends`,
    ignore,
    fn: async () => {
      await server.admin("TRUNCATE one.t");
      await using proxy = await TestProxy.start({
        clusters: [{
          name: "main",
          servers: [`127.0.0.1:${server.engine.port}`],
          sharing: "transaction",
        }],
        proxy: { session_pool_default_max_conn: 6, session_pool_default_blocking_timeout: "20s" },
      });
      const { seed, random } = anySeed();
      const clients: Client[] = [];
      for (let id = 0; id < 10; id++) {
        const connection = await createConnection({
          host: "127.0.0.1",
          port: proxy.port,
          database: "one",
          ...APP,
        });
        await connection.query("SET @me = ?", [id]);
        clients.push({ id, connection, written: [], doubtful: [], losses: 0 });
      }
      const killing = killAtRandom(server.admin, random);
      try {
        await Promise.all(clients.map((client) => work(client, random)));
      } finally {
        await killing.stop();
        for (const { connection } of clients) connection.destroy();
      }
      const rows = await server.admin("SELECT v, COUNT(*) AS n FROM one.t GROUP BY v");
      const counts = new Map(rows.map(({ v, n }) => [Number(v), Number(n)]));
      for (const { written, doubtful } of clients) {
        for (const v of written) assertEquals(counts.get(v), 1, `seed ${seed}: ${v} was written`);
        for (const v of doubtful) assert((counts.get(v) ?? 0) <= 1, `seed ${seed}: ${v} ran twice`);
      }
      const losses = clients.reduce((sum, client) => sum + client.losses, 0);
      const masked = proxy.log.of("server session lost").filter(({ fields }) =>
        fields.outcome === "run elsewhere"
      );
      report(`${name}, seed ${seed}: ${losses} losses told, ${masked.length} hidden`);
      assert(killing.count > 0);
    },
  });

  Deno.test({
    name: `${name}: when a server dies, reads go on on another one with full state`,
    ignore,
    fn: async () => {
      const dying = await startEngine(name);
      try {
        await query(dying.port, dying.admin, PREPARE);
        await using proxy = await TestProxy.start({
          clusters: [{
            name: "main",
            servers: [`127.0.0.1:${dying.port}`, `127.0.0.1:${server.engine.port}`],
            sharing: "transaction",
          }],
          proxy: { session_pool_default_blocking_timeout: "20s" },
        });
        const clients: Connection[] = [];
        for (let at = 0; at < 8; at++) {
          clients.push(await createConnection({ host: "127.0.0.1", port: proxy.port, ...APP }));
        }
        try {
          for (const [at, client] of clients.entries()) await client.query("SET @a = ?", [at]);
          const running = clients.slice(0, 4).map((client) =>
            value(client, "SELECT CONCAT(SLEEP(1), '-', @a)")
          );
          await eventually("they run", async () => {
            const [row] = await query(dying.port, dying.admin, [
              "SELECT COUNT(*) AS n FROM information_schema.PROCESSLIST WHERE INFO LIKE '%SLEEP(1)%'" +
              " AND USER = 'app'",
            ]);
            return Number(row!.n) === 4;
          });
          await dying.kill();
          assertEquals(await Promise.all(running), ["0-0", "0-1", "0-2", "0-3"]);
          for (const [at, client] of clients.entries()) {
            assertEquals(Number(await value(client, "SELECT @a")), at);
          }
        } finally {
          for (const client of clients) client.destroy();
        }
      } finally {
        await dying.stop();
      }
    },
  });
}
