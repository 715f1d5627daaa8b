import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { Cluster } from "../../src/backend/cluster.ts";
import type { ServerSession } from "../../src/backend/server_session.ts";
import type { AcquireOptions, SharedServers } from "../../src/backend/shared_servers.ts";
import type { ProxyConfig } from "../../src/config/types.ts";
import { SluiceError } from "../../src/errors.ts";
import { LoginKey } from "../../src/protocol/auth.ts";
import { SessionManager } from "../../src/session_manager.ts";
import { FakeServer, type FakeServerOptions } from "../fake/server.ts";
import { eventually } from "../support/eventually.ts";
import { LogRecords } from "../support/log_records.ts";
import { loginOf } from "../support/login_of.ts";
import { testConfig } from "../support/test_proxy.ts";

const TENANT = { name: "reports", servers: ["two"], schema: "" };

/** A server that can be away, where connections are closed without a word. */
class Server {
  isAway = false;
  readonly fake: FakeServer;

  constructor(options: FakeServerOptions = {}) {
    this.fake = new FakeServer({
      onConnection: async (peer) => {
        if (this.isAway) return peer.close();
        await peer.greet();
        await peer.logIn();
        await peer.serve((_, session) => session.ok());
      },
      ...options,
    });
  }

  leave(): void {
    this.isAway = true;
    this.fake.drop();
  }
}

class Bench implements AsyncDisposable {
  readonly servers = [new Server(), new Server()] as const;
  readonly manager = new SessionManager({ proxyId: 0, isolate: 0 });
  readonly cluster: Cluster;
  readonly shared: SharedServers;

  constructor(limits: Partial<ProxyConfig> = {}) {
    const names = ["one", "two"];
    const { clusters, proxy } = testConfig({
      clusters: [{
        name: "main",
        servers: this.servers.map(({ fake }, index) => ({
          name: names[index],
          address: `127.0.0.1:${fake.port}`,
        })),
      }],
    });
    this.cluster = new Cluster(clusters[0]!, {
      manager: this.manager,
      connectTimeout: 2_000,
      pools: { ...proxy, ...limits },
    });
    this.shared = this.cluster.share({ login: loginOf(), tenant: undefined });
  }

  async take(options: Partial<AcquireOptions> = {}, shared = this.shared): Promise<ServerSession> {
    const { signal } = new AbortController();
    const session = await shared.acquire(request(), { signal, ...options });
    session.acquire({ onServerBytes() {}, onServerLost() {} });
    return session;
  }

  nameOf({ backend }: ServerSession): string {
    return backend.config.name;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cluster.pools.close();
    for (const entry of [...this.manager.servers.values()]) entry.kill("the test is over");
    for (const { fake } of this.servers) await fake[Symbol.asyncDispose]();
  }
}

function request(holder: object = {}) {
  return { holder, login: loginOf(), distance: () => 0 };
}

Deno.test("Sessions come from the first server, and from another one where it is asked for", async () => {
  await LogRecords.take();
  await using bench = new Bench();
  const [, two] = bench.cluster.backends;
  const session = await bench.take();
  const other = await bench.take({ backend: two });
  assertEquals([session, other].map((one) => bench.nameOf(one)), ["one", "two"]);
  session.giveBack({});
  other.giveBack({});
  assertEquals(bench.shared.tryTake(request()), session);
  assertEquals(bench.shared.tryTake(request()), undefined);
  assertEquals(bench.shared.tryTake(request(), two), other);
});

Deno.test("A tenant has its own servers, and the same pools as others there", async () => {
  await LogRecords.take();
  await using bench = new Bench();
  const [one, two] = bench.cluster.backends;
  const tenants = bench.cluster.share({ login: loginOf({ schema: "shop" }), tenant: TENANT });
  assertEquals(tenants.backends, [two]);
  const session = await bench.take({}, tenants);
  assertEquals(bench.nameOf(session), "two");
  session.giveBack({});
  assertEquals(bench.shared.tryTake(request(), two), session);
  assertEquals(bench.shared.tryTake(request(), one), undefined);
  const nowhere = bench.cluster.share({ login: loginOf(), tenant: { ...TENANT, servers: ["x"] } });
  assertEquals(nowhere.tryTake(request()), undefined);
  await assertRejects(() => bench.take({}, nowhere), SluiceError);
});

Deno.test("A server that fails is followed by the next one, for all who wait", async () => {
  const log = await LogRecords.take();
  await using bench = new Bench({ poolMaxConnections: 3 });
  const busy = await Promise.all([bench.take(), bench.take(), bench.take()]);
  const waiting = Array.from({ length: 3 }, () => bench.take());
  assertEquals(bench.shared.pool(busy[0]!.backend).waiting.size, 3);
  bench.servers[0].leave();
  const sessions = await Promise.all(waiting);
  assertEquals(sessions.map((one) => bench.nameOf(one)), ["two", "two", "two"]);
  assert(log.of("server failed").length >= 1);
  assertEquals(bench.shared.preferred, bench.cluster.backends[1]);
  for (const session of sessions) session.giveBack({});
  assertEquals(bench.shared.tryTake(request()), sessions[2]);
});

