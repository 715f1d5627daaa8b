/** Why a client session must stay on the server session that it has. */
import { Effect } from "../sql/effects.ts";

export interface Pin {
  readonly reason: string;
  /** Milliseconds since the epoch. */
  readonly since: number;
}

/** What servers report themselves, so that it can be had on another server session too. */
const MOVABLE = Effect.usesSchema | Effect.setsSystemVariables | Effect.beginsTransaction |
  Effect.endsTransaction | Effect.setsUserVariables;

/** The reason by effect; the first one that applies. All last until the session is reset. */
const REASONS: readonly (readonly [effects: number, reason: string])[] = [
  [Effect.createsTemporary, "temporary table"],
  [Effect.locksTables | Effect.locksServer, "LOCK TABLES"],
  [Effect.getsLock, "user lock"],
  [Effect.opensHandler, "HANDLER"],
  [Effect.xa, "XA"],
  [Effect.setsNextTransaction, "SET TRANSACTION"],
  [Effect.calculatesFoundRows, "SQL_CALC_FOUND_ROWS"],
  [Effect.prepares, "prepared statement"],
];

/** The reason that a statement with these effects gives; undefined where it leaves nothing behind. */
export function pinReason(effects: number): string | undefined {
  if ((effects & ~MOVABLE) === 0) return undefined;
  for (const [mask, reason] of REASONS) if ((effects & mask) !== 0) return reason;
  return "unknown state";
}
