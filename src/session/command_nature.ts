/** What a command may do, as far as it matters when it is lost with its server session. */
import { Command } from "../protocol/constants.ts";
import { Ask, Effect } from "../sql/effects.ts";
import type { Classified } from "../sql/classified.ts";

export interface CommandNature {
  /** It changes nothing, and may run once more. */
  readonly isRead: boolean;
  /** It may end a transaction. */
  readonly mayCommit: boolean;
  /** It asks what its server session knows of the statement before. */
  readonly asksFacts: boolean;
}

/** Of what cannot be looked at. */
export const UNKNOWN_NATURE: CommandNature = { isRead: false, mayCommit: true, asksFacts: false };

/** Beside their reply they leave at most a state that the next server session is given, too. */
const READS: ReadonlySet<number> = new Set([
  ...[Command.PING, Command.STATISTICS, Command.FIELD_LIST, Command.INIT_DB],
  ...[Command.STMT_PREPARE, Command.RESET_CONNECTION],
]);

const COMMITS = Effect.endsTransaction | Effect.xa | Effect.calls | Effect.executes |
  Effect.unknown;

const FACTS = Ask.lastInsertId | Ask.rowCount | Ask.foundRows | Ask.diagnostics | Ask.sequence |
  Ask.lastGtid | Ask.profiles;

/** Of a command that is no text. */
export function natureOfCommand(code: number): CommandNature {
  if (!READS.has(code)) return UNKNOWN_NATURE;
  return { isRead: true, mayCommit: false, asksFacts: false };
}

export function natureOfText({ isRead, effects, asks }: Classified): CommandNature {
  return { isRead, mayCommit: (effects & COMMITS) !== 0, asksFacts: (asks & FACTS) !== 0 };
}
