/**
 * The filter of the data path: which texts may do something to their session, or ask something of
 * it. It looks at raw bytes, of any character set and sql_mode, and knows no strings: it may say
 * yes where a closer look says no, never the other way round.
 */
import { isHostMark, mayCall } from "./call_context.ts";
import {
  begins,
  isCommentMark,
  isNamePart,
  isVersioned,
  matches,
  skipComments,
  skipName,
  skipSpaces,
  UNCLEAR,
} from "./raw_text.ts";
import { WordSet } from "./word_set.ts";

const LEFT_PARENTHESIS = 0x28;
const SLASH = 0x2f;
const STAR = 0x2a;
const SEMICOLON = 0x3b;
const AT = 0x40;
const LETTER_Q = 0x71;
const LETTER_S = 0x73;
const LETTER_V = 0x76;

/** Statements that do nothing but by what is in them. */
const PLAIN_HEADS = new WordSet([
  ...["SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE", "WITH", "VALUES", "TABLE", "DO", "SHOW"],
  ...["EXPLAIN", "DESCRIBE", "DESC", "HELP", "KILL", "CHECKSUM"],
]);

const SHOW = new WordSet(["SHOW"]);

/** What SHOW reads of the session. */
const SHOWN = new WordSet(["WARNINGS", "ERRORS", "COUNT", "PROFILE", "PROFILES", "TRACE"]);

/** Begins a comment for the proxy. */
const MARK = lower("sluice");

const CALC = lower("l_calc_");
const VALUE = lower("value");
const FOR = lower("for");
const NEXT = lower("next");
const CURRENT = lower("curr");

/**
 * 1 for bytes that are looked at: parentheses of calls, variables, comments, ends of statements,
 * and rare letters of SQL_CALC_FOUND_ROWS, NEXT VALUE FOR and `.nextval`.
 */
const STOPS = Uint8Array.from({ length: 256 }, (_, byte) => {
  const letter = byte >= 0x40 ? byte | 0x20 : byte;
  const isLetter = byte !== AT && (letter === LETTER_Q || letter === LETTER_V);
  return isLetter || [LEFT_PARENTHESIS, SLASH, SEMICOLON, AT].includes(byte) ? 1 : 0;
});

/** False: the text has none of the effects and asks nothing, whatever the server and mode are. */
export function mayHaveEffects(bytes: Uint8Array, start: number, end: number): boolean {
  const limit = Math.min(end, bytes.length);
  const first = skipComments(bytes, { start, end: limit }, MARK);
  if (first === UNCLEAR) return true;
  if (first >= limit) return false;
  const head = headEnd(bytes, first, limit);
  if (head === UNCLEAR) return true;
  // Hints stand behind the first word; there they are no part of a string.
  let at = skipComments(bytes, { start: head, end: limit }, MARK);
  if (at === UNCLEAR) return true;
  for (at = nextStop(bytes, at, limit); at < limit; at = nextStop(bytes, at + 1, limit)) {
    if (mayMatter(bytes, at, { start: first, end: limit })) return true;
  }
  return false;
}

/** The loop over all bytes: small, so that it becomes good machine code. */
function nextStop(bytes: Uint8Array, at: number, end: number): number {
  while (at < end && STOPS[bytes[at]!] === 0) at++;
  return at;
}

function mayMatter(
  bytes: Uint8Array,
  at: number,
  { start, end }: { readonly start: number; readonly end: number },
): boolean {
  switch (bytes[at]) {
    case LEFT_PARENTHESIS:
      return mayCall(bytes, at, start);
    case AT:
      return !isHostMark(bytes, at, start);
    case SLASH:
      return at + 1 < end && bytes[at + 1] === STAR &&
        (isVersioned(bytes, at, end) || begins(bytes, at + 2, end, MARK));
    case SEMICOLON: {
      const next = skipSpaces(bytes, at + 1, end);
      return next < end && headEnd(bytes, next, end) === UNCLEAR;
    }
    default:
      return (bytes[at]! | 0x20) === LETTER_Q
        ? isCalculation(bytes, at, end)
        : isSequence(bytes, at, end);
  }
}

/**
 * The end of the first word of a statement that does nothing by itself, or {@link UNCLEAR}.
 * Comments are left to a closer look: behind semicolons, walking through them here, and then
 * through the semicolons in them, would take time that grows with the square of the length.
 */
function headEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at] === LEFT_PARENTHESIS) at = skipSpaces(bytes, at + 1, end);
  const head = skipName(bytes, at, end);
  if (head < end && bytes[head]! >= 0x80) return UNCLEAR;
  if (!PLAIN_HEADS.has(bytes, at, head)) return UNCLEAR;
  return SHOW.has(bytes, at, head) && showsSession(bytes, head, end) ? UNCLEAR : head;
}

function showsSession(bytes: Uint8Array, behind: number, end: number): boolean {
  const at = skipSpaces(bytes, behind, end);
  const to = skipName(bytes, at, end);
  if (isCommentMark(bytes, at, end) || (to < end && bytes[to]! >= 0x80)) return true;
  return SHOWN.has(bytes, at, to);
}

/** Whether the `q` is that of SQL_CALC_FOUND_ROWS. */
function isCalculation(bytes: Uint8Array, at: number, end: number): boolean {
  return at > 0 && (bytes[at - 1]! | 0x20) === LETTER_S && at + 1 + CALC.length <= end &&
    matches(bytes, at + 1, CALC);
}

/** Whether the `v` is that of VALUE FOR, NEXTVAL or CURRVAL. */
function isSequence(bytes: Uint8Array, at: number, end: number): boolean {
  if (at + 3 > end || (bytes[at + 1]! | 0x20) !== 0x61 || (bytes[at + 2]! | 0x20) !== 0x6c) {
    return false;
  }
  if (at >= 4 && (matches(bytes, at - 4, NEXT) || matches(bytes, at - 4, CURRENT))) return true;
  const behind = at + VALUE.length;
  if (behind >= end || !matches(bytes, at, VALUE) || isNamePart(bytes[behind]!)) return false;
  const next = skipSpaces(bytes, behind, end);
  // What is above 0x7F may be white space.
  if (next < end && bytes[next]! >= 0x80) return true;
  return isCommentMark(bytes, next, end) || begins(bytes, next, end, FOR);
}

function lower(text: string): Uint8Array {
  // A bit tells upper case from lower case among letters; `_` has another one by it.
  return new TextEncoder().encode(text).map((byte) => byte | 0x20);
}
