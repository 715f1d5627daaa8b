/**
 * Broken statements: nothing throws, nothing reaches beyond its input, and the filter of the data
 * path overlooks nothing. `SLUICE_FUZZ` sets how many, `SLUICE_SEED` repeats a run.
 */
import { assert, assertEquals } from "@std/assert";
import { concat } from "../../src/protocol/bytes.ts";
import { withSessionValues } from "../../src/sql/session_values.ts";
import { mayConcernProxy } from "../../src/sql/interest.ts";
import { Kind, Lexer } from "../../src/sql/lexer.ts";
import type { Range, SqlMode } from "../../src/sql/mode.ts";
import { splitStatements } from "../../src/sql/split.ts";
import { type Token, tokenize } from "../../src/sql/tokens.ts";
import { Mutator } from "../support/mutate.ts";
import { seededRandom } from "../support/random.ts";
import { seed, testBroken } from "./broken_statements.ts";
import { COMPOUNDS, SIMPLE } from "./compound_texts.ts";
import { KEPT, REPLACED } from "./connection_id_texts.ts";
import { randomList, randomSelect } from "./random_expressions.ts";
import { bytesOf, textOf } from "./texts.ts";

const STATEMENTS = [
  "KILL 5",
  "KILL QUERY 5",
  "SHOW FULL PROCESSLIST",
  "SHOW PROXYSESSION ATTRIBUTE 5 LIKE 'a%'",
  "ALTER PROXYCONFIG SET a = 1",
  "PING PROXY",
  "PREPARE s FROM 'SHOW PROCESSLIST'",
  "EXECUTE s USING @a",
  "DROP PREPARE s",
  "DEALLOCATE PREPARE s",
  "EXPLAIN ROUTE SELECT 1",
  "SELECT proxy_version(), PROXY_STATUS()",
  "SELECT c FROM sbtest1 WHERE id=12345",
  "INSERT INTO t VALUES (1,'a;b',x'41'),(2,\"c''d\",-.5e3)",
  "/* a */ SELECT 1; SHOW PROCESSLIST; SELECT 'x' -- y\n; KILL 7 # z",
  "/*!50003 SELECT /*!999999 a */ 1 */; /*M!100100 KILL */ 5",
].map(bytesOf);

/** What turns one text into another when it gets in between. */
const PIECES = [
  ...["'", '"', "`", "\\", ";", "; ", "/*", "*/", "/*!", "/*!50000 ", "/*!999999 ", "/*M!", "/*+"],
  ...["-- ", "--", "#", "\n", "\0", "@", "@@", "$$", "$x$", ".", "1e", "0x", "x'", "n'", "\\N"],
  ...[
    "BEGIN ",
    "END ",
    "CASE ",
    "IF ",
    "THEN ",
    "(",
    ")",
    ",",
    " AS ",
    "KILL ",
    " SHOW ",
    "SELECT ",
  ],
  ...[
    "CONNECTION_ID()",
    " proxy_version ( )",
    "\xa0",
    "\xff",
    "\xbf",
    "\x81\x30",
    "\xe4\xbd",
    "\xc3",
  ],
].map(bytesOf);

const TEXTS = [
  ...STATEMENTS,
  ...[...COMPOUNDS, ...REPLACED].map(([text]) => bytesOf(text)),
  ...[...SIMPLE, ...KEPT].map(bytesOf),
];

const random = seededRandom(seed);
const mutator = new Mutator(random, [...TEXTS, ...PIECES]);

/** One to three statements in one text. */
function randomText(): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let left = 1 + mutator.below(3); left > 0; left--) {
    const kind = mutator.below(8);
    if (kind === 0) parts.push(bytesOf(randomSelect(random)));
    else if (kind === 1) parts.push(bytesOf(randomList(random)));
    else parts.push(mutator.pick(TEXTS));
    if (left > 1) parts.push(bytesOf(mutator.pick([";", "; ", " ; /* x */ ", ";\n"])));
  }
  return concat(parts);
}

/** A text with other bytes around it, which change with `fill`. */
function surrounded(text: Uint8Array, fill: Uint8Array): [Uint8Array, Range] {
  return [concat([fill, text, fill]), { start: fill.length, end: fill.length + text.length }];
}

interface Seen extends Range {
  readonly kind: Kind;
}

function readAll(bytes: Uint8Array, range: Range, mode: SqlMode): Seen[] {
  const lexer = new Lexer().begin(bytes, range, mode, { showsComments: true });
  const seen: Seen[] = [];
  while (lexer.next()) {
    seen.push({ kind: lexer.kind, start: lexer.start - range.start, end: lexer.end - range.start });
  }
  return seen;
}

const SPACE = /^[ \t\n\v\f\r\xa0\xff]*$/;

