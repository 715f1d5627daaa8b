import { assert, assertEquals, assertRejects } from "@std/assert";
import { openDatabase } from "../../src/dev/dev_database.ts";
import { EngineUnavailable, startEngine } from "../../src/dev/engines/engine.ts";
import { query } from "../../src/dev/engines/query.ts";

Deno.test("MariaDB takes over where pip cannot download seekdb", async () => {
  await using _machine = await machineWithout(/^(python|pip)/);
  const lines: string[] = [];
  const names = ["seekdb", "mariadb"] as const;
  await using database = await openDatabase({ kind: "engines", names }, (text) => lines.push(text));
  assert(database.name.startsWith("mariadb"), database.name);
  assert(
    lines.some((line) => line.startsWith("Cannot download seekdb: install python3")),
    `${lines}`,
  );
  assertEquals(database.schema, "test");
});

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

/** An empty cache, and a PATH on which the programs with such names are missing. */
async function machineWithout(names: RegExp) {
  const folder = await Deno.makeTempDir();
  const before = { PATH: Deno.env.get("PATH")!, XDG_CACHE_HOME: Deno.env.get("XDG_CACHE_HOME") };
  await Deno.mkdir(`${folder}/bin`);
  for await (const { name } of Deno.readDir("/usr/bin")) {
    if (!names.test(name)) await Deno.symlink(`/usr/bin/${name}`, `${folder}/bin/${name}`);
  }
  Deno.env.set("PATH", `${folder}/bin`);
  Deno.env.set("XDG_CACHE_HOME", folder);
  return {
    async [Symbol.asyncDispose]() {
      for (const [key, value] of Object.entries(before)) {
        if (value === undefined) Deno.env.delete(key);
        else Deno.env.set(key, value);
      }
      await Deno.remove(folder, { recursive: true });
    },
  };
}
