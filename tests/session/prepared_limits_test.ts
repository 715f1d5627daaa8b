/** Prepared statements on shared server sessions at their limits: counts, sizes, and what is told. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { createConnection } from "mysql2";
import { encodeText } from "../../src/protocol/bytes.ts";
import { encodeStatementRequest } from "../../src/protocol/command.ts";
import { ColumnType, Command } from "../../src/protocol/constants.ts";
import type { Parameter } from "../../src/protocol/prepared.ts";
import { encodeExecute } from "../support/codec/requests.ts";
import { eventually } from "../support/eventually.ts";
import { sharedEngine } from "../support/shared_engine.ts";
import { TestProxy } from "../support/test_proxy.ts";
import { WireClient, type WireOptions, type WirePacket } from "../support/wire_client.ts";

const CLIENTS = 12;
const TURNS = 40;

interface Bench {
  readonly proxy: TestProxy;
  client(options?: Partial<WireOptions>): Promise<WireClient>;
  /** Has everybody go on with another server session than the one of this client's. */
  occupy(): Promise<WireClient>;
}

for (const name of ["mariadb", "mysql"] as const) {
  const engine = await sharedEngine(name, [
    "CREATE USER app@'%' IDENTIFIED BY 'secret'",
    "GRANT ALL ON *.* TO app@'%'",
    "CREATE DATABASE one",
    "CREATE TABLE one.t (id INT PRIMARY KEY AUTO_INCREMENT, v LONGBLOB)",
  ]);

  const test = (
    title: string,
    settings: Record<string, unknown>,
    run: (bench: Bench) => Promise<void>,
  ) =>
    Deno.test(`${name}: ${title}`, { ignore: engine.ignore }, async () => {
      await using proxy = await TestProxy.start({
        servers: [engine.engine.port],
        sharing: "transaction",
        proxy: { session_pool_default_blocking_timeout: "5s", ...settings },
      });
      const clients: WireClient[] = [];
      const client = async (options: Partial<WireOptions> = {}) => {
        const one = await WireClient.connect({ ...proxy.app, database: "one", ...options });
        clients.push(one);
        return one;
      };
      const occupy = async () => {
        const other = await client();
        await other.run("BEGIN");
        return other;
      };
      try {
        await run({ proxy, client, occupy });
      } finally {
        for (const one of clients) await one.quit();
      }
    });

  const count = async () => {
    const [row] = await engine.admin("SHOW GLOBAL STATUS LIKE 'Prepared_stmt_count'");
    return Number(row?.["Value"]);
  };

  test(
    "a server session keeps the last used statements, and a client has all",
    { session_pool_prepared_statements: 3, session_pool_default_max_conn: 1 },
    async ({ client }) => {
      const one = await client();
      const ids: number[] = [];
      for (let at = 0; at < 10; at++) {
        ids.push((await one.prepare(`SELECT CAST(${at} AS CHAR)`)).statementId);
      }
      for (const [at, id] of [...ids, ...ids.toReversed()].entries()) {
        assertEquals(value(await one.command(execute(id))), String(at < 10 ? at : 19 - at));
      }
      assert(await count() <= 4, `Expected at most 4 statements, got ${await count()}`);
      for (const id of ids) await one.send(encodeStatementRequest(Command.STMT_CLOSE, id));
      await one.run("SELECT 1");
      await eventually("the server has closed all", async () => await count() === 0);
    },
  );

  test(
    "where the server has too many, those that nobody uses now are closed",
    { session_pool_default_max_conn: 1 },
    async ({ client }) => {
      const one = await client();
      await engine.admin("SET GLOBAL max_prepared_stmt_count=4");
      try {
        const ids: number[] = [];
        for (let at = 0; at < 4; at++) {
          ids.push((await one.prepare(`SELECT CAST(${at} AS CHAR)`)).statementId);
        }
        const sql = encodeText("SELECT CAST(4 AS CHAR)");
        const [refusal] = await one.simple(Command.STMT_PREPARE, sql);
        assertMatch(text(refusal), /Can't create more than max_prepared_stmt_count statements/);
        ids.push((await one.prepare("SELECT CAST(4 AS CHAR)")).statementId);
        for (const [at, id] of ids.entries()) {
          assertEquals(value(await one.command(execute(id))), String(at));
        }
      } finally {
        await engine.admin("SET GLOBAL max_prepared_stmt_count=16382");
      }
    },
  );

  test(
    "statements and requests that are larger than a buffer",
    { session_pool_default_max_conn: 2 },
    async ({ client, occupy, proxy }) => {
      const one = await client();
      const insert = await one.prepare("INSERT INTO t (v) VALUES (?)");
      const large = encodeText("x".repeat(300_000));
      const request = (hasTypes: boolean) =>
        execute(insert.statementId, { type: ColumnType.BLOB, value: large }, hasTypes);
      assertEquals((await one.command(request(true)))[0]!.payload[0], 0);
      const other = await occupy();
      assertEquals((await one.command(request(false)))[0]!.payload[0], 0);
      const sum = await one.prepare("SELECT CAST(SUM(LENGTH(v)) AS CHAR) FROM t");
      assertEquals(value(await one.command(execute(sum.statementId))), "600000");
      await other.run("COMMIT");
      const long = await one.prepare(`SELECT CAST(7 AS CHAR) /* ${"long ".repeat(30_000)} */`);
      assertEquals(value(await one.command(execute(long.statementId))), "7");
      const [session] = [...proxy.proxy.manager.clients.values()].map((entry) => entry.info());
      assertEquals(session!.serverSessionIds.length, 1);
      await one.run("DELETE FROM t");
    },
  );

  test(
    "many clients at once on few server sessions that keep few statements",
    { session_pool_prepared_statements: 3, session_pool_default_max_conn: 2 },
    async ({ proxy }) => {
      await engine.admin("CREATE OR REPLACE VIEW one.digits AS SELECT 1 AS n UNION SELECT 2");
      const work = async (client: number) => {
        const connection = await createConnection({
          host: "127.0.0.1",
          ...proxy.app,
          database: "one",
        });
        try {
          for (let turn = 0; turn < TURNS; turn++) {
            const kind = (client + turn) % 7;
            const sql = `SELECT n, ? AS own, ${kind} AS kind FROM digits WHERE n = ?`;
            if (kind === 0) await connection.beginTransaction();
            const [rows] = await connection.execute(sql, [`client ${client}`, 1 + turn % 2]);
            if (kind === 0) await connection.commit();
            assertEquals(rows, [{ n: 1 + turn % 2, own: `client ${client}`, kind }]);
            if (turn % 10 === 9) connection.unprepare(sql);
          }
        } finally {
          await connection.end();
        }
      };
      await Promise.all(Array.from({ length: CLIENTS }, (_, client) => work(client)));
      const most = 2 * (3 + 1);
      assert(await count() <= most, `Expected at most ${most} statements, got ${await count()}`);
    },
  );

  test(
    "errors have the client's own ids",
    { session_pool_default_max_conn: 1 },
    async ({ client }) => {
      const one = await client();
      for (const id of [5, 123_456, 0xffff_ffff]) {
        const known = await one.prepare("SELECT 1");
        await one.send(encodeStatementRequest(Command.STMT_CLOSE, known.statementId));
        const [packet] = await one.command(execute(id));
        assertMatch(
          text(packet),
          new RegExp(`Unknown prepared statement handler \\(${id}\\) given to`),
        );
      }
    },
  );

  test(
    "lists show the text that an execution runs",
    { session_pool_default_max_conn: 1 },
    async ({ client, proxy }) => {
      const one = await client();
      const sql = "SELECT SLEEP(?) /* prepared */";
      const { statementId } = await one.prepare(sql);
      const seconds = { type: ColumnType.DOUBLE, value: 60 };
      const sleeping = one.command(execute(statementId, seconds));
      await eventually("the list has it", () => {
        const [entry] = [...proxy.proxy.manager.clients.values()];
        return entry?.statementText(1000) === sql;
      });
      const [entry] = [...proxy.proxy.manager.clients.values()];
      let isOver = false;
      sleeping.then(() => isOver = true);
      await eventually("the server has stopped it", async () => {
        await entry!.killQuery();
        return isOver;
      });
    },
  );
}

function execute(
  statementId: number,
  parameter?: Pick<Parameter, "type" | "value">,
  hasTypes = true,
): Uint8Array {
  const parameters = parameter === undefined ? [] : [{ ...parameter, unsigned: false, name: "" }];
  return encodeExecute({ statementId, flags: 0, iterations: 1, hasTypes, parameters }, 0);
}

/** The text in the one row. */
function value(packets: readonly WirePacket[]): string {
  const row = packets.at(-2);
  if (row?.payload[0] !== 0) return `${packets.map(text)}`;
  return new TextDecoder().decode(row.payload.subarray(3));
}

function text(packet: WirePacket | undefined): string {
  return new TextDecoder().decode(packet?.payload);
}
