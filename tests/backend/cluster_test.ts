import { assert, assertEquals, assertRejects } from "@std/assert";
import { Cluster, type ServerRequest } from "../../src/backend/cluster.ts";
import { SluiceError } from "../../src/errors.ts";
import { SessionManager } from "../../src/session_manager.ts";
import { FakeServer, type FakeServerOptions } from "../fake/server.ts";
import { eventually } from "../support/eventually.ts";
import { LogRecords } from "../support/log_records.ts";
import { loginOf } from "../support/login_of.ts";
import { testConfig } from "../support/test_proxy.ts";

class Bench implements AsyncDisposable {
  readonly servers: FakeServer[];
  readonly manager = new SessionManager({ proxyId: 0, isolate: 0 });
  readonly cluster: Cluster;

  constructor(...servers: readonly FakeServerOptions[]) {
    this.servers = servers.map((options) => new FakeServer(options));
    const { clusters, proxy } = testConfig({ servers: this.servers.map(({ port }) => port) });
    this.cluster = new Cluster(clusters[0]!, {
      manager: this.manager,
      connectTimeout: 300,
      pools: proxy,
    });
  }

  /** Servers by number that were asked for a login, in order. */
  logins(): number[] {
    return this.servers.map(({ logins }) => logins.length);
  }

  async acquire(change: Partial<ServerRequest["login"]> = {}, signal?: AbortSignal) {
    const request = {
      ...requestOf(change),
      signal: signal ?? new AbortController().signal,
    };
    const session = await this.cluster.acquire(request);
    session.acquire({ onServerBytes() {}, onServerLost() {} });
    return session;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const entry of [...this.manager.servers.values()]) entry.kill("the test is over");
    for (const server of this.servers) await server[Symbol.asyncDispose]();
  }
}

function requestOf(change: Partial<ServerRequest["login"]> = {}): Omit<ServerRequest, "signal"> {
  return { tenant: undefined, login: loginOf(change) };
}

const FULL: FakeServerOptions = { onConnection: (peer) => peer.err(1040, "08004", "Too many") };

Deno.test("The servers' greeting is asked for once", async () => {
  await LogRecords.take();
  await using bench = new Bench({ serverVersion: "8.1.2-a" });
  const [first, second] = await Promise.all([bench.cluster.profile(), bench.cluster.profile()]);
  assertEquals(first, second);
  assertEquals(first.serverVersion, "8.1.2-a");
  assertEquals(bench.servers[0]!.connections, 1);
  assert(!(bench.cluster.profile() instanceof Promise));
});

Deno.test("The greeting comes from the next server where one fails", async () => {
  const log = await LogRecords.take();
  await using bench = new Bench(FULL, { serverVersion: "8.1.2-b" });
  assertEquals((await bench.cluster.profile()).serverVersion, "8.1.2-b");
  assertEquals(log.of("server failed").length, 1);
});

Deno.test("Without any server there is a profile all the same, and it is asked for again", async () => {
  await LogRecords.take();
  await using bench = new Bench(FULL);
  const profile = await bench.cluster.profile();
  assert(profile.serverVersion !== "" && profile.capabilities.base !== 0);
  await bench.cluster.profile();
  assertEquals(bench.servers[0]!.connections, 2);
});

Deno.test("A server that goes on failing has a line now and then, and one when it is back", async () => {
  const log = await LogRecords.take();
  let isFull = true;
  await using bench = new Bench({
    onConnection: async (peer) => {
      if (isFull) return await peer.err(1040, "08004", "Too many");
      await peer.greet();
      await peer.logIn();
      await peer.stall();
    },
  });
  const [backend] = bench.cluster.backends;
  const told = () => log.of("server failed").map(({ fields }) => fields.failures);
  for (let count = 0; count < 4; count++) {
    await bench.cluster.profile();
    await assertRejects(() => bench.acquire(), SluiceError);
  }
  assertEquals(told(), [1]);
  bench.cluster.pools.sweep(Date.now() + 10_000);
  assertEquals(told(), [1, 7]);
  bench.cluster.pools.sweep(Date.now() + 30_000);
  assertEquals(told(), [1, 7]);
  assertEquals(log.of("server is back").length, 0);
  isFull = false;
  for (let count = 0; count < 2; count++) await bench.acquire();
  const [line, more] = log.of("server is back");
  assertEquals([line?.level, line?.fields.server, more], ["info", backend!.label, undefined]);
});

