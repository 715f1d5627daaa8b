/** What lists say of the command that began a pin: the kind of the statement, or the command. */
import { Command } from "../protocol/constants.ts";
import { commandRow } from "../protocol/replies.ts";
import type { PlannedCommand } from "./planned_command.ts";

/** Characters in which the first words of a statement are looked for. */
const LOOKED_AT = 200;

/**
 * Comments, white space and parentheses, then a word, and perhaps another one. There is one way only
 * to read a text so: a comment that could end at several places would be tried with each of them.
 */
const WORDS =
  /^(?:[\s(]|\/\*(?:[^*]|\*(?!\/))*\*\/|(?:--(?=\s)|#)[^\n]*\n)*([a-z]+)(?:\s+([a-z]+))?/i;

/** Second words that tell statements apart: others are names. */
const SECOND = new Set(
  ("DATABASE DIAGNOSTICS FUNCTION GLOBAL IMMEDIATE INSTANCE INTO LOCAL OPEN PREPARE PROCEDURE ROLE " +
    "SESSION STAGE START TABLE TABLES TEMPORARY TRANSACTION USER VIEW WORK").split(" "),
);

export function causeOf(command: PlannedCommand): string {
  const name = commandRow(command.command)?.name ?? "";
  if (command.command !== Command.QUERY) return name;
  const [, first, second = ""] = WORDS.exec(command.textUpTo(LOOKED_AT) ?? "") ?? [];
  if (first === undefined) return name;
  const more = second.toUpperCase();
  return SECOND.has(more) ? `${first.toUpperCase()} ${more}` : first.toUpperCase();
}
