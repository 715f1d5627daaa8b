import { assert, assertEquals, assertRejects } from "@std/assert";
import { Proxy } from "../src/proxy.ts";
import { FakeClient } from "./fake/client.ts";
import { FakeServer } from "./fake/server.ts";
import { eventually } from "./support/eventually.ts";
import { LogRecords } from "./support/log_records.ts";
import { APP, testConfig, TestProxy } from "./support/test_proxy.ts";

Deno.test("The proxy listens on every address, and says where", async () => {
  await using server = new FakeServer();
  await using proxy = await TestProxy.start({
    servers: [server.port],
    proxy: { listen: ["127.0.0.1:0", "127.0.0.1:0"] },
  });
  const { addresses } = proxy.proxy;
  assertEquals(addresses.length, 2);
  for (const { port } of addresses) {
    using client = await FakeClient.logIn({ port, ...APP });
    await client.ping();
  }
  const { level, fields } = await proxy.log.first("started");
  assertEquals(level, "info");
  assertEquals(fields.listen, addresses.map(({ port }) => `127.0.0.1:${port}`).join(","));
});

Deno.test("An address that is taken is named, and the others are given back", async () => {
  await LogRecords.take();
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const free = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  free.close();
  const addresses = [free, taken].map(({ addr }) => `127.0.0.1:${addr.port}`);
  const config = testConfig({ servers: [9], proxy: { listen: addresses } });
  const error = await assertRejects(() => Proxy.start(config), Error);
  assert(error.message.startsWith(`Cannot listen on ${addresses[1]}: `), error.message);
  assert(error.cause instanceof Deno.errors.AddrInUse);
  Deno.listen({ hostname: "127.0.0.1", port: free.addr.port }).close();
});

Deno.test("Sessions have ids of their own, made of the proxy's and of their address", async () => {
  await using server = new FakeServer();
  await using proxy = await TestProxy.start({
    servers: [server.port],
    proxy: { proxy_id: 8191 },
  });
  using first = await FakeClient.logIn(proxy.app);
  using second = await FakeClient.logIn(proxy.app);
  const infos = await proxy.proxy.manager.clients.snapshot();
  assertEquals(infos.map(({ id }) => id), [(8191 << 18) + 1, (8191 << 18) + 2]);
  assertEquals(infos.map(({ id }) => id), [first, second].map((one) => one.greeting!.threadId));
  // IPv4 address, port, arrival.
  const base = (0x7f000001n << 32n) | (BigInt(proxy.port) << 16n);
  assertEquals(infos.map(({ proxySessionId }) => proxySessionId), [base, base + 1n]);
  assert(infos.every(({ peer }) => /^127\.0\.0\.1:\d+$/.test(peer)));
});

/** The part of a client session's entry that these tests do not use. */
const NO_STATEMENT = {
  owner: () => ({}) as never,
  statementText: () => undefined,
  killQuery: () => Promise.resolve(),
  killServer: () => false,
};

Deno.test("The sweep runs once a second and reaches every session", async () => {
  await using server = new FakeServer();
  await using proxy = await TestProxy.start({ servers: [server.port] });
  const swept = new Set<string>();
  const entry = (id: number, name: string) => ({
    id,
    info: () => ({}) as never,
    ...NO_STATEMENT,
    kill() {},
    sweep: (now: number) => {
      assert(Math.abs(Date.now() - now) < 60_000);
      swept.add(name);
    },
  });
  const { clients, servers } = proxy.proxy.manager;
  clients.add(entry(-1, "client"));
  servers.add(entry(-1, "server"));
  await eventually("both were swept", () => swept.size === 2);
  clients.remove(-1);
  servers.remove(-1);
});

Deno.test("Without any server clients are greeted and told what is wrong", async () => {
  const closed = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  closed.close();
  await using proxy = await TestProxy.start({ servers: [closed.addr.port] });
  using client = await FakeClient.connect(proxy.port);
  const last = await client.logIn(APP);
  assertEquals(last[0], 0xff);
  const text = new TextDecoder().decode(last.subarray(9));
  assert(text.includes(`Can't connect to server 127.0.0.1:${closed.addr.port}`), text);
  await client.ended();
});

Deno.test("When all session ids are in use a client is turned away", async () => {
  await using server = new FakeServer();
  await using proxy = await TestProxy.start({ servers: [server.port] });
  const { clients } = proxy.proxy.manager;
  for (let id = 1; id < 1 << 15; id++) {
    clients.add({ id, info: () => ({}) as never, ...NO_STATEMENT, kill() {}, sweep() {} });
  }
  using client = await FakeClient.connect(proxy.port);
  assertEquals(await client.ended(), 0);
  await proxy.log.first("cannot accept a client");
  for (let id = 1; id < 1 << 15; id++) clients.remove(id);
  using next = await FakeClient.logIn(proxy.app);
  await next.ping();
});
