/**
 * The first statement on a server session that is fresh or was reset: it switches on the reports of
 * everything, and assigns some variables to themselves, which makes the server report them. Those
 * are the ones that DEFAULT does not put back to what they are behind a login, and the ones that
 * servers of one cluster may be set to differently.
 * https://dev.mysql.com/doc/refman/9.0/en/session-state-tracking.html
 */
import { SessionTrack } from "../protocol/constants.ts";
import { decodeTrackedVariables, type OkPacket } from "../protocol/response.ts";
import type { Dialect } from "./dialect.ts";
import { MYSQL_VARIABLES } from "./mysql_variables.ts";
import { SessionState } from "./session_state.ts";
import {
  charsetOf,
  CLIENT,
  CONNECTION,
  hiddenCollations,
  RESULTS,
  rowOf,
  SET_BY_SCHEMA,
  stringLiteral,
} from "./variables.ts";

const REPORTED: readonly string[] = [
  "sql_mode",
  "time_zone",
  "autocommit",
  "foreign_key_checks",
  "unique_checks",
  "wait_timeout",
];

const ISOLATION: Readonly<Record<Dialect, readonly string[]>> = {
  mysql: ["transaction_isolation", "transaction_read_only"],
  mariadb: ["tx_isolation", "tx_read_only"],
  oceanbase: ["transaction_isolation", "transaction_read_only"],
};

/**
 * `*` has MySQL report statement_id with every single reply, so there the variables are named; it
 * ignores the names that it does not know. MariaDB refuses them, and OceanBase reports unasked.
 */
const SWITCHES: Readonly<Record<Dialect, readonly string[]>> = {
  mysql: switchesFor(MYSQL_VARIABLES.join(",")),
  mariadb: switchesFor("*"),
  oceanbase: [],
};

function switchesFor(variables: string): string[] {
  return [
    `session_track_system_variables=${stringLiteral(variables)}`,
    "session_track_schema=ON",
    "session_track_state_change=ON",
  ];
}

/**
 * Has the server report what becomes of SET TRANSACTION, ahead of the first one: it does so with
 * most statements of every transaction. Undefined where it never does.
 */
export function transactionReportStatement(dialect: Dialect): string | undefined {
  if (dialect === "oceanbase") return undefined;
  return `SET SESSION session_track_transaction_info=${stringLiteral("CHARACTERISTICS")}`;
}

const ASSIGNMENTS: Readonly<Record<Dialect, string>> = {
  mysql: assignmentsFor("mysql"),
  mariadb: assignmentsFor("mariadb"),
  oceanbase: assignmentsFor("oceanbase"),
};

function assignmentsFor(dialect: Dialect): string {
  const own = [...REPORTED, ...ISOLATION[dialect]].map((name) => `${name}=@@SESSION.${name}`);
  return [...SWITCHES[dialect], ...own].map((one) => `SESSION ${one}`).join();
}

/** Switches the reports on again where a client has changed them; undefined where none can. */
export function reportStatement(dialect: Dialect): string | undefined {
  const switches = SWITCHES[dialect];
  return switches.length === 0
    ? undefined
    : `SET ${switches.map((one) => `SESSION ${one}`).join()}`;
}

/**
 * @param collation of the login, for a session that was reset: MySQL resets to the server's own
 *   character sets. Behind a login the session has it, and must not be told its character sets,
 *   which would lose the collation.
 */
export function loginStatement(dialect: Dialect, collation?: string): string {
  const names = collation === undefined
    ? "SESSION collation_connection=@@SESSION.collation_connection"
    : `NAMES ${charsetOf(collation)} COLLATE ${collation}`;
  // Only what stands behind the switches is reported.
  return `SET ${ASSIGNMENTS[dialect]},${names}`;
}

export interface LoginFacts {
  readonly dialect: Dialect;
  /** Of the session, as the login's OK or the session before the reset had it. */
  readonly schema: string;
  /**
   * Behind a reset, what {@link loginStatement} was given; behind a login on OceanBase, what
   * {@link oceanbaseCollation} says.
   */
  readonly collation?: string | undefined;
  /** The session was reset: it keeps its schema, but not what the schema had set. */
  readonly isReset?: boolean;
}

const OCEANBASE_COLLATIONS = new Map([[46, "utf8mb4_bin"], [63, "binary"]]);

/**
 * The collation of a session on OceanBase, which reports it only where it changes, behind a login
 * with this number.
 */
export function oceanbaseCollation(charset: number): string {
  return OCEANBASE_COLLATIONS.get(charset) ?? "utf8mb4_general_ci";
}

/**
 * The state that the reply to the login statement tells.
 * @throws {ProtocolError}
 */
export function loginState(ok: OkPacket, facts: LoginFacts): SessionState {
  const { dialect, schema, collation, isReset = false } = facts;
  const login = new Map<string, string>();
  for (const { type, data } of ok.track) {
    if (type !== SessionTrack.SYSTEM_VARIABLES) continue;
    for (const [reported, text] of decodeTrackedVariables(data)) {
      const { sameAs, report, partOf } = rowOf(reported, dialect);
      const name = sameAs ?? reported;
      const isKept = report === undefined && partOf === undefined && !name.startsWith("_");
      if (isKept) login.set(name, text);
    }
  }
  const own = collation ?? login.get(CONNECTION);
  if (own !== undefined) {
    login.set(CONNECTION, own);
    login.set(CLIENT, charsetOf(own));
    login.set(RESULTS, charsetOf(own));
    for (const name of hiddenCollations(dialect).values()) login.set(name, own);
  }
  const state = SessionState.afterLogin(schema, shared(login));
  // No collation, so that it differs from all that can be wanted.
  if (isReset && schema !== "") state.setVariable(SET_BY_SCHEMA, "");
  return state;
}

/** States right behind logins are few, and all sessions in one share its map. */
const logins = new Map<string, ReadonlyMap<string, string>>();
const MOST_LOGINS = 1_000;

function shared(login: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const key = [...login].map(([name, text]) => `${name}=${text}`).sort().join("\n");
  const same = logins.get(key);
  if (same !== undefined) return same;
  if (logins.size >= MOST_LOGINS) logins.clear();
  logins.set(key, login);
  return login;
}
