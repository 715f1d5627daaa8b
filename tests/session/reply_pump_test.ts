import { assert, assertEquals } from "@std/assert";
import type { ServerSession } from "../../src/backend/server_session.ts";
import { ProtocolError } from "../../src/errors.ts";
import { BIG, SMALL } from "../../src/net/buffers.ts";
import { concat, frame } from "../../src/protocol/bytes.ts";
import { Command } from "../../src/protocol/constants.ts";
import { commandRow } from "../../src/protocol/replies.ts";
import { ReplyPump } from "../../src/session/reply_pump.ts";
import type { FakePeer } from "../fake/server.ts";
import { FakeTransport } from "../fake/transport.ts";
import { BackendBench } from "../support/backend_bench.ts";
import { eventually } from "../support/eventually.ts";

/** A pump between a logged-in server session and a client in memory. */
class Bench implements AsyncDisposable {
  readonly client = new FakeTransport();
  readonly events: string[] = [];
  readonly pump: ReplyPump;
  session!: ServerSession;
  #backend: BackendBench;
  #peer = Promise.withResolvers<FakePeer>();
  #done = Promise.withResolvers<void>();

  private constructor() {
    this.#backend = new BackendBench({
      onSession: async (peer) => {
        this.#peer.resolve(peer);
        await this.#done.promise;
      },
    });
    this.pump = new ReplyPump(this.client, {
      onReplyMoved: () => this.events.push("moved"),
      onFileRequested: () => this.events.push("file"),
      passesError: () => true,
      onReplyCut: () => this.events.push("cut"),
      onClientUnwritable: (error) => this.events.push(`unwritable: ${(error as Error).message}`),
      onMoveFailed: (error) =>
        this.events.push(error instanceof ProtocolError ? "nonsense" : `failed: ${error}`),
    });
  }

  static async open(): Promise<Bench> {
    const bench = new Bench();
    bench.session = await bench.#backend.open();
    bench.session.acquire({
      onServerBytes: () => bench.pump.move(),
      onServerLost: () => bench.pump.cut(),
    });
    return bench;
  }

  /** The server's end, where the reply to a query begins. */
  async begin(): Promise<FakePeer> {
    this.session.tracker.begin(commandRow(Command.QUERY)!, 0);
    this.pump.begin(this.session);
    const peer = await this.#peer.promise;
    peer.sequence = 1;
    return peer;
  }

  /** Waits until the client has this, and no more. */
  async receives(bytes: Uint8Array): Promise<void> {
    const { client } = this;
    await eventually(
      `the client has ${bytes.length} bytes`,
      () => client.written.length >= bytes.length,
    );
    // Compared as text: a difference in so many numbers is printed for minutes.
    assert(
      client.written.length === bytes.length &&
        client.written.every((byte, at) => byte === bytes[at]),
      "the client has other bytes than the server has sent",
    );
  }

  async ends(event: string): Promise<void> {
    await eventually(`the pump says ${event}`, () => this.events.length > 0);
    assertEquals(this.events, [event]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.session.close();
    this.#done.resolve();
    // Not the bench itself: that would kill what has to be gone by now.
    const { server, manager } = this.#backend;
    await server[Symbol.asyncDispose]();
    assertEquals(manager.servers.size, 0);
  }
}

/** A result of one column; rows of these sizes, headers included. */
function resultPackets(peer: FakePeer, sizes: readonly number[]): Uint8Array[] {
  const packets = peer.rowPackets([]);
  const rows = sizes.map((size, index) => {
    const payload = new Uint8Array(size - 4).fill(0x30 + index % 10);
    // Length prefix of the one column; the sizes below are all beyond its shorter forms.
    const length = payload.length - (payload.length < 0x10000 + 3 ? 3 : 4);
    payload.set(
      length < 0x10000 ? [0xfc, length, length >> 8] : [0xfd, length, length >> 8, length >> 16],
    );
    return payload;
  });
  return [...packets.slice(0, -1), ...rows, packets.at(-1)!];
}

const SIZES: readonly (readonly [name: string, rows: readonly number[]])[] = [
  ["that fits the idle buffer", [300]],
  ["of one row above the idle buffer", [600]],
  ["of many rows", new Array(500).fill(1000)],
  ["of rows as large as the big buffer", [BIG, BIG - 1, 300, BIG, 300]],
  ["of rows larger than the big buffer", [BIG + 1, 5 * BIG, 300, 2 * BIG]],
];

for (const [name, sizes] of SIZES) {
  Deno.test(`A reply ${name} reaches the client as it came`, async () => {
    await using bench = await Bench.open();
    const peer = await bench.begin();
    const bytes = peer.framed(...resultPackets(peer, sizes));
    await peer.sendRaw(bytes);
    await bench.receives(bytes);
    await bench.ends("moved");
    assertEquals(bench.pump.bytesOut, bytes.length);
    assert(bench.session.isReading);
  });
}

Deno.test("A reply byte by byte reaches the client as it came", async () => {
  await using bench = await Bench.open();
  const peer = await bench.begin();
  const bytes = peer.framed(...resultPackets(peer, [300, 400, 700]));
  await peer.trickle(bytes);
  await bench.receives(bytes);
  await bench.ends("moved");
});

Deno.test("A reply that fits the idle buffer leaves in one write", async () => {
  await using bench = await Bench.open();
  const peer = await bench.begin();
  await peer.sendRaw(peer.framed(...resultPackets(peer, [300])));
  await bench.ends("moved");
  assertEquals(bench.client.writes.length, 1);
});

