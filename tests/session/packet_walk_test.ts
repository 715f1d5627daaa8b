import { assertEquals, assertThrows } from "@std/assert";
import { SluiceError } from "../../src/errors.ts";
import { MAX_PAYLOAD } from "../../src/protocol/bytes.ts";
import { type MessageKind, PacketWalk } from "../../src/session/packet_walk.ts";

interface Case {
  readonly name: string;
  readonly kind: MessageKind;
  /** Payload lengths of the message's packets. */
  readonly packets: readonly number[];
  /** Number of the first packet. */
  readonly first?: number;
}

const SMALL_CASES: readonly Case[] = [
  { name: "a command", kind: "command", packets: [7] },
  { name: "an empty command", kind: "command", packets: [0] },
  { name: "a command with number 255", kind: "command", packets: [3], first: 255 },
  { name: "an empty file", kind: "file", packets: [0], first: 2 },
  { name: "a file", kind: "file", packets: [5, 1, 9, 0], first: 2 },
  { name: "a file over the last number", kind: "file", packets: [1, 2, 3, 4, 0], first: 253 },
];

const LARGE_CASES: readonly Case[] = [
  { name: "a command of 16 MiB", kind: "command", packets: [MAX_PAYLOAD, 1] },
  { name: "a command of exactly 16 MiB - 1", kind: "command", packets: [MAX_PAYLOAD, 0] },
  { name: "a command of 32 MiB", kind: "command", packets: [MAX_PAYLOAD, MAX_PAYLOAD, 2] },
  { name: "a file in pieces of 16 MiB", kind: "file", packets: [MAX_PAYLOAD, 5, 0], first: 2 },
  // The first empty packet ends the piece, not the file.
  { name: "a file in a piece of 16 MiB - 1", kind: "file", packets: [MAX_PAYLOAD, 0, 0], first: 2 },
  {
    name: "a file in two such pieces",
    kind: "file",
    packets: [MAX_PAYLOAD, 0, MAX_PAYLOAD, 0, 3, 0],
    first: 2,
  },
];

function bytesOf({ packets, first = 0 }: Case): Uint8Array {
  const total = packets.reduce((sum, length) => sum + 4 + length, 0);
  const bytes = new Uint8Array(total).fill(0xee);
  let at = 0;
  packets.forEach((length, index) => {
    bytes.set([length, length >> 8, length >> 16, first + index], at);
    at += 4 + length;
  });
  return bytes;
}

/** Feeds bytes in pieces as a reader does: what is not taken stays in front. */
function walk({ kind, packets, first = 0 }: Case, bytes: Uint8Array, piece: number): void {
  const walk = new PacketWalk();
  walk.begin(kind, first);
  let taken = 0;
  for (let end = Math.min(piece, bytes.length);; end = Math.min(end + piece, bytes.length)) {
    assertEquals(walk.isComplete, false);
    taken += walk.take(bytes, taken, end);
    if (end === bytes.length || walk.isComplete) break;
  }
  assertEquals(walk.isComplete, true);
  assertEquals(taken, bytes.length);
  assertEquals(walk.sequence, (first + packets.length - 1) & 0xff);
}

for (const row of SMALL_CASES) {
  Deno.test(`The end of ${row.name} is found in pieces of any size`, () => {
    const bytes = bytesOf(row);
    for (let piece = 1; piece <= bytes.length; piece++) walk(row, bytes, piece);
  });
}

for (const row of LARGE_CASES) {
  Deno.test(`The end of ${row.name} is found`, () => {
    const bytes = bytesOf(row);
    for (const piece of [bytes.length, 65_536, 1_000_003]) walk(row, bytes, piece);
  });
}

Deno.test("What comes behind a message is not taken", () => {
  for (const row of [...SMALL_CASES, LARGE_CASES[1]!, LARGE_CASES[4]!]) {
    const message = bytesOf(row);
    const bytes = new Uint8Array(message.length + 9).fill(0x11);
    bytes.set(message);
    const walk = new PacketWalk();
    walk.begin(row.kind, row.first ?? 0);
    assertEquals(walk.take(bytes, 0, bytes.length), message.length, row.name);
    assertEquals(walk.isComplete, true);
  }
});

Deno.test("A header in pieces is not taken before it is whole", () => {
  const walk = new PacketWalk();
  walk.begin("file", 2);
  const bytes = bytesOf({ name: "", kind: "file", packets: [2, 0], first: 2 });
  assertEquals(walk.take(bytes, 0, 3), 0);
  assertEquals(walk.take(bytes, 0, 8), 6);
  assertEquals(walk.isComplete, false);
  assertEquals(walk.take(bytes, 6, 9), 0);
  assertEquals(walk.take(bytes, 6, 10), 4);
  assertEquals(walk.isComplete, true);
});

Deno.test("Another number than its turn is an error", () => {
  const wrong: [MessageKind, number, number[]][] = [
    ["command", 0, [1]],
    ["command", 0, [255]],
    ["file", 2, [0]],
    ["file", 2, [2, 2]],
    ["file", 2, [2, 4]],
  ];
  for (const [kind, first, numbers] of wrong) {
    const walk = new PacketWalk();
    walk.begin(kind, first);
    const bytes = Uint8Array.from(numbers.flatMap((number) => [1, 0, 0, number, 0x77]));
    const error = assertThrows(() => walk.take(bytes, 0, bytes.length), SluiceError);
    assertEquals(error.code, 1156);
  }
});

Deno.test("A walk can be used again", () => {
  const walk = new PacketWalk();
  for (const row of SMALL_CASES) {
    const bytes = bytesOf(row);
    walk.begin(row.kind, row.first ?? 0);
    assertEquals(walk.isComplete, false);
    assertEquals(walk.take(bytes, 0, bytes.length), bytes.length);
    assertEquals(walk.isComplete, true);
  }
});
