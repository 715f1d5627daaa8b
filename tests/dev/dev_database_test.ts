import { assertEquals, assertRejects } from "@std/assert";
import { openDatabase } from "../../src/dev/dev_database.ts";
import { EngineUnavailable, startEngine } from "../../src/dev/engines/engine.ts";
import { query } from "../../src/dev/engines/query.ts";

Deno.test("The clients' account of an own server is unknown there", async () => {
  await using database = await openDatabase({ kind: "engines", names: ["mariadb"] }, () => {});
  const { address, login, serverAccount } = database;
  await query(address, serverAccount, ["CREATE TABLE test.t (a INT)", "DROP TABLE test.t"]);
  await assertRejects(() => query(address, login, ["SELECT 1"]), Error, "Access denied");
});

Deno.test("A running server is used as it is", async () => {
  await using engine = await startEngine("mariadb");
  const account = { user: "app", password: "secret" };
  await query(engine, engine.admin, ["CREATE USER app@'%' IDENTIFIED BY 'secret'"]);
  const address = { hostname: engine.hostname, port: engine.port };
  {
    await using database = await openDatabase({ kind: "server", address, account }, () => {});
    assertEquals(database.login, account);
    assertEquals(database.serverAccount, account);
    assertEquals(database.ownLogin, false);
    // Without a right on it, the account does not see the schema that is there.
    assertEquals(database.schema, "");
  }
  await query(engine, engine.admin, ["GRANT SELECT ON test.* TO app@'%'"]);
  await using database = await openDatabase({ kind: "server", address, account }, () => {});
  assertEquals(database.schema, "test");
  await assertRejects(
    () => openDatabase({ kind: "server", address, account: { user: "x", password: "" } }, () => {}),
    EngineUnavailable,
    `Cannot use the server 127.0.0.1:${engine.port} as x: Access denied`,
  );
});
