/**
 * Whether a session has the locks that it asked for: GET_LOCK may have timed out, which only its
 * result says. Asked before a server session is kept for the sake of a lock that it does not have.
 */
import { cellNumber } from "./user_variables.ts";
import { NO_PINS, type Pin } from "./pins.ts";
import { stringLiteral } from "./variables.ts";

const REASON = "user_lock";

/** Undefined where no pin is for a lock with a known name. */
export function lockQuery(pins: readonly Pin[]): string | undefined {
  const names = lockNames(pins);
  if (names.length === 0) return undefined;
  const columns = names.map((name) => `IS_USED_LOCK(${stringLiteral(name)})<=>CONNECTION_ID()`);
  return `SELECT ${columns.join()} LIMIT 1`;
}

/**
 * The pins without the locks that are not there.
 * @param row of {@link lockQuery}, which the server session has answered
 */
export function pinsWithLocks(
  pins: readonly Pin[],
  row: readonly (Uint8Array | null)[],
): readonly Pin[] {
  const gone = new Set(lockNames(pins).filter((_, index) => cellNumber(row[index]) === 0));
  if (gone.size === 0) return pins;
  const left = pins.flatMap((pin) => {
    if (pin.reason !== REASON) return [pin];
    const things = pin.things.filter((name) => !gone.has(name));
    return things.length === 0 ? [] : [{ ...pin, things }];
  });
  return left.length === 0 ? NO_PINS : left;
}

function lockNames(pins: readonly Pin[]): string[] {
  const things = pins.find(({ reason }) => reason === REASON)?.things ?? [];
  return [...new Set(things)].filter((name) => name !== "");
}
