import { assert, assertEquals } from "@std/assert";
import { BIG, giveBig, SMALL, takeBig } from "../../src/net/buffers.ts";
import { ClientInput } from "../../src/session/client_input.ts";
import { FakeTransport } from "../fake/transport.ts";
import { seededRandom } from "../support/random.ts";

/** An input whose user writes down what it is told. */
function makeInput() {
  const transport = new FakeTransport();
  const events: string[] = [];
  const input = new ClientInput(transport, {
    onClientBytes: () => events.push("bytes"),
    onClientEnd: (reason) => events.push(reason),
  });
  return { transport, input, events };
}

/** Lets every promise callback that is due run. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}

function numbered(length: number, from = 0): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => from + at);
}

function unprocessed(input: ClientInput): Uint8Array {
  return input.bytes.slice(input.start, input.end);
}

Deno.test("Bytes are read, taken, and read on", async () => {
  const { transport, input, events } = makeInput();
  input.readAhead();
  transport.push(numbered(10));
  await settle();
  assertEquals(events, ["bytes"]);
  assertEquals(unprocessed(input), numbered(10));
  input.consume(4);
  assertEquals(unprocessed(input), numbered(6, 4));
  input.consume(6);
  assertEquals(input.available, 0);
  input.readAhead();
  transport.push(numbered(3));
  await settle();
  assertEquals(unprocessed(input), numbered(3));
  assertEquals(input.total, 13);
});

Deno.test("At most one read is outstanding", () => {
  const { transport, input } = makeInput();
  input.readAhead();
  input.readAhead();
  input.readMore(4);
  assertEquals(transport.reads, 1);
});

Deno.test("Reading more appends to a begun packet, byte by byte", async () => {
  const { transport, input } = makeInput();
  const bytes = numbered(SMALL + 100);
  input.readMore(bytes.length);
  for (const byte of bytes) {
    transport.push(Uint8Array.of(byte));
    await settle();
    if (input.available < bytes.length) input.readMore(bytes.length);
  }
  assertEquals(unprocessed(input), bytes);
});

Deno.test("Reading more keeps what is left of earlier packets", async () => {
  const { transport, input } = makeInput();
  input.readAhead();
  transport.push(numbered(SMALL));
  await settle();
  input.consume(SMALL - 3);
  input.readMore(50);
  transport.push(numbered(60, 100));
  await settle();
  assertEquals(unprocessed(input).subarray(0, 3), numbered(3, SMALL - 3));
  assertEquals(unprocessed(input).subarray(3), numbered(60, 100));
});

Deno.test("A packet that fits no idle buffer is read into a big one at once", async () => {
  const { transport, input } = makeInput();
  input.readAhead();
  const bytes = numbered(50_000);
  transport.push(bytes);
  await settle();
  assertEquals(input.available, SMALL);
  input.readMore(50_000);
  await settle();
  assertEquals(unprocessed(input), bytes);
});

Deno.test("What lies there stays where it is while the next bytes are read", async () => {
  const { transport, input } = makeInput();
  input.readAhead();
  transport.push(numbered(20));
  await settle();
  input.consume(5);
  input.readAhead();
  const view = input.bytes.subarray(input.start, input.end);
  transport.push(numbered(8, 200));
  await settle();
  assertEquals(view, numbered(15, 5));
  assertEquals(unprocessed(input), Uint8Array.of(...numbered(15, 5), ...numbered(8, 200)));
  // A writer goes on from its old view while the counts refer to the new bytes.
  input.consume(15);
  assertEquals(unprocessed(input), numbered(8, 200));
});

Deno.test("A client that sends far ahead is not read until something was taken", async () => {
  const { transport, input } = makeInput();
  const bytes = numbered(300_000);
  transport.push(bytes);
  let reads = -1;
  while (transport.reads !== reads) {
    reads = transport.reads;
    input.readAhead();
    await settle();
  }
  assert(input.available > 64 * 1024 && input.available <= 64 * 1024 + SMALL);
  input.consume(input.available);
  input.readAhead();
  await settle();
  assertEquals(unprocessed(input), bytes.slice(input.total - SMALL, input.total));
});

Deno.test("The idle buffer follows what the client sends", async () => {
  const { transport, input } = makeInput();
  input.readAhead();
  transport.push(numbered(2000));
  await settle();
  input.readMore(2000);
  await settle();
  assertEquals(input.available, 2000);
  input.consume(2000);
  input.adapt(2000);
  input.readAhead();
  transport.push(numbered(4000));
  await settle();
  assertEquals(input.available, 4000);
});

Deno.test("The end of the stream is told once, and so is a broken one", async () => {
  const ended = makeInput();
  ended.input.readAhead();
  ended.transport.end();
  await settle();
  assertEquals(ended.events, ["client closed the connection"]);
  const broken = makeInput();
  broken.input.readAhead();
  broken.transport.breakRead(new Deno.errors.ConnectionReset("connection reset"));
  await settle();
  assertEquals(broken.events, ["connection reset"]);
});

Deno.test("Nothing is told after the close", async () => {
  const { transport, input, events } = makeInput();
  input.readAhead();
  input.close();
  transport.push(numbered(5));
  await settle();
  input.readAhead();
  input.readMore(10);
  assertEquals(transport.reads, 1);
  const broken = makeInput();
  broken.input.readAhead();
  broken.input.close();
  broken.transport.close();
  await settle();
  assertEquals([...events, ...broken.events], []);
});

Deno.test("Any order of reading and taking gives the bytes in their order", async () => {
  const random = seededRandom(3);
  const bytes = Uint8Array.from({ length: 400_000 }, () => Math.floor(random() * 256));
  const { transport, input } = makeInput();
  for (let at = 0; at < bytes.length;) {
    const length = 1 + Math.floor(random() ** 3 * 90_000);
    transport.push(bytes.slice(at, at + length));
    at += length;
  }
  transport.end();
  let taken = 0;
  while (taken < bytes.length) {
    const choice = random();
    if (choice < 0.4) input.readAhead();
    else if (choice < 0.7) input.readMore(Math.min(BIG, input.available + 1 + random() * 5000));
    await settle();
    // Nothing may be taken while `readMore` is under way: it reads behind what is there.
    if (random() < 0.5 || transport.isReading) continue;
    const count = Math.ceil(random() * input.available);
    assertEquals(
      input.bytes.subarray(input.start, input.start + count),
      bytes.subarray(taken, taken + count),
    );
    if (random() < 0.3) input.adapt(count);
    input.consume(count);
    taken += count;
  }
  assertEquals(input.total, bytes.length);
});

Deno.test("What is kept stays while more is read, and can be taken once more", async () => {
  const { transport, input } = makeInput();
  input.readAhead();
  transport.push(numbered(20));
  await settle();
  input.keep(12);
  input.consume(12);
  input.readAhead();
  transport.push(numbered(SMALL, 100));
  await settle();
  input.readAhead();
  assertEquals(input.kept, numbered(12));
  input.restore();
  assertEquals(input.kept, undefined);
  assertEquals(unprocessed(input), Uint8Array.of(...numbered(20), ...numbered(SMALL, 100)));
});

Deno.test("Two buffers take turns, and no more are made", async () => {
  const { transport, input } = makeInput();
  const buffers = new Set<ArrayBufferLike>();
  input.readAhead();
  for (let round = 0; round < 6; round++) {
    transport.push(numbered(30, round));
    await settle();
    buffers.add(input.bytes.buffer);
    input.keep(30);
    input.consume(30);
    input.readAhead();
    assertEquals(input.kept, numbered(30, round));
  }
  assertEquals(buffers.size, 2);
});

/** Somebody else uses the big buffers that nobody has. */
function useBigBuffers(): void {
  const taken = [takeBig(), takeBig(), takeBig()];
  for (const buffer of taken) giveBig(buffer.fill(0xee));
}

