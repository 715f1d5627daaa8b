import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { Cluster } from "../../src/backend/cluster.ts";
import type { ServerSession } from "../../src/backend/server_session.ts";
import { LiveConfig } from "../../src/config/live_config.ts";
import { SluiceError } from "../../src/errors.ts";
import { Capability } from "../../src/protocol/constants.ts";
import type { AdminScope } from "../../src/admin/scope.ts";
import { FakeServer } from "../fake/server.ts";
import { eventually } from "../support/eventually.ts";
import { LogRecords } from "../support/log_records.ts";
import { loginOf } from "../support/login_of.ts";
import { testConfig } from "../support/test_proxy.ts";
import { caller, newManager, rowsOf, run, scopeOf } from "./tools.ts";

/** Two clusters: one of two servers, one of one. */
class Bench implements AsyncDisposable {
  readonly servers = [new FakeServer(), new FakeServer(), new FakeServer()] as const;
  readonly manager = newManager();
  readonly clusters: readonly Cluster[];
  readonly scope: AdminScope;
  readonly #abort = new AbortController();

  constructor() {
    const [a, b, c] = this.servers.map(({ port }) => `127.0.0.1:${port}`);
    const config = testConfig({
      clusters: [{ name: "main", servers: [a, b] }, { name: "other", servers: [c] }],
      proxy: { "session_pool_default_max_conn": 3, "session_pool_default_min_conn": 1 },
    });
    const options = { manager: this.manager, connectTimeout: 5_000, pools: config.proxy };
    this.clusters = config.clusters.map((cluster) => new Cluster(cluster, options));
    this.scope = scopeOf(this.manager, caller({ identity: "root_sys", user: "root" }), {
      clusters: this.clusters,
      config: new LiveConfig(config),
    });
  }

