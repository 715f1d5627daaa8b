import { assertEquals } from "@std/assert";
import { Command } from "../../src/protocol/constants.ts";
import { causeOf } from "../../src/session/pin_cause.ts";
import type { PlannedCommand } from "../../src/session/planned_command.ts";
import { PLAIN } from "../../src/sql/classified.ts";

function planned(command: number, text: string | undefined): PlannedCommand {
  return {
    command,
    classified: PLAIN,
    mode: { ansiQuotes: false, noBackslashEscapes: false, charset: 45 },
    isAlone: true,
    statementId: undefined,
    need: undefined,
    several: undefined,
    textUpTo: (characters) => text?.slice(0, characters),
  };
}

const TEXTS: readonly (readonly [text: string | undefined, cause: string])[] = [
  ["SELECT GET_LOCK('x', 0)", "SELECT"],
  ["select 1", "SELECT"],
  ["LOCK  TABLES t READ", "LOCK TABLES"],
  ["create\n\ttemporary table t (v INT)", "CREATE TEMPORARY"],
  ["CALL make_tables()", "CALL"],
  ["BEGIN", "BEGIN"],
  ["  (  (SELECT 1))", "SELECT"],
  ["/* why */ LOCK TABLES t READ", "LOCK TABLES"],
  ["(/* why */(-- who\nSELECT 1))", "SELECT"],
  ["-- one\n# two\n\n/**/SET @x = 1", "SET"],
  ["/*/ SELECT */ SET @x = 1", "SET"],
  ["/*!40101 SET SESSION x = 1 */", "SET SESSION"],
  ["/*M!100100 LOCK TABLES t READ */", "LOCK TABLES"],
  ["/*! ( SELECT 1 ) */", "SELECT"],
  ["/* SELECT 1", "COM_QUERY"],
  ["-- SELECT 1", "COM_QUERY"],
  ["# SELECT 1", "COM_QUERY"],
  ["--SELECT 1", "COM_QUERY"],
  [`/* ${"long ".repeat(100)}*/ SELECT 1`, "COM_QUERY"],
  ["", "COM_QUERY"],
  [undefined, "COM_QUERY"],
  // As many as are looked at, and many more.
  [`${"/**/".repeat(49)}DO 1`, "DO"],
  [`${"/**/".repeat(50)}SELECT GET_LOCK('x', 0)`, "COM_QUERY"],
  [`${"/**/".repeat(5_000)}SELECT GET_LOCK('x', 0)`, "COM_QUERY"],
  [`${"/*a*//**/".repeat(5_000)}/*`, "COM_QUERY"],
  [`${"(/**/".repeat(5_000)}1`, "COM_QUERY"],
  [`${"/*!5".repeat(5_000)}1`, "COM_QUERY"],
  [`${"-- \n".repeat(5_000)}1`, "COM_QUERY"],
];

for (const [text, cause] of TEXTS) {
  Deno.test(`${JSON.stringify(text)?.slice(0, 60)} pins as ${cause}`, () => {
    assertEquals(causeOf(planned(Command.QUERY, text)), cause);
  });
}

Deno.test("Commands other than texts pin by their names", () => {
  assertEquals(causeOf(planned(Command.STMT_EXECUTE, "SELECT 1")), "COM_STMT_EXECUTE");
  assertEquals(causeOf(planned(Command.RESET_CONNECTION, undefined)), "COM_RESET_CONNECTION");
});