Deno.test("A client that takes a part of each write gets all of it", async () => {
  await using bench = await Bench.open();
  bench.client.writeLimit = 1000;
  const peer = await bench.begin();
  const bytes = peer.framed(...resultPackets(peer, [300, 5000, 2 * BIG]));
  await peer.sendRaw(bytes);
  await bench.receives(bytes);
  await bench.ends("moved");
});

Deno.test("A client that reads nothing stops the server from being read", async () => {
  await using bench = await Bench.open();
  bench.client.block();
  const peer = await bench.begin();
  const bytes = peer.framed(...resultPackets(peer, new Array(5000).fill(4000)));
  const sending = peer.sendRaw(bytes);
  await eventually("the pump waits for its write", () => bench.pump.isWriting);
  // With nothing read, the peer's writes stop when the system's own buffers are full.
  let before = -1;
  await eventually("the server can send no more", () => {
    const isStuck = peer.bytesSent === before;
    before = peer.bytesSent;
    return isStuck;
  }, { every: 100 });
  assert(peer.bytesSent < bytes.length);
  assertEquals([bench.session.isReading, bench.client.writes.length], [false, 1]);
  assert(bench.session.buffer.length <= BIG);
  bench.client.unblock();
  await sending;
  await bench.receives(bytes);
  await bench.ends("moved");
});

Deno.test("What waits for more to come can be sent on, and the rest follows", async () => {
  await using bench = await Bench.open();
  const peer = await bench.begin();
  const [count, column, ...end] = resultPackets(peer, []);
  const head = peer.framed(count!, column!);
  // Fills the idle buffer to the last byte, and the row after it the big one.
  const first = peer.framed(...resultPackets(peer, [SMALL - head.length]).slice(2, -1));
  const rest = peer.framed(...resultPackets(peer, [BIG]).slice(2, -1), ...end);
  await peer.sendRaw(concat([head, first]));
  await eventually("the pump holds what it got", () => bench.session.walked === SMALL);
  bench.pump.flush();
  await bench.receives(concat([head, first]));
  await peer.sendRaw(rest);
  await bench.receives(concat([head, first, rest]));
  await bench.ends("moved");
});

Deno.test("What comes while something is being sent on follows it", async () => {
  await using bench = await Bench.open();
  const peer = await bench.begin();
  const [count, column, ...end] = resultPackets(peer, []);
  const head = peer.framed(count!, column!);
  const first = peer.framed(...resultPackets(peer, [SMALL - head.length]).slice(2, -1));
  await peer.sendRaw(concat([head, first]));
  await eventually("the pump holds what it got", () => bench.session.walked === SMALL);
  bench.client.block();
  bench.pump.flush();
  const rest = peer.framed(...resultPackets(peer, [5000]).slice(2, -1), ...end);
  await peer.sendRaw(rest);
  await eventually("it has come", () => bench.session.end === SMALL + rest.length);
  bench.client.unblock();
  await bench.receives(concat([head, first, rest]));
  await bench.ends("moved");
});

Deno.test("A server that ends in mid-reply: what it sent before comes first", async () => {
  await using bench = await Bench.open();
  const peer = await bench.begin();
  const packets = resultPackets(peer, [300, 300, 300]);
  const whole = peer.framed(...packets.slice(0, 4));
  const cut = peer.framed(packets[4]!).subarray(0, 100);
  await peer.sendRaw(concat([whole, cut]));
  peer.close();
  await bench.ends("cut");
  // The begun packet is held back: the client is at a boundary, where it can be told.
  await bench.receives(whole);
  assert(bench.session.tracker.atBoundary);
});

Deno.test("A server that ends while the client is slow: what it sent before comes first", async () => {
  await using bench = await Bench.open();
  bench.client.block();
  const peer = await bench.begin();
  const whole = peer.framed(...resultPackets(peer, [300]).slice(0, 3));
  await peer.sendRaw(whole);
  await eventually("the pump waits for its write", () => bench.pump.isWriting);
  peer.close();
  assertEquals(bench.events, []);
  bench.client.unblock();
  await eventually("the session reads again and sees the end", () => !bench.session.isOpen);
  await bench.ends("cut");
  await bench.receives(whole);
});

Deno.test("A client that is gone is reported", async () => {
  await using bench = await Bench.open();
  bench.client.close();
  const peer = await bench.begin();
  await peer.send(...resultPackets(peer, [300]));
  await bench.ends("unwritable: Bad resource ID");
});

Deno.test("Nonsense is reported and not passed on", async () => {
  await using bench = await Bench.open();
  const peer = await bench.begin();
  await peer.sendRaw(frame(new Uint8Array(20).fill(0x41), 7));
  await bench.ends("nonsense");
  assertEquals(bench.client.written.length, 0);
});

Deno.test("A request for a file is passed on and reported", async () => {
  await using bench = await Bench.open();
  const peer = await bench.begin();
  const request = peer.framed(Uint8Array.of(0xfb, ...new TextEncoder().encode("data.csv")));
  await peer.sendRaw(request);
  await bench.ends("file");
  await bench.receives(request);
});

Deno.test("Nothing is reported after the close", async () => {
  await using bench = await Bench.open();
  bench.client.block();
  const peer = await bench.begin();
  await peer.send(...resultPackets(peer, [300]));
  await eventually("the pump waits for its write", () => bench.pump.isWriting);
  bench.pump.close();
  bench.client.unblock();
  await eventually("the write is over", () => !bench.pump.isWriting);
  assertEquals(bench.events, []);
});