Deno.test("While no server is there they are tried again, until one is", async () => {
  await LogRecords.take();
  for (const first of [0, 1] as const) {
    await using bench = new Bench();
    for (const server of bench.servers) server.leave();
    const waiting = Array.from({ length: 5 }, () => bench.take());
    const abort = new AbortController();
    const killed = assertRejects(() => bench.take({ signal: abort.signal }), SluiceError);
    const { pools } = bench.cluster;
    await eventually(
      "both have failed",
      () =>
        [...pools.servers].every((server) =>
          [...server.pools].some(({ retry }) => retry.failure !== undefined)
        ),
    );
    abort.abort();
    await killed;
    bench.servers[first].isAway = false;
    const expected = ["one", "two"][first];
    for (const one of waiting) assertEquals(bench.nameOf(await one), expected);
  }
});

Deno.test("When the time is over, who waits is told how the last server fails", async () => {
  await LogRecords.take();
  await using bench = new Bench({ poolBlockingTimeout: 120 });
  for (const server of bench.servers) server.leave();
  const error = await assertRejects(() => bench.take(), SluiceError);
  assertEquals(error.kind, "server_unreachable");
  assert(bench.servers.every(({ fake }) => fake.connections > 0));
});

Deno.test("Who asks for one server only waits for that one", async () => {
  await LogRecords.take();
  await using bench = new Bench({ poolBlockingTimeout: 20 });
  bench.servers[0].leave();
  const [one] = bench.cluster.backends;
  const error = await assertRejects(() => bench.take({ backend: one }), SluiceError);
  assertEquals(error.kind, "server_unreachable");
  assertEquals(bench.servers[1].fake.connections, 0);
});

Deno.test("A server that is full for now is not left by those who use it", async () => {
  await LogRecords.take();
  let isFull = false;
  const first = new Server({
    onConnection: async (peer) => {
      if (isFull) return await peer.err(1040, "08004", "Too many connections");
      await peer.greet();
      await peer.logIn();
      await peer.serve((_, session) => session.ok());
    },
  });
  const { clusters, proxy } = testConfig({ servers: [first.fake.port, 1] });
  const manager = new SessionManager({ proxyId: 0, isolate: 0 });
  const cluster = new Cluster(clusters[0]!, { manager, connectTimeout: 2_000, pools: proxy });
  const shared = cluster.share({ login: loginOf(), tenant: undefined });
  const { signal } = new AbortController();
  const session = await shared.acquire(request(), { signal });
  isFull = true;
  const turn = shared.acquire(request(), { signal });
  const pool = shared.pool(cluster.backends[0]!);
  await eventually("it was tried", () => pool.retry.failure !== undefined);
  assertEquals(shared.preferred, cluster.backends[0]);
  session.giveBack({});
  assertEquals(await turn, session);
  cluster.pools.close();
  session.kill("the test is over");
  await first.fake[Symbol.asyncDispose]();
});

Deno.test("A refused login ends the waiting of whose login it was, on no other server", async () => {
  await LogRecords.take();
  await using bench = new Bench();
  const wrong = loginOf({ key: LoginKey.fromPassword("wrong") });
  const shared = bench.cluster.share({ login: wrong, tenant: undefined });
  const { signal } = new AbortController();
  const asked = { holder: {}, login: wrong, distance: () => 0 };
  const error = await assertRejects(() => shared.acquire(asked, { signal }), SluiceError);
  assertEquals(error.code, 1045);
  assertEquals(bench.servers[1].fake.connections, 0);
});

Deno.test("A pool that was forgotten is found again by who has used it", async () => {
  await LogRecords.take();
  await using bench = new Bench();
  const [one] = bench.cluster.backends;
  const pool = bench.shared.pool(one!);
  bench.cluster.pools.sweep(Date.now());
  assertEquals(pool.isDropped, true);
  const session = await bench.take();
  assertEquals([pool.size, bench.shared.pool(one!).size], [0, 1]);
  session.giveBack({});
  assertStrictEquals(bench.shared.tryTake(request()), session);
  assertEquals(bench.cluster.pools.named("app#main").length, 1);
});

Deno.test("Sessions of a pool are found by its name, all or one", async () => {
  await LogRecords.take();
  await using bench = new Bench();
  const [, two] = bench.cluster.backends;
  const sessions = [await bench.take(), await bench.take(), await bench.take({ backend: two })];
  sessions[1]!.giveBack({});
  const { pools } = bench.cluster;
  assertEquals(pools.named("app#main").map(({ size }) => size), [2, 1]);
  assertEquals(pools.sessions("app#other"), []);
  assertEquals(pools.sessions("app#main", sessions[2]!.id + 1), []);
  assertEquals(pools.sessions("app#main", sessions[1]!.id), [sessions[1]!]);
  assertEquals(pools.sessions("app#main"), sessions);
  sessions[1]!.kill("KILL");
  assertEquals(pools.sessions("app#main"), [sessions[0]!, sessions[2]!]);
});
