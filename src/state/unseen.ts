/**
 * What code of the server (routines, triggers) may have left in a session, which no text tells: user
 * variables and locks can be asked for where the server lets the account see them. Temporary tables
 * and the like cannot; how often such statements have run can.
 */
import { decodeText } from "../protocol/bytes.ts";
import { Effect } from "../sql/effects.ts";
import { OWN_VARIABLES } from "./diagnostics.ts";
import type { Dialect } from "./dialect.ts";
import { type SessionState, UNKNOWN_ROLE, Unread } from "./session_state.ts";
import { COUNT_LOCKS } from "./user_locks.ts";
import { cellNumber, isMovableName } from "./user_variables.ts";

const QUERIES: Readonly<Record<Dialect, string | undefined>> = {
  // Everybody may see the own ones.
  mariadb: "SELECT CAST(VARIABLE_NAME AS BINARY) FROM information_schema.USER_VARIABLES " +
    "LIMIT 18446744073709551615",
  // Needs SELECT on performance_schema.
  mysql: "SELECT CAST(VARIABLE_NAME AS BINARY) " +
    "FROM performance_schema.user_variables_by_thread " +
    "WHERE THREAD_ID=PS_CURRENT_THREAD_ID() LIMIT 18446744073709551615",
  oceanbase: undefined,
};

/**
 * Locks that code of the server may have taken, which no text tells. MariaDB does not list them, but
 * it has the texts of its routines and triggers: those that one may not see are NULL or empty.
 */
const LOCK_QUERIES: Readonly<Record<Dialect, string | undefined>> = {
  mariadb: "SELECT COUNT(*) FROM (SELECT ROUTINE_DEFINITION AS code " +
    "FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA NOT IN ('mysql','sys') UNION ALL " +
    "SELECT ACTION_STATEMENT FROM information_schema.TRIGGERS) AS codes " +
    "WHERE COALESCE(code,'')='' OR code LIKE '%GET_LOCK%'",
  mysql: COUNT_LOCKS.mysql,
  oceanbase: undefined,
};

/** Statements that leave what no query lists, and that routines may run. */
const COUNTED: Readonly<Record<Dialect, readonly string[]>> = {
  mariadb: [
    "Com_create_temporary_table",
    "Com_create_sequence",
    "Com_prepare_sql",
    // Their texts may take locks, which no server lists.
    "Com_execute_sql",
    "Com_execute_immediate",
    "Com_flush",
  ],
  mysql: ["Com_create_table", "Com_prepare_sql", "Com_flush"],
  oceanbase: [],
};

/**
 * Asks how often they have run in the session, in text or code. Every account may ask.
 * https://dev.mysql.com/doc/refman/9.0/en/server-status-variables.html#statvar_Com_xxx
 */
export function countsQuery(dialect: Dialect): string | undefined {
  const names = COUNTED[dialect];
  if (names.length === 0) return undefined;
  return `SHOW SESSION STATUS WHERE Variable_name IN (${names.map((name) => `'${name}'`).join()})`;
}

/**
 * The sum of them.
 * @param rows of {@link countsQuery}; sql_select_limit may have kept some back
 * @returns NaN where they cannot be told
 */
export function countedOf(
  rows: readonly (readonly (Uint8Array | null)[])[],
  dialect: Dialect,
): number {
  if (rows.length !== COUNTED[dialect].length) return NaN;
  return rows.reduce((sum, [, count]) => sum + cellNumber(count), 0);
}

const COUNTED_EFFECTS = Effect.createsTemporary | Effect.locksServer | Effect.unknown;

/** They count even where the server does not understand the text inside. */
const PREPARES = Effect.prepares | Effect.executes;

/** Among those that end a transaction. */
const COUNTED_WORDS = /\b(create|flush)\b/i;

/**
 * Whether a statement may have changed those counts by what its text says.
 * @param isNothing the server has not understood it
 * @param text its begin
 */
export function mayBeCounted(effects: number, isNothing: boolean, text: () => string): boolean {
  if ((effects & PREPARES) !== 0) return true;
  if (isNothing) return false;
  if ((effects & COUNTED_EFFECTS) !== 0) return true;
  return (effects & Effect.endsTransaction) !== 0 && COUNTED_WORDS.test(text());
}

/** Has 0 where code of the server has certainly left no lock; undefined where no server tells. */
export function unseenLocksQuery(dialect: Dialect): string | undefined {
  return LOCK_QUERIES[dialect];
}

/** Asks for the names of the session's user variables; undefined where no server tells. */
export function unseenQuery(dialect: Dialect): string | undefined {
  return QUERIES[dialect];
}

/**
 * Makes a state that is uncertain for the sake of user variables certain again.
 * @param rows of {@link unseenQuery}, which the server session has answered
 * @returns whether the session can be left: false where a variable has a name that cannot be moved,
 *   and where nobody knows the roles
 */
export function applyUnseen(
  known: SessionState,
  rows: readonly (readonly (Uint8Array | null)[])[],
  dialect: Dialect,
): boolean {
  // That is another reason, which no server tells anything of.
  if (known.role === UNKNOWN_ROLE) return false;
  const names = rows.map(([name]) => decodeText(name!).toLowerCase())
    .filter((name) => !name.startsWith(OWN_VARIABLES) || known.userVariables.has(name));
  if (!names.every((name) => isMovableName(name, dialect))) return false;
  for (const name of names) {
    if (!known.userVariables.has(name)) known.setUserVariable(name, new Unread());
  }
  known.isUncertain = false;
  return true;
}
