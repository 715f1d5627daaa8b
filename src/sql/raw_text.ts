/** Reading of SQL's raw bytes without tokens, for filters that must be quick. */
import { tablesOf } from "./byte_classes.ts";

const SPACE = 0x20;
const TAB = 0x09;
const CARRIAGE_RETURN = 0x0d;
const HASH = 0x23;
const MINUS = 0x2d;
const SLASH = 0x2f;
const STAR = 0x2a;
const EXCLAMATION = 0x21;
const LETTER_M = 0x4d;
const LINE_FEED = 0x0a;
const DELETE = 0x7f;

const { nameParts } = tablesOf(undefined);

/** The answer of {@link skipComments} at what must be looked at more closely. */
export const UNCLEAR = -1;

/** White space in all character sets. */
export function isSpace(byte: number): boolean {
  return byte === SPACE || (byte >= TAB && byte <= CARRIAGE_RETURN);
}

/** A letter, digit, `_` or `$`. */
export function isNamePart(byte: number): boolean {
  return byte < 0x80 && nameParts[byte] === 1;
}

export function skipSpaces(bytes: Uint8Array, at: number, end: number): number {
  while (at < end && isSpace(bytes[at]!)) at++;
  return at;
}

export function skipName(bytes: Uint8Array, at: number, end: number): number {
  while (at < end && isNamePart(bytes[at]!)) at++;
  return at;
}

/** Whether `word`, in lower case, stands at `at` in any case. */
export function matches(bytes: Uint8Array, at: number, word: Uint8Array): boolean {
  for (let index = 0; index < word.length; index++) {
    if ((bytes[at + index]! | 0x20) !== word[index]) return false;
  }
  return true;
}

/** Whether a comment may begin here. */
export function isCommentMark(bytes: Uint8Array, at: number, end: number): boolean {
  if (at >= end) return false;
  const byte = bytes[at]!;
  if (byte === HASH) return true;
  if (at + 1 >= end) return false;
  return (byte === SLASH && bytes[at + 1] === STAR) || (byte === MINUS && bytes[at + 1] === MINUS);
}

/** Whether a comment is versioned: its contents may be text. `at` is where it begins. */
export function isVersioned(bytes: Uint8Array, at: number, end: number): boolean {
  if (bytes[at] !== SLASH) return false;
  const mark = at + 2 < end && bytes[at + 2] === LETTER_M ? at + 3 : at + 2;
  return mark < end && bytes[mark] === EXCLAMATION;
}

/** The end of a comment, or of the text. `at` is where it begins. */
export function behindComment(bytes: Uint8Array, at: number, end: number): number {
  if (bytes[at] !== SLASH) {
    while (at < end && bytes[at] !== LINE_FEED && bytes[at] !== 0) at++;
    return at;
  }
  for (at += 2; at < end && !(bytes[at] === STAR && bytes[at + 1] === SLASH);) at++;
  return at + 2;
}

/**
 * Skips white space and comments where text must begin.
 * @returns {@link UNCLEAR} at a versioned comment, a comment that `refused` begins, in lower case,
 *   behind white space, and two minuses that may not begin one
 */
export function skipComments(
  bytes: Uint8Array,
  { start, end }: { readonly start: number; readonly end: number },
  refused: Uint8Array,
): number {
  let at = skipSpaces(bytes, start, end);
  while (isCommentMark(bytes, at, end)) {
    if (isVersioned(bytes, at, end)) return UNCLEAR;
    if (bytes[at] === SLASH && begins(bytes, at + 2, end, refused)) return UNCLEAR;
    if (bytes[at] === MINUS && !isDashBehind(bytes, at + 2, end)) return UNCLEAR;
    at = skipSpaces(bytes, behindComment(bytes, at, end), end);
  }
  return at;
}

/** Whether the word stands there behind white space. */
export function begins(bytes: Uint8Array, at: number, end: number, word: Uint8Array): boolean {
  const start = skipSpaces(bytes, at, end);
  return start + word.length <= end && matches(bytes, start, word);
}

/** What makes a comment of two minuses before it, in every character set. */
function isDashBehind(bytes: Uint8Array, at: number, end: number): boolean {
  return at < end && (bytes[at]! <= SPACE || bytes[at] === DELETE);
}
