/** How a session goes on behind a loss: what was sent ahead, what is told and to whom, and what ends. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { frame } from "../../src/protocol/bytes.ts";
import { Command, Head } from "../../src/protocol/constants.ts";
import type { ClientSession } from "../../src/session/client_session.ts";
import type { FakePeer } from "../fake/server.ts";
import { eventually } from "../support/eventually.ts";
import {
  close,
  expectLoss,
  type Failing,
  lost,
  NO_FAILURE,
  ok,
  READ,
  read,
  rows,
  sessions,
  stage,
  WRITE,
} from "../support/loss_stage.ts";

Deno.test("What a client has sent ahead waits for the second run", async () => {
  await stage("transaction", { target: READ, failing: close }, async ({ client, ran }) => {
    const texts = [READ, WRITE, READ];
    for (const sql of texts) await client.query(sql);
    assertEquals(await rows(client), 1);
    assertEquals((await client.expect())[0], Head.OK);
    assertEquals(await rows(client), 1);
    assertEquals(ran.map(([sql]) => sql), [READ, ...texts]);
  });
});

Deno.test("What comes while a read runs, in any sizes, is kept apart from it", async () => {
  for (const size of [10, 300, 2_000, 40_000, 95_000]) {
    const text = `SELECT '${"x".repeat(size)}'`;
    const ahead = `SELECT '${"y".repeat(size)}'`;
    const begun = Promise.withResolvers<void>();
    const arrived = Promise.withResolvers<void>();
    const failing: Failing = async (peer) => {
      begun.resolve();
      await arrived.promise;
      peer.close();
    };
    await stage("transaction", { target: text, failing }, async ({ client, proxy, ran }) => {
      await client.query(text);
      await begun.promise;
      const [entry] = proxy.proxy.manager.clients.values();
      const before = entry!.info().bytesIn;
      await client.query(ahead);
      await eventually("it has been read, or some of it", () => entry!.info().bytesIn > before);
      arrived.resolve();
      assertEquals([await rows(client), await rows(client)], [1, 1]);
      assertEquals(ran.map(([sql]) => sql), [text, text, ahead]);
    });
  }
});

Deno.test("A part of a statement of the proxy runs elsewhere, and its reply goes on", async () => {
  const own = "SHOW PROXYSESSION";
  await stage("transaction", { target: /SELECT v/, failing: close }, async ({ client, ran }) => {
    await client.query(`${own}; ${READ}; ${own}`);
    assert(await rows(client) > 0);
    assertEquals(await rows(client), 1);
    assert(await rows(client) > 0);
    assertEquals(ran.length, 2);
    await read(client);
  });
});

Deno.test("What was lost is told to the next command that needs a server, and once", async () => {
  await stage("transaction", NO_FAILURE, async ({ client, server }) => {
    await ok(client, "BEGIN");
    server.drop();
    await lost(server);
    await client.query("SHOW PROXYSESSION");
    await rows(client);
    await client.sendRaw(frame(Uint8Array.of(Command.PING), 0));
    await expectLoss(client, /; the transaction is gone$/);
    await client.ping();
  });
});

Deno.test("What nobody knew of a session has gone with its server session", async () => {
  await stage("transaction", NO_FAILURE, async ({ client, proxy, server }) => {
    await ok(client, "SET @a = 1");
    await ok(client, "BINLOG 'x'");
    const [entry] = proxy.proxy.manager.clients.values();
    assertEquals(entry!.info().pins.map(({ reason }) => reason), ["unknown_state"]);
    server.drop();
    await lost(server);
    await client.query(READ);
    await expectLoss(client, /lost with the server session: unknown state$/);
    await read(client);
    await eventually("nothing binds it", () => entry!.info().pins.length === 0);
    assertEquals(entry!.info().serverSessionIds, []);
  });
});

Deno.test("A reset makes a loss nobody's business", async () => {
  await stage("transaction", NO_FAILURE, async ({ client, server }) => {
    await ok(client, "BEGIN");
    server.drop();
    await lost(server);
    await client.sendRaw(frame(Uint8Array.of(Command.RESET_CONNECTION), 0));
    assertEquals((await client.expect())[0], Head.OK);
    await read(client);
  });
});

Deno.test("A loss is in the log with what became of it", async () => {
  const script = { target: READ, failing: close };
  await stage("transaction", script, async ({ client, proxy, server }) => {
    await read(client);
    const { level, fields } = await proxy.log.first("server session lost");
    assertEquals([level, fields.server], ["warning", `127.0.0.1:${server.port}`]);
    assertEquals([fields.state, fields.outcome], ["read unanswered", "run elsewhere"]);
    assertStringIncludes(String(fields.cause), "closed the connection");
  });
});

Deno.test("An operator who ends a server session does not have its read run elsewhere", async () => {
  const script = { target: /SLEEP/, failing: (peer: FakePeer) => peer.stall() };
  await stage("transaction", script, async ({ client, proxy, server, ran }) => {
    await ok(client, "CREATE TEMPORARY TABLE mine (v INT)");
    for (const sql of ["SELECT SLEEP(10)", READ]) {
      const [session] = sessions(proxy);
      if (sql === READ) await ok(client, "BEGIN");
      else await client.query(sql);
      await eventually("it runs", () => sql === READ || server.queries.includes(sql));
      const [owner] = proxy.proxy.manager.clients.values();
      const [id] = owner!.info().serverSessionIds;
      assertEquals(owner!.killServer(id!), true);
      if (sql === READ) await client.query(READ);
      const { code, message } = await client.expectErr();
      assertEquals(code, 1317);
      const words = sql === READ ? "the transaction is gone" : "temporary table";
      assertStringIncludes(message, words);
      await read(client);
      assertEquals(session!.isOpen, false);
    }
    assertEquals(ran.filter(([sql]) => sql.includes("SLEEP")).length, 1);
  });
});

Deno.test("A proxy that stops does not wait for a transaction that is lost", async () => {
  await stage("transaction", NO_FAILURE, async ({ client, proxy, server }) => {
    await ok(client, "BEGIN");
    const [session] = proxy.proxy.manager.clients.values();
    (session as ClientSession).leave();
    await client.query(READ);
    await rows(client);
    server.drop();
    await client.ended();
    await proxy.log.first("session ended", "shutdown");
  });
});
