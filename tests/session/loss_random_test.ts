/** Clients whose server sessions are killed at random, again and again, on real servers. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { type Connection, createConnection } from "mysql2";
import { LOSS_TABLE, LOST } from "../support/losses.ts";
import { seededRandom } from "../support/random.ts";
import { report } from "../support/report.ts";
import { isAvailable, sharedEngine } from "../support/shared_engine.ts";
import { APP, TestProxy } from "../support/test_proxy.ts";
import { value } from "../support/value.ts";

/** A client that writes numbers which nobody else writes. */
interface Client {
  readonly id: number;
  readonly connection: Connection;
  /** What the server has confirmed, and what it has not. */
  readonly written: number[];
  readonly doubtful: number[];
  losses: number;
}

const STEPS = 120;

async function work(client: Client, random: () => number): Promise<void> {
  const { id, connection } = client;
  for (let step = 0; step < STEPS; step++) {
    const v = id * STEPS * 2 + step * 2;
    const choice = random();
    if (choice < 0.5) {
      // A read is hidden, unless it is hit twice.
      const slept = await attempt(client, value(connection, "SELECT CONCAT(SLEEP(0.002), @me)"));
      if (slept !== undefined) assertEquals(slept, `0${id}`);
    } else if (choice < 0.8) {
      const done = await attempt(client, connection.query(`INSERT INTO t (v) VALUES (${v})`));
      (done === undefined ? client.doubtful : client.written).push(v);
    } else {
      await transaction(client, v);
    }
  }
}

/** Writes two numbers, or none: what is lost before COMMIT is certainly not there. */
async function transaction(client: Client, v: number): Promise<void> {
  const { connection } = client;
  for (const sql of ["BEGIN", `INSERT INTO t (v) VALUES (${v})`, "SELECT COUNT(*) FROM t"]) {
    if (await attempt(client, connection.query(sql)) === undefined) {
      await attempt(client, connection.query("ROLLBACK"));
      const count = await attempt(
        client,
        value(connection, `SELECT COUNT(*) FROM t WHERE v = ${v}`),
      );
      if (count !== undefined) assertEquals(count, 0);
      return;
    }
  }
  const done = await attempt(client, connection.query("COMMIT"));
  (done === undefined ? client.doubtful : client.written).push(v);
}

/** @returns undefined where the server session was lost, and the client told so */
async function attempt<Result>(
  client: Client,
  running: Promise<Result>,
): Promise<Result | undefined> {
  try {
    return await running;
  } catch (error) {
    const { errno, message } = error as Error & { errno: number };
    // MySQL interrupts what it kills.
    if (errno !== 1317 && errno !== 1158) throw error;
    if (errno === 1158) assertMatch(message, LOST);
    client.losses++;
    return undefined;
  }
}

/** Kills one of the proxy's connections after the other. */
function killAtRandom(
  admin: (sql: string) => Promise<Record<string, unknown>[]>,
  random: () => number,
) {
  let isOver = false;
  const killing = {
    count: 0,
    async stop(): Promise<void> {
      isOver = true;
      await running;
    },
  };
  const running = (async () => {
    while (!isOver) {
      const rows = await admin("SELECT ID FROM information_schema.PROCESSLIST WHERE USER = 'app'");
      const victim = rows[Math.floor(random() * rows.length)];
      if (victim === undefined) continue;
      try {
        await admin(`KILL ${victim.ID}`);
        killing.count++;
      } catch (error) {
        // It has ended by itself meanwhile.
        assertStringIncludes(String(error), "Unknown thread id");
      }
    }
  })();
  return killing;
}

function anySeed(): { seed: number; random: () => number } {
  const seed = Math.floor(Math.random() * 2 ** 32);
  return { seed, random: seededRandom(seed) };
}

for (const name of ["mariadb", "mysql"] as const) {
  if (!await isAvailable(name)) continue;
  const server = await sharedEngine(name, LOSS_TABLE);
  const { ignore } = server;

  Deno.test({
    name: `${name}: whatever is killed, nothing runs twice and no client's session ends`,
    ignore,
    fn: async () => {
      await server.admin("TRUNCATE one.t");
      await using proxy = await TestProxy.start({
        servers: [server.engine.port],
        sharing: "transaction",
        proxy: { session_pool_default_max_conn: 6, session_pool_default_blocking_timeout: "20s" },
      });
      const { seed, random } = anySeed();
      const clients: Client[] = [];
      for (let id = 0; id < 10; id++) {
        const connection = await createConnection({
          host: "127.0.0.1",
          port: proxy.port,
          database: "one",
          ...APP,
        });
        await connection.query("SET @me = ?", [id]);
        clients.push({ id, connection, written: [], doubtful: [], losses: 0 });
      }
      const killing = killAtRandom(server.admin, random);
      try {
        await Promise.all(clients.map((client) => work(client, random)));
      } finally {
        await killing.stop();
        for (const { connection } of clients) connection.destroy();
      }
      const rows = await server.admin("SELECT v, COUNT(*) AS n FROM one.t GROUP BY v");
      const counts = new Map(rows.map(({ v, n }) => [Number(v), Number(n)]));
      for (const { written, doubtful } of clients) {
        for (const v of written) assertEquals(counts.get(v), 1, `seed ${seed}: ${v} was written`);
        for (const v of doubtful) assert((counts.get(v) ?? 0) <= 1, `seed ${seed}: ${v} ran twice`);
      }
      const losses = clients.reduce((sum, client) => sum + client.losses, 0);
      const masked = proxy.log.of("server session lost").filter(({ fields }) =>
        fields.outcome === "run elsewhere"
      );
      report(`${name}, seed ${seed}: ${losses} losses told, ${masked.length} hidden`);
      assert(killing.count > 0);
    },
  });
}
