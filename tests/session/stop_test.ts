/** The graceful stop, against fake servers. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { Head, Status } from "../../src/protocol/constants.ts";
import { FakeClient } from "../fake/client.ts";
import { type FakePeer, FakeServer } from "../fake/server.ts";
import { eventually } from "../support/eventually.ts";
import { TestProxy } from "../support/test_proxy.ts";

/** A server on which "WAIT" answers when the test wants it to. */
class Gate {
  readonly server: FakeServer;
  readonly #opened = Promise.withResolvers<void>();

  constructor() {
    this.server = new FakeServer({ onSession: (peer) => peer.serve(this.#answer) });
  }

  open(): void {
    this.#opened.resolve();
  }

  async waits(count = 1): Promise<void> {
    await eventually(
      "the statements run",
      () => this.server.queries.filter((sql) => sql === "WAIT").length === count,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.open();
    await this.server[Symbol.asyncDispose]();
  }

  readonly #answer = async (sql: string, peer: FakePeer): Promise<void> => {
    if (sql === "BEGIN") return await peer.ok(Status.AUTOCOMMIT | Status.IN_TRANS);
    if (sql === "SLEEP") return await peer.stall();
    if (sql === "WAIT") await this.#opened.promise;
    await peer.ok();
  };
}

async function start(gate: Gate, grace: string): Promise<TestProxy> {
  return await TestProxy.start({
    servers: [gate.server.port],
    proxy: { shutdown_grace: grace },
  });
}

Deno.test("A stop closes idle clients at once and takes no new ones", async () => {
  await using gate = new Gate();
  await using proxy = await start(gate, "1h");
  using idle = await FakeClient.logIn(proxy.app);
  using used = await FakeClient.logIn(proxy.app);
  await used.ping();
  using greeted = await FakeClient.connect(proxy.port);
  await greeted.greet();
  await proxy.proxy.stop();
  for (const client of [idle, used, greeted]) assertEquals(await client.ended(), 0);
  assertEquals([proxy.clients, proxy.servers], [0, 0]);
  await assertRejects(() => FakeClient.connect(proxy.port), Deno.errors.ConnectionRefused);
  assertEquals(proxy.log.of("session ended", "shutdown").length, 3);
  assertEquals(proxy.log.of("stopping").length, 1);
  assertEquals(proxy.log.lines.at(-1)?.message, "stopped");
});

Deno.test("A stop lets a running statement finish, and then closes its client", async () => {
  await using gate = new Gate();
  await using proxy = await start(gate, "1h");
  using client = await FakeClient.logIn(proxy.app);
  await client.query("WAIT");
  await gate.waits();
  const stopping = proxy.proxy.stop();
  assertEquals(proxy.clients, 1);
  gate.open();
  assertEquals((await client.expect())[0], Head.OK);
  assertEquals(await client.ended(), 0);
  await stopping;
  assertEquals([proxy.clients, proxy.servers], [0, 0]);
});

Deno.test("A stop lets a transaction be committed, and then closes its client", async () => {
  await using gate = new Gate();
  await using proxy = await start(gate, "1h");
  using client = await FakeClient.logIn(proxy.app);
  await client.query("BEGIN");
  await client.expect();
  const stopping = proxy.proxy.stop();
  await client.query("INSERT");
  assertEquals((await client.expect())[0], Head.OK);
  assertEquals(await client.ended(), 0);
  await stopping;
  assertEquals(gate.server.queries, ["BEGIN", "INSERT"]);
});

Deno.test("After the grace period what still runs is told 1053 and cancelled", async () => {
  await using gate = new Gate();
  await using proxy = await start(gate, "100ms");
  using running = await FakeClient.logIn(proxy.app);
  await running.query("SLEEP");
  await eventually("it runs", () => gate.server.queries.includes("SLEEP"));
  using open = await FakeClient.logIn(proxy.app);
  await open.query("BEGIN");
  await open.expect();
  const [busy] = (await proxy.proxy.manager.servers.snapshot())
    .filter(({ threadId }) => threadId === 2);
  const stopping = proxy.proxy.stop();
  for (const client of [running, open]) {
    const error = await client.expectErr();
    assertEquals([error.code, error.sqlState], [1053, "08S01"]);
    await client.ended();
  }
  await stopping;
  assertEquals([proxy.clients, proxy.servers], [0, 0]);
  assert(gate.server.queries.includes(`KILL ${busy!.threadId}`));
  assertEquals(proxy.log.of("session ended", "shutdown").length, 2);
});

Deno.test("A stop that is hurried is at the end of its grace period", async () => {
  await using gate = new Gate();
  await using proxy = await start(gate, "1h");
  using client = await FakeClient.logIn(proxy.app);
  await client.query("SLEEP");
  await eventually("it runs", () => gate.server.queries.includes("SLEEP"));
  const [server] = await proxy.proxy.manager.servers.snapshot();
  const stopping = proxy.proxy.stop();
  proxy.proxy.hurry();
  assertEquals((await client.expectErr()).code, 1053);
  await client.ended();
  await stopping;
  assert(gate.server.queries.includes(`KILL ${server!.threadId}`));
  assertEquals(proxy.log.of("session ended", "shutdown").length, 1);
});

Deno.test("Without a grace period a stop tells 1053 at once", async () => {
  await using gate = new Gate();
  await using proxy = await start(gate, "0s");
  using client = await FakeClient.logIn(proxy.app);
  await client.query("SLEEP");
  await eventually("it runs", () => gate.server.queries.includes("SLEEP"));
  const stopping = proxy.proxy.stop();
  assertEquals((await client.expectErr()).code, 1053);
  await stopping;
});

Deno.test("A stop ends clients that read nothing and those that wait for a server", async () => {
  await using flood = new FakeServer({
    onSession: (peer) =>
      peer.serve(async (sql, session) => {
        if (sql !== "FLOOD") return session.ok();
        await session.send(...session.rowPackets(new Array(2000).fill("x".repeat(20_000))));
      }),
  });
  await using mute = new FakeServer({ onConnection: (peer) => peer.stall() });
  await using proxy = await TestProxy.start({
    proxy: { shutdown_grace: "100ms", default_cluster: "flood" },
    clusters: [
      { name: "flood", servers: [`127.0.0.1:${flood.port}`] },
      { name: "mute", servers: [`127.0.0.1:${mute.port}`] },
    ],
  });
  using slow = await FakeClient.logIn(proxy.app);
  await slow.query("FLOOD");
  using waiting = await FakeClient.connect(proxy.port);
  const login = waiting.logIn({ user: "app#mute", password: "secret" });
  const refused = assertRejects(() => login);
  await eventually("a server is being connected to", () => mute.open === 1);
  await proxy.proxy.stop();
  await refused;
  await slow.ended();
  assertEquals([proxy.clients, proxy.servers], [0, 0]);
});

Deno.test("Stopping twice is stopping once", async () => {
  await using gate = new Gate();
  await using proxy = await start(gate, "1h");
  using client = await FakeClient.logIn(proxy.app);
  await client.query("WAIT");
  await gate.waits();
  const both = Promise.all([proxy.proxy.stop(), proxy.proxy.stop()]);
  gate.open();
  await client.expect();
  await both;
  assertEquals(proxy.log.of("stopped").length, 1);
});
