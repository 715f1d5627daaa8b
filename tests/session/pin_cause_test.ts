/** What lists say of the command that began a pin. */
import { assertEquals } from "@std/assert";
import { Command } from "../../src/protocol/constants.ts";
import { PLAIN } from "../../src/sql/classified.ts";
import { causeOf } from "../../src/session/pin_cause.ts";
import type { PlannedCommand } from "../../src/session/planned_command.ts";

function commandOf(command: number, text: string): PlannedCommand {
  return {
    command,
    classified: PLAIN,
    mode: { ansiQuotes: false, noBackslashEscapes: false, charset: 45 },
    isAlone: true,
    statementId: undefined,
    need: undefined,
    textUpTo: (characters) => text.slice(0, characters),
  };
}

const ROWS: readonly (readonly [text: string, cause: string])[] = [
  ["SELECT 1", "SELECT"],
  ["lock tables t read", "LOCK TABLES"],
  ["CREATE  TEMPORARY\nTABLE t (n INT)", "CREATE TEMPORARY"],
  ["SELECT name FROM t", "SELECT"],
  ["((SELECT 1))", "SELECT"],
  ["/* one *//* two **/ BEGIN", "BEGIN"],
  ["-- a line\n# another\n  XA START 'a'", "XA START"],
  ["--\nSTART TRANSACTION", "START TRANSACTION"],
  ["# a line\r\nBEGIN", "BEGIN"],
  ["/* SELECT */", "COM_QUERY"],
  ["/* not ended SELECT 1", "COM_QUERY"],
  ["1", "COM_QUERY"],
  ["", "COM_QUERY"],
];

for (const [text, cause] of ROWS) {
  Deno.test(`${JSON.stringify(text)} is told as ${cause}`, () => {
    assertEquals(causeOf(commandOf(Command.QUERY, text)), cause);
  });
}

Deno.test("Other commands are told by their name", () => {
  assertEquals(causeOf(commandOf(Command.STMT_EXECUTE, "SELECT 1")), "COM_STMT_EXECUTE");
});

Deno.test("No text takes long to be told", () => {
  for (
    const piece of ["/**/", "/***/", "/*", "*/", "(", " ", "#\n", "-- \n", "/**/#\n", "--", "*"]
  ) {
    const text = piece.repeat(1_000);
    // Tried in every way in which they can be read, 200 characters would not be done in years.
    assertEquals(causeOf(commandOf(Command.QUERY, `${text.slice(0, 150)}1`)), "COM_QUERY");
    assertEquals(causeOf(commandOf(Command.QUERY, text)), "COM_QUERY");
  }
});
