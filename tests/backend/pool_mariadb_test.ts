/** Pools on a real server that is stopped, killed, replaced, and that has too few places. */
import { assert, assertEquals } from "@std/assert";
import { Cluster } from "../../src/backend/cluster.ts";
import { exchange, failureOf } from "../../src/backend/server_exchange.ts";
import type { ServerSession } from "../../src/backend/server_session.ts";
import type { ProxyConfig } from "../../src/config/types.ts";
import { type StartedEngine, startEngine } from "../../src/dev/engines/engine.ts";
import { query } from "../../src/dev/engines/query.ts";
import { concat, decodeText, encodeText } from "../../src/protocol/bytes.ts";
import { Capability, Command } from "../../src/protocol/constants.ts";
import { commandRow } from "../../src/protocol/replies.ts";
import { decodeTextRow } from "../../src/protocol/resultset.ts";
import { SessionManager } from "../../src/session_manager.ts";
import { eventually } from "../support/eventually.ts";
import { LogRecords } from "../support/log_records.ts";
import { loginOf } from "../support/login_of.ts";
import { isAvailable } from "../support/shared_engine.ts";
import { Switch } from "../support/switch.ts";
import { testConfig } from "../support/test_proxy.ts";

const ignore = !await isAvailable("mariadb");

const LOGIN = loginOf({ capabilities: { base: Capability.DEPRECATE_EOF, extended: 0 } });

async function startMariadb(): Promise<StartedEngine> {
  const engine = await startEngine("mariadb");
  await query(engine.port, engine.admin, ["CREATE USER app@'%' IDENTIFIED BY 'secret'"]);
  return engine;
}

class Bench implements AsyncDisposable {
  readonly manager = new SessionManager({ proxyId: 0, isolate: 0 });
  readonly cluster: Cluster;

  constructor(port: number, limits: Partial<ProxyConfig>) {
    const { clusters, proxy } = testConfig({ servers: [port] });
    this.cluster = new Cluster(clusters[0]!, {
      manager: this.manager,
      connectTimeout: 20_000,
      pools: { ...proxy, poolBlockingTimeout: 120_000, ...limits },
    });
  }

  get shared() {
    return this.cluster.share({ login: LOGIN, tenant: undefined });
  }

  get pool() {
    return this.shared.pool(this.cluster.backends[0]!);
  }

  /** Asks with a session of the pool. */
  async ask(sql: string): Promise<string> {
    const holder = {};
    const { signal } = new AbortController();
    const request = { holder, login: LOGIN, distance: () => 0 };
    const session = this.shared.tryTake(request) ?? await this.shared.acquire(request, { signal });
    try {
      return await askOf(session, sql);
    } finally {
      session.giveBack(holder);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cluster.pools.close();
    for (const entry of [...this.manager.servers.values()]) entry.kill("the test is over");
    await eventually("nothing is left", () => this.manager.servers.size === 0);
  }
}

async function askOf(session: ServerSession, sql: string): Promise<string> {
  const payload = concat([Uint8Array.of(Command.QUERY), encodeText(sql)]);
  const [reply] = await exchange(session, [{ row: commandRow(Command.QUERY)!, payload }]);
  const failure = failureOf(reply!, session);
  if (failure !== undefined) throw failure;
  return decodeText(decodeTextRow(reply!.at(-2)!, 1)[0]!);
}

Deno.test({
  name: "A server that crashes and is replaced loses nobody who had nothing running",
  ignore,
  async fn() {
    await LogRecords.take();
    await using first = await startMariadb();
    await using second = await startMariadb();
    await using way = new Switch(first.port);
    await using bench = new Bench(way.port, { poolMaxConnections: 5 });
    const running = Array.from({ length: 5 }, () => bench.ask("SELECT SLEEP(600)"));
    const lost = Promise.allSettled(running);
    await eventually("they run", async () => {
      const sql = "SELECT COUNT(*) AS n FROM information_schema.processlist " +
        "WHERE state = 'User sleep'";
      const [row] = await query(first.port, first.admin, [sql]);
      return Number(row!.n) === 5;
    });
    const answers = Array.from({ length: 1000 }, (_, number) => bench.ask(`SELECT ${number}`));
    await eventually("the others wait", () => bench.pool.waiting.size === 1000);
    way.target = undefined;
    await first.kill();
    for (const outcome of await lost) {
      assert(outcome.status === "rejected");
      assertEquals((outcome as PromiseRejectedResult).reason.kind, "server_lost");
    }
    await eventually("it is not there", () => bench.pool.retry.failure !== undefined);
    assertEquals(bench.pool.waiting.size, 1000);
    way.target = second.port;
    assertEquals(await Promise.all(answers), Array.from({ length: 1000 }, (_, at) => String(at)));
    assertEquals([bench.pool.size, bench.pool.idle], [5, 5]);
  },
});

Deno.test({
  name: "Idle sessions are given up when the server stops",
  ignore,
  async fn() {
    await LogRecords.take();
    await using engine = await startMariadb();
    await using bench = new Bench(engine.port, {});
    await Promise.all([1, 2, 3, 4, 5, 6, 7].map((at) => bench.ask(`SELECT SLEEP(0.0${at})`)));
    assertEquals(bench.pool.idle, 7);
    await engine.stop();
    await eventually("they are gone", () => bench.pool.size === 0);
    assertEquals([bench.pool.idle, bench.manager.servers.size], [0, 0]);
  },
});

Deno.test({
  name: "A server with fewer places than the pool has serves everybody with those",
  ignore,
  async fn() {
    await LogRecords.take();
    await using engine = await startMariadb();
    await query(engine.port, engine.admin, ["SET GLOBAL max_connections = 10"]);
    await using bench = new Bench(engine.port, { poolMaxConnections: 50 });
    // The one that is opened first need not be told that there is no place.
    await bench.ask("SELECT 0");
    const answers = await Promise.all(
      Array.from({ length: 300 }, (_, number) => bench.ask(`SELECT ${number}`)),
    );
    assertEquals(answers, Array.from({ length: 300 }, (_, at) => String(at)));
    // Now and then one more is tried.
    const open = bench.pool.seats.size;
    assert(open <= 10, `${open} sessions`);
    assertEquals(bench.cluster.backends[0]!.isSuspect(Date.now()), false);
  },
});
