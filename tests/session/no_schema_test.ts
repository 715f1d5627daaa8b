/** Clients without a schema, on server sessions that had one: nothing but a login leads back. */
import { assertEquals } from "@std/assert";
import { type Connection, createConnection } from "mysql2";
import { isAvailable, sharedEngine } from "../support/shared_engine.ts";
import { APP, type TestProxy } from "../support/test_proxy.ts";
import { withTwoClients } from "../support/two_clients.ts";
import { value } from "../support/value.ts";

/** What a login gives a session, and what clients may have left there. */
const SEEN = `SELECT CONCAT_WS(' ', IFNULL(DATABASE(), 'none'), CURRENT_USER(),
  @@character_set_client, @@collation_connection, @@character_set_results, @@time_zone,
  IFNULL(@mine, 'none'))`;

for (const name of ["mariadb", "mysql", "seekdb"] as const) {
  if (!await isAvailable(name)) continue;
  const engine = await sharedEngine(name, [
    "CREATE USER app@'%' IDENTIFIED BY 'secret'",
    "GRANT ALL ON *.* TO app@'%'",
    "CREATE DATABASE shop",
  ]);

  /** One without a schema, and one with. */
  const shared = (
    title: string,
    run: (none: Connection, some: Connection, proxy: TestProxy) => Promise<void>,
  ) =>
    Deno.test({
      name: `${name}: ${title}`,
      ignore: engine.ignore,
      fn: () => withTwoClients(engine.engine.port, run, [undefined, "shop"]),
    });

  shared("who has no schema goes on where another client had one", async (none, some, proxy) => {
    const direct = await createConnection({
      host: "127.0.0.1",
      port: engine.engine.port,
      ...APP,
    });
    const seen = await value(direct, SEEN);
    await direct.end();
    await some.query(
      "SET time_zone = '+03:00', collation_connection = 'utf8mb4_bin', @mine = 'it'",
    );
    const theirs = await value(some, SEEN);
    const ids = () => [...proxy.proxy.manager.servers.values()].map(({ id }) => id);
    const before = ids();
    for (let times = 0; times < 3; times++) {
      assertEquals(await value(none, SEEN), seen);
      assertEquals(await value(some, SEEN), theirs);
    }
    await none.query("SET @mine = 'none of theirs'");
    assertEquals(await value(some, SEEN), theirs);
    assertEquals(
      await value(none, "SELECT CONCAT(IFNULL(DATABASE(), ''), @mine)"),
      "none of theirs",
    );
    assertEquals(ids(), before);
  });

  shared("a login that servers have forgotten is proven in full", async (none, some) => {
    for (let times = 0; times < 2; times++) {
      assertEquals(await value(some, "SELECT DATABASE()"), "shop");
      await engine.admin("FLUSH PRIVILEGES");
      assertEquals(await value(none, "SELECT DATABASE()"), null);
    }
  });

  shared("a login that is no good any more is told as a server tells it", async (none, some) => {
    assertEquals(await value(some, "SELECT DATABASE()"), "shop");
    await engine.admin("ALTER USER app@'%' IDENTIFIED BY 'other'");
    try {
      const error = await none.query("SELECT 1").then(() => undefined, (error) => error);
      assertEquals(error?.errno, 1045, String(error));
    } finally {
      await engine.admin("ALTER USER app@'%' IDENTIFIED BY 'secret'");
    }
    assertEquals(await value(none, "SELECT 1"), 1);
    assertEquals(await value(some, "SELECT DATABASE()"), "shop");
  });
}
