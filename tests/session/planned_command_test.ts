/** The texts of commands, as they are looked at when their replies are done. */
import { assertEquals } from "@std/assert";
import { Command } from "../../src/protocol/constants.ts";
import {
  firstWords,
  firstWordsOfEach,
  type PlannedCommand,
} from "../../src/session/planned_command.ts";
import type { ServerNeed } from "../../src/session/server_need.ts";
import { PLAIN } from "../../src/sql/classified.ts";

/** @param runs what it runs by a name */
function commandOf(text: string | undefined, runs?: string): PlannedCommand {
  return {
    command: Command.QUERY,
    classified: PLAIN,
    mode: { ansiQuotes: false, noBackslashEscapes: false, charset: 45 },
    isAlone: true,
    statementId: undefined,
    several: undefined,
    need: runs === undefined ? undefined : { runs } as ServerNeed,
    textUpTo: (characters) => text?.slice(0, characters),
  };
}

const LONG = `SELECT ${"a, ".repeat(1_000)}b FROM t`;

Deno.test("The begin of a text is behind its comments", () => {
  assertEquals(firstWords(commandOf("/* one */ SELECT 1; SELECT 2")), "SELECT 1; SELECT 2");
  assertEquals(firstWords(commandOf("EXECUTE one", "# two\nSELECT 1")), "SELECT 1");
  assertEquals(firstWords(commandOf(undefined)), "");
  assertEquals(firstWords(commandOf(LONG)), LONG.slice(0, 1_000));
  assertEquals(firstWords(commandOf("EXECUTE one", LONG)), LONG.slice(0, 1_000));
});

Deno.test("Each statement of a text is behind its comments, and whole", () => {
  const each = (text: string | undefined, runs?: string) => firstWordsOfEach(commandOf(text, runs));
  assertEquals(each("/* one */ SELECT ';'; -- two\nDO 1"), ["SELECT ';'", "DO 1"]);
  assertEquals(each("EXECUTE one", "# two\nSELECT 1"), ["SELECT 1"]);
  assertEquals(each(LONG), [LONG]);
  assertEquals(each("EXECUTE one", LONG), [LONG]);
  assertEquals(each("/* nothing */"), [""]);
});

Deno.test("A text that is gone or too long has no statements that could be looked at", () => {
  for (const text of [undefined, LONG.repeat(2), `${"x".repeat(3_999)}😀`]) {
    assertEquals(firstWordsOfEach(commandOf(text)), []);
  }
  assertEquals(firstWordsOfEach(commandOf("EXECUTE one", LONG.repeat(2))), []);
  // As texts are read, that end within a character.
  assertEquals(firstWordsOfEach(commandOf("x".repeat(3_999))), []);
});
