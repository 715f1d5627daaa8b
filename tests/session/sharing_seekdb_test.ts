/** What a client sees of seekdb over shared server sessions, byte by byte as on a direct one. */
import { assertEquals, assertRejects } from "@std/assert";
import { Capability } from "../../src/protocol/constants.ts";
import { eventually } from "../support/eventually.ts";
import { isAvailable, sharedEngine } from "../support/shared_engine.ts";
import { APP, TestProxy } from "../support/test_proxy.ts";
import { CLASSIC, MODERN, WireClient, WireError, type WirePacket } from "../support/wire_client.ts";

const SCHEMAS = ["direct", "shared"] as const;

const engine = await isAvailable("seekdb")
  ? await sharedEngine("seekdb", [
    "CREATE USER app@'%' IDENTIFIED BY 'secret'",
    "CREATE USER narrow@'%' IDENTIFIED BY 'secret'",
    "GRANT ALL ON *.* TO app@'%'",
    ...SCHEMAS.flatMap((schema) => [
      `CREATE DATABASE ${schema}`,
      `CREATE TABLE ${schema}.auto (id BIGINT UNSIGNED PRIMARY KEY AUTO_INCREMENT, note VARCHAR(20))`,
    ]),
    "GRANT SELECT ON direct.* TO narrow@'%'",
  ])
  : undefined;

const STATEMENTS = [
  "INSERT INTO auto (note) VALUES ('one')",
  "INSERT INTO auto (note) VALUES ('two'), ('three'), ('four')",
  "SELECT LAST_INSERT_ID()",
  "INSERT INTO auto VALUES (9007199254740993, 'big')",
  "INSERT INTO auto (note) VALUES ('after big')",
  "SELECT LAST_INSERT_ID()",
  "UPDATE auto SET note = 'same' WHERE id <= 3",
  "UPDATE auto SET note = 'same' WHERE id <= 4",
  "DELETE FROM auto WHERE id < 3",
  "SELECT ROW_COUNT()",
  "DROP TABLE IF EXISTS missing_table",
  "SHOW WARNINGS",
  "SELECT CAST('abc' AS SIGNED)",
  "SHOW WARNINGS",
  "SELECT missing FROM auto",
  "SET autocommit = 0",
  "UPDATE auto SET note = 'other' WHERE id <= 4",
  "ROLLBACK",
  "SELECT @@autocommit",
  "SET autocommit = 1",
] as const;

const DIALECTS = { "with EOF": CLASSIC | Capability.FOUND_ROWS, "without EOF": MODERN } as const;

/** A proxy whose clients share a few server sessions. */
function start(): Promise<TestProxy> {
  return TestProxy.start({
    servers: [engine!.engine.port],
    sharing: "transaction",
    users: [{ name: APP.user, password: APP.password }, { name: "narrow", password: APP.password }],
    proxy: { session_pool_default_max_conn: 3 },
  });
}

/** With one schema's name in place of the other's, which is as long. */
function text(packets: readonly WirePacket[]): string[] {
  return packets.map(({ sequence, payload }) => {
    const bytes = Array.from(payload, (byte) => String.fromCharCode(byte)).join("");
    return `${sequence} ${JSON.stringify(bytes.replaceAll(SCHEMAS[1], SCHEMAS[0]))}`;
  });
}

for (const [dialect, capabilities] of Object.entries(DIALECTS)) {
  Deno.test({
    name: `seekdb: replies ${dialect} are those of a direct connection`,
    ignore: engine === undefined,
    fn: async () => {
      await using proxy = await start();
      for (let round = 0; round < 2; round++) {
        await engine!.admin("TRUNCATE TABLE direct.auto", "TRUNCATE TABLE shared.auto");
        const options = { ...APP, capabilities };
        const { port } = engine!.engine;
        using direct = await WireClient.connect({ ...options, port, database: SCHEMAS[0] });
        using shared = await WireClient.connect({
          ...options,
          port: proxy.port,
          database: SCHEMAS[1],
        });
        // The first reply reports what the login has changed.
        await direct.run("DO 1");
        await shared.run("DO 1");
        for (const sql of STATEMENTS) {
          assertEquals(text(await shared.query(sql)), text(await direct.query(sql)), sql);
        }
      }
    },
  });
}

for (
  const [title, user, database] of [
    ["that is not there", "app", "no_such_database"],
    ["that is not the client's", "narrow", "shared"],
  ] as const
) {
  Deno.test({
    name: `seekdb: a login with a schema ${title} is refused in the server's words`,
    ignore: engine === undefined,
    fn: async () => {
      await using proxy = await start();
      const refusal = async (port: number) => {
        const login = WireClient.connect({ ...APP, user, port, database });
        const { code, message } = await assertRejects(() => login, WireError);
        return [code, message];
      };
      const expected = await refusal(engine!.engine.port);
      // Told by a login, and by server sessions that are there already.
      assertEquals(await refusal(proxy.port), expected);
      const login = { ...APP, user, port: proxy.port };
      const others = [1, 2, 3].map(() => WireClient.connect(login));
      for (const other of others) await (await other).run("BEGIN");
      for (const other of others) await (await other).run("COMMIT");
      assertEquals(proxy.servers, others.length);
      assertEquals(await refusal(proxy.port), expected);
      // The one that was to be set up is of no use any more; the others are left alone.
      await eventually("one has gone", () => proxy.servers === others.length - 1);
      for (const other of others) (await other).close();
    },
  });
}
