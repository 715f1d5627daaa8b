/**
 * Versioned comments: which of them are text to a server.
 * https://dev.mysql.com/doc/refman/9.0/en/comments.html
 * https://mariadb.com/kb/en/comment-syntax/
 */

/** MariaDB's versions begin here. */
const FIRST_MARIADB = 100_000;

/** MariaDB takes these for features of MySQL that it does not have. */
const FIRST_MYSQL_ONLY = 50_700;

/** Above every version there is: texts use 999999 for what nobody shall run. */
const UNREACHED = 199_999;

/**
 * Whether the contents of a versioned comment are text.
 * @param version the number behind the mark, 0 where there is none
 * @param isMariadbForm the mark was `/*M!`
 * @param serverVersion undefined where it is not known: rather text than not, since a statement
 *   that the proxy takes for its own is better than one that it overlooks
 */
export function executesVersion(
  version: number,
  isMariadbForm: boolean,
  serverVersion: number | undefined,
): boolean {
  if (serverVersion === undefined) return version <= UNREACHED;
  if (version > serverVersion) return false;
  if (serverVersion < FIRST_MARIADB) return !isMariadbForm;
  return isMariadbForm || version < FIRST_MYSQL_ONLY || version >= FIRST_MARIADB;
}

/** MySQL 9 has `$tag$ … $tag$` for the code of routines; elsewhere it is a name. */
export function knowsDollarQuotes(serverVersion: number | undefined): boolean {
  if (serverVersion === undefined) return true;
  return serverVersion >= 90_000 && serverVersion < FIRST_MARIADB;
}

/**
 * A server's version text as versioned comments count it: `5.5.5-10.11.19-MariaDB` is 101119.
 * Undefined where there is no number in it.
 */
export function versionNumber(text: string): number | undefined {
  // MariaDB puts a version of MySQL first, for old replicas.
  const [, major, minor, patch] = /^(?:5\.5\.5-)?(\d+)\.(\d+)\.(\d+)/.exec(text) ?? [];
  if (major === undefined) return undefined;
  return Number(major) * 10_000 + Number(minor) * 100 + Number(patch);
}