Deno.test("Any order of keeping, reading and taking gives the bytes in their order", async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = seededRandom(seed);
    const bytes = Uint8Array.from({ length: 600_000 }, () => Math.floor(random() * 200));
    const { transport, input } = makeInput();
    for (let at = 0; at < bytes.length;) {
      const length = 1 + Math.floor(random() ** 3 * 60_000);
      transport.push(bytes.slice(at, at + length));
      at += length;
    }
    transport.end();
    let kept: Uint8Array | undefined;
    let taken = 0;
    while (taken < bytes.length) {
      const choice = random();
      if (choice < 0.6) input.readAhead();
      else if (choice < 0.9 && input.available < BIG) {
        input.readMore(Math.min(BIG, input.available + 1 + random() * 50_000));
        if (input.kept === undefined) kept = undefined;
      }
      await settle();
      useBigBuffers();
      assertEquals(input.kept, kept);
      if (random() < 0.5 || (transport.isReading && choice >= 0.6)) continue;
      if (kept !== undefined && random() < 0.5) {
        const end = random();
        if (end < 0.3) input.release();
        else if (end < 0.5) input.releaseBorrowed();
        else {
          input.restore();
          taken -= kept.length;
        }
        if (input.kept === undefined) kept = undefined;
        useBigBuffers();
      }
      const count = Math.ceil(random() * input.available);
      const part = input.bytes.slice(input.start, input.start + count);
      assertEquals(part, bytes.slice(taken, taken + count));
      if (random() < 0.5 && count > 0) {
        input.release();
        input.keep(count);
        kept = part;
      } else if (random() < 0.3) input.adapt(count);
      // What is restored must be what came right before the rest.
      if (kept !== part && count > 0) {
        input.release();
        kept = undefined;
      }
      input.consume(count);
      taken += count;
    }
  }
});
