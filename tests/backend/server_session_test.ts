import { assert, assertEquals, assertRejects } from "@std/assert";
import { SluiceError } from "../../src/errors.ts";
import { NATIVE } from "../../src/protocol/auth.ts";
import { encodeText, frame } from "../../src/protocol/bytes.ts";
import { Capability, Command, SessionTrack, Status } from "../../src/protocol/constants.ts";
import { commandRow } from "../../src/protocol/replies.ts";
import { encodeOk, plainOk } from "../../src/protocol/response.ts";
import { BackendBench as Bench } from "../support/backend_bench.ts";
import { eventually } from "../support/eventually.ts";

Deno.test("A session is listed from its first moment to its last", async () => {
  const { promise: greeted, resolve: greet } = Promise.withResolvers<void>();
  await using bench = new Bench({
    onConnection: async (peer) => {
      await greeted;
      await peer.greet();
      await peer.logIn();
      await peer.serve((_, session) => session.ok());
    },
  });
  const opening = bench.open();
  assertEquals(bench.manager.servers.size, 1);
  const [entry] = bench.manager.servers.values();
  const before = entry!.info();
  assertEquals([before.phase, before.threadId, before.user], ["connecting", 0, "app"]);
  assertEquals(before.address, `127.0.0.1:${bench.server.port}`);
  greet();
  const session = await opening;
  assertEquals(session.id, before.id);
  assertEquals([session.info().phase, session.info().threadId], ["idle", 1]);
  assertEquals(bench.manager.servers.find(session.id), session);
  session.acquire({ onServerBytes() {}, onServerLost() {} });
  assertEquals(session.info().phase, "in_use");
  session.release();
  await eventually("it is gone", () => bench.manager.servers.size === 0);
  assertEquals(session.isOpen, false);
});

Deno.test("A login that fails leaves nothing behind", async () => {
  await using bench = new Bench({ password: "another" });
  const error = await assertRejects(() => bench.open(), SluiceError);
  assertEquals([error.code, error.kind, error.side], [1045, "server_refused", "server"]);
  assert(error.message.startsWith(`Server one (127.0.0.1:${bench.server.port}): Access denied`));
  assertEquals(bench.manager.servers.size, 0);
  await eventually("the connection is closed", () => bench.server.open === 0);
});

Deno.test("A signal ends the opening", async () => {
  await using bench = new Bench({ onConnection: (peer) => peer.stall() });
  const abort = new AbortController();
  const opening = bench.open({ signal: abort.signal });
  await eventually("it is connected", () => bench.server.open === 1);
  abort.abort(new Error("nobody waits"));
  await assertRejects(() => opening, SluiceError);
  assertEquals(bench.manager.servers.size, 0);
  await eventually("the connection is closed", () => bench.server.open === 0);
  const late = new AbortController();
  late.abort();
  await assertRejects(() => bench.open({ signal: late.signal }), SluiceError);
  assertEquals(bench.manager.servers.size, 0);
});

Deno.test("An opening takes no longer than its limit", async () => {
  await using bench = new Bench({ onConnection: (peer) => peer.stall() });
  const error = await assertRejects(() => bench.open({ timeout: 50 }), SluiceError);
  assertEquals([error.code, error.kind], [1429, "server_unreachable"]);
  assert(error.message.endsWith("no login within 50 ms"), error.message);
});

Deno.test("What a server asks for at the login it gets", async () => {
  await using bench = new Bench({ plugin: NATIVE });
  const session = await bench.open();
  assertEquals(session.capabilities.base & Capability.DEPRECATE_EOF, Capability.DEPRECATE_EOF);
  assertEquals(session.capabilities.base & Capability.SESSION_TRACK, Capability.SESSION_TRACK);
  assertEquals(bench.server.logins[0]!.authPlugin, NATIVE);
});

Deno.test("An idle session that the server closes is noticed at once", async () => {
  await using bench = new Bench();
  const session = await bench.acquire();
  bench.server.drop();
  await eventually("its user is told", () => bench.told.length > 0);
  assertEquals(bench.told.length, 1);
  assert(/^Lost connection to server one \(127.0.0.1:\d+\) during query: /.test(bench.told[0]!));
  assertEquals([session.isOpen, bench.manager.servers.size], [false, 0]);
});

Deno.test("Bytes are told to the user and stay until they are moved", async () => {
  await using bench = new Bench();
  const session = await bench.acquire();
  await session.write(frame(Uint8Array.of(Command.PING), 0));
  await eventually("there are bytes", () => session.end > 0);
  assertEquals([session.isReading, session.buffer[4]], [false, 0x00]);
  session.walked = session.moved = session.end;
  session.finishReply(session.end);
  assertEquals([session.moved, session.walked, session.end, session.isReading], [0, 0, 0, true]);
});

