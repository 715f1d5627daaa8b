/** Clients that choose between two servers, and whose state follows them. */
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { type Connection, createConnection } from "mysql2";
import { type StartedEngine, startEngine } from "../../src/dev/engines/engine.ts";
import { query } from "../../src/dev/engines/query.ts";
import { isAvailable } from "../support/shared_engine.ts";
import { APP, TestProxy } from "../support/test_proxy.ts";
import { value } from "../support/value.ts";

const hasEngine = await isAvailable("mariadb");
let engines: StartedEngine[] = [];

Deno.test.beforeAll(async () => {
  if (!hasEngine) return;
  engines = [await startEngine("mariadb"), await startEngine("mariadb")];
  for (const [at, { port, admin }] of engines.entries()) {
    await query(port, admin, [
      "CREATE USER app@'%' IDENTIFIED BY 'secret'",
      "GRANT ALL ON *.* TO app@'%'",
      "CREATE DATABASE one",
      "CREATE TABLE one.me (name CHAR(3))",
      `INSERT INTO one.me VALUES ('db${at + 1}')`,
    ]);
  }
});

Deno.test.afterAll(async () => {
  for (const engine of engines) await engine.stop();
});

async function route(client: Connection): Promise<unknown> {
  const [rows] = await client.query("SHOW PROXYSESSION ATTRIBUTE LIKE 'route'");
  return (rows as { value: string }[])[0]!.value;
}

function routed(
  title: string,
  run: (client: Connection, proxy: TestProxy) => Promise<void>,
  sharing = "transaction",
): void {
  Deno.test({
    name: title,
    ignore: !hasEngine,
    fn: async () => {
      await using proxy = await TestProxy.start({
        clusters: [{
          name: "main",
          servers: engines.map(({ port }, at) => ({
            name: `db${at + 1}`,
            address: `127.0.0.1:${port}`,
          })),
          sharing,
        }],
        proxy: { session_pool_default_blocking_timeout: "500ms" },
      });
      const options = { host: "127.0.0.1", port: proxy.port, database: "one", ...APP };
      const client = await createConnection(options);
      try {
        await run(client, proxy);
      } finally {
        client.destroy();
      }
    },
  });
}

const ME = "SELECT name FROM one.me";

routed("A hint leads one statement to its server", async (client) => {
  assertEquals(await value(client, ME), "db1");
  assertEquals(await route(client), "db1: first healthy server");
  assertEquals(await value(client, `/* sluice: server=db2 */ ${ME}`), "db2");
  assertEquals(await route(client), "db2: hint");
  assertEquals(await value(client, ME), "db1");
  const [rows] = await client.execute(`/* sluice: server=db2 */ ${ME}`);
  assertEquals(rows as unknown, [{ name: "db2" }]);
});

routed("A variable leads all statements to its server, until it is NULL", async (client) => {
  await client.query("SET @sluice_server = 'db2'");
  for (let count = 0; count < 3; count++) assertEquals(await value(client, ME), "db2");
  assertEquals(await route(client), "db2: @sluice_server");
  assertEquals(await value(client, "SELECT @sluice_server"), "db2");
  assertEquals(await value(client, `/* sluice: server=db1 */ ${ME}`), "db1");
  assertEquals(await value(client, ME), "db2");
  await client.query("SET @sluice_server = NULL");
  assertEquals(await value(client, ME), "db1");
});

routed("State follows from server to server", async (client) => {
  await client.query("SET SESSION time_zone = '+03:00', @a = 'b'");
  await client.query("SELECT CONCAT(name, ' knows') INTO @computed FROM one.me");
  await client.query("SET @sluice_server = 'db2'");
  assertEquals(await value(client, ME), "db2");
  assertEquals(await value(client, "SELECT @@time_zone"), "+03:00");
  assertEquals(await value(client, "SELECT @a"), "b");
  assertEquals(await value(client, "SELECT @computed"), "db1 knows");
  assertEquals(await value(client, "SELECT DATABASE()"), "one");
  await client.query("SET @a = 'changed'");
  assertEquals(await value(client, "/* sluice: server=db1 */ SELECT @a"), "changed");
});

