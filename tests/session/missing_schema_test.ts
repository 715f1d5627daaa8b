/** Clients whose schema is dropped, or whose role is taken away, while others use the servers. */
import { assertEquals } from "@std/assert";
import type { Connection } from "mysql2";
import { encodeText } from "../../src/protocol/bytes.ts";
import { Command, Head } from "../../src/protocol/constants.ts";
import { isAvailable, sharedEngine } from "../support/shared_engine.ts";
import { APP } from "../support/test_proxy.ts";
import { withTwoClients } from "../support/two_clients.ts";
import { value } from "../support/value.ts";
import { WireClient } from "../support/wire_client.ts";

/** What a statement comes to: its value, or the code of the error. */
async function outcome(client: Connection, sql: string): Promise<unknown> {
  try {
    return await value(client, sql);
  } catch (error) {
    return (error as { errno?: number }).errno;
  }
}

for (const name of ["mariadb", "mysql"] as const) {
  if (!await isAvailable(name)) continue;
  const engine = await sharedEngine(name, [
    "CREATE USER app@'%' IDENTIFIED BY 'secret'",
    "GRANT ALL ON *.* TO app@'%'",
    "CREATE DATABASE shop",
    "CREATE TABLE shop.t (v INT)",
    "INSERT INTO shop.t VALUES (7)",
    "CREATE DATABASE other",
  ]);

  /** Two clients of one server session, the first of which has left it to the second. */
  const shared = (
    title: string,
    run: (a: Connection, b: Connection, port: number) => Promise<void>,
  ) =>
    Deno.test({
      name: `${name}: ${title}`,
      ignore: engine.ignore,
      fn: () => withTwoClients(engine.engine.port, (a, b, { port }) => run(a, b, port)),
    });

  shared("who is in a schema that is dropped can select another one", async (a, b) => {
    await engine.admin("CREATE DATABASE gone");
    await a.query("USE gone");
    await a.query("SET @x = 'kept'");
    await b.query("USE other");
    await engine.admin("DROP DATABASE gone");
    assertEquals(await outcome(a, "SELECT 1"), 1049);
    // One that is not there either changes nothing, nor what others have selected.
    assertEquals(await outcome(a, "USE nowhere"), 1049);
    assertEquals(await outcome(a, "SELECT DATABASE()"), 1049);
    assertEquals(await value(b, "SELECT DATABASE()"), "other");
    await a.query("USE shop");
    assertEquals(await value(a, "SELECT CONCAT(@x, v) FROM t"), "kept7");
    assertEquals(await value(b, "SELECT DATABASE()"), "other");
  });

  shared("the same by COM_INIT_DB, from a schema of the login", async (_, b, port) => {
    await engine.admin("CREATE DATABASE gone");
    using a = await WireClient.connect({ ...APP, port, database: "gone" });
    await b.query("USE other");
    await engine.admin("DROP DATABASE gone");
    const [ok] = await a.simple(Command.INIT_DB, encodeText("shop"));
    assertEquals(ok!.payload[0], Head.OK);
    const rows = await a.run("SELECT v FROM t");
    assertEquals(rows.at(-2)!.payload, Uint8Array.of(1, "7".charCodeAt(0)));
    assertEquals(await value(b, "SELECT DATABASE()"), "other");
  });

  shared("a schema that is made again is the client's again", async (a, b) => {
    await engine.admin("CREATE DATABASE gone");
    await a.query("USE gone");
    await b.query("USE other");
    await engine.admin("DROP DATABASE gone");
    assertEquals(await outcome(a, "SELECT 1"), 1049);
    await engine.admin("CREATE DATABASE gone");
    assertEquals(await value(a, "SELECT DATABASE()"), "gone");
    await engine.admin("DROP DATABASE gone");
  });

  shared("who has a role that is taken away can do without", async (a, b) => {
    const role = name === "mariadb" ? "reader" : "'reader'@'%'";
    await engine.admin(`CREATE ROLE ${role}`);
    await engine.admin(`GRANT ${role} TO app@'%'`);
    await a.query(`SET ROLE ${role}`);
    await b.query("SELECT 'mine'");
    await engine.admin(`REVOKE ${role} FROM app@'%'`);
    const refused = name === "mariadb" ? 1959 : 3530;
    assertEquals(await outcome(a, "SELECT 1"), refused);
    assertEquals(await outcome(a, "SET ROLE nobody"), refused);
    assertEquals(await outcome(a, "SELECT 1"), refused);
    await a.query("SET ROLE NONE");
    const none = name === "mariadb" ? null : "NONE";
    assertEquals(await value(a, "SELECT CURRENT_ROLE()"), none);
    assertEquals(await value(b, "SELECT 'mine'"), "mine");
    await engine.admin(`DROP ROLE ${role}`);
  });
}
