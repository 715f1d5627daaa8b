/** Sessions that are ended from inside, and what is seen of them before. */
import { assertEquals } from "@std/assert";
import { Status } from "../../src/protocol/constants.ts";
import { decodeErr } from "../../src/protocol/response.ts";
import { FakeClient } from "../fake/client.ts";
import { FakeServer } from "../fake/server.ts";
import { eventually } from "../support/eventually.ts";
import { serve } from "../support/served_client.ts";
import { TestProxy } from "../support/test_proxy.ts";

Deno.test("An idle session that is killed is closed without a word", async () => {
  await serve((_, peer) => peer.ok(), async (client, proxy, server) => {
    await client.ping();
    const id = client.greeting!.threadId;
    proxy.proxy.manager.clients.find(id)!.kill("Killed by a test");
    assertEquals(proxy.clients, 0);
    await client.ended();
    const line = await proxy.log.first("session ended", "killed");
    assertEquals(line.fields["error"], "Killed by a test");
    await eventually("the server's side is closed", () => server.open === 0);
  });
});

Deno.test("A session that is killed has its statement cancelled", async () => {
  await serve(
    (sql, peer) => sql === "SLEEP" ? peer.stall() : peer.ok(),
    async (client, proxy, server) => {
      await client.query("SLEEP");
      await eventually("the statement runs", () => server.queries.includes("SLEEP"));
      proxy.proxy.manager.clients.find(client.greeting!.threadId)!.kill("Killed by a test");
      assertEquals(proxy.clients, 0);
      await client.ended();
      await eventually("it is killed", () => server.queries.at(-1)?.startsWith("KILL "));
    },
  );
});

Deno.test("A session that is killed while it is written to ends at once", async () => {
  await serve(async (sql, peer) => {
    if (sql !== "FLOOD") return await peer.ok();
    await peer.send(...peer.rowPackets(new Array(2000).fill("x".repeat(20_000))));
  }, async (client, proxy, server) => {
    await client.query("FLOOD");
    const entry = proxy.proxy.manager.clients.find(client.greeting!.threadId)!;
    let before = 0;
    await eventually("the reply is stuck", () => {
      const { bytesOut } = entry.info();
      const isStuck = bytesOut > 200_000 && bytesOut === before;
      before = bytesOut;
      return isStuck;
    }, { every: 50 });
    entry.kill("Killed by a test");
    assertEquals(proxy.clients, 0);
    await client.ended();
    await eventually("it is killed", () => server.queries.at(-1)?.startsWith("KILL "));
  });
});

Deno.test("A session that is killed while it logs in ends at once", async () => {
  await using server = new FakeServer();
  await using proxy = await TestProxy.start({ servers: [server.port] });
  using client = await FakeClient.connect(proxy.port);
  const { threadId } = await client.greet();
  proxy.proxy.manager.clients.find(threadId)!.kill("Killed by a test");
  assertEquals(proxy.clients, 0);
  await client.ended();
});

Deno.test("A server session that is killed takes its client along", async () => {
  await serve((_, peer) => peer.ok(), async (client, proxy, server) => {
    await client.ping();
    const [info] = await proxy.proxy.manager.servers.snapshot();
    assertEquals([info!.phase, info!.user], ["in_use", "app"]);
    proxy.proxy.manager.servers.find(info!.id)!.kill("Killed by a test");
    await client.ended();
    await proxy.log.first("session ended", "server_lost");
    await eventually("the server's side is closed", () => server.open === 0);
  });
});

Deno.test("A server session that is killed while it opens ends what waits for it", async () => {
  await using server = new FakeServer({
    onConnection: async (peer) => {
      await peer.greet();
      await peer.stall();
    },
  });
  await using proxy = await TestProxy.start({ servers: [server.port] });
  using client = await FakeClient.connect(proxy.port);
  const login = client.logIn(proxy.app);
  const [entry] = await eventually("a session opens", () => {
    const entries = [...proxy.proxy.manager.servers.values()];
    return entries.length > 0 && entries;
  });
  assertEquals(entry!.info().phase, "connecting");
  entry!.kill("Killed by a test");
  const error = decodeErr(await login);
  assertEquals([error.code, error.message], [1317, "Killed by a test"]);
});

Deno.test("A server session that is killed the moment it is open is not used", async () => {
  await serve((_, peer) => peer.ok(), async (client, proxy) => {
    const { clients, servers } = proxy.proxy.manager;
    const id = client.greeting!.threadId;
    // Gone with the next statement, which needs another one.
    assertEquals(clients.find(id)!.killServer(clients.find(id)!.info().serverSessionIds[0]!), true);
    const add = servers.add.bind(servers);
    servers.add = (entry) => {
      add(entry);
      if (entry.info().phase === "idle") {
        assertEquals(clients.find(id)!.killServer(entry.id), true);
      }
    };
    await client.query("SELECT 1");
    const error = await client.expectErr();
    assertEquals([error.code, /server session \d+ was killed/.test(error.message)], [1317, true]);
    servers.add = add;
    await client.query("SELECT 1");
    assertEquals((await client.expect())[0], 0x00);
  });
});

Deno.test("The phases of a session can be seen", async () => {
  await serve(async (sql, peer) => {
    if (sql === "SLEEP") await peer.stall();
    await peer.ok(sql === "BEGIN" ? Status.IN_TRANS : Status.AUTOCOMMIT);
  }, async (client, proxy, server) => {
    const info = () => proxy.proxy.manager.clients.find(client.greeting!.threadId)!.info();
    await eventually("it is idle", () => info().phase === "idle");
    assertEquals([info().user, info().cluster, info().serverSessionIds.length], ["app", "main", 1]);
    await client.query("BEGIN");
    await client.expect();
    await eventually("the statement is counted", () => info().statements === 1);
    await client.query("SLEEP");
    await eventually("the statement runs", () => server.queries.includes("SLEEP"));
    assertEquals([info().phase, info().command, info().statements], ["executing", "COM_QUERY", 1]);
    using second = await FakeClient.connect(proxy.port);
    const { threadId } = await second.greet();
    assertEquals(proxy.proxy.manager.clients.find(threadId)!.info().phase, "login");
  });
});
