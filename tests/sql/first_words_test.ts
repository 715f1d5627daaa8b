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
  ["/*! SELECT */ 1", "/*! SELECT */ 1"],
  ["/*M! SELECT */ 1", "/*M! SELECT */ 1"],
  ["/* not ended", "/* not ended"],
  ["/* nothing else */", ""],
  ["", ""],
];

for (const [text, behind] of TEXTS) {
  Deno.test(`${JSON.stringify(text)} begins with ${JSON.stringify(behind)}`, () => {
    assertEquals(behindComments(text), behind);
  });
}
