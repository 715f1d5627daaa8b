/** What the tests of `sql/` share: modes, and texts as bytes. */
import type { Range, SqlMode } from "../../src/sql/mode.ts";

export const UTF8: SqlMode = { ansiQuotes: false, noBackslashEscapes: false, charset: 45 };

/** Collation ids, by character set. */
export const CHARSET = {
  utf8mb4: 45,
  latin1: 8,
  cp866: 36,
  big5: 1,
  gbk: 28,
  sjis: 13,
  gb18030: 248,
} as const;

/** Versions as versioned comments count them. */
export const VERSION = { mariadb: 101_114, mysql: 90_704, oceanbase: 50_725 } as const;

/** Bytes of a text: one a character where there are only those up to U+00FF, else UTF-8. */
export function bytesOf(text: string): Uint8Array {
  const codes = [...text].map((letter) => letter.codePointAt(0)!);
  if (codes.some((code) => code > 0xff)) return new TextEncoder().encode(text);
  return Uint8Array.from(codes);
}

/** The reverse, one character a byte. */
export function textOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

export function whole(bytes: Uint8Array): Range {
  return { start: 0, end: bytes.length };
}
