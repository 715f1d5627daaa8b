/** Clients that change what servers report of their sessions, and share server sessions all the same. */
import { assertEquals } from "@std/assert";
import { type Connection, createConnection } from "mysql2";
import { isAvailable, sharedEngine } from "../support/shared_engine.ts";
import { APP, TestProxy } from "../support/test_proxy.ts";
import { value } from "../support/value.ts";

/** As MariaDB's driver for Java begins. */
const DRIVER = "set sql_mode=CONCAT(@@sql_mode,',PIPES_AS_CONCAT')," +
  "session_track_system_variables='autocommit,time_zone',session_track_schema=0,NAMES latin1," +
  "sql_select_limit=17";

for (const name of ["mariadb", "mysql", "seekdb"] as const) {
  if (!await isAvailable(name)) continue;
  const engine = await sharedEngine(name, [
    "CREATE USER app@'%' IDENTIFIED BY 'secret'",
    "GRANT ALL ON *.* TO app@'%'",
    "CREATE DATABASE one",
    "CREATE TABLE one.t (id INT PRIMARY KEY AUTO_INCREMENT)",
  ]);
  const charset = name === "seekdb" ? "utf8mb4" : "latin1";
  const statement = DRIVER.replace("latin1", charset);

  const test = (title: string, run: (clients: [Connection, Connection]) => Promise<void>) =>
    Deno.test({
      name: `${name}: ${title}`,
      ignore: engine.ignore,
      fn: async () => {
        await using proxy = await TestProxy.start({
          servers: [engine.engine.port],
          sharing: "transaction",
          proxy: { session_pool_default_max_conn: 1 },
        });
        const connect = () => createConnection({ host: "127.0.0.1", port: proxy.port, ...APP });
        const clients: [Connection, Connection] = [await connect(), await connect()];
        try {
          await run(clients);
          assertEquals(proxy.servers, 1);
        } finally {
          for (const client of clients) client.destroy();
        }
      },
    });

  test("what is set behind the change of reports is the client's own", async ([a, b]) => {
    const mode = await value(b, "SELECT @@sql_mode");
    const limit = await value(b, "SELECT @@sql_select_limit");
    for (let round = 0; round < 2; round++) {
      await a.query(statement);
      for (let again = 0; again < 2; again++) {
        assertEquals(await value(b, "SELECT @@character_set_client"), "utf8mb4");
        assertEquals(await value(b, "SELECT @@sql_select_limit"), limit);
        assertEquals(await value(b, "SELECT @@sql_mode"), mode);
        assertEquals(await value(a, "SELECT @@character_set_client"), charset);
        assertEquals(Number(await value(a, "SELECT @@sql_select_limit")), 17);
        assertEquals(await value(a, "SELECT 'a' || 'b'"), "ab");
      }
    }
  });

  test("what is set by later statements is the client's own", async ([a, b]) => {
    await a.query(statement);
    await a.query("SET SESSION group_concat_max_len = 1234");
    await a.query("USE one");
    assertEquals(await value(b, "SELECT DATABASE()"), null);
    assertEquals((await value(b, "SELECT @@group_concat_max_len")) === 1234, false);
    assertEquals(await value(a, "SELECT DATABASE()"), "one");
    assertEquals(Number(await value(a, "SELECT @@group_concat_max_len")), 1234);
  });

  test("reports change in the middle of a transaction", async ([a, b]) => {
    await a.query("BEGIN");
    await a.query("INSERT INTO one.t VALUES ()");
    await a.query(statement);
    await a.query("INSERT INTO one.t VALUES ()");
    assertEquals(Number(await value(a, "SELECT COUNT(*) FROM one.t")), 2);
    await a.query("ROLLBACK");
    assertEquals(Number(await value(b, "SELECT COUNT(*) FROM one.t")), 0);
    assertEquals(await value(a, "SELECT @@character_set_client"), charset);
  });

  test("who leaves behind a change of reports leaves nothing to others", async ([a, b]) => {
    await a.query(statement);
    await a.end();
    assertEquals(await value(b, "SELECT @@character_set_client"), "utf8mb4");
    await b.query("SET SESSION group_concat_max_len = 4321");
    assertEquals(Number(await value(b, "SELECT @@group_concat_max_len")), 4321);
  });
}
