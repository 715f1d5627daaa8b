import { assertEquals, assertRejects } from "@std/assert";
import { ProtocolError } from "../../src/errors.ts";
import { PacketChannel } from "../../src/net/packet_channel.ts";
import { OutOfOrder, StreamEnded } from "../../src/net/packet_port.ts";
import { concat, frame } from "../../src/protocol/bytes.ts";
import { FakeTransport } from "../fake/transport.ts";

const LIMIT = 20_000;

/** Payloads of sizes around those of the buffer. */
const PAYLOADS = [0, 1, 3, 1019, 1020, 1021, 2048, 5000, 10_000, LIMIT, 2].map((length, index) =>
  new Uint8Array(length).fill(index + 1)
);

const FRAMES = concat(PAYLOADS.map((payload, index) => frame(payload, index)));

function cut(bytes: Uint8Array, piece: number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += piece) pieces.push(bytes.subarray(at, at + piece));
  return pieces;
}

for (const piece of [1, 2, 3, 5, 1023, 1024, 1025, 65_536, FRAMES.length]) {
  Deno.test(`Packets are read out of pieces of ${piece} bytes`, async () => {
    const transport = new FakeTransport();
    const channel = new PacketChannel(transport, LIMIT);
    transport.push(...cut(FRAMES, piece));
    for (const payload of PAYLOADS) assertEquals(await channel.read(), payload);
    assertEquals(channel.sequence, PAYLOADS.length);
    channel.finish();
  });
}

Deno.test("Numbers go on from read to write and over 255", async () => {
  const transport = new FakeTransport();
  const channel = new PacketChannel(transport, LIMIT);
  channel.sequence = 254;
  transport.push(frame(Uint8Array.of(7), 254));
  await channel.read();
  await channel.write(Uint8Array.of(8));
  await channel.write(Uint8Array.of(9));
  assertEquals(transport.written, Uint8Array.of(1, 0, 0, 255, 8, 1, 0, 0, 0, 9));
  channel.finish();
});

Deno.test("What the transport takes in parts is written whole", async () => {
  const transport = new FakeTransport();
  transport.writeLimit = 3;
  const channel = new PacketChannel(transport, LIMIT);
  await channel.write(PAYLOADS[3]!);
  assertEquals(transport.written, frame(PAYLOADS[3]!, 0));
  channel.finish();
});

Deno.test("A packet out of its turn is an error", async () => {
  const transport = new FakeTransport();
  const channel = new PacketChannel(transport, LIMIT);
  transport.push(frame(Uint8Array.of(1), 3));
  await assertRejects(() => channel.read(), OutOfOrder, "expected number 0, got 3");
});

Deno.test("A packet beyond the limit is an error as soon as its header is there", async () => {
  const transport = new FakeTransport();
  const channel = new PacketChannel(transport, LIMIT);
  transport.push(frame(new Uint8Array(LIMIT + 1), 0).subarray(0, 4));
  await assertRejects(() => channel.read(), ProtocolError, "at most 20000 bytes, got 20001");
});

for (const count of [0, 1, 4, 6]) {
  Deno.test(`A stream that ends after ${count} bytes is an error`, async () => {
    const transport = new FakeTransport();
    const channel = new PacketChannel(transport, LIMIT);
    transport.push(frame(Uint8Array.of(1, 2, 3), 0).subarray(0, count));
    transport.end();
    await assertRejects(() => channel.read(), StreamEnded);
  });
}

Deno.test("A channel never gets what an earlier one has left", async () => {
  const first = new PacketChannel(new FakeTransport(), LIMIT);
  first.finish();
  const transport = new FakeTransport();
  const second = new PacketChannel(transport, LIMIT);
  transport.push(frame(Uint8Array.of(5), 0));
  assertEquals(await second.read(), Uint8Array.of(5));
});
