import { assert, assertEquals, assertNotStrictEquals, assertStrictEquals } from "@std/assert";
import {
  BIG,
  BorrowedBytes,
  giveBig,
  idleBufferFor,
  LARGEST_IDLE,
  SMALL,
  takeBig,
} from "../../src/net/buffers.ts";
import { concat } from "../../src/protocol/bytes.ts";

Deno.test("A big buffer that was given back is lent again", () => {
  const buffer = takeBig();
  assertEquals(buffer.length, BIG);
  giveBig(buffer);
  assertStrictEquals(takeBig(), buffer);
});

Deno.test("Two borrowers never share a buffer", () => {
  const lent = new Set<Uint8Array>();
  for (let count = 0; count < 10; count++) lent.add(takeBig());
  assertEquals(lent.size, 10);
  for (const buffer of lent) giveBig(buffer);
});

Deno.test("Arrays of other sizes are not lent", () => {
  const small = new Uint8Array(SMALL);
  const huge = new Uint8Array(BIG + 1);
  giveBig(small);
  giveBig(huge);
  const buffer = takeBig();
  assertNotStrictEquals(buffer, small);
  assertNotStrictEquals(buffer, huge);
});

Deno.test("Only so many buffers are kept", () => {
  const lent = Array.from({ length: 200 }, takeBig);
  for (const buffer of lent) giveBig(buffer);
  const again = Array.from({ length: 200 }, takeBig);
  const kept = again.filter((buffer) => lent.includes(buffer));
  assert(kept.length > 0 && kept.length <= 64, `${kept.length} were kept`);
  for (const buffer of kept) giveBig(buffer);
});

Deno.test("Borrowed bytes come back in their order, however they were added", () => {
  for (const lengths of [[], [0, 5], [BIG], [BIG - 1, 2], [7, 3 * BIG, 9], [40_000, 60_000]]) {
    const added = lengths.map((length, at) =>
      Uint8Array.from({ length }, (_, index) => index % 251 + at)
    );
    const bytes = new BorrowedBytes();
    for (const one of added) bytes.append(one);
    assertEquals(concat(bytes.parts).toHex(), concat(added).toHex(), String(lengths));
    bytes.giveBack();
    assertEquals(bytes.parts, []);
  }
});

Deno.test("Bytes that were given back are lent again, and can begin anew", () => {
  const bytes = new BorrowedBytes();
  bytes.append(new Uint8Array(BIG + 1));
  const [first] = bytes.parts;
  bytes.giveBack();
  const again = [takeBig(), takeBig()];
  assert(again.includes(first!));
  again.forEach(giveBig);
  bytes.append(Uint8Array.of(1, 2));
  assertEquals(bytes.parts.map((part) => part.toHex()), ["0102"]);
  bytes.giveBack();
});

const GROWTH: readonly (readonly [current: number, total: number, next: number])[] = [
  [SMALL, 0, SMALL],
  [SMALL, SMALL - 1, SMALL],
  [SMALL, SMALL, 2 * SMALL],
  [SMALL, 5000, 10_000],
  [SMALL, 1 << 20, LARGEST_IDLE],
  [1024, 600, 1024],
  [LARGEST_IDLE, 1 << 20, LARGEST_IDLE],
];

for (const [current, total, next] of GROWTH) {
  Deno.test(`An idle buffer of ${current} becomes ${next} after ${total} bytes`, () => {
    const buffer = new Uint8Array(current);
    const result = idleBufferFor(buffer, total);
    assertEquals(result.length, next);
    assertEquals(result === buffer, next === current);
  });
}
