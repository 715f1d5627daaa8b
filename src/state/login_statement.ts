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
import { SessionState } from "./session_state.ts";
import { MYSQL_VARIABLES } from "./mysql_variables.ts";
import { rowOf } from "./variables.ts";

const REPORTED: readonly string[] = [
  "character_set_client",
  "character_set_results",
  "collation_connection",
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
    `session_track_system_variables='${variables}'`,
    "session_track_schema=ON",
    "session_track_state_change=ON",
    "session_track_transaction_info='CHARACTERISTICS'",
  ];
}

const STATEMENTS: Readonly<Record<Dialect, string>> = {
  mysql: statementFor("mysql"),
  mariadb: statementFor("mariadb"),
  oceanbase: statementFor("oceanbase"),
};

function statementFor(dialect: Dialect): string {
  const own = [...REPORTED, ...ISOLATION[dialect]].map((name) => `${name}=@@SESSION.${name}`);
  return `SET ${[...SWITCHES[dialect], ...own].map((one) => `SESSION ${one}`).join()}`;
}

export function loginStatement(dialect: Dialect): string {
  return STATEMENTS[dialect];
}

export interface LoginFacts {
  readonly dialect: Dialect;
  /** Of the session, as the login's OK or the session before the reset had it. */
  readonly schema: string;
  /** Collation id of the login packet. */
  readonly charset: number;
}

/** OceanBase reports collation_connection only where it changes; other sets are not taken. */
const OCEANBASE_COLLATIONS = new Map([[46, "utf8mb4_bin"], [63, "binary"]]);

/** States right behind logins are few, and all sessions in one share its map. */
const known = new Map<string, ReadonlyMap<string, string>>();
const MOST_KNOWN = 1_000;

/**
 * The state that the reply to the login statement tells.
 * @throws {ProtocolError}
 */
export function loginState(ok: OkPacket, { dialect, schema, charset }: LoginFacts): SessionState {
  const login = new Map<string, string>();
  if (dialect === "oceanbase") {
    login.set("collation_connection", OCEANBASE_COLLATIONS.get(charset) ?? "utf8mb4_general_ci");
  }
  for (const { type, data } of ok.track) {
    if (type !== SessionTrack.SYSTEM_VARIABLES) continue;
    for (const [reported, text] of decodeTrackedVariables(data)) {
      const { sameAs, report, partOf } = rowOf(reported, dialect);
      const name = sameAs ?? reported;
      const isKept = report === undefined && partOf === undefined && !name.startsWith("_");
      if (isKept) login.set(name, text);
    }
  }
  return SessionState.afterLogin(schema, shared(login));
}

function shared(login: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const key = [...login].map(([name, text]) => `${name}=${text}`).sort().join("\n");
  const same = known.get(key);
  if (same !== undefined) return same;
  if (known.size >= MOST_KNOWN) known.clear();
  known.set(key, login);
  return login;
}
