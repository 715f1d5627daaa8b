/**
 * The locks that a session has taken with GET_LOCK, as far as that is known: it may have timed out,
 * which only its result says, or have been refused. The server is asked before a server session is
 * kept for the sake of a lock that it does not have.
 */
import type { Dialect } from "./dialect.ts";
import { type PinBegin, type Pins, SOME } from "./pins.ts";
import { cellNumber } from "./user_variables.ts";
import { stringLiteral } from "./variables.ts";

const REASON = "user_lock";

/** Locks that are known by name at a time. What comes on top is nameless, as what no text tells. */
export const MOST_NAMES = 64;

/** MariaDB's limit in bytes; those of the others are lower. */
const LONGEST_NAME = 192;

/** Means the same in every character set. */
const ASCII = /^[\0-\x7f]*$/;

export interface GetLock {
  /** Undefined where no text tells. */
  readonly name: string | undefined;
  readonly dialect: Dialect;
  /** The server has read the name as UTF-8, as it was read here. */
  readonly isUtf8: boolean;
  readonly begin: PinBegin;
}

/** GET_LOCK may have taken one. */
export function addLock(pins: Pins, { name, dialect, isUtf8, begin }: GetLock): void {
  if (name !== undefined && (name === "" || name.length > LONGEST_NAME)) return;
  const isTold = name !== undefined && (isUtf8 || ASCII.test(name));
  const key = isTold ? lockKey(name, dialect) : SOME;
  const isKnown = pins.has(REASON, key) || pins.size(REASON) < MOST_NAMES;
  pins.add(REASON, begin, isKnown ? key : SOME);
}

/** RELEASE_LOCK has let go of one, once. */
export function removeLock(pins: Pins, name: string, dialect: Dialect): void {
  pins.remove(REASON, lockKey(name, dialect));
}

/** Letters of either case are the same to MySQL, and others to MariaDB. */
function lockKey(name: string, dialect: Dialect): string {
  return dialect === "mariadb" ? name : name.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** Where one more name may not be kept, unless the server has been asked for those that are. */
export function hasManyLocks(pins: Pins): boolean {
  return pins.size(REASON) >= MOST_NAMES && !pins.has(REASON, SOME);
}

/**
 * How many locks the session has: 1 where it has none, but nobody keeps account of them. That the
 * account is kept shows by the lock of the statement itself. Needs SELECT on performance_schema.
 * https://dev.mysql.com/doc/refman/9.0/en/performance-schema-metadata-locks-table.html
 */
export const COUNT_LOCKS: Readonly<Record<Dialect, string | undefined>> = {
  mysql: "SELECT IF(SUM(OBJECT_TYPE='TABLE')>0,SUM(OBJECT_TYPE='USER LEVEL LOCK'),1) " +
    "FROM performance_schema.metadata_locks WHERE OWNER_THREAD_ID=PS_CURRENT_THREAD_ID() LIMIT 1",
  // Of locks without their names, these tell nothing.
  mariadb: undefined,
  oceanbase: undefined,
};

/** A question, which one row with one value answers: 0 where the locks are not there. */
export interface LockQuestion {
  readonly sql: string;
  /** The name, or {@link SOME} for all that have none. */
  readonly thing: string;
}

/** One for each lock that the server can tell of. */
export function lockQuestions(pins: Pins, dialect: Dialect): LockQuestion[] {
  const things = pins.list().find(({ reason }) => reason === REASON)?.things ?? [];
  return things.flatMap((thing) => {
    const sql = thing === SOME ? COUNT_LOCKS[dialect] : isUsed(thing);
    return sql === undefined ? [] : [{ sql, thing }];
  });
}

function isUsed(name: string): string {
  return `SELECT IS_USED_LOCK(${stringLiteral(name)})<=>CONNECTION_ID() LIMIT 1`;
}

/**
 * ER_TOO_LONG_IDENT, ER_USER_LOCK_WRONG_NAME, ER_USER_LOCK_OVERLONG_NAME: what is refused here was
 * refused by GET_LOCK.
 */
const NO_NAMES: ReadonlySet<number> = new Set([1059, 3057, 4163]);

/** @param answer the value, or the code of the error in its place */
export function applyLock(
  pins: Pins,
  { thing }: LockQuestion,
  answer: { readonly value: Uint8Array | null | undefined } | { readonly error: number },
): void {
  const isGone = "error" in answer
    ? thing !== SOME && NO_NAMES.has(answer.error)
    : cellNumber(answer.value) === 0;
  if (isGone) pins.removeAll(REASON, thing);
}
