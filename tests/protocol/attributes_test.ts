import { assertEquals, assertNotStrictEquals, assertThrows } from "@std/assert";
import { ProtocolError } from "../../src/errors.ts";
import {
  decodeAttributes,
  encodeAttributes,
  passedAttributes,
} from "../../src/protocol/attributes.ts";

const PAIRS: [string, string][] = [
  ["_client_name", "libmysql"],
  ["program_name", "tëst ☃"],
  ["empty", ""],
  ["long", "x".repeat(70_000)],
];

Deno.test("Attributes come back as they were", () => {
  assertEquals(decodeAttributes(encodeAttributes(PAIRS)), PAIRS);
  assertEquals(decodeAttributes(encodeAttributes([])), []);
});

Deno.test("Truncated attributes are a protocol error", () => {
  const bytes = encodeAttributes(PAIRS.slice(0, 2));
  const whole = new Set([0, encodeAttributes(PAIRS.slice(0, 1)).length, bytes.length]);
  for (let end = 0; end < bytes.length; end++) {
    if (whole.has(end)) continue;
    assertThrows(() => decodeAttributes(bytes.subarray(0, end)), ProtocolError);
  }
});

Deno.test("Attributes of OceanBase's proxies are not passed on", () => {
  const own: [string, string][] = [["__proxy_capability_flag", "1"], ["__mysql_client_type", "x"]];
  const bytes = encodeAttributes([own[0]!, ...PAIRS.slice(0, 2), own[1]!]);
  assertEquals(decodeAttributes(passedAttributes(bytes)), PAIRS.slice(0, 2));
});

Deno.test("Attributes that are passed are a copy", () => {
  const bytes = encodeAttributes(PAIRS);
  const passed = passedAttributes(bytes);
  assertEquals(passed, bytes);
  assertNotStrictEquals(passed.buffer, bytes.buffer);
});
