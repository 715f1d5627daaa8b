import { assertEquals, assertNotStrictEquals, assertThrows } from "@std/assert";
import { createHash } from "node:crypto";
import { SHA1_BLOCK_LIMIT, sha1OfBlock } from "../../src/protocol/sha1.ts";

/** The first is that of RFC 3174, the others were made by `sha1sum`. */
const VECTORS: readonly (readonly [text: string, hash: string])[] = [
  ["abc", "a9993e364706816aba3e25717850c26c9cd0d89d"],
  ["", "da39a3ee5e6b4b0d3255bfef95601890afd80709"],
  ["secret", "e5e9fa1ba31ecd1ae84f75caaa474f3a663f05f4"],
  ["The quick brown fox jumps over the lazy dog", "2fd4e1c67a2d28fced849ee1bb76e7391b93eb12"],
];

function nodesSha1(data: Uint8Array): string {
  return createHash("sha1").update(data).digest("hex");
}

for (const [text, hash] of VECTORS) {
  Deno.test(`The hash of "${text}" is that of the standard`, () => {
    assertEquals(sha1OfBlock(new TextEncoder().encode(text)).toHex(), hash);
  });
}

Deno.test("Every length of one block is hashed as the runtime does", () => {
  for (let length = 0; length <= SHA1_BLOCK_LIMIT; length++) {
    const datas = [new Uint8Array(length), new Uint8Array(length).fill(0xff)];
    for (let count = 0; count < 50; count++) {
      datas.push(crypto.getRandomValues(new Uint8Array(length)));
    }
    for (const data of datas) assertEquals(sha1OfBlock(data).toHex(), nodesSha1(data));
  }
});

Deno.test("What follows is hashed with the data", () => {
  const data = crypto.getRandomValues(new Uint8Array(SHA1_BLOCK_LIMIT));
  for (let cut = 0; cut <= data.length; cut++) {
    const hash = sha1OfBlock(data.subarray(0, cut), data.subarray(cut));
    assertEquals(hash.toHex(), nodesSha1(data));
  }
});

Deno.test("A hash is left alone by the next one, and the data by both", () => {
  const whole = Uint8Array.from({ length: 60 }, (_, at) => at);
  const data = whole.subarray(5, 45);
  const first = sha1OfBlock(data);
  const second = sha1OfBlock(first);
  assertNotStrictEquals(first, second);
  assertEquals(first.toHex(), nodesSha1(data));
  assertEquals(second.toHex(), nodesSha1(first));
  assertEquals(whole, Uint8Array.from({ length: 60 }, (_, at) => at));
});

Deno.test("More than one block is refused", () => {
  const cases = [[56], [55, 1], [0, 56], [28, 28]];
  for (const [length, more] of cases) {
    const tail = more === undefined ? undefined : new Uint8Array(more);
    assertThrows(
      () => sha1OfBlock(new Uint8Array(length!), tail),
      RangeError,
      "expected at most 55 bytes, got 56",
    );
  }
});
