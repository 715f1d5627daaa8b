/** What a statement's text tells of what it does; servers_effects_test.ts asks servers the same. */
import { assertEquals } from "@std/assert";
import { classify, classifyText, mayHaveEffects } from "../../src/sql/classify.ts";
import type { SqlMode } from "../../src/sql/mode.ts";
import { type ClassifyRow, describe, ROWS, TRANSACTIONS } from "./classify_texts.ts";
import { bytesOf, CHARSET, UTF8, VERSION, whole } from "./texts.ts";

function described(text: string, mode: Partial<SqlMode> = {}): string {
  const bytes = bytesOf(text);
  return describe(classifyText(bytes, whole(bytes), { ...UTF8, ...mode }));
}

function checkAll(title: string, rows: readonly ClassifyRow[], mode: Partial<SqlMode> = {}): void {
  Deno.test(title, () => {
    for (const [text, expected] of rows) {
      assertEquals(described(text, mode), expected, JSON.stringify(text));
    }
  });
}

for (const [title, rows] of ROWS) checkAll(title, rows);

checkAll("MariaDB has sequences, temporary tables that RENAME renames, and functions of its own", [
  ["SELECT NEXTVAL(s), LASTVAL(s)", "usesSequence ?sequence"],
  [
    "RENAME TABLE a TO b, s.c TO d",
    "endsTransaction dropsTemporary dropsTemporary(a to b) dropsTemporary(s.c to d)",
  ],
  ["SELECT NVL(a, 1), MEDIAN(b) OVER () FROM t", "read"],
  ["SELECT UUID_TO_BIN(a) FROM t", "calls"],
  [
    "SET @@sql_mode = ''",
    "setsSystemVariables setsUnreported setsSystemVariables(sql_mode) setsUnreported(sql_mode)",
  ],
], { serverVersion: VERSION.mariadb });

checkAll("MySQL has other functions, and reports all that is set", [
  ["SELECT NEXTVAL(s)", "calls usesSequence"],
  ["RENAME TABLE a TO b", "endsTransaction"],
  ["SELECT NVL(a, 1) FROM t", "calls"],
  ["SELECT UUID_TO_BIN(a) FROM t", "read"],
  ["SET @@sql_mode = ''", "setsSystemVariables setsSystemVariables(sql_mode)"],
  ["/*!90700 SET @a = 1 */", "setsUserVariables @a=1"],
  ["/*M!100100 SET @a = 1 */", "read"],
], { serverVersion: VERSION.mysql });

checkAll("Double quotes are names in ANSI_QUOTES", [
  ['SELECT "f"(1)', "calls"],
  ['SELECT "abs"(1), @"a"', "read ?userVariables"],
  ['SET @a = "x"', "setsUserVariables @a"],
  ['CREATE TEMPORARY TABLE "a b"."c" (x INT)', "createsTemporary createsTemporary(a b.c)"],
  ['INSERT INTO "t" (a) VALUES (1)', ""],
  ['SELECT GET_LOCK("a", 1)', "getsLock getsLock(?)"],
], { ansiQuotes: true });

checkAll("Backslashes are plain in NO_BACKSLASH_ESCAPES", [
  ["SELECT '\\', f(1), '\\'", "calls"],
  ["SET @a = '\\', @b = 5", "setsUserVariables @a @b=5"],
], { noBackslashEscapes: true });

checkAll("Characters of two bytes hide quotes and backslashes", [
  ["SELECT '\xbf\\', f(1), '\xbf\\'", "calls"],
  ["SET @a = '\xbf\\', @\xbf\xb5 = 5", "setsUserVariables @a @康=5"],
], { charset: CHARSET.gbk });

checkAll("A no-break space is white space, or a letter", [
  ["SELECT\xa0GET_LOCK\xa0('a',\xa01)", "getsLock getsLock(a)"],
  ["SET\xa0@a\xa0=\xa05", "setsUserVariables @a=5"],
], { charset: CHARSET.latin1 });

Deno.test("A part of a buffer is classified, and nothing outside of it", () => {
  const bytes = bytesOf("SET @a = 1; SELECT f(1); SET @b = 2");
  const range = { start: 11, end: 20 };
  assertEquals(describe(classify(bytes, range, UTF8)), "read");
  assertEquals(describe(classifyText(bytes, range, UTF8)), "read");
  assertEquals(mayHaveEffects(bytes, range.start, range.end), false);
});

Deno.test("One statement is classified up to its end, with a semicolon or not", () => {
  for (const [text, expected] of [["UPDATE t SET a = 1", ""], TRANSACTIONS[0]!] as const) {
    for (const bytes of [bytesOf(text), bytesOf(`${text};`)]) {
      assertEquals(describe(classify(bytes, whole(bytes), UTF8)), expected);
    }
  }
});

Deno.test("Texts in texts are read to a certain depth", () => {
  let text = "SET @a = 1";
  for (let depth = 0; depth < 4; depth++) {
    text = `EXECUTE IMMEDIATE '${text.replaceAll("'", "''")}'`;
    assertEquals(described(text).startsWith("setsUserVariables executes @a=1"), true, text);
  }
  text = `EXECUTE IMMEDIATE '${text.replaceAll("'", "''")}'`;
  assertEquals(described(text).startsWith("executes unknown"), true);
});
