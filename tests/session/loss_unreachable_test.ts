/** Servers that a statement cannot reach: another one serves, or the client is told which is missing. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { OUTCOMES } from "../../src/session/loss.ts";
import { FakeClient } from "../fake/client.ts";
import { answer, ok, READ, read, rows, WRITE } from "../support/loss_stage.ts";
import { Switch } from "../support/switch.ts";
import { TestProxy } from "../support/test_proxy.ts";
import { trackingServer } from "../support/tracking_server.ts";

Deno.test("server unreachable: next server", async () => {
  assertEquals(OUTCOMES.transaction["server unreachable"].unsent, "next server");
  for (const sharing of ["transaction", "session"] as const) {
    await using second = trackingServer(answer);
    const first = trackingServer(answer);
    await using proxy = await TestProxy.start({
      servers: [first.port, second.port],
      sharing,
      proxy: { connect_timeout: "300ms" },
    });
    using prover = await FakeClient.logIn(proxy.app);
    await read(prover);
    using client = await FakeClient.logIn(proxy.app);
    await first[Symbol.asyncDispose]();
    await ok(client, WRITE);
    assertEquals(second.queries.filter((sql) => sql === WRITE).length, 1);
  }
});

Deno.test("server unreachable: where no other one serves, the error names it", async () => {
  for (const sharing of ["transaction", "session"] as const) {
    const server = trackingServer(answer);
    await using proxy = await TestProxy.start({
      servers: [server.port],
      sharing,
      proxy: { session_pool_default_blocking_timeout: "200ms" },
    });
    using prover = await FakeClient.logIn(proxy.app);
    await read(prover);
    using client = await FakeClient.logIn(proxy.app);
    await server[Symbol.asyncDispose]();
    for (const sql of [READ, WRITE]) {
      await client.query(sql);
      const { code, message } = await client.expectErr();
      assertEquals(code, 1429);
      assertStringIncludes(message, `127.0.0.1:${server.port}`);
    }
    await client.query("SHOW PROXYSESSION");
    assert(await rows(client) > 0);
  }
});

Deno.test("A read waits for its server to come back, where there is no other", async () => {
  await using server = trackingServer(answer);
  await using door = new Switch(server.port);
  await using proxy = await TestProxy.start({
    servers: [door.port],
    sharing: "transaction",
    proxy: { session_pool_default_blocking_timeout: "20s" },
  });
  using client = await FakeClient.logIn(proxy.app);
  await ok(client, "BEGIN");
  await ok(client, "COMMIT");
  door.target = undefined;
  server.drop();
  await client.query(READ);
  await proxy.log.first("server failed");
  door.target = server.port;
  assertEquals(await rows(client), 1);
});
