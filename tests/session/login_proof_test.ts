/** Logins that a server has taken once, and whose schema or password is no good any more. */
import { assertEquals, assertRejects } from "@std/assert";
import { type Connection, createConnection } from "mysql2";
import type { SharingMode } from "../../src/config/types.ts";
import { eventually } from "../support/eventually.ts";
import { isAvailable, sharedEngine } from "../support/shared_engine.ts";
import { TestProxy } from "../support/test_proxy.ts";

const MODES: readonly SharingMode[] = ["session", "transaction"];

interface Stage {
  readonly proxy: TestProxy;
  connect(): Promise<Connection>;
}

/** The code of the error that comes of it. */
async function codeOf(doing: Promise<unknown>): Promise<unknown> {
  const error = await assertRejects(() => doing, Error);
  return (error as Error & { errno?: number }).errno;
}

/** A client that logs in and runs a statement, and leaves. */
async function visit({ connect }: Stage): Promise<void> {
  const client = await connect();
  try {
    await client.query("SELECT 1");
  } finally {
    client.destroy();
  }
}

/** A shared session that is in the schema goes on for a moment before the server is asked. */
async function isTold(stage: Stage): Promise<unknown> {
  return await visit(stage).then(() => undefined, (error) => error.errno);
}

/** No server session is left that could do without a login. */
async function endServers({ proxy }: Stage): Promise<void> {
  for (const entry of [...proxy.proxy.manager.servers.values()]) entry.kill("for the test");
  await eventually("they are gone", () => proxy.servers === 0);
}

for (const name of ["mariadb", "mysql"] as const) {
  if (!await isAvailable(name)) continue;
  const engine = await sharedEngine(name, [
    "CREATE USER app@'%' IDENTIFIED BY 'secret'",
    "GRANT ALL ON *.* TO app@'%'",
    "CREATE USER few@'%' IDENTIFIED BY 'secret'",
  ]);

  const staged = (
    title: string,
    { user, schema }: { readonly user: string; readonly schema: string },
    run: (stage: Stage) => Promise<void>,
  ) => {
    for (const sharing of MODES) {
      Deno.test({
        name: `${name}, ${sharing}: ${title}`,
        ignore: engine.ignore,
        fn: async () => {
          await using proxy = await TestProxy.start({
            servers: [engine.engine.port],
            sharing,
            users: [{ name: user, password: "secret" }],
          });
          const connect = () =>
            createConnection({
              ...{ host: "127.0.0.1", port: proxy.port, user, password: "secret" },
              ...(schema === "" ? {} : { database: schema }),
            });
          await run({ proxy, connect });
        },
      });
    }
  };

  staged(
    "a schema that was dropped is told at the second login, until it is there again",
    { user: "app", schema: "gone" },
    async (stage) => {
      await engine.admin("CREATE DATABASE gone");
      await visit(stage);
      await engine.admin("DROP DATABASE gone");
      assertEquals(await eventually("it is told", () => isTold(stage)), 1049);
      for (let login = 0; login < 2; login++) assertEquals(await codeOf(stage.connect()), 1049);
      await engine.admin("CREATE DATABASE gone");
      await visit(stage);
      await visit(stage);
      await engine.admin("DROP DATABASE gone");
    },
  );

  staged(
    "a schema that may not be used any more is told at the second login",
    { user: "few", schema: "closed" },
    async (stage) => {
      await engine.admin("CREATE DATABASE closed", "GRANT SELECT ON closed.* TO few@'%'");
      await visit(stage);
      await engine.admin("REVOKE SELECT ON closed.* FROM few@'%'");
      await endServers(stage);
      assertEquals(await codeOf(visit(stage)), 1044);
      for (let login = 0; login < 2; login++) assertEquals(await codeOf(stage.connect()), 1044);
      await engine.admin("DROP DATABASE closed");
    },
  );

  staged(
    "a password that is refused is told at the second login",
    { user: "app", schema: "" },
    async (stage) => {
      await visit(stage);
      await engine.admin("ALTER USER app@'%' IDENTIFIED BY 'another'");
      await endServers(stage);
      assertEquals(await codeOf(visit(stage)), 1045);
      for (let login = 0; login < 2; login++) assertEquals(await codeOf(stage.connect()), 1045);
      await engine.admin("ALTER USER app@'%' IDENTIFIED BY 'secret'");
      await visit(stage);
    },
  );
}
