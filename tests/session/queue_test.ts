/**
 * A thousand clients and one server session: they wait in order, can be ended while they wait, and
 * outlive the server.
 */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { type Connection, createConnection } from "mysql2";
import { LoadConnection } from "../../src/dev/bench/load_connection.ts";
import { startEngine } from "../../src/dev/engines/engine.ts";
import { query } from "../../src/dev/engines/query.ts";
import { eventually } from "../support/eventually.ts";
import { Restartable } from "../support/restartable.ts";
import { isAvailable, sharedEngine } from "../support/shared_engine.ts";
import { APP, TestProxy } from "../support/test_proxy.ts";

const ENGINES = ["mariadb", "mysql"] as const;
const CLIENTS = 1_000;
const HOUR = 3_600_000;
const OTHER = { user: "other", password: APP.password };

const PREPARE = [
  "CREATE USER app@'%' IDENTIFIED BY 'secret'",
  "GRANT ALL ON *.* TO app@'%'",
  "CREATE USER other@'%' IDENTIFIED BY 'secret'",
  "GRANT ALL ON *.* TO other@'%'",
  "CREATE DATABASE queue",
  "CREATE TABLE queue.served (id INT PRIMARY KEY AUTO_INCREMENT, client INT, round INT)",
];

interface Limits {
  /** Of one pool, and of all pools of the server; any number unless given. */
  readonly sessions?: number;
  readonly all?: number;
  /** How long to wait at most. */
  readonly timeout: string;
}

/** A proxy on this server, with clients that wait for its sessions. */
class Bench implements AsyncDisposable {
  readonly proxy: TestProxy;
  /** Whoever looks at the queue, and ends what others wait for; needs no server session. */
  readonly observer: Connection;
  readonly #clients: LoadConnection[] = [];

  private constructor(proxy: TestProxy, observer: Connection) {
    this.proxy = proxy;
    this.observer = observer;
  }

  static async start(port: number, { sessions = 0, all = 0, timeout }: Limits): Promise<Bench> {
    const proxy = await TestProxy.start({
      servers: [port],
      sharing: "transaction",
      users: [APP, OTHER].map(({ user, password }) => ({ name: user, password })),
      proxy: {
        session_pool_server_max_conn: all,
        obproxy_sys_password: "operator",
        session_pool_default_max_conn: sessions,
        session_pool_default_blocking_timeout: timeout,
      },
    });
    const root = { user: "root@proxysys", password: "operator" };
    const observer = await createConnection({ host: "127.0.0.1", port: proxy.port, ...root });
    return new Bench(proxy, observer);
  }

  async clients(
    count: number,
    account: { user: string; password: string } = APP,
  ): Promise<LoadConnection[]> {
    const address = { hostname: "127.0.0.1", port: this.proxy.port };
    const clients: LoadConnection[] = [];
    while (clients.length < count) {
      const client = await LoadConnection.open(address, { ...account, database: "" }, 512);
      this.#clients.push(client);
      clients.push(client);
    }
    return clients;
  }

  /** Clients that have all server sessions, until they commit. */
  async holders(count: number): Promise<LoadConnection[]> {
    const holders = await this.clients(count);
    for (const holder of holders) await holder.run("BEGIN");
    return holders;
  }

  async waiting(): Promise<number> {
    return Number((await this.pool())["waiting_client_count"]);
  }

  async waits(count: number): Promise<void> {
    await eventually(`${count} wait`, async () => await this.waiting() === count, { every: 0 });
  }

  /** The same for the pools of both accounts. */
  async queued(...counts: number[]): Promise<void> {
    await eventually(`${counts} wait`, async () => {
      const [rows] = await this.observer.query("SHOW GLOBALSESSION");
      const waiting = (rows as Record<string, unknown>[]).map((row) => row["waiting_client_count"]);
      return waiting.join() === counts.join();
    });
  }

  /** Has one client after the other ask, by default for what remembers it, so that all wait. */
  async queueUp(
    clients: readonly LoadConnection[],
    statement: (at: number) => string = serve,
  ): Promise<Promise<unknown>[]> {
    const before = await this.waiting();
    const answers: Promise<unknown>[] = [];
    for (const [at, client] of clients.entries()) {
      const answer = client.run(statement(at));
      // Who is ended while others are looked at is no surprise.
      answer.catch(() => {});
      answers.push(answer);
      await this.waits(before + at + 1);
    }
    return answers;
  }

  /** `cs_id` of who waits, in the order of their logins. */
  async waitingIds(): Promise<number[]> {
    const [rows] = await this.observer.query("SHOW PROCESSLIST");
    return (rows as { Id: number; State: string }[])
      .filter(({ State }) => State.startsWith("waiting for a server session"))
      .map(({ Id }) => Id);
  }

  async pool(): Promise<Record<string, unknown>> {
    const [rows] = await this.observer.query("SHOW GLOBALSESSION LIKE 'app%'");
    const [pool, ...more] = rows as Record<string, unknown>[];
    assertEquals(more, []);
    return pool!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) {
      try {
        client.close();
      } catch (error) {
        if (!(error instanceof Deno.errors.BadResource)) throw error;
      }
    }
    await this.observer.end();
    await this.proxy[Symbol.asyncDispose]();
  }
}

