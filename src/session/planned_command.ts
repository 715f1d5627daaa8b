/** What is known of the command of a client before it is sent. */
import { Command } from "../protocol/constants.ts";
import type { Classified } from "../sql/classified.ts";
import { Effect } from "../sql/effects.ts";
import { behindComments } from "../sql/first_words.ts";
import type { SqlMode } from "../sql/mode.ts";
import { splitStatements } from "../sql/split.ts";
import type { ServerNeed } from "./server_need.ts";

/** A command of a client, as far as it matters to the session that it runs in. */
export interface PlannedCommand {
  /** Of `Command`. */
  readonly command: number;
  /** What its text may have done; nothing for other commands than statements. */
  readonly classified: Classified;
  /** How its text is read. */
  readonly mode: SqlMode;
  /** Its text certainly had no other statement beside it. */
  readonly isAlone: boolean;
  /** The client's id of the prepared statement that it was about. */
  readonly statementId: number | undefined;
  readonly need: ServerNeed | undefined;
  /** Of COM_SET_OPTION: whether it allows several statements in a text. */
  readonly several: boolean | undefined;
  /** The begin of its text, or of the text that was prepared; undefined where there is none. */
  textUpTo(characters: number): string | undefined;
}

/** What of the session's state the command puts something else in the place of, whatever was there. */
export function replacedBy(
  { command, classified: { effects }, isAlone }: PlannedCommand,
): "schema" | "role" | undefined {
  if (command === Command.INIT_DB) return "schema";
  if (command !== Command.QUERY || !isAlone) return undefined;
  if ((effects & Effect.usesSchema) !== 0) return "schema";
  return (effects & Effect.setsRole) !== 0 ? "role" : undefined;
}

const RUNS_STATEMENT: ReadonlySet<number> = new Set([
  ...[Command.QUERY, Command.STMT_EXECUTE, Command.MARIADB_STMT_BULK_EXECUTE],
]);

export function runsStatement({ command }: PlannedCommand): boolean {
  return RUNS_STATEMENT.has(command);
}

const FIRST_WORDS = 1_000;

/** Characters of texts that are taken apart: as many as are there of any. */
const LONGEST = 4_000;

/** The begin of the text that it runs, behind comments that are no code. */
export function firstWords(command: PlannedCommand): string {
  const text = command.need?.runs?.slice(0, FIRST_WORDS) ?? command.textUpTo(FIRST_WORDS);
  return behindComments(text ?? "");
}

/** Each of its statements, behind comments that are no code; none where the text is gone, or too long for that. */
export function firstWordsOfEach(command: PlannedCommand): string[] {
  const text = command.need?.runs ?? command.textUpTo(LONGEST);
  // A character in two parts is left out where it would be cut.
  if (text === undefined || text.length >= LONGEST - 1) return [];
  if (!text.includes(";")) return [behindComments(text)];
  const bytes = new TextEncoder().encode(text);
  return splitStatements(bytes, { start: 0, end: bytes.length }, command.mode)
    .map(({ start, end }) => new TextDecoder().decode(bytes.subarray(start, end)))
    .map(behindComments);
}
