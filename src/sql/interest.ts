/**
 * The filter of the data path: which texts can hold a statement that the proxy treats itself. It
 * looks at raw bytes, of any character set and sql_mode, and knows no strings: it may say yes
 * where a closer look says no, never the other way round.
 */
import { Class, tablesOf } from "./byte_classes.ts";
import { WIDE_SPACES } from "./charsets.ts";
import {
  behindComment,
  isCommentMark,
  isNamePart,
  isVersioned,
  matches,
  UNCLEAR,
} from "./raw_text.ts";

const SEMICOLON = 0x3b;
const UNDERSCORE = 0x5f;
const LEFT_PARENTHESIS = 0x28;
const STAR = 0x2a;

interface Head {
  readonly word: Uint8Array;
  /** Beginnings of the second word; where there are none, any text may follow. */
  readonly second?: readonly Uint8Array[];
  /** A word that may stand before the second one. */
  readonly between?: Uint8Array;
}

const HEADS: readonly Head[] = [
  { word: lower("kill") },
  {
    word: lower("show"),
    between: lower("full"),
    second: ["proxy", "processlist", "globalsession", "sqlaudit", "warnlog"].map(lower),
  },
  { word: lower("alter"), second: [lower("proxy")] },
  { word: lower("ping"), second: [lower("proxy")] },
  { word: lower("prepare") },
  { word: lower("execute") },
  { word: lower("deallocate") },
  { word: lower("drop"), second: [lower("prepare")] },
  { word: lower("explain"), second: [lower("route")] },
];

/** The heads that begin with a byte, in either case. */
const headsOf = Array.from({ length: 256 }, (_, byte): readonly Head[] | undefined => {
  const heads = HEADS.filter(({ word }) => word[0] === (byte | 0x20));
  return heads.length > 0 ? heads : undefined;
});

/** Functions by the two parts of their names, around the underscore. */
const FUNCTIONS = [["connection", "id"], ["proxy", "version"], ["proxy", "status"]]
  .map(([before, behind]) => ({ before: lower(before!), behind: lower(behind!) }));

const { classes } = tablesOf(undefined);

/** 1 for white space in any character set. */
const SPACES = classes.map((class_, byte) =>
  class_ === Class.space || WIDE_SPACES.includes(byte) ? 1 : 0
);

/** False: nothing in the text is for the proxy, in whatever character set and mode it is. */
export function mayConcernProxy(bytes: Uint8Array, start: number, end: number): boolean {
  const limit = Math.min(end, bytes.length);
  const first = skipComments(bytes, start, limit);
  if (first === UNCLEAR || isHead(bytes, first, limit)) return true;
  for (let at = nextStop(bytes, start, limit); at < limit; at = nextStop(bytes, at + 1, limit)) {
    if (bytes[at] === UNDERSCORE ? isCall(bytes, at, limit) : mayFollow(bytes, at + 1, limit)) {
      return true;
    }
  }
  return false;
}

/** The loop over all bytes: small, so that it becomes good machine code. */
function nextStop(bytes: Uint8Array, at: number, end: number): number {
  for (; at < end; at++) {
    const byte = bytes[at]!;
    if (byte === SEMICOLON || byte === UNDERSCORE) return at;
  }
  return end;
}

/**
 * Whether a statement of the proxy may begin behind a semicolon, which may stand in a string.
 * Comments are left to a closer look: walking through them here, and then through the semicolons
 * in them, would take time that grows with the square of the length.
 */
function mayFollow(bytes: Uint8Array, start: number, end: number): boolean {
  const at = skipSpaces(bytes, start, end);
  return isCommentMark(bytes, at, end) || isHead(bytes, at, end);
}

function isHead(bytes: Uint8Array, at: number, end: number): boolean {
  const heads = at < end ? headsOf[bytes[at]!] : undefined;
  if (heads === undefined) return false;
  for (const { word, between, second } of heads) {
    let next = at + word.length;
    if (next > end || !matches(bytes, at, word)) continue;
    // Bytes above 0x7F may be white space, so they end a word here.
    if (next < end && isNamePart(bytes[next]!)) return false;
    if (second === undefined) return true;
    next = skipSpaces(bytes, next, end);
    if (between !== undefined && matches(bytes, next, between)) {
      next = skipSpaces(bytes, next + between.length, end);
    }
    return isCommentMark(bytes, next, end) ||
      second.some((begin) => next + begin.length <= end && matches(bytes, next, begin));
  }
  return false;
}

/** Whether the underscore at `at` stands in the call of a function that the proxy answers. */
function isCall(bytes: Uint8Array, at: number, end: number): boolean {
  for (const { before, behind } of FUNCTIONS) {
    const next = at + 1 + behind.length;
    if (next >= end || !matches(bytes, at + 1, behind)) continue;
    const start = at - before.length;
    if (start < 0 || !matches(bytes, start, before)) continue;
    const open = skipSpaces(bytes, next, end);
    if (open >= end) return false;
    // A versioned comment may end between the name and the parenthesis.
    return bytes[open] === LEFT_PARENTHESIS || bytes[open] === STAR ||
      isCommentMark(bytes, open, end);
  }
  return false;
}

/** Over what is white space in any character set. */
function skipSpaces(bytes: Uint8Array, at: number, end: number): number {
  while (at < end && SPACES[bytes[at]!] === 1) at++;
  return at;
}

/** Skips white space and comments; {@link UNCLEAR} at a versioned one, whose contents may be text. */
function skipComments(bytes: Uint8Array, start: number, end: number): number {
  let at = skipSpaces(bytes, start, end);
  while (isCommentMark(bytes, at, end)) {
    if (isVersioned(bytes, at, end)) return UNCLEAR;
    at = skipSpaces(bytes, behindComment(bytes, at, end), end);
  }
  return at;
}

function lower(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