Deno.test("Servers are taken in their order, and those that failed last", async () => {
  await LogRecords.take();
  await using bench = new Bench(FULL, {}, {});
  const first = await bench.acquire();
  assertEquals(first.backend, bench.cluster.backends[1]);
  await bench.acquire();
  assertEquals(bench.logins(), [0, 2, 0]);
  assertEquals(bench.servers[0]!.connections, 1);
  assert(bench.cluster.backends[0]!.isSuspect(Date.now()));
  assert(!bench.cluster.backends[0]!.isSuspect(Date.now() + 5_000));
});

Deno.test("If all have failed they are used nevertheless", async () => {
  await LogRecords.take();
  let isFull = true;
  await using bench = new Bench({
    onConnection: async (peer) => {
      if (isFull) return await peer.err(1040, "08004", "Too many");
      await peer.greet();
      await peer.logIn();
      await peer.stall();
    },
  });
  const error = await assertRejects(() => bench.acquire(), SluiceError);
  assertEquals([error.code, error.sqlState], [1040, "08004"]);
  isFull = false;
  await bench.acquire();
  assert(!bench.cluster.backends[0]!.isSuspect(Date.now()));
});

Deno.test("A login that a server has taken is proven", async () => {
  await LogRecords.take();
  await using bench = new Bench({});
  assertEquals(bench.cluster.isProven(requestOf()), false);
  await bench.acquire();
  assertEquals(bench.cluster.isProven(requestOf()), true);
  assertEquals(bench.cluster.isProven(requestOf({ schema: "shop" })), false);
});

Deno.test("A login that a server refuses is no longer proven", async () => {
  await LogRecords.take();
  let password = "secret";
  await using bench = new Bench({
    onConnection: async (peer) => {
      await peer.greet();
      await peer.logIn({ password });
      await peer.stall();
    },
  });
  await bench.acquire();
  password = "another";
  const error = await assertRejects(() => bench.acquire(), SluiceError);
  assertEquals(error.code, 1045);
  assertEquals(bench.cluster.isProven(requestOf()), false);
  // It was nobody's fault but the account's.
  assert(!bench.cluster.backends[0]!.isSuspect(Date.now()));
});

Deno.test("What a client of shared sessions is refused counts for its login and its schema", async () => {
  await using bench = new Bench({});
  const { cluster } = bench;
  const logins = [requestOf(), requestOf({ schema: "shop" }), requestOf({ schema: "store" })];
  for (const login of logins) cluster.rememberProof(login);
  const shared = cluster.share(requestOf({ schema: "shop" }));
  assertEquals(["shop", "store", "", "other"].map((schema) => shared.isInOrder(schema)), [
    ...[true, true, true, false],
  ]);
  shared.onFailure(new SluiceError("unknown_database", "no"), "store");
  assertEquals(logins.map((login) => cluster.isProven(login)), [true, false, false]);
  assertEquals(shared.isInOrder("store"), false);
});

Deno.test("Who gives up while a server is tried has no further ones tried", async () => {
  await LogRecords.take();
  await using bench = new Bench({ onConnection: (peer) => peer.stall() }, {});
  const abort = new AbortController();
  const acquiring = bench.acquire({}, abort.signal);
  await eventually("the first one is tried", () => bench.servers[0]!.open === 1);
  abort.abort(new Error("nobody waits"));
  await assertRejects(() => acquiring, SluiceError);
  assertEquals(bench.servers[1]!.connections, 0);
  // And the server is not to blame.
  assert(!bench.cluster.backends[0]!.isSuspect(Date.now()));
});

Deno.test("Errors about the schema read as on a direct connection, others name the server", async () => {
  await LogRecords.take();
  for (
    const [code, isNamed] of [[1049, false], [1044, false], [1045, true], [1130, true]] as const
  ) {
    await using bench = new Bench({
      onConnection: async (peer) => {
        await peer.greet();
        await peer.read();
        await peer.err(code, "42000", "the server's words");
      },
    });
    const error = await assertRejects(() => bench.acquire(), SluiceError);
    const { label } = bench.cluster.backends[0]!;
    const expected = isNamed ? `Server ${label}: the server's words` : "the server's words";
    assertEquals([error.code, error.message], [code, expected]);
  }
});
