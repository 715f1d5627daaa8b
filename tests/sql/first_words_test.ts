import { assertEquals } from "@std/assert";
import { behindComments } from "../../src/sql/first_words.ts";

const TEXTS: readonly (readonly [text: string, behind: string])[] = [
  ["SELECT 1", "SELECT 1"],
  ["  \n\tSELECT 1", "SELECT 1"],
  ["/* sluice: server=first */ SELECT 1 /* more */", "SELECT 1 /* more */"],
  ["/* one *//* two */ SET NAMES latin1", "SET NAMES latin1"],
  ["-- a line\nSELECT 1", "SELECT 1"],
  ["--\nSELECT 1\n", "SELECT 1\n"],
  ["--\t\nSELECT 1", "SELECT 1"],
  ["# a line\n  # another\nSELECT 1", "SELECT 1"],
  ["--no comment", "--no comment"],
  ["--\u0001a line\nSELECT 1", "SELECT 1"],
  ["--\nSELECT 1", "SELECT 1"],
  ["# NUL ends it\0SELECT 1", "SELECT 1"],
  ["-- not ended", ""],
  ["# not ended", ""],
  ["--", ""],
  ["/*/ SELECT */ 1", "1"],
  ["/*! SELECT */ 1", "/*! SELECT */ 1"],
  ["/*M! SELECT */ 1", "/*M! SELECT */ 1"],
  ["/* not ended", "/* not ended"],
  ["/* ended *//* not ended", "/* not ended"],
  ["/* nothing else */", ""],
  ["", ""],
  ["/**/".repeat(50_000) + "/*", "/*"],
  ["/*a*/ \n#\n-- \n".repeat(10_000) + "1", "1"],
  ["/* ".repeat(50_000), "/* ".repeat(50_000)],
];

for (const [text, behind] of TEXTS) {
  Deno.test(`${shown(text)} begins with ${shown(behind)}`, () => {
    assertEquals(behindComments(text), behind);
  });
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 50));
}
