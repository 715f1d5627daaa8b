/** What a client sees of seekdb over shared server sessions, byte by byte as on a direct one. */
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { Capability, Command } from "../../src/protocol/constants.ts";
import { Side } from "../differential/side.ts";
import type { Op } from "../differential/steps.ts";
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
    "USE shared",
    "CREATE TABLE watched (v INT)",
    "CREATE TRIGGER watch BEFORE INSERT ON watched FOR EACH ROW SET @seen = CONCAT(NEW.v)",
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
function start(sessions = 3): Promise<TestProxy> {
  return TestProxy.start({
    servers: [engine!.engine.port],
    sharing: "transaction",
    users: [{ name: APP.user, password: APP.password }, { name: "narrow", password: APP.password }],
    proxy: { session_pool_default_max_conn: sessions },
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

/** Who runs what, on a server session that all of them share. */
const SCRIPTS: Readonly<Record<string, readonly (readonly [client: string, sql: string])[]>> = {
  "an insert id that is told late": [
    ["c", "SELECT 1"],
    ["c", "SELECT LAST_INSERT_ID(), FOUND_ROWS()"],
    ["a", "SELECT LAST_INSERT_ID(42)"],
    ["b", "UPDATE auto SET note = 'same' WHERE id < 1"],
    ["b", "SELECT ROW_COUNT()"],
    ["a", "SELECT @@last_insert_id"],
  ],
  "FOUND_ROWS() behind an UPDATE": [
    ["a", "SELECT 1 UNION SELECT 2"],
    ["a", "SELECT FOUND_ROWS()"],
    ["a", "SELECT 1 UNION SELECT 2"],
    ["b", "SELECT 1"],
    ["a", "UPDATE auto SET note = 'same' WHERE id < 1"],
    ["a", "SELECT FOUND_ROWS()"],
  ],
  "ROW_COUNT() behind an error": [
    ["a", "SELECT 1"],
    ["b", "SELECT LAST_INSERT_ID(42)"],
    ["a", "INSERT INTO auto (note) VALUES (REPEAT('x', 21))"],
    ["a", "SELECT ROW_COUNT() + 0 AS n"],
    ["b", "SELECT LAST_INSERT_ID()"],
    ["a", "SELECT ROW_COUNT()"],
    ["a", "SET @a = 1; INSERT INTO auto (note) VALUES (REPEAT('x', 21))"],
    ["b", "SELECT LAST_INSERT_ID()"],
    ["a", "SELECT ROW_COUNT()"],
  ],
  "counts of warnings": [
    ["a", "SELECT CAST('1x' AS SIGNED)"],
    ["b", "SELECT 1"],
    ["a", "SHOW COUNT(*) WARNINGS"],
    ["a", "SELECT CAST('1x' AS SIGNED)"],
    ["b", "SELECT 1"],
    ["a", "SELECT @@warning_count, @@error_count"],
  ],
};

for (const [title, script] of Object.entries(SCRIPTS)) {
  Deno.test({
    name: `seekdb: ${title}, as on a direct connection`,
    ignore: engine === undefined,
    fn: async () => {
      await using proxy = await start(1);
      await using clients = new AsyncDisposableStack();
      const open = async (port: number, database: string) =>
        clients.use(await WireClient.connect({ ...APP, port, database }));
      const pairs = new Map<string, readonly [WireClient, WireClient]>();
      for (const [client] of script) {
        if (pairs.has(client)) continue;
        pairs.set(client, [
          await open(engine!.engine.port, SCHEMAS[0]),
          await open(proxy.port, SCHEMAS[1]),
        ]);
      }
      for (const [client, sql] of script) {
        const [direct, shared] = pairs.get(client)!;
        assertEquals(text(await shared.query(sql)), text(await direct.query(sql)), sql);
      }
    },
  });
}

/** Two clients, and so many server sessions. */
function two(
  title: string,
  sessions: number,
  run: (first: WireClient, second: WireClient, proxy: TestProxy) => Promise<void>,
): void {
  Deno.test({
    name: `seekdb: ${title}`,
    ignore: engine === undefined,
    fn: async () => {
      await using proxy = await start(sessions);
      const login = { ...APP, port: proxy.port, database: "shared" };
      using first = await WireClient.connect(login);
      using second = await WireClient.connect(login);
      await run(first, second, proxy);
    },
  });
}

two(
  "SET TRANSACTION keeps its server session until a transaction has certainly run",
  2,
  async (first, second, proxy) => {
    const [entry] = proxy.proxy.manager.clients.values();
    const pins = () => entry!.info().pins.map(({ reason }) => reason);
    await first.run("SET TRANSACTION READ ONLY");
    for (const sql of ["SELECT @@transaction_isolation", "DO 1"]) {
      await first.run(sql);
      assertEquals(pins(), ["next_transaction"], sql);
    }
    await second.run("INSERT INTO auto (note) VALUES ('second')");
    await assertRejects(() => first.run("INSERT INTO auto (note) VALUES ('first')"), WireError);
    assertEquals(pins(), ["next_transaction"]);
    await first.run("COMMIT");
    assertEquals(pins(), []);
    await first.run("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE");
    await first.run("INSERT INTO auto (note) VALUES ('first')");
    assertEquals(pins(), []);
  },
);

two(
  "a user variable that the server cannot tell of stays where it is",
  1,
  async (first, second, proxy) => {
    const [entry] = proxy.proxy.manager.clients.values();
    await first.run("SELECT ST_GeomFromText('POINT(1 2)') INTO @point");
    await first.run("SELECT 1 + 1 INTO @two");
    const other = second.query("SELECT 'other'");
    await eventually("the server has been asked for it", () => {
      return entry!.info().pins.some(({ reason }) => reason === "unknown_state");
    });
    const [row] = text(await first.query("SELECT ST_AsText(@point), @two")).slice(-2);
    assertMatch(row!, /POINT\(1 2\)/);
    await first.simple(Command.RESET_CONNECTION);
    assertMatch(text(await other).join(), /other/);
  },
);

two(
  "what a trigger has set stays with its client, and an INSERT without one stays nowhere",
  2,
  async (first, second, proxy) => {
    const reasons = () =>
      [...proxy.proxy.manager.clients.values()].map((client) =>
        client.info().pins.map(({ reason }) => reason).join()
      );
    await first.run("INSERT INTO auto (note) VALUES ('plain')");
    assertEquals(reasons(), ["", ""]);
    await first.run("INSERT INTO watched VALUES (7)");
    assertEquals(reasons(), ["routine", ""]);
    for (let at = 0; at < 3; at++) {
      const [row] = text(await second.query("SELECT @seen IS NULL")).slice(-2);
      assertEquals(row, '4 "\\u00011"');
    }
    assertMatch(text(await first.query("SELECT @seen")).join(), /7/);
    await first.simple(Command.RESET_CONNECTION);
    assertEquals(reasons(), ["", ""]);
  },
);

Deno.test({
  name: "seekdb: a cursor that has given its last row is open until a reset",
  ignore: engine === undefined,
  fn: async () => {
    await using proxy = await start(1);
    const replies: string[][] = [];
    for (const port of [engine!.engine.port, proxy.port]) {
      const side = await Side.connect(port);
      const steps: readonly Op[] = [
        { kind: "prepare", slot: 1, sql: "SELECT 1 UNION SELECT 2" },
        { kind: "fetch", slot: 1, rows: 1 },
        { kind: "execute", slot: 1, parameters: [], hasTypes: true, opensCursor: true },
        { kind: "fetch", slot: 1, rows: 2 },
        { kind: "fetch", slot: 1, rows: 1 },
        { kind: "fetch", slot: 1, rows: 1 },
        { kind: "resetStatement", slot: 1 },
        { kind: "fetch", slot: 1, rows: 1 },
      ];
      const told: string[] = [];
      for (const op of steps) {
        const reply = await side.perform(op);
        const last = typeof reply === "object" ? reply.at(-1)! : undefined;
        told.push(`${op.kind}: ${op.kind === "fetch" ? last?.toHex() : last?.length}`);
      }
      replies.push(told);
      await side.quit();
    }
    assertEquals(replies[1], replies[0]);
  },
});
