/** Locks by GET_LOCK hold a shared server session, and what is no lock does not. */
import { assertEquals } from "@std/assert";
import { type Connection, createConnection } from "mysql2";
import { MOST_NAMES } from "../../src/state/user_locks.ts";
import { eventually } from "../support/eventually.ts";
import { isAvailable, sharedEngine } from "../support/shared_engine.ts";
import { APP, TestProxy } from "../support/test_proxy.ts";
import { value } from "../support/value.ts";

/** Two clients that share one server session. */
class Stage implements AsyncDisposable {
  readonly client: Connection;
  readonly #other: Connection;
  readonly #proxy: TestProxy;
  /** Connected to the server itself. */
  readonly direct: Connection;

  private constructor(proxy: TestProxy, clients: readonly [Connection, Connection, Connection]) {
    this.#proxy = proxy;
    [this.client, this.#other, this.direct] = clients;
  }

  static async start(port: number): Promise<Stage> {
    const proxy = await TestProxy.start({
      servers: [port],
      sharing: "transaction",
      proxy: { session_pool_default_max_conn: 1, session_pool_default_blocking_timeout: "60s" },
    });
    const connect = (to: number) =>
      createConnection({ host: "127.0.0.1", port: to, ...APP, charset: "utf8mb4" });
    const clients = [proxy.port, proxy.port, port] as const;
    const [client, other, direct] = await Promise.all(clients.map(connect));
    return new Stage(proxy, [client!, other!, direct!]);
  }

  /** What holds the client, by its pins. */
  get things(): readonly string[] {
    return [...this.#proxy.proxy.manager.clients.values()].flatMap((entry) =>
      entry.info().pins.flatMap(({ things }) => things)
    );
  }

  /** The other client gets the server session, and has no locks there. */
  async isGiven(): Promise<void> {
    assertEquals(await value(this.#other, "SELECT RELEASE_ALL_LOCKS()"), 0);
    assertEquals(this.things, []);
  }

  /** The other client has waited for it until `free` has run. */
  async isKeptUntil(free: string): Promise<void> {
    let isGiven = false;
    const given = this.isGiven().then(() => isGiven = true);
    // Each of them is behind a question to the server about the locks.
    for (let asked = 0; asked < 3; asked++) await this.client.query("DO 1");
    assertEquals(isGiven, false);
    await this.client.query(free);
    await given;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const one of [this.client, this.#other, this.direct]) one.destroy();
    await eventually("the clients have gone", () => this.#proxy.clients === 0);
    await this.#proxy[Symbol.asyncDispose]();
  }
}

function getLocks(prefix: string, count: number): string {
  const calls = Array.from({ length: count }, (_, at) => `GET_LOCK('${prefix}${at}', 0)`);
  return `SELECT ${calls.join()}`;
}

for (const name of ["mariadb", "mysql"] as const) {
  if (!await isAvailable(name)) continue;
  const engine = await sharedEngine(name, [
    "CREATE USER app@'%' IDENTIFIED BY 'secret'",
    "GRANT ALL ON *.* TO app@'%'",
  ]);
  const staged = (title: string, run: (stage: Stage) => Promise<void>) =>
    Deno.test({
      name: `${name}: ${title}`,
      ignore: engine.ignore,
      fn: async () => {
        await using stage = await Stage.start(engine.engine.port);
        await run(stage);
      },
    });

  staged("a lock that others have holds nobody, however often it is asked for", async (stage) => {
    const { client, direct } = stage;
    await direct.query("DO GET_LOCK('leader', 0)");
    for (let at = 0; at < 100; at++) {
      assertEquals(await value(client, "SELECT GET_LOCK('leader', 0)"), 0);
    }
    assertEquals(stage.things, ["leader"]);
    await stage.isGiven();
  });

  staged("a lock that was taken twice is held until it is released twice", async (stage) => {
    await stage.client.query("DO GET_LOCK('twice', 0), GET_LOCK('twice', 0)");
    await stage.client.query("DO RELEASE_LOCK('twice')");
    await stage.isKeptUntil("DO RELEASE_LOCK('twice')");
  });

  staged("a lock is held where its release has not run", async (stage) => {
    const { client } = stage;
    for (const ends of ["RELEASE_LOCK('kept')", "RELEASE_ALL_LOCKS()"]) {
      await client.query("DO GET_LOCK('kept', 0)");
      await client.query(`SELECT IF(0, ${ends}, 0)`);
      assertEquals(stage.things, ["kept"]);
      await stage.isKeptUntil(`SELECT IF(1, ${ends}, 0)`);
    }
  });

  staged("many locks that others have leave room for one's own", async (stage) => {
    const { client, direct } = stage;
    await direct.query(getLocks("job", 3 * MOST_NAMES));
    await client.query("SET @kept = 'mine'");
    for (let at = 0; at < 3 * MOST_NAMES; at++) {
      // The question about the locks hides neither of them.
      const [rows] = await client.query(
        at % 2 === 0 ? `SELECT GET_LOCK('job${at}', 0)` : `SELECT GET_LOCK('job${at}', 0), 1/0`,
      );
      assertEquals(Object.values((rows as Record<string, unknown>[])[0]!)[0], 0);
    }
    assertEquals(stage.things.includes(""), false);
    assertEquals(await value(client, "SHOW COUNT(*) WARNINGS"), 1);
    await client.query("DO GET_LOCK('own', 0)");
    await stage.isKeptUntil("DO RELEASE_LOCK('own')");
    assertEquals(await value(client, "SELECT @kept"), "mine");
  });

  staged("more locks than have names are held until all are released", async (stage) => {
    const { client } = stage;
    await client.query(getLocks("own", MOST_NAMES));
    for (let at = 0; at < 5; at++) await client.query(`DO GET_LOCK('more${at}', 0)`);
    assertEquals(stage.things.length, MOST_NAMES + 1);
    for (let at = 0; at < MOST_NAMES; at++) await client.query(`DO RELEASE_LOCK('own${at}')`);
    await stage.isKeptUntil("DO RELEASE_ALL_LOCKS()");
  });

  staged("a name that servers refuse costs nothing", async (stage) => {
    const { client } = stage;
    await client.query("SET @kept = 'mine'");
    for (const refused of ["", "x".repeat(191) + "é", "x".repeat(10_000)]) {
      await client.query(`SELECT GET_LOCK('${refused}', 0)`).catch(() => {});
    }
    await stage.isGiven();
    assertEquals(await value(client, "SELECT @kept"), "mine");
  });

  staged("a lock whose name others read in another character set is held", async (stage) => {
    const { client } = stage;
    await client.query("DO GET_LOCK('é', 0)");
    assertEquals(stage.things, ["é"]);
    await stage.isKeptUntil("DO RELEASE_LOCK('é')");
    await client.query("SET NAMES latin1");
    await client.query("DO GET_LOCK('é', 0)");
    assertEquals(stage.things, [""]);
    await stage.isKeptUntil("DO RELEASE_ALL_LOCKS()");
  });

  staged("a lock without a name is held", async (stage) => {
    await stage.client.query("SELECT GET_LOCK(CONCAT('name', 'less'), 0)");
    // MariaDB tells of no lock whose name nobody knows.
    const ends = name === "mysql" ? "RELEASE_LOCK('nameless')" : "RELEASE_ALL_LOCKS()";
    await stage.isKeptUntil(`DO ${ends}`);
  });
}

if (await isAvailable("mysql")) {
  const engine = await sharedEngine("mysql", [
    "CREATE USER app@'%' IDENTIFIED BY 'secret'",
    "GRANT SELECT ON mysql.* TO app@'%'",
  ]);
  Deno.test({
    name: "mysql: without the right to ask, a lock without a name is held until all are released",
    ignore: engine.ignore,
    fn: async () => {
      await using stage = await Stage.start(engine.engine.port);
      const { client } = stage;
      await client.query("SELECT GET_LOCK(CONCAT('name', 'less'), 0)");
      await client.query("DO RELEASE_LOCK('nameless')");
      await stage.isKeptUntil("DO RELEASE_ALL_LOCKS()");
      assertEquals(await value(client, "SHOW COUNT(*) WARNINGS"), 0);
    },
  });
}
