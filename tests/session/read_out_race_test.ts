/** Clients that go on while what their last statement has left is being read for somebody else. */
import { assertEquals, assertRejects } from "@std/assert";
import { createConnection } from "mysql2";
import { eventually } from "../support/eventually.ts";
import { Gate } from "../support/gate.ts";
import { isAvailable, sharedEngine } from "../support/shared_engine.ts";
import { APP, TestProxy } from "../support/test_proxy.ts";
import { value } from "../support/value.ts";

/** What asks for it, and the answer behind a statement that has failed. */
const ASKED: readonly (readonly [sql: string, answer: unknown])[] = [
  ["SELECT @@error_count", 1],
  ["SELECT ROW_COUNT()", -1],
  ["SHOW WARNINGS", "Error"],
  ["SHOW COUNT(*) ERRORS", 1],
];

for (const name of ["mariadb", "mysql"] as const) {
  if (!await isAvailable(name)) continue;
  const engine = await sharedEngine(name, [
    "CREATE USER app@'%' IDENTIFIED BY 'secret'",
    "GRANT ALL ON *.* TO app@'%'",
  ]);

  Deno.test({
    name: `${name}: who asks meanwhile is answered when it has been read`,
    ignore: engine.ignore,
    fn: async () => {
      await using gate = new Gate(engine.engine.port, "replies");
      await using proxy = await TestProxy.start({
        servers: [gate.port],
        sharing: "transaction",
        proxy: { session_pool_default_max_conn: 1 },
      });
      const connect = () => createConnection({ host: "127.0.0.1", port: proxy.port, ...APP });
      const [client, other] = [await connect(), await connect()];
      try {
        for (const [sql, answer] of ASKED) {
          await assertRejects(() => client.query("BOTCHED"));
          const before = gate.held;
          gate.shut();
          const others = value(other, "SELECT 'theirs'");
          await eventually("it is being read", () => gate.held > before);
          const asked = value(client, sql);
          gate.open();
          assertEquals([await asked, await others], [answer, "theirs"], sql);
        }
      } finally {
        for (const one of [client, other]) one.destroy();
      }
    },
  });

  Deno.test({
    name: `${name}: who is killed meanwhile gets no answer, and nobody else theirs`,
    ignore: engine.ignore,
    fn: async () => {
      await using gate = new Gate(engine.engine.port, "replies");
      await using proxy = await TestProxy.start({
        servers: [gate.port],
        sharing: "transaction",
        proxy: { session_pool_default_max_conn: 1 },
      });
      const connect = () => createConnection({ host: "127.0.0.1", port: proxy.port, ...APP });
      const [client, other, killer] = [await connect(), await connect(), await connect()];
      try {
        const id = await value(client, "SELECT CONNECTION_ID()");
        await assertRejects(() => client.query("BOTCHED"));
        const before = gate.held;
        gate.shut();
        const others = value(other, "SHOW COUNT(*) ERRORS");
        await eventually("it is being read", () => gate.held > before);
        const asked = assertRejects(() => value(client, "SHOW WARNINGS"));
        await killer.query(`KILL ${id}`);
        await asked;
        gate.open();
        assertEquals(await others, 0);
      } finally {
        for (const one of [client, other, killer]) one.destroy();
      }
    },
  });
}