routed("What asks about the last statement goes where that ran", async (client) => {
  await assertRejects(() => client.query("/* sluice: server=db2 */ SELECT * FROM one.missing"));
  assertEquals(await value(client, "SHOW WARNINGS"), "Error");
  assertEquals(await route(client), "db2: last statement");
  await client.query("/* sluice: server=db2 */ INSERT INTO one.me VALUES ('a'), ('b')");
  assertEquals(await value(client, "/* sluice: server=db1 */ SELECT ROW_COUNT()"), 2);
  assertEquals(await route(client), "db2: last statement");
  await client.query("/* sluice: server=db2 */ DELETE FROM one.me WHERE name IN ('a', 'b')");
  // What needs data goes where that is, and has the count from memory or not at all.
  await assertRejects(
    () => client.query("SELECT ROW_COUNT(), COUNT(*) FROM one.me"),
    Error,
    "not known in this form",
  );
});

routed("A client that is back leaves nothing to be read elsewhere", async (client, { port }) => {
  const other = await createConnection({ host: "127.0.0.1", port, database: "one", ...APP });
  try {
    await client.query("SET @a = 'mine'");
    // Leaves FOUND_ROWS() there to be read, since the account asks for it.
    await client.query("SELECT FOUND_ROWS()");
    await client.query("/* sluice: server=db2 */ SELECT 1");
    assertEquals(await value(client, ME), "db1");
    await other.query("SET @a = 'theirs', @sluice_server = 'db2'");
    assertEquals(await value(other, ME), "db2");
    assertEquals(await value(client, "SELECT @a"), "mine");
    assertEquals(await value(client, ME), "db1");
  } finally {
    other.destroy();
  }
});

routed("A transaction stays where it is", async (client) => {
  await client.query("BEGIN");
  await client.query("INSERT INTO one.me VALUES ('new')");
  const sql = "/* sluice: server=db2 */ SELECT COUNT(*) FROM one.me";
  assertEquals(await value(client, sql), 2);
  assertEquals(await route(client), "db1: pinned");
  await client.query("ROLLBACK");
  assertEquals(await value(client, sql), 1);
  assertEquals(await route(client), "db2: hint");
});

routed("A lock that waits in the pool keeps its client", async (client) => {
  await client.query("SELECT GET_LOCK('gate', 0)");
  assertEquals(await value(client, `/* sluice: server=db2 */ ${ME}`), "db1");
  assertEquals(await value(client, "SELECT RELEASE_LOCK('gate')"), 1);
  assertEquals(await value(client, `/* sluice: server=db2 */ ${ME}`), "db2");
});

routed(
  "Unknown names are refused with those that there are, and nothing else is",
  async (client) => {
    const refused = async (sql: string, got: string) => {
      const error = await assertRejects(() => client.query(sql), Error) as Error & {
        errno: number;
      };
      assertEquals(error.errno, 1477);
      assertEquals(
        error.message,
        `Cannot choose a server: expected the name of one of db1, db2, got ${got}`,
      );
    };
    await refused(`/* sluice: server=db3 */ ${ME}`, '"db3"');
    await refused("SET @sluice_server = 'db3'", '"db3"');
    await refused("SET @sluice_server = CONCAT('db', 2)", "a computed value");
    assertEquals(await value(client, "SELECT @sluice_server"), null);
    assertEquals(await value(client, ME), "db1");
  },
);

routed("A chosen server that is gone is not stood in for", async (client) => {
  await client.query("SET @sluice_server = 'db2'");
  assertEquals(await value(client, ME), "db2");
  await engines[1]!.kill();
  const error = await assertRejects(() => client.query(ME), Error);
  assertMatch(error.message, /db2 \(127\.0\.0\.1:\d+\)/);
  await client.query(`/* sluice: server=db1 */ ${ME}`);
  await client.query("SET @sluice_server = NULL");
  assertEquals(await value(client, ME), "db1");
});

routed("With a server session of their own, clients stay with it", async (client) => {
  assertEquals(await value(client, `/* sluice: server=db2 */ ${ME}`), "db1");
  assertEquals(await route(client), "db1: private");
}, "session");
