import { assertEquals } from "@std/assert";
import { BIG, BorrowedBytes } from "../../src/net/buffers.ts";
import type { Transport } from "../../src/net/transport.ts";
import { concat } from "../../src/protocol/bytes.ts";
import { ClientOutput } from "../../src/session/client_output.ts";

/** Takes at most 50,000 bytes at a time, and breaks behind `limit` bytes. */
class NarrowTransport implements Transport {
  readonly written: Uint8Array[] = [];
  #left: number;

  constructor(limit = Infinity) {
    this.#left = limit;
  }

  read(): Promise<null> {
    return Promise.resolve(null);
  }

  write(bytes: Uint8Array): Promise<number> {
    const count = Math.min(bytes.length, 50_000);
    if (count > this.#left) return Promise.reject(new Error("Broken pipe"));
    this.#left -= count;
    this.written.push(bytes.slice(0, count));
    return Promise.resolve(count);
  }

  close(): void {}
}

function numbered(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => index % 251);
}

function send(transport: Transport, bytes: Uint8Array | BorrowedBytes): Promise<ClientOutput> {
  const output = new ClientOutput(transport);
  return new Promise((resolve) => {
    output.send(bytes, () => resolve(output));
    assertEquals(output.isWriting, true);
  });
}

Deno.test("Bytes in several buffers are sent in their order and given back", async () => {
  const bytes = new BorrowedBytes();
  const expected = numbered(2 * BIG + 100);
  bytes.append(expected);
  const transport = new NarrowTransport();
  const output = await send(transport, bytes);
  assertEquals(concat(transport.written).toHex(), expected.toHex());
  assertEquals([output.bytesOut, output.isWriting], [expected.length, false]);
  assertEquals(bytes.parts, []);
});

Deno.test("Where the client is gone, nothing more is written and what remains is done", async () => {
  const bytes = new BorrowedBytes();
  bytes.append(numbered(3 * BIG));
  const transport = new NarrowTransport(60_000);
  const output = await send(transport, bytes);
  assertEquals(transport.written.map(({ length }) => length), [50_000]);
  assertEquals(output.isWriting, false);
  assertEquals(bytes.parts, []);
});
