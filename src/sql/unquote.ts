/** What strings, quoted names and variables mean. */
import { characterLengthOf } from "./charsets.ts";
import type { SqlMode } from "./mode.ts";

const BACKSLASH = 0x5c;
const DOUBLE_QUOTE = 0x22;
const SINGLE_QUOTE = 0x27;
const BACKTICK = 0x60;
const DOLLAR = 0x24;

/** What stands for another byte behind a backslash. */
const ESCAPES = new Map<number, number>(
  Object.entries({ "0": 0, b: 8, t: 9, n: 10, r: 13, Z: 26 }).map(([letter, byte]) => [
    letter.charCodeAt(0),
    byte,
  ]),
);

/** `%` and `_` keep their backslash, for LIKE. */
const KEPT: ReadonlySet<number> = new Set([0x25, 0x5f]);

/**
 * The bytes that a string or a quoted name means, or a variable's name with its `@`. What is not
 * quoted stays as it is; the quote at the end may be missing.
 */
export function unquote(token: Uint8Array, mode: SqlMode): Uint8Array {
  if (token[0] === DOLLAR) return withoutTags(token);
  const characterLength = characterLengthOf(mode.charset);
  const result = new Uint8Array(token.length);
  let size = 0;
  let quote = 0;
  // The letter of n'…' is none of its bytes.
  for (let at = token[1] === SINGLE_QUOTE && isLetterN(token[0]!) ? 1 : 0; at < token.length;) {
    const byte = token[at]!;
    const escapes = quote !== 0 && byte === BACKSLASH && hasEscapes(quote, mode);
    if (quote === 0 && isQuote(byte)) {
      quote = byte;
      at++;
    } else if (quote !== 0 && byte === quote && token[at + 1] !== quote) {
      quote = 0;
      at++;
    } else if (quote !== 0 && byte === quote) {
      result[size++] = quote;
      at += 2;
    } else if (escapes && at + 1 < token.length) {
      const letter = token[at + 1]!;
      if (KEPT.has(letter)) result[size++] = BACKSLASH;
      result[size++] = ESCAPES.get(letter) ?? letter;
      at += 2;
    } else {
      const isWide = byte >= 0x80 && characterLength !== undefined;
      let left = isWide ? characterLength(token, at, token.length) : 1;
      for (; left > 0; left--) result[size++] = token[at++]!;
    }
  }
  return result.subarray(0, size);
}

function isQuote(byte: number): boolean {
  return byte === SINGLE_QUOTE || byte === DOUBLE_QUOTE || byte === BACKTICK;
}

function isLetterN(byte: number): boolean {
  return (byte | 0x20) === 0x6e;
}

function hasEscapes(quote: number, { ansiQuotes, noBackslashEscapes }: SqlMode): boolean {
  return !noBackslashEscapes && quote !== BACKTICK && !(ansiQuotes && quote === DOUBLE_QUOTE);
}

/** `$tag$text$tag$` */
function withoutTags(token: Uint8Array): Uint8Array {
  const length = token.indexOf(DOLLAR, 1) + 1;
  return token.subarray(length, token.length - length);
}
