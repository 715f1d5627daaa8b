/** Server sessions that real servers lose: killed there, or with the whole server. */
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { type Connection, createConnection } from "mysql2";
import type { ServerSession } from "../../src/backend/server_session.ts";
import { startEngine } from "../../src/dev/engines/engine.ts";
import { query } from "../../src/dev/engines/query.ts";
import { concat, decodeText, encodeText } from "../../src/protocol/bytes.ts";
import { Command } from "../../src/protocol/constants.ts";
import { decodeErr } from "../../src/protocol/response.ts";
import { eventually } from "../support/eventually.ts";
import { LOSS_TABLE, LOST } from "../support/losses.ts";
import { isAvailable, sharedEngine } from "../support/shared_engine.ts";
import { APP, TestProxy } from "../support/test_proxy.ts";
import { value } from "../support/value.ts";
import { WireClient, type WirePacket } from "../support/wire_client.ts";

/** The error that a statement fails with. */
async function failure(running: Promise<unknown>): Promise<{ errno: number; message: string }> {
  const error = await assertRejects(() => running, Error);
  return error as Error & { errno: number };
}

/** Flags, iterations, no NULL, types, and the type of a text: what comes behind the id. */
const NEW = Uint8Array.of(0, 1, 0, 0, 0, 0, 1, 0xfd, 0);
const CURSOR = Uint8Array.of(1, 1, 0, 0, 0);

/** Of the first parameter. */
const PART = Uint8Array.of(0, 0, 0x6e, 0x6f);

for (const name of ["mariadb", "mysql"] as const) {
  if (!await isAvailable(name)) continue;
  const server = await sharedEngine(name, LOSS_TABLE);
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
          servers: [server.engine.port],
          sharing: "transaction",
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

  lossTest("KILL GLOBALSESSION cancels what runs, and says what is lost", async (client, proxy) => {
    const operator = await createConnection({
      ...{ host: "127.0.0.1", port: proxy.port, user: "root@proxysys", password: "" },
    });
    const killed = "Query execution was interrupted: server session N on SERVER was killed";
    const told = ({ message }: { message: string }) =>
      message.replace(/session \d+/, "session N").replace(/on [\d.:]+/, "on SERVER");
    const running = async () => {
      const rows = await server.admin("SELECT INFO FROM information_schema.PROCESSLIST");
      return rows.some(({ INFO }) => String(INFO).includes("SLEEP(61)"));
    };
    try {
      for (const begin of [undefined, "BEGIN"]) {
        if (begin !== undefined) await client.query(begin);
        for (const sql of ["SELECT SLEEP(61)", "INSERT INTO t (v) SELECT SLEEP(61)"]) {
          const failed = failure(client.query(sql));
          await eventually("it runs", running);
          await operator.query("KILL GLOBALSESSION 'app#main'");
          const { errno, message } = await failed;
          const isInTransaction = begin !== undefined && sql.startsWith("SELECT");
          const lost = isInTransaction ? "; the transaction is gone" : "";
          assertEquals([errno, told({ message })], [1317, killed + lost]);
          await eventually("it is gone from the server", async () => !await running());
        }
      }
      await client.query("BEGIN");
      await operator.query("KILL GLOBALSESSION 'app#main'");
      const { errno, message } = await failure(client.query("SELECT 1"));
      assertEquals([errno, told({ message })], [1317, `${killed}; the transaction is gone`]);
      // MySQL may have put in a SLEEP that was interrupted, which gives 1.
      assertEquals(await value(client, "SELECT COUNT(*) FROM t WHERE v = 0"), 0);
    } finally {
      operator.destroy();
    }
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
          servers: [server.engine.port],
          sharing: "transaction",
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
    name: `${name}: when a server dies, reads go on on another one with full state`,
    ignore,
    fn: async () => {
      const dying = await startEngine(name);
      try {
        await query(dying.port, dying.admin, LOSS_TABLE);
        await using proxy = await TestProxy.start({
          servers: [dying.port, server.engine.port],
          sharing: "transaction",
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