  async take(
    [cluster, server]: readonly [number, number],
    change: Parameters<typeof loginOf>[0] = {},
  ): Promise<ServerSession> {
    const { backends } = this.clusters[cluster]!;
    const login = loginOf(change);
    const shared = this.clusters[cluster]!.share({ login, tenant: undefined });
    const session = await shared.acquire(
      { holder: {}, login, distance: () => 0 },
      { signal: this.#abort.signal, backend: backends[server] },
    );
    session.acquire({ onServerBytes() {}, onServerLost() {} });
    return session;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    for (const { pools } of this.clusters) pools.close();
    for (const entry of [...this.manager.servers.values()]) entry.kill("the test is over");
    for (const server of this.servers) await server[Symbol.asyncDispose]();
  }
}

const CLASS = { base: Capability.DEPRECATE_EOF | Capability.FOUND_ROWS, extended: 0 };

Deno.test("SHOW GLOBALSESSION sums up the pools of each account", async () => {
  await LogRecords.take();
  await using bench = new Bench();
  assertEquals(await rowsOf("SHOW GLOBALSESSION", bench.scope), []);
  const first = await bench.take([0, 0]);
  await bench.take([0, 1]);
  await bench.take([0, 0], { capabilities: CLASS });
  await bench.take([0, 0], { capabilities: CLASS });
  await bench.take([0, 0], { capabilities: CLASS });
  await bench.take([1, 0], { user: "report" });
  const waiting = bench.take([0, 0], { capabilities: CLASS });
  first.giveBack({});
  const limits = {
    "max_client_count": 3,
    "min_client_count": 1,
    "idle_timeout": 1_800_000,
    "block_timeout": 10_000,
    "need_prefill": 0,
  };
  const rows = await rowsOf("SHOW GLOBALSESSION", bench.scope);
  // How long is seen below.
  assertEquals(rows.map((row) => ({ ...row, "longest_wait": 0 })), [
    {
      "dbkey_name": "app#main",
      ...limits,
      "live_client_count": 5,
      "idle_client_count": 1,
      "waiting_client_count": 1,
      "longest_wait": 0,
    },
    {
      "dbkey_name": "report#other",
      ...limits,
      "live_client_count": 1,
      "idle_client_count": 0,
      "waiting_client_count": 0,
      "longest_wait": 0,
    },
  ]);
  assertEquals(rows[1]!.longest_wait, 0);
  const some = await rowsOf("SHOW GLOBALSESSION LIKE 'rep%'", bench.scope);
  assertEquals(some.map((row) => row.dbkey_name), ["report#other"]);
  await eventually("the wait grows", async () => {
    const [row] = await rowsOf("SHOW GLOBALSESSION LIKE 'app%'", bench.scope);
    return Number(row!.longest_wait) > 0;
  });
  const refused = assertRejects(() => waiting, SluiceError);
  bench.clusters[0]!.pools.close();
  assertEquals((await refused).kind, "shutdown");
});

Deno.test("SHOW GLOBALSESSION ATTRIBUTE lists the server sessions of pools", async () => {
  await LogRecords.take();
  await using bench = new Bench();
  const taken = await bench.take([0, 0]);
  const free = await bench.take([0, 0]);
  const there = await bench.take([0, 1]);
  const elsewhere = await bench.take([1, 0]);
  free.giveBack({});
  const rows = await rowsOf("SHOW GLOBALSESSION ATTRIBUTE 'app#main'", bench.scope);
  assertEquals(
    rows.map(({ create_time, last_release_time, ...row }) => {
      assertMatch(String(create_time), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
      return { ...row, released: last_release_time !== null };
    }),
    [
      { session: taken, state: "MSS_ACTIVE", total: 2, free: 1 },
      { session: free, state: "MSS_KA_SHARED", total: 2, free: 1 },
      { session: there, state: "MSS_ACTIVE", total: 1, free: 0 },
    ].map(({ session, state, ...counts }) => ({
      "dbkey_name": "app#main",
      "server_ip": session.backend.address,
      "local_ip": session.info().localAddress,
      "auth_user": "app",
      "total_count": counts.total,
      "free_count": counts.free,
      "session_state": state,
      "session_id": session.id,
      released: state === "MSS_KA_SHARED",
    })),
  );
  const ids = async (sql: string) => (await rowsOf(sql, bench.scope)).map((row) => row.session_id);
  const all = [taken, free, there, elsewhere].map(({ id }) => id);
  assertEquals(await ids("SHOW GLOBALSESSION ATTRIBUTE ALL"), all);
  assertEquals(await ids("SHOW GLOBALSESSION ATTRIBUTE LIKE '%#other'"), [elsewhere.id]);
  assertEquals(await ids("SHOW GLOBALSESSION ATTRIBUTE LIKE 'x'"), []);
  const error = await assertRejects(
    () => run("SHOW GLOBALSESSION ATTRIBUTE app", bench.scope),
    SluiceError,
  );
  assertEquals([error.code, error.sqlState], [1210, "HY000"]);
});

Deno.test("KILL GLOBALSESSION ends the sessions of a pool, in use or not", async () => {
  await LogRecords.take();
  await using bench = new Bench();
  const [first, second, third] = [
    await bench.take([0, 0]),
    await bench.take([0, 1]),
    await bench.take([1, 0]),
  ];
  second.giveBack({});
  const cases = [
    ["KILL GLOBALSESSION app", "dbkey:app not exists"],
    ["KILL GLOBALSESSION 'app#nowhere' 1", "dbkey:app#nowhere not exists"],
    [`KILL GLOBALSESSION 'app#main' ${third.id}`, `ssid:${third.id} not exists`],
  ] as const;
  for (const [sql, message] of cases) {
    const error = await assertRejects(() => run(sql, bench.scope), SluiceError);
    assertEquals([error.code, error.sqlState, error.message], [8101, "HY000", message]);
  }
  const one = await run("KILL GLOBALSESSION ? ?", bench.scope, ["app#main", first.id]);
  assertEquals(one, { kind: "ok", affectedRows: 1 });
  assertEquals([first, second, third].map(({ isOpen }) => isOpen), [false, true, true]);
  assertEquals(await run("KILL GLOBALSESSION 'app#main'", bench.scope), {
    kind: "ok",
    affectedRows: 1,
  });
  assertEquals([second, third].map(({ isOpen }) => isOpen), [false, true]);
  assertEquals(bench.clusters[0]!.pools.named("app#main").map(({ size }) => size), [0, 0]);
});