function serve(client: number, round = 0): string {
  return `INSERT INTO queue.served (client, round) VALUES (${client}, ${round})`;
}

function count(length: number): number[] {
  return Array.from({ length }, (_, at) => at);
}

for (const name of ENGINES) {
  if (!await isAvailable(name)) continue;
  const engine = await sharedEngine(name, PREPARE);

  const test = (title: string, limits: Limits, run: (bench: Bench) => Promise<void>) =>
    Deno.test({
      name: `${name}: ${title}`,
      ignore: engine.ignore,
      fn: async () => {
        await engine.admin("TRUNCATE TABLE queue.served");
        await using bench = await Bench.start(engine.engine.port, limits);
        await run(bench);
      },
    });

  const served = async (): Promise<{ client: number; round: number }[]> =>
    await engine.admin("SELECT client, round FROM queue.served ORDER BY id") as {
      client: number;
      round: number;
    }[];
  const order = async () => (await served()).map(({ client }) => client);

  test(
    "a thousand clients are served in the order in which they asked, again and again",
    { sessions: 1, timeout: "120s" },
    async (bench) => {
      const [holder] = await bench.holders(1);
      const clients = await bench.clients(CLIENTS);
      const first = await bench.queueUp(clients);
      const pool = await bench.pool();
      assertEquals(
        [pool["max_client_count"], pool["live_client_count"], pool["waiting_client_count"]],
        [1, 1, CLIENTS],
      );
      assert(Number(pool["longest_wait"]) > 0);
      assertEquals((await bench.waitingIds()).length, CLIENTS);
      const rounds = 3;
      const all = clients.map(async (client, at) => {
        await first[at];
        for (let round = 1; round < rounds; round++) await client.run(serve(at, round));
      });
      await holder!.run("COMMIT");
      await Promise.all(all);
      const rows = await served();
      assertEquals(rows.length, rounds * CLIENTS);
      assertEquals(rows.slice(0, CLIENTS).map(({ client }) => client), count(CLIENTS));
      // Nobody comes for the third time before somebody else has come once.
      const lead = rows.findIndex(({ round }) => round === 2);
      assertEquals(rows.slice(lead).filter(({ round }) => round === 0), []);
      assertEquals(bench.proxy.servers, 1);
    },
  );

  test(
    "all are served where several sessions become free at once",
    { sessions: 4, timeout: "120s" },
    async (bench) => {
      const holders = await bench.holders(4);
      const clients = await bench.clients(200);
      const answers = await bench.queueUp(clients);
      await Promise.all(holders.map((holder) => holder.run("COMMIT")));
      await Promise.all(answers);
      assertEquals((await order()).sort((a, b) => a - b), count(200));
      assertEquals(await bench.pool().then((pool) => pool["idle_client_count"]), 4);
    },
  );

  test(
    "who is killed while waiting is gone at once, and nobody else notices",
    { sessions: 1, timeout: "120s" },
    async (bench) => {
      const [holder] = await bench.holders(1);
      const clients = await bench.clients(20);
      const answers = await bench.queueUp(clients);
      const ids = await bench.waitingIds();
      for (const at of [0, 7, 19]) {
        await bench.observer.query(`KILL ${ids[at]}`);
        assertEquals((await bench.waitingIds()).includes(ids[at]!), false);
        await assertRejects(() => answers[at]!, Error, "the connection was closed");
      }
      // One more leaves by itself.
      clients[3]!.close();
      await bench.waits(16);
      await holder!.run("COMMIT");
      const gone = new Set([0, 3, 7, 19]);
      await Promise.all(answers.filter((_, at) => !gone.has(at)));
      assertEquals(await order(), count(20).filter((at) => !gone.has(at)));
      assertEquals(bench.proxy.servers, 1);
    },
  );

  test(
    "who waits and has its statement killed gets an error, lives on and queues up again",
    { sessions: 1, timeout: "120s" },
    async (bench) => {
      const [holder] = await bench.holders(1);
      const clients = await bench.clients(10);
      const answers = await bench.queueUp(clients);
      const ids = await bench.waitingIds();
      for (const at of [0, 4, 9]) {
        await bench.observer.query(`KILL QUERY ${ids[at]}`);
        await assertRejects(() => answers[at]!, Error, "error 1317");
      }
      await bench.waits(7);
      assertEquals((await bench.waitingIds()).length, 7);
      const again = await bench.queueUp([clients[9]!, clients[0]!]);
      await holder!.run("COMMIT");
      await Promise.all([...answers.filter((_, at) => ![0, 4, 9].includes(at)), ...again]);
      // The last two are remembered by another number this time.
      assertEquals(await order(), [1, 2, 3, 5, 6, 7, 8, 0, 1]);
      await clients[4]!.run(serve(4));
      assertEquals((await order()).at(-1), 4);
    },
  );

  test(
    "who has waited for too long is told for what, and lives on",
    { sessions: 1, timeout: "300ms" },
    async (bench) => {
      const [holder] = await bench.holders(1);
      const clients = await bench.clients(5);
      const errors = await Promise.all(
        clients.map((client, at) =>
          client.run(serve(at)).then(() => "no error", (error: Error) => error.message)
        ),
      );
      for (const error of errors) {
        assertMatch(
          error,
          /error 1040, Too many connections: waited \d+ ms for one of the 1 server sessions of pool app#main on server \S+$/,
        );
        assert(Number(/waited (\d+) ms/.exec(error)![1]) >= 300);
      }
      await holder!.run("COMMIT");
      for (const [at, client] of clients.entries()) await client.run(serve(at));
      assertEquals(await order(), count(5));
    },
  );

  test(
    "a login that waits for a server session is told so in the end",
    { all: 1, timeout: "300ms" },
    async (bench) => {
      const [holder] = await bench.holders(1);
      // The first login of an account is tried on the server.
      await assertRejects(() => bench.clients(1, OTHER), Error, "error 1040");
      await holder!.run("COMMIT");
      await bench.clients(1, OTHER);
    },
  );

  test(
    "the time that a login may take does not run while it waits for a server session",
    { all: 1, timeout: "120s" },
    async (bench) => {
      const [holder] = await bench.holders(1);
      const login = bench.clients(1, OTHER);
      await bench.queued(0, 1);
      const clients = [...bench.proxy.proxy.manager.clients.values()];
      const waiting = clients.filter((client) => client.info().phase === "login");
      assertEquals(waiting.length, 1);
      waiting[0]!.sweep(Date.now() + HOUR);
      await holder!.run("COMMIT");
      await login;
    },
  );

  test(
    "the process list says who waits, with the statement",
    { sessions: 1, timeout: "120s" },
    async (bench) => {
      const [holder] = await bench.holders(1);
      const [client] = await bench.clients(1);
      const [answer] = await bench.queueUp([client!]);
      const [rows] = await bench.observer.query("SHOW PROCESSLIST");
      const row = (rows as Record<string, unknown>[]).find(({ Info }) => Info === serve(0))!;
      assertEquals(row["Command"], "Query");
      assertMatch(String(row["State"]), /^waiting for a server session of pool app#main$/);
      await holder!.run("COMMIT");
      await answer;
    },
  );

  test(
    "who waits gets another server session where the one in use is killed",
    { sessions: 1, timeout: "120s" },
    async (bench) => {
      const [holder] = await bench.holders(1);
      const clients = await bench.clients(10);
      const answers = await bench.queueUp(clients);
      await bench.observer.query("KILL GLOBALSESSION `app#main`");
      await Promise.all(answers);
      assertEquals(await order(), count(10));
      await assertRejects(() => holder!.run("COMMIT"));
    },
  );

  test(
    "nobody starves where two pools share the one session that the server may have",
    { all: 1, timeout: "120s" },
    async (bench) => {
      // The first login of an account is tried on the server.
      await bench.clients(1, OTHER);
      const [holder] = await bench.holders(1);
      const clients = [...await bench.clients(30), ...await bench.clients(30, OTHER)];
      const all = clients.map(async (client, at) => {
        for (let round = 0; round < 3; round++) await client.run(serve(at, round));
      });
      await bench.queued(30, 30);
      await holder!.run("COMMIT");
      await Promise.all(all);
      assertEquals((await served()).length, 3 * clients.length);
      assertEquals(bench.proxy.servers, 1);
    },
  );

  Deno.test({
    name: `${name}: a server that restarts loses nobody who had nothing running`,
    ignore: engine.ignore,
    fn: async () => {
      await using own = await startEngine(name);
      await query(own.port, own.admin, PREPARE);
      await using server = new Restartable(own);
      await using bench = await Bench.start(own.port, { sessions: 2, timeout: "120s" });
      const idle = await bench.clients(20);
      for (const client of idle) await client.run("DO 1");
      const holders = await bench.holders(2);
      const clients = await bench.clients(CLIENTS);
      const isLong = (at: number) => at === 500 || at === 501;
      // It may not run twice.
      const long = "INSERT INTO queue.served (client, round) SELECT SLEEP(600), -1";
      const answers = await bench.queueUp(clients, (at) => isLong(at) ? long : serve(at));
      // All wait; those whose transactions are lost are told.
      await server.crash();
      for (const holder of holders) await assertRejects(() => holder.run("COMMIT"));
      assertEquals(await bench.waiting(), CLIENTS);
      // Two have statements running that do not end by themselves, and all behind them wait.
      await server.start();
      await bench.waits(CLIENTS - 502);
      await server.crash();
      for (const at of [500, 501]) await assertRejects(() => answers[at]!);
      assertEquals(await bench.waiting(), CLIENTS - 502);
      // In the middle of the work: whose statements run at that moment is chance.
      await server.start();
      await Promise.race(answers.slice(510, 520));
      await server.crash();
      server.begin();
      const results = await Promise.allSettled(answers);
      const failed = results.filter(({ status }) => status === "rejected");
      assert(
        failed.length <= 4,
        `${failed.length} have failed, and 4 at most had something running`,
      );
      for (const client of idle) await client.run("DO 1");
      assertEquals(await bench.waiting(), 0);
    },
  });
}
