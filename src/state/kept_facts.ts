/**
 * Which statements leave what a session tells of the one before: FOUND_ROWS(), and the conditions
 * that SHOW WARNINGS lists. It is judged by the begin of their text, behind comments.
 */
import { Command } from "../protocol/constants.ts";
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

/** With rows of their own. */
const WITH_ROWS =
  "analyze\\s+((local|no_write_to_binlog)\\s+)?table|check|checksum|optimize|repair|" +
  "handler|help|xa";
const WITH_ROWS_LEAVE: Readonly<Record<Dialect, RegExp | undefined>> = {
  mysql: new RegExp(`^\\s*(${WITH_ROWS}|explain)\\b`, "i"),
  mariadb: new RegExp(`^\\s*(${WITH_ROWS})\\b`, "i"),
  oceanbase: undefined,
};

/** Commands that are no statements, and leave the conditions of the last one. */
const LEAVE_CONDITIONS: Readonly<Record<Dialect, ReadonlySet<number>>> = {
  mysql: new Set([
    ...[Command.PING, Command.STATISTICS, Command.SET_OPTION, Command.INIT_DB],
    ...[Command.STMT_RESET, Command.STMT_FETCH],
  ]),
  mariadb: new Set([
    ...[Command.PING, Command.STATISTICS, Command.SET_OPTION, Command.INIT_DB],
    ...[Command.STMT_RESET, Command.STMT_FETCH, Command.FIELD_LIST, Command.STMT_PREPARE],
  ]),
  oceanbase: new Set([
    ...[Command.PING, Command.STATISTICS, Command.SET_OPTION, Command.STMT_RESET],
  ]),
};

/** Of those, the ones behind which servers repeat their own number of warnings, not the last one's. */
const COUNT_WARNINGS: ReadonlySet<number> = new Set([Command.STMT_RESET, Command.STMT_FETCH]);

/** @param text of a statement */
export function leavesFoundRows(text: string, dialect: Dialect): boolean {
  return LEAVES_FOUND_ROWS.test(text) || MORE_LEAVE_FOUND_ROWS[dialect]?.test(text) === true ||
    WITH_ROWS_LEAVE[dialect]?.test(text) === true;
}

/** @param command of `Command`, one that is no statement, and has succeeded */
export function commandLeavesConditions(command: number, dialect: Dialect): boolean {
  return LEAVE_CONDITIONS[dialect].has(command);
}

/** Whether the number of warnings that the command has had takes the place of the last statement's. */
export function countsWarnings(command: number): boolean {
  return COUNT_WARNINGS.has(command);
}

/** @param text of one statement that has warned of nothing; empty where there were comments only */
export function leavesConditions(text: string, dialect: Dialect): boolean {
  return dialect === "mariadb" && (text === "" || LEAVES_CONDITIONS.test(text));
}
