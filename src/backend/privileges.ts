/**
 * What a server lets an account do to the sessions of others, read from what it says of its grants.
 * https://dev.mysql.com/doc/refman/9.0/en/show-grants.html, https://mariadb.com/kb/en/show-grants/
 */
import type { Backend, DialLimits } from "./backend.ts";
import type { ServerLogin } from "./server_login.ts";
import { queryAside } from "./side_connection.ts";

/** Privileges on the whole server that concern sessions. */
export interface SessionPrivileges {
  /** PROCESS or SUPER: see the sessions of others. */
  readonly seesOthers: boolean;
  /** SUPER or CONNECTION ADMIN: end the sessions of others. */
  readonly endsOthers: boolean;
}

const SEEING: ReadonlySet<string> = new Set(["ALL", "ALL PRIVILEGES", "SUPER", "PROCESS"]);

/** MySQL and MariaDB write the last one differently. */
const ENDING: ReadonlySet<string> = new Set([
  "ALL",
  "ALL PRIVILEGES",
  "SUPER",
  "CONNECTION_ADMIN",
  "CONNECTION ADMIN",
]);

/** Names of columns, roles and accounts, which may hold anything that a privilege looks like. */
const QUOTED = /`(?:[^`]|``)*`|"(?:[^"]|"")*"|'(?:[^']|'')*'/g;
const COLUMNS = /\([^()]*\)/g;

/** Granted on everything, and not on a schema, a routine, a role or another account. */
const GLOBAL_GRANT = /^GRANT ([\w ,]+?) ON \*\.\* TO /i;

/** @param rows what SHOW GRANTS lists, one grant each; other lines do not count */
export function readPrivileges(rows: readonly string[]): SessionPrivileges {
  const granted = rows.flatMap((row) => {
    const bare = row.replaceAll(QUOTED, "?").replaceAll(COLUMNS, "");
    return GLOBAL_GRANT.exec(bare)?.[1]?.split(",") ?? [];
  }).map((privilege) => privilege.trim().toUpperCase());
  return {
    seesOthers: granted.some((privilege) => SEEING.has(privilege)),
    endsOthers: granted.some((privilege) => ENDING.has(privilege)),
  };
}

/**
 * Asks a server over a connection of its own. What the account has by its default roles counts on
 * MySQL and MariaDB, which list it; OceanBase shows nobody what a role may do.
 * @throws {SluiceError} where the server cannot be reached or answers ERR
 */
export async function askPrivileges(
  backend: Backend,
  login: ServerLogin,
  limits: DialLimits,
): Promise<SessionPrivileges> {
  const rows = await queryAside(backend, login, { ...limits, sql: "SHOW GRANTS" });
  return readPrivileges(rows.map(([text]) => text ?? ""));
}
