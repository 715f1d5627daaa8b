/** Shared server sessions whose life time ends with what their last client still needs in them. */
import { assertEquals, assertMatch } from "@std/assert";
import { type Connection, createConnection } from "mysql2";
import { eventually } from "../support/eventually.ts";
import { isAvailable, sharedEngine } from "../support/shared_engine.ts";
import { APP, TestProxy } from "../support/test_proxy.ts";
import { value } from "../support/value.ts";

const LIFE_TIME = 1_000;

interface Stage {
  readonly client: Connection;
  readonly proxy: TestProxy;
  /** Begins a transaction, which holds its server session until the life time is over. */
  outlive(): Promise<void>;
}

async function stage(port: number, run: (stage: Stage) => Promise<void>): Promise<void> {
  await using proxy = await TestProxy.start({
    servers: [port],
    sharing: "transaction",
    proxy: { session_pool_default_life_time: `${LIFE_TIME}ms` },
  });
  const client = await createConnection({
    ...{ host: "127.0.0.1", port: proxy.port, ...APP, multipleStatements: true },
  });
  const outlive = async () => {
    await client.query("BEGIN");
    await eventually("the server session is too old", () => {
      const [session] = [...proxy.proxy.manager.servers.values()];
      return Date.now() - session!.info().openedSince >= LIFE_TIME;
    });
  };
  try {
    await run({ client, proxy, outlive });
  } finally {
    client.destroy();
  }
}

for (const name of ["mariadb", "mysql"] as const) {
  if (!await isAvailable(name)) continue;
  const engine = await sharedEngine(name, [
    "CREATE USER app@'%' IDENTIFIED BY 'secret'",
    "GRANT ALL ON *.* TO app@'%'",
    "CREATE DATABASE one",
    "CREATE PROCEDURE one.makes() CREATE TEMPORARY TABLE one.made SELECT 7 AS v",
  ]);
  const staged = (title: string, run: (stage: Stage) => Promise<void>) =>
    Deno.test({
      name: `${name}: ${title}`,
      ignore: engine.ignore,
      fn: () => stage(engine.engine.port, run),
    });

  staged("a computed user variable outlives its server session", async ({ client, outlive }) => {
    await outlive();
    const made = await value(client, "SELECT @a := UUID()");
    const thread = await value(client, "SELECT @@pseudo_thread_id");
    await client.query("COMMIT");
    assertMatch(String(made), /-/);
    assertEquals(await value(client, "SELECT @a"), made);
    assertEquals(await value(client, "SELECT @@pseudo_thread_id") === thread, false);
  });

  staged("warnings outlive their server session", async ({ client, outlive }) => {
    await outlive();
    await client.query("COMMIT; SELECT CAST('1x' AS SIGNED)");
    const [rows] = await client.query("SHOW WARNINGS");
    assertEquals((rows as { Code: number }[]).map(({ Code }) => Code), [1292]);
  });

  staged("what cannot be read out keeps its server session", async ({ client, proxy, outlive }) => {
    await outlive();
    await client.query("CALL one.makes()");
    await client.query("COMMIT");
    assertEquals(await value(client, "SELECT v FROM one.made"), 7);
    assertEquals(proxy.servers, 1);
  });
}