Deno.test("The schema follows what the server reports", async () => {
  await using bench = new Bench({
    onSession: (peer) =>
      peer.serve((sql, session) => {
        const data = new Uint8Array([sql.length, ...encodeText(sql)]);
        const ok = {
          ...plainOk(Status.AUTOCOMMIT | Status.SESSION_STATE_CHANGED),
          track: [{ type: SessionTrack.SCHEMA, data }],
        };
        return session.send(encodeOk(ok, session.capabilities));
      }),
  });
  const session = await bench.acquire();
  assertEquals(session.schema, "");
  await session.write(frame(encodeText("\x03shop"), 0));
  await eventually("there is a reply", () => session.end > 0);
  session.tracker.begin(commandRow(Command.QUERY)!, 0);
  session.tracker.feed(session.buffer, 0, session.end);
  assertEquals([session.schema, session.info().schema], ["shop", "shop"]);
});

Deno.test("A transaction that is open is known", async () => {
  await using bench = new Bench({
    onSession: (peer) => peer.serve((_, session) => session.ok(Status.IN_TRANS)),
  });
  const session = await bench.acquire();
  assertEquals(session.isInTransaction, false);
  await session.write(frame(encodeText("\x03BEGIN"), 0));
  await eventually("there is a reply", () => session.end > 0);
  session.tracker.begin(commandRow(Command.QUERY)!, 0);
  session.tracker.feed(session.buffer, 0, session.end);
  assertEquals(session.isInTransaction, true);
});

Deno.test("A server that does not close after COM_QUIT is closed by the sweep", async () => {
  let hasQuit = false;
  await using bench = new Bench({
    onSession: async (peer) => {
      hasQuit = (await peer.request())[0] === Command.QUIT;
      await peer.stall();
    },
  });
  const session = await bench.acquire();
  session.release();
  session.release();
  await eventually("the server has heard of it", () => hasQuit);
  session.sweep(Date.now());
  assertEquals([session.info().phase, bench.manager.servers.size], ["closing", 1]);
  session.sweep(Date.now() + 2_500);
  assertEquals([session.info().phase, bench.manager.servers.size], ["closed", 0]);
});

Deno.test("Cancelling kills the thread before its connection is closed", async () => {
  const order: string[] = [];
  await using bench = new Bench({
    onSession: async (peer) => {
      await peer.serve(async (sql, session) => {
        order.push(sql);
        if (sql === "SLEEP") await session.stall();
        await session.ok();
      }).finally(() => order.push(`end of ${peer.id}`));
    },
  });
  const session = await bench.acquire();
  await session.write(frame(encodeText("\x03SLEEP"), 0));
  await eventually("it runs", () => order.includes("SLEEP"));
  await session.cancel(10_000);
  await eventually("both connections are closed", () => bench.server.open === 0);
  assertEquals(order.slice(0, 2), ["SLEEP", "KILL 1"]);
  assertEquals([session.isOpen, bench.manager.servers.size], [false, 0]);
  assertEquals(bench.told, []);
});

Deno.test("A thread that has ended meanwhile needs no cancelling", async () => {
  await using bench = new Bench({
    onSession: (peer) =>
      peer.serve((sql, session) =>
        sql.startsWith("KILL")
          ? session.err(1094, "HY000", "Unknown thread id: 1")
          : session.stall()
      ),
  });
  const session = await bench.acquire();
  await session.write(frame(encodeText("\x03SLEEP"), 0));
  await session.cancel(10_000);
  assertEquals(session.isOpen, false);
});

Deno.test("A cancelling that fails is told, and the connection is closed all the same", async () => {
  await using bench = new Bench({
    onConnection: async (peer) => {
      if (peer.id > 1) return await peer.err(1040, "08004", "Too many connections");
      await peer.greet();
      await peer.logIn();
      await peer.stall();
    },
  });
  const session = await bench.acquire();
  const error = await assertRejects(() => session.cancel(10_000), SluiceError);
  assertEquals(error.code, 1040);
  assertEquals([session.isOpen, bench.manager.servers.size], [false, 0]);
});

Deno.test("A session that is killed tells its user once", async () => {
  await using bench = new Bench();
  const session = await bench.acquire();
  session.kill("Killed by a test");
  session.kill("Killed by a test");
  session.close();
  assertEquals(bench.told, ["Killed by a test"]);
  await eventually("the connection is closed", () => bench.server.open === 0);
});

Deno.test("A released session that talks is closed", async () => {
  await using bench = new Bench({
    onSession: async (peer) => {
      await peer.request();
      await peer.ok();
      await peer.stall();
    },
  });
  const session = await bench.acquire();
  session.release();
  await eventually("it is closed", () => !session.isOpen);
  assertEquals(bench.told, []);
});

Deno.test("Who acquires a session that has just ended is told so, and it stays ended", async () => {
  await using bench = new Bench();
  const session = await bench.open();
  session.close();
  const told: string[] = [];
  session.acquire({
    onServerBytes: () => told.push("bytes"),
    onServerLost: (error) => told.push(error.kind),
  });
  assertEquals([told, session.isOpen], [[], false]);
  await Promise.resolve();
  assertEquals([told, session.isOpen, session.info().phase], [["server_lost"], false, "closed"]);
});
