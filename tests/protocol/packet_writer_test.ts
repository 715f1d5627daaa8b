/** Framing, and texts of all lengths and kinds. */
import { assertEquals } from "@std/assert";
import {
  decodeText,
  encodeText,
  frame,
  frameAll,
  MAX_PAYLOAD,
  packetCount,
  PacketReader,
  PacketWriter,
} from "../../src/protocol/bytes.ts";

Deno.test("texts are written as their UTF-8 with its length", () => {
  for (const length of [0, 1, 63, 64, 65, 250, 251, 70_000]) {
    for (const end of ["", "\x7f", "\x80", "é", "\ud800", "😀", "\0"]) {
      const text = "a".repeat(length) + end;
      const written = new PacketWriter(0).u8(1).lenencText(text).u8(2).view();
      const expected = new PacketWriter().u8(1).lenencBytes(encodeText(text)).u8(2).view();
      assertEquals(written.toHex(), expected.toHex(), `${length} and ${end}`);
      const bare = new PacketWriter(0).u8(1).text(text).u8(2).view();
      assertEquals(bare.toHex(), `01${encodeText(text).toHex()}02`, `${length} and ${end}`);
    }
  }
});

Deno.test("bytes are read as UTF-8, with U+FFFD for what is none", () => {
  const decoder = new TextDecoder();
  const ends = ["", "\0", "\x7f", "é", "😀"].map(encodeText);
  for (const length of [0, 1, 62, 63, 64, 65, 70_000]) {
    for (const end of [...ends, Uint8Array.of(0x80), Uint8Array.of(0xf0, 0x9f)]) {
      const bytes = new Uint8Array(length + end.length).fill(0x61);
      bytes.set(end, length);
      assertEquals(decodeText(bytes), decoder.decode(bytes), `${length} and ${end}`);
    }
  }
  const ascii = Uint8Array.from({ length: 128 }, (_, code) => code);
  for (const part of [ascii.subarray(0, 64), ascii.subarray(64)]) {
    assertEquals(decodeText(part), decoder.decode(part));
  }
});

Deno.test("whole numbers are written as their digits", () => {
  const powers = Array.from({ length: 16 }, (_, digits) => 10 ** digits);
  const numbers = powers.flatMap((power) => [power - 1, power, power + 1, 7 * power]);
  for (const number of [...numbers, Number.MAX_SAFE_INTEGER].flatMap((one) => [one, 0 - one])) {
    const written = new PacketWriter(0).u8(1).lenencDigits(number).u8(2).view();
    const expected = new PacketWriter().u8(1).lenencText(String(number)).u8(2).view();
    assertEquals(written.toHex(), expected.toHex(), String(number));
  }
});

Deno.test("a writer that was cleared begins anew", () => {
  const writer = new PacketWriter(2).text("longer than that").clear();
  assertEquals(writer.view().length, 0);
  assertEquals(writer.text("new").view().toHex(), encodeText("new").toHex());
});

Deno.test("messages behind each other are numbered packets", () => {
  const payloads = [new Uint8Array([7]), new Uint8Array(0), new Uint8Array([8, 9])];
  assertEquals(frameAll(payloads, 254).toHex(), "010000fe07" + "000000ff" + "020000000809");
  assertEquals(packetCount(payloads), 3);
});

for (const length of [0, MAX_PAYLOAD - 1, MAX_PAYLOAD, MAX_PAYLOAD + 1]) {
  Deno.test(`a message of ${length} bytes that is written in place is framed like any`, () => {
    const payload = new Uint8Array(length).fill(5);
    const writer = new PacketWriter(16).u8(1);
    const next = writer.zeros(4).bytes(payload).endPacket(1, 255);
    const reader = new PacketReader(writer.view(), "packets");
    assertEquals(reader.u8(), 1);
    const expected = frame(payload, 255);
    assertEquals(next, 255 + packetCount([payload]));
    assertEquals(reader.remaining, expected.length);
    assertEquals(reader.rest().every((byte, at) => byte === expected[at]), true);
  });
}

Deno.test("a message that fills its packets ends with an empty one", () => {
  const packets = frame(new Uint8Array(2 * MAX_PAYLOAD), 3);
  assertEquals(packets.length, 2 * MAX_PAYLOAD + 12);
  assertEquals(packets.subarray(0, 4).toHex(), "ffffff03");
  assertEquals(packets.subarray(MAX_PAYLOAD + 4, MAX_PAYLOAD + 8).toHex(), "ffffff04");
  assertEquals(packets.subarray(-4).toHex(), "00000005");
});
