import { assertEquals, assertNotStrictEquals, assertThrows } from "@std/assert";
import { ProtocolError } from "../../src/errors.ts";
import { attributeOf, passedAttributes } from "../../src/protocol/attributes.ts";
import { encodeAttributes } from "../support/codec/requests.ts";

const PAIRS: [string, string][] = [
  ["_client_name", "libmysql"],
  ["program_name", "tëst ☃"],
  ["empty", ""],
  ["long", "x".repeat(70_000)],
];

const READERS: readonly (readonly [string, (bytes: Uint8Array) => unknown])[] = [
  ["attributeOf", (bytes) => attributeOf(bytes, "none")],
  ["passedAttributes", passedAttributes],
];

for (const [name, read] of READERS) {
  Deno.test(`Truncated attributes are a protocol error to ${name}`, () => {
    const bytes = encodeAttributes(PAIRS.slice(0, 2));
    const whole = new Set([0, encodeAttributes(PAIRS.slice(0, 1)).length, bytes.length]);
    for (let end = 0; end < bytes.length; end++) {
      if (whole.has(end)) continue;
      assertThrows(() => read(bytes.subarray(0, end)), ProtocolError);
    }
  });

  Deno.test(`A length beyond all bounds is a protocol error to ${name}`, () => {
    const bytes = Uint8Array.of(1, 0x61, 0xfe, 255, 255, 255, 255, 255, 255, 255, 255);
    assertThrows(() => read(bytes), ProtocolError);
  });
}

Deno.test("An attribute is found by its whole name, and the first of several counts", () => {
  const bytes = encodeAttributes([
    ["_client_name_", "longer"],
    ["_client_nam", "shorter"],
    ["_Client_name", "other case"],
    ["value", "_client_name"],
    ...PAIRS,
    ["_client_name", "second"],
    ["", "of no name"],
  ]);
  assertEquals(attributeOf(bytes, "_client_name"), "libmysql");
  assertEquals(attributeOf(bytes, "program_name"), "tëst ☃");
  assertEquals(attributeOf(bytes, "empty"), "");
  assertEquals(attributeOf(bytes, "long"), "x".repeat(70_000));
  assertEquals(attributeOf(bytes, ""), "of no name");
  assertEquals(attributeOf(bytes, "libmysql"), undefined);
  assertEquals(attributeOf(new Uint8Array(0), "_client_name"), undefined);
});

Deno.test("Attributes of OceanBase's proxies are not passed on", () => {
  const own: [string, string][] = [
    ["__proxy_capability_flag", "1"],
    ["__mysql_client_type", "x"],
    ["__", ""],
  ];
  const kept: [string, string][] = [...PAIRS, ["_", "__"], ["", "__"], ["a__", "__"]];
  const mixes: [string, string][][] = [
    [own[0]!, ...kept, own[1]!],
    [...kept, ...own],
    [...own, ...kept],
    [own[0]!, kept[0]!, own[1]!, own[2]!, ...kept.slice(1)],
  ];
  for (const pairs of mixes) {
    const bytes = encodeAttributes(pairs);
    const before = bytes.slice();
    assertEquals(passedAttributes(bytes), encodeAttributes(kept));
    assertEquals(bytes, before);
  }
  assertEquals(passedAttributes(encodeAttributes(own)), new Uint8Array(0));
});

Deno.test("Attributes that are passed are a copy, and no larger than they are", () => {
  for (const own of [[], [["__own", "x".repeat(200)]]] satisfies [string, string][][]) {
    const bytes = encodeAttributes([...PAIRS, ...own]);
    const passed = passedAttributes(bytes);
    assertEquals(passed, encodeAttributes(PAIRS));
    assertNotStrictEquals(passed.buffer, bytes.buffer);
    assertEquals(passed.buffer.byteLength, passed.length);
  }
});
