/**
 * Which statements leave what a session tells of the one before: FOUND_ROWS(), and the conditions
 * that SHOW WARNINGS lists. It is judged by the begin of their text, behind comments.
 */
import type { Dialect } from "./dialect.ts";

/** Without rows, unless they select some. */
const LEAVES_FOUND_ROWS =
  /^\s*(insert|replace|delete|set|use|commit|rollback|begin|start|create|alter|drop|truncate)\b(?![^]*\bselect\b)/i;

/** MariaDB has more of them, and OceanBase still more, which may select. */
const MORE_LEAVE_FOUND_ROWS: Readonly<Record<Dialect, RegExp | undefined>> = {
  mysql: undefined,
  mariadb: /^\s*(do|update)\b(?![^]*\bselect\b)/i,
  oceanbase: /^\s*(insert|replace|update|delete|do|prepare|lock|unlock|flush)\b/i,
};

/** Where MariaDB uses no table, warnings stay. The others forget them with every statement. */
const LEAVES_CONDITIONS = new RegExp(
  "^\\s*(execute\\s+immediate\\s*[\"'])?(prepare\\s+\\S+\\s+from\\s*[\"'])?" +
    "(do|set|use|begin|start|commit|rollback|savepoint|release|xa|select|values|call|help|explain|" +
    "flush|unlock|kill|deallocate|drop\\s+prepare|show\\s+(processlist|grants|master))\\b" +
    "(?![^]*\\bfrom\\b(?!\\s*@|\\s+dual\\b))",
  "i",
);

/** @param text of a statement that has returned no rows */
export function leavesFoundRows(text: string, dialect: Dialect): boolean {
  return LEAVES_FOUND_ROWS.test(text) || MORE_LEAVE_FOUND_ROWS[dialect]?.test(text) === true;
}

/** @param text of one statement that has warned of nothing; empty where there were comments only */
export function leavesConditions(text: string, dialect: Dialect): boolean {
  return dialect === "mariadb" && (text === "" || LEAVES_CONDITIONS.test(text));
}
