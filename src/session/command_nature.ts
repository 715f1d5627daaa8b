/** What a command may do, as far as it matters when it is lost with its server session. */
import { Command } from "../protocol/constants.ts";
import { Ask, Effect } from "../sql/effects.ts";
import type { Classified } from "../sql/classified.ts";

export interface CommandNature {
  /** It changes no data, and may run once more elsewhere. */
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

/** LAST_INSERT_ID() moves with the session's state. */
const FACTS = Ask.rowCount | Ask.foundRows | Ask.diagnostics | Ask.sequence | Ask.lastGtid |
  Ask.profiles;

/** Of a command that is no text. */
export function natureOfCommand(code: number): CommandNature {
  if (!READS.has(code)) return UNKNOWN_NATURE;
  return { isRead: true, mayCommit: false, asksFacts: false };
}

/** @param text the statements, where they are at hand */
export function natureOfText(classified: Classified, text?: Uint8Array): CommandNature {
  const { effects, asks } = classified;
  const isRead = classified.isRead || (text !== undefined && isSetting(effects, text));
  return { isRead, mayCommit: (effects & COMMITS) !== 0, asksFacts: (asks & FACTS) !== 0 };
}

/** What changes only a session, and what begins a transaction: gone with the server session. */
const SETTING = Effect.setsUserVariables | Effect.setsSystemVariables | Effect.setsUnreported |
  Effect.setsNextTransaction | Effect.setsOneShot | Effect.setsLastInsertId | Effect.usesSchema |
  Effect.beginsTransaction | Effect.endsTransaction | Effect.unlocksTables | Effect.setsRole;

const BEGINS_AS_SETTING = /^\s*(SET|USE|BEGIN|START\s+TRANSACTION)\b/i;

/** May be among the words of a SET that reaches further than its session. */
const REACHES_FURTHER = /;|\b(GLOBAL|PERSIST|PERSIST_ONLY|PASSWORD|STATEMENT)\b/i;

function isSetting(effects: number, text: Uint8Array): boolean {
  if (effects === 0 || (effects & ~SETTING) !== 0) return false;
  const words = new TextDecoder().decode(text);
  return BEGINS_AS_SETTING.test(words) && !REACHES_FURTHER.test(words);
}
