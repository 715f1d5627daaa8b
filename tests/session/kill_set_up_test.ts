/** Statements that are killed while a shared server session is being set up for them. */
import { assertEquals, assertRejects } from "@std/assert";
import { createConnection } from "mysql2";
import { Command } from "../../src/protocol/constants.ts";
import { eventually } from "../support/eventually.ts";
import { Gate } from "../support/gate.ts";
import { isAvailable, sharedEngine } from "../support/shared_engine.ts";
import { APP, TestProxy } from "../support/test_proxy.ts";
import { value } from "../support/value.ts";
import { WireClient, WireError } from "../support/wire_client.ts";

for (const name of ["mariadb", "mysql"] as const) {
  if (!await isAvailable(name)) continue;
  const engine = await sharedEngine(name, [
    "CREATE USER app@'%' IDENTIFIED BY 'secret'",
    "GRANT ALL ON *.* TO app@'%'",
  ]);

  for (const sessions of [1, 2]) {
    Deno.test({
      name: `${name}: the next statement of who was killed is not mixed up with the setting up, ` +
        `with a limit of ${sessions}`,
      ignore: engine.ignore,
      fn: async () => {
        await using gate = new Gate(engine.engine.port, "replies");
        await using proxy = await TestProxy.start({
          servers: [gate.port],
          sharing: "transaction",
          proxy: {
            session_pool_default_max_conn: sessions,
            session_pool_default_blocking_timeout: "60s",
          },
        });
        const connect = () => createConnection({ host: "127.0.0.1", port: proxy.port, ...APP });
        const [a, b, killer] = [await connect(), await connect(), await connect()];
        try {
          const id = Number(await value(a, "SELECT CONNECTION_ID()"));
          for (let round = 0; round < 5; round++) {
            await a.query("SET @x = 'a'");
            await b.query("SET @x = 'b'");
            const before = gate.held;
            gate.shut();
            const killed = assertRejects(() => a.query("SELECT @x"), Error, "interrupted");
            await eventually("it is being set up", () => gate.held > before);
            await killer.query(`KILL QUERY ${id}`);
            await killed;
            const changed = a.query("SET @x = 'a2'");
            const other = value(b, "SELECT @x");
            gate.open();
            await changed;
            assertEquals(await other, "b");
            assertEquals(await value(a, "SELECT @x"), "a2");
            assertEquals(await value(b, "SELECT @x"), "b");
            assertEquals(await value(killer, "SELECT @x"), null);
          }
        } finally {
          for (const client of [a, b, killer]) client.destroy();
        }
      },
    });
  }

  Deno.test({
    name:
      `${name}: who is killed while a statement is prepared again in its transaction hears of it ` +
      "when that is done",
    ignore: engine.ignore,
    fn: async () => {
      await using gate = new Gate(engine.engine.port, "replies");
      await using proxy = await TestProxy.start({
        servers: [gate.port],
        sharing: "transaction",
        proxy: { session_pool_default_max_conn: 2 },
      });
      const killer = await createConnection({ host: "127.0.0.1", port: proxy.port, ...APP });
      using a = await WireClient.connect({ ...APP, port: proxy.port });
      using b = await WireClient.connect({ ...APP, port: proxy.port });
      try {
        await a.run("SET @x = 'a'");
        const { statementId } = await a.prepare("SELECT @x");
        const execute = Uint8Array.of(Command.STMT_EXECUTE, statementId, 0, 0, 0, 0, 1, 0, 0, 0);
        // So that the transaction of the other is on a server session without the statement.
        await b.run("BEGIN");
        await a.run("BEGIN");
        const before = gate.held;
        gate.shut();
        await a.send(execute);
        await eventually("it is being prepared", () => gate.held > before);
        await killer.query(`KILL QUERY ${a.greeting.threadId}`);
        gate.open();
        assertEquals(new WireError((await a.packet())!.payload).code, 1317);
        assertEquals((await a.run("SELECT 'next'")).length, 5);
        const rows = await a.command(execute);
        assertEquals(rows[3]!.payload.at(-1), "a".charCodeAt(0));
        await a.run("COMMIT");
        await b.run("COMMIT");
      } finally {
        killer.destroy();
      }
    },
  });
}
