/** Server sessions that are lost at exact moments, and what of a statement the server has seen. */
import { assert, assertEquals } from "@std/assert";
import { encodeErr } from "../../src/protocol/response.ts";
import { OUTCOMES } from "../../src/session/loss.ts";
import { FakeClient, queryBytes } from "../fake/client.ts";
import type { FakeServer } from "../fake/server.ts";
import { eventually } from "../support/eventually.ts";
import {
  close,
  expectLoss,
  type Failing,
  farewell,
  IN_TRANSACTION,
  lost,
  NO_FAILURE,
  ok,
  READ,
  read,
  sessions,
  stage,
  WRITE,
} from "../support/loss_stage.ts";
import type { TestProxy } from "../support/test_proxy.ts";

/** The server session breaks when something is written to it, `after` so many times. */
function breakWrites(proxy: TestProxy, server: FakeServer, after = 0): void {
  const [session] = sessions(proxy);
  const write = session!.write.bind(session);
  let left = after;
  session!.write = (bytes) => {
    if (left-- > 0) return write(bytes);
    server.drop();
    return Promise.reject(new Deno.errors.BrokenPipe("Broken pipe"));
  };
}

Deno.test("A write that a broken connection does not take runs on another one", async () => {
  assertEquals(OUTCOMES.transaction["server session lost"].unsent, "run elsewhere");
  await stage("transaction", NO_FAILURE, async ({ client, proxy, server, ran }) => {
    await read(client);
    breakWrites(proxy, server);
    await ok(client, WRITE);
    assertEquals(ran.filter(([sql]) => sql === WRITE).length, 1);
    await read(client);
  });
});

Deno.test("With sessions of their own, clients end with a connection that does not take a write", async () => {
  assertEquals(OUTCOMES.session["server session lost"].unsent, "ends");
  await stage("session", NO_FAILURE, async ({ client, proxy, server, ran }) => {
    await read(client);
    breakWrites(proxy, server);
    await client.query(WRITE);
    await expectLoss(client, /./);
    await client.ended();
    assertEquals(ran.length, 1);
  });
});

Deno.test("Of a large statement that was sent in part, the client is told that it was not run", async () => {
  await stage("transaction", NO_FAILURE, async ({ client, proxy, server, ran }) => {
    await read(client);
    breakWrites(proxy, server, 2);
    await client.sendRaw(queryBytes(`INSERT INTO t VALUES ('${"x".repeat(1_000_000)}')`));
    await expectLoss(client, /; the statement was not run$/);
    await read(client);
    assertEquals(ran.length, 2);
  });
});

Deno.test("A read that is lost twice is not run a third time", async () => {
  const script = { target: READ, failing: close, times: 2 };
  await stage("transaction", script, async ({ client, ran }) => {
    await client.query(READ);
    await expectLoss(client, /; the statement was run twice$/);
    assertEquals(ran.length, 2);
    await read(client);
  });
});

Deno.test("Where all of a server's sessions end at once, a read finds a living one", async () => {
  const dropAll = Promise.withResolvers<() => void>();
  const failing = async () => (await dropAll.promise)();
  await stage("transaction", { target: READ, failing }, async ({ client, proxy, server }) => {
    dropAll.resolve(() => server.drop());
    const others: FakeClient[] = [];
    while (others.length < 5) others.push(await FakeClient.logIn(proxy.app));
    for (const other of others) await ok(other, "BEGIN");
    // Their transactions are lost, so that the pool has as many sessions as it had clients.
    for (const other of others) other.close();
    await eventually("the others have gone", () => proxy.clients === 1);
    await read(client);
    await read(client);
  });
});

/** Packets whose number says that the server has not read the command. */
function unasked(code: number, message: string): Failing {
  return async (peer) => {
    peer.sequence = 0;
    await farewell(code, message)(peer);
  };
}

Deno.test("What a server has not read before it said good-bye runs elsewhere", async () => {
  const failing = unasked(4031, "The client was disconnected by the server");
  await stage("transaction", { target: WRITE, failing }, async ({ client, ran }) => {
    await ok(client, WRITE);
    const [first, second] = ran;
    assertEquals([first![0], second![0]], [WRITE, WRITE]);
    assert(first![1] !== second![1]);
  });
});

Deno.test("A server's farewell while a transaction waits is the reason that the client reads", async () => {
  const message = "The client was disconnected by the server because of inactivity";
  const failing: Failing = async (peer) => {
    await peer.ok(IN_TRANSACTION);
    peer.sequence = 0;
    await peer.send(encodeErr({ code: 4031, sqlState: "HY000", message }));
    peer.close();
  };
  await stage("transaction", { target: "BEGIN", failing }, async ({ client, server }) => {
    await ok(client, "BEGIN");
    await lost(server);
    await client.query(WRITE);
    await expectLoss(client, new RegExp(`: ${message}; the transaction is gone$`));
    await read(client);
  });
});

Deno.test("A session that a server refuses to go on with costs one error, and no second run", async () => {
  const failing = farewell(1153, "Got a packet bigger than 'max_allowed_packet' bytes");
  await stage("transaction", { target: WRITE, failing }, async ({ client, ran }) => {
    await client.query(WRITE);
    assertEquals((await client.expectErr()).code, 1153);
    await read(client);
    assertEquals(ran.map(([sql]) => sql), [WRITE, READ]);
  });
});
