import { assert, assertEquals } from "@std/assert";
import { makeNonce } from "../../src/session/nonce.ts";

Deno.test("Nonces are 20 bytes of 7 bits without NUL and $, and differ", () => {
  const seen = new Set<string>();
  const bytes = new Set<number>();
  for (let count = 0; count < 1000; count++) {
    const nonce = makeNonce();
    assertEquals(nonce.length, 20);
    assert(nonce.every((byte) => byte > 0 && byte < 0x80 && byte !== 0x24));
    for (const byte of nonce) bytes.add(byte);
    seen.add(nonce.toHex());
  }
  assertEquals(seen.size, 1000);
  assertEquals(bytes.size, 126);
});

Deno.test("A nonce stays as it is when others are made", () => {
  const first = makeNonce();
  const copy = first.slice();
  for (let count = 0; count < 200; count++) makeNonce();
  assertEquals(first, copy);
});
