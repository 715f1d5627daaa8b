/**
 * User variables that code of the server may have set: their names can be asked for where the server
 * lets the account see them.
 */
import { decodeText } from "../protocol/bytes.ts";
import { OWN_VARIABLES } from "./diagnostics.ts";
import type { Dialect } from "./dialect.ts";
import { type SessionState, Unread } from "./session_state.ts";
import { isMovableName } from "./user_variables.ts";

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
    "WHERE COALESCE(code,'')='' OR code LIKE '%GET_LOCK%' OR code LIKE '%EXECUTE%'",
  mysql: "SELECT COUNT(*) FROM performance_schema.metadata_locks " +
    "WHERE OBJECT_TYPE='USER LEVEL LOCK' AND OWNER_THREAD_ID=PS_CURRENT_THREAD_ID()",
  oceanbase: undefined,
};

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
 * @returns whether the session can be left: false where a variable has a name that cannot be moved
 */
export function applyUnseen(
  known: SessionState,
  rows: readonly (readonly (Uint8Array | null)[])[],
  dialect: Dialect,
): boolean {
  const names = rows.map(([name]) => decodeText(name!).toLowerCase())
    .filter((name) => !name.startsWith(OWN_VARIABLES) || known.userVariables.has(name));
  if (!names.every((name) => isMovableName(name, dialect))) return false;
  for (const name of names) {
    if (!known.userVariables.has(name)) known.setUserVariable(name, new Unread());
  }
  known.isUncertain = false;
  return true;
}
