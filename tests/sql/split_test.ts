/** Where one statement ends and the next begins; servers_test.ts asks servers the same. */
import { assertEquals } from "@std/assert";
import type { SqlMode } from "../../src/sql/mode.ts";
import { splitStatements } from "../../src/sql/split.ts";
import { COMPOUNDS, SIMPLE } from "./compound_texts.ts";
import { bytesOf, CHARSET, textOf, UTF8, whole } from "./texts.ts";

function split(text: string, mode: Partial<SqlMode> = {}): string[] {
  const bytes = bytesOf(text);
  return splitStatements(bytes, whole(bytes), { ...UTF8, ...mode })
    .map(({ start, end }) => textOf(bytes.subarray(start, end)));
}

const TEXTS: readonly (readonly [text: string, ...statements: string[]])[] = [
  ["SELECT 1", "SELECT 1"],
  ["SELECT 1;", "SELECT 1"],
  [" SELECT 1 ;\n\tSELECT 2 ; ", "SELECT 1", "SELECT 2"],
  [";;SELECT 1;;; SELECT 2;;", "SELECT 1", "SELECT 2"],
  [""],
  [" ; ;\n"],
  ["SELECT ';', \";\", `;`; SELECT 2", "SELECT ';', \";\", `;`", "SELECT 2"],
  ["SELECT 'a\\';b'; SELECT 2", "SELECT 'a\\';b'", "SELECT 2"],
  ["SELECT 1 /* ; */ ; /* ; */ SELECT 2", "SELECT 1 /* ; */", "/* ; */ SELECT 2"],
  ["SELECT 1; /* x */", "SELECT 1", "/* x */"],
  ["SELECT 1 -- a;b\n; SELECT 2 # c", "SELECT 1 -- a;b\n", "SELECT 2 # c"],
  ["SELECT 1 # a\r\n ;SELECT 2", "SELECT 1 # a\r\n", "SELECT 2"],
  ["SELECT 1 /*!50000 ; */ ; SELECT 2", "SELECT 1 /*!50000", "*/", "SELECT 2"],
  ["SELECT 1 /*!999999 ; */ ; SELECT 2", "SELECT 1 /*!999999 ; */", "SELECT 2"],
  ["SELECT 1 /*+ ; */; SELECT 2", "SELECT 1 /*+ ; */", "SELECT 2"],
  ["SELECT 1; SELECT 'abc; SELECT 3", "SELECT 1", "SELECT 'abc; SELECT 3"],
  ["DELIMITER //; SELECT 1", "DELIMITER //", "SELECT 1"],
];

Deno.test("Statements end at semicolons outside of quotes and comments", () => {
  for (const [text, ...statements] of TEXTS) {
    assertEquals(split(text), statements, JSON.stringify(text));
  }
});

Deno.test("What is in quotes depends on the mode", () => {
  const text = "SELECT 'a\\'; SELECT 2 --'";
  assertEquals(split(text), [text]);
  assertEquals(split(text, { noBackslashEscapes: true }), ["SELECT 'a\\'", "SELECT 2 --'"]);
  const name = 'SELECT "a\\"; SELECT 2 --"';
  assertEquals(split(name), [name]);
  assertEquals(split(name, { ansiQuotes: true }), ['SELECT "a\\"', 'SELECT 2 --"']);
  const gbk = "SELECT '\xbf\\'; SELECT 2 --'";
  assertEquals(split(gbk), [gbk]);
  assertEquals(split(gbk, { charset: CHARSET.gbk }), ["SELECT '\xbf\\'", "SELECT 2 --'"]);
});

Deno.test("Compound bodies are not split", () => {
  for (const [text] of COMPOUNDS) {
    assertEquals(split(`${text}; SELECT 1; ${text}`), [text, "SELECT 1", text], text);
  }
});

Deno.test("What only looks like a compound body is split", () => {
  for (const text of SIMPLE) {
    assertEquals(split(`${text}; SELECT 1; ${text}`), [text, "SELECT 1", text], text);
  }
});

const UNREADABLE = [
  "CREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2",
  "CREATE PROCEDURE p() BEGIN IF 1 THEN SELECT 1; END; SELECT 2",
  "CREATE PROCEDURE p AS BEGIN SELECT 1; END; SELECT 2",
  "CREATE PROCEDURE p(a INT) IS x INT; BEGIN SELECT 1; END; SELECT 2",
  "CREATE PACKAGE BODY p AS x INT; END; SELECT 2",
  "DECLARE x INT; BEGIN SELECT 1; END; SELECT 2",
];

Deno.test("A body whose end cannot be found goes to the end of the text", () => {
  for (const text of UNREADABLE) assertEquals(split(`SELECT 1; ${text}`), ["SELECT 1", text]);
});

Deno.test("A part of a buffer is split, and nothing outside of it", () => {
  const bytes = bytesOf("a;b;c -- x\n;d");
  assertEquals(splitStatements(bytes, { start: 1, end: 4 }, UTF8), [{ start: 2, end: 3 }]);
  assertEquals(splitStatements(bytes, { start: 4, end: 10 }, UTF8), [{ start: 4, end: 10 }]);
  assertEquals(splitStatements(bytes, { start: 4, end: 11 }, UTF8), [{ start: 4, end: 11 }]);
});
