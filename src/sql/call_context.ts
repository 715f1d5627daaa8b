/**
 * What stands before a parenthesis or an `@` in raw bytes, read backwards. Words, spaces and the
 * names of tables in between have no room for the end of a string or a comment, so that what is
 * found is in the same string or comment as what was looked at, or in none as that is.
 */
import { HARMLESS } from "./function_names.ts";
import { isNamePart, isSpace } from "./raw_text.ts";
import { WordSet } from "./word_set.ts";

const LINE_FEED = 0x0a;
const SPACE = 0x20;
const TAB = 0x09;
const HASH = 0x23;
const MINUS = 0x2d;
const POINT = 0x2e;
const STAR = 0x2a;
const SLASH = 0x2f;
const BACKSLASH = 0x5c;
const BACKTICK = 0x60;
const DOUBLE_QUOTE = 0x22;
const SINGLE_QUOTE = 0x27;

/** What a variable may follow without white space; behind other words `@` begins a host. */
const BEFORE_EXPRESSION = new WordSet([
  ...["SELECT", "ALL", "DISTINCT", "DISTINCTROW", "HIGH_PRIORITY", "STRAIGHT_JOIN", "SQL_NO_CACHE"],
  ...[
    "SQL_SMALL_RESULT",
    "SQL_BIG_RESULT",
    "SQL_BUFFER_RESULT",
    "SQL_CALC_FOUND_ROWS",
    "SQL_CACHE",
  ],
  ...["FROM", "WHERE", "ON", "BY", "HAVING", "LIMIT", "OFFSET", "ROW", "ROWS", "AND", "OR", "XOR"],
  ...["NOT", "DIV", "MOD", "LIKE", "RLIKE", "REGEXP", "BINARY", "BETWEEN", "ESCAPE", "IN", "IS"],
  ...["CASE", "WHEN", "THEN", "ELSE", "INTERVAL", "INTO", "SET", "VALUES", "VALUE", "USING", "DO"],
  ...["IMMEDIATE", "RETURN", "RETURNING", "DEFAULT", "SEPARATOR", "BOTH", "LEADING", "TRAILING"],
  ...["GLOBAL", "SESSION", "LOCAL", "DIAGNOSTICS", "EXISTS", "FOR", "SQL", "MEMBER", "OF", "TO"],
  ...["PERSIST", "PERSIST_ONLY", "STATEMENT", "USER", "VIA", "WITH", "AS"],
  ...["KILL", "BEFORE", "IF", "ELSEIF", "WHILE", "UNTIL", "EVERY"],
]);

/**
 * Whether the `@` at `at` cannot begin a variable: it stands behind a name, as in `a@b.net`, or
 * behind a quote, where it is a host or in a string.
 */
export function isHostMark(bytes: Uint8Array, at: number, floor: number): boolean {
  if (at > floor && isQuote(bytes[at - 1]!)) return !mayBeSecond(bytes, at - 1, floor);
  const from = nameStart(bytes, at, floor);
  // What is above 0x7F may be white space, and `\N` takes a letter away.
  if (from > floor && bytes[from - 1] === BACKSLASH) return false;
  for (let index = from; index < at; index++) if (bytes[index]! >= 0x80) return false;
  return from < at && !BEFORE_EXPRESSION.has(bytes, from, at);
}

/**
 * Whether the parenthesis at `at` may be that of a call which is not harmless on every server.
 * @param floor where the statement begins, or any place before it
 */