/** In order, inside of the text, and with nothing but white space between them. */
function checkTokens(text: Uint8Array, tokens: readonly Seen[]): void {
  let end = 0;
  for (const token of tokens) {
    assert(token.start >= end && token.end > token.start && token.end <= text.length, "places");
    assert(SPACE.test(textOf(text.subarray(end, token.start))), "something left out");
    end = token.end;
  }
  assert(SPACE.test(textOf(text.subarray(end))), "something left out at the end");
}

/** Each token but the semicolons between statements is in one of them, in order. */
function checkStatements(tokens: readonly Seen[], ranges: readonly Range[]): void {
  let at = 0;
  let end = 0;
  for (const range of ranges) {
    assert(range.start >= end && range.end > range.start, "places of statements");
    for (; tokens[at]!.start < range.start; at++) assertEquals(tokens[at]!.kind, Kind.symbol);
    assertEquals(tokens[at]!.start, range.start);
    while (at < tokens.length && tokens[at]!.end <= range.end) at++;
    end = range.end;
    assert(at === tokens.length || tokens[at]!.start >= end, "a statement ends in a token");
  }
  for (; at < tokens.length; at++) assertEquals(tokens[at]!.kind, Kind.symbol);
}

const SECONDS: Readonly<Record<string, RegExp>> = {
  KILL: /^/,
  PREPARE: /^/,
  EXECUTE: /^/,
  DEALLOCATE: /^/,
  SHOW: /^(PROXY|(FULL )?PROCESSLIST|GLOBALSESSION|SQLAUDIT|WARNLOG)/,
  ALTER: /^PROXY/,
  PING: /^PROXY/,
  DROP: /^PREPARE/,
  EXPLAIN: /^ROUTE/,
};

/** What the filter must not overlook, told from tokens. */
function concernsProxy(tokens: readonly Token[]): boolean {
  const words = tokens.map(({ kind, text }) => kind === "word" ? text.toUpperCase() : "");
  const [first = "", ...rest] = words;
  if (Object.hasOwn(SECONDS, first) && SECONDS[first]!.test(rest.slice(0, 2).join(" "))) {
    return true;
  }
  return words.some((word, at) =>
    /^(CONNECTION_ID|PROXY_VERSION|PROXY_STATUS)$/.test(word) &&
    tokens[at + 1]?.kind === "symbol" && tokens[at + 1]!.text === "("
  );
}

/** The same as assertEquals, in a fraction of its time where they are. */
function assertSame(actual: unknown, expected: unknown, told?: string): void {
  if (JSON.stringify(actual) !== JSON.stringify(expected)) assertEquals(actual, expected, told);
}

function check(text: Uint8Array, mode: SqlMode, fill: Uint8Array): "seen" | "rewritten" | "none" {
  const [bytes, range] = surrounded(text, fill);
  const seen = readAll(bytes, range, mode);
  checkTokens(text, seen);
  const tokens = tokenize(bytes, range, mode);
  const shown = seen.filter(({ kind }) => kind < Kind.comment);
  assertSame(tokens.map(({ start }) => start - range.start), shown.map(({ start }) => start));
  const ranges = splitStatements(bytes, range, mode);
  const inText = ranges.map(({ start, end }) => ({
    start: start - range.start,
    end: end - range.start,
  }));
  checkStatements(seen, inText);
  const mayConcern = mayConcernProxy(bytes, range.start, range.end);
  const [alone, all] = surrounded(text, new Uint8Array(0));
  assertSame(readAll(alone, all, mode), seen, "what is around changes what is read");
  assertSame(splitStatements(alone, all, mode), inText);
  assertEquals(mayConcernProxy(alone, 0, alone.length), mayConcern);
  let isRewritten = false;
  for (const statement of ranges) {
    const own = tokenize(bytes, statement, mode);
    // A versioned comment that began before a semicolon is none to who begins behind it, and two
    // minuses begin a comment at the end of a text, but not before a semicolon.
    if (!/!|--;/.test(textOf(text))) {
      const there = tokens.filter(({ start, end }) =>
        start >= statement.start && end <= statement.end
      );
      assertSame(own, there, "a statement alone is another");
    }
    assert(mayConcern || !concernsProxy(own), "the filter overlooks a statement");
    const rewritten = withSessionValues(bytes, statement, { mode, values: { connectionId: 7 } });
    if (rewritten === undefined) continue;
    isRewritten = true;
    assert(mayConcern, "the filter overlooks CONNECTION_ID()");
    const again = { start: 0, end: rewritten.length };
    assertEquals(
      withSessionValues(rewritten, again, { mode, values: { connectionId: 7 } }),
      undefined,
      "twice",
    );
    assertEquals(splitStatements(rewritten, again, mode).length, 1);
  }
  return isRewritten ? "rewritten" : mayConcern ? "seen" : "none";
}

testBroken("broken statements", {
  mutator,
  pieces: PIECES,
  outcomes: ["seen", "rewritten", "none"],
  randomText,
  isMutated: () => mutator.below(4) > 0,
  check,
});