export function mayCall(bytes: Uint8Array, at: number, floor: number): boolean {
  const to = spacesStart(bytes, at, floor);
  if (to === floor) return false;
  if (isCommentEnd(bytes, to, floor) || mayEndComment(bytes, { start: to, end: at }, floor)) {
    return true;
  }
  const byte = bytes[to - 1]!;
  if (byte === BACKTICK) return !isTable(bytes, to, floor);
  if (byte === DOUBLE_QUOTE) return true;
  const from = nameStart(bytes, to, floor);
  if (from === to) return mayBeSecond(bytes, to - 1, floor);
  if (!HARMLESS.has(bytes, from, to)) return !isTable(bytes, to, floor);
  const before = spacesStart(bytes, from, floor);
  if (before === floor) return false;
  // Behind a point it is a name; `\N` takes a letter away.
  if (bytes[before - 1] === POINT || bytes[before - 1] === BACKSLASH) return true;
  return mayBeSecond(bytes, before - 1, floor) || isCommentEnd(bytes, before, floor) ||
    mayEndComment(bytes, { start: before, end: from }, floor);
}

function isQuote(byte: number): boolean {
  return byte === SINGLE_QUOTE || byte === DOUBLE_QUOTE || byte === BACKTICK;
}

/** Whether the name that ends at `to`, maybe with its schema, follows INTO on the same line. */
function isTable(bytes: Uint8Array, to: number, floor: number): boolean {
  let from = partStart(bytes, to, floor);
  if (from === to) return false;
  if (from > floor && bytes[from - 1] === POINT) {
    const schema = partStart(bytes, from - 1, floor);
    if (schema === from - 1) return false;
    from = schema;
  }
  const end = blanksStart(bytes, from, floor);
  const start = end - 4;
  if (end === from || start <= floor || !isInto(bytes, start)) return false;
  const before = blanksStart(bytes, start, floor);
  return before < start && before > floor && isNamePart(bytes[before - 1]!);
}

function isInto(bytes: Uint8Array, at: number): boolean {
  return (bytes[at]! | 0x20) === 0x69 && (bytes[at + 1]! | 0x20) === 0x6e &&
    (bytes[at + 2]! | 0x20) === 0x74 && (bytes[at + 3]! | 0x20) === 0x6f;
}

/** Start of the name that ends at `at`, in backticks or not; `at` where it is not clear. */
function partStart(bytes: Uint8Array, at: number, floor: number): number {
  if (at === floor || bytes[at - 1] !== BACKTICK) return nameStart(bytes, at, floor);
  if (mayBeSecond(bytes, at - 1, floor)) return at;
  const open = nameStart(bytes, at - 1, floor) - 1;
  return open >= floor && bytes[open] === BACKTICK ? open : at;
}

/** Bytes above 0x7F belong to names here. */
function nameStart(bytes: Uint8Array, at: number, floor: number): number {
  while (at > floor && (bytes[at - 1]! >= 0x80 || isNamePart(bytes[at - 1]!))) at--;
  return at;
}

/** Whether the byte may belong to a character of two bytes, of which it is the second one. */
function mayBeSecond(bytes: Uint8Array, at: number, floor: number): boolean {
  return at > floor && bytes[at - 1]! >= 0x80;
}

function spacesStart(bytes: Uint8Array, at: number, floor: number): number {
  while (at > floor && isSpace(bytes[at - 1]!)) at--;
  return at;
}

/** The same on one line. */
function blanksStart(bytes: Uint8Array, at: number, floor: number): number {
  while (at > floor && (bytes[at - 1] === SPACE || bytes[at - 1] === TAB)) at--;
  return at;
}

function isCommentEnd(bytes: Uint8Array, at: number, floor: number): boolean {
  return at - 2 >= floor && bytes[at - 1] === SLASH && bytes[at - 2] === STAR;
}

/** Whether a line ends in the white space, and what is before may be its comment. */
function mayEndComment(
  bytes: Uint8Array,
  space: { readonly start: number; readonly end: number },
  floor: number,
): boolean {
  let at = space.start;
  while (at < space.end && bytes[at] !== LINE_FEED) at++;
  if (at === space.end) return false;
  for (at = space.start; at > floor && bytes[at - 1] !== LINE_FEED; at--) {
    const byte = bytes[at - 1];
    if (byte === HASH || (byte === MINUS && bytes[at - 2] === MINUS && at - 2 >= floor)) {
      return true;
    }
  }
  return false;
}
