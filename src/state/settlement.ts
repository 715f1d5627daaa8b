/**
 * Reading what only a server session knows: values that were computed, and variables whose change
 * servers do not report. Two statements at most, on the session that has the values.
 */
import type { Column } from "../protocol/resultset.ts";
import type { Dialect } from "./dialect.ts";
import type { SessionState, Unread, UnreadValues } from "./session_state.ts";
import {
  numberText,
  READ_BACK_COLUMNS,
  readBackColumns,
  recreatedValue,
} from "./user_variables.ts";
import { backTo, INSERT_ID, rowOf } from "./variables.ts";

export interface Settlement {
  /**
   * Assigns variables to themselves, which makes the server report them, and all that it has not
   * reported yet. Its OK goes to `applyTrack` with `settles`.
   */
  readonly set: string | undefined;
  /** Has one row, for {@link readSettled}. */
  readonly select: string | undefined;
  /** What the two tell. */
  readonly values: UnreadValues;
}

const NOTHING = new Uint8Array(0);

/** It exists everywhere, and assigning it to itself does nothing. */
const HARMLESS = "sql_mode";

export interface SettlementOptions {
  readonly dialect: Dialect;
  /**
   * False leaves last_insert_id unread, which nearly every INSERT leaves open: for clients that
   * never ask for it.
   */
  readonly insertId?: boolean;
}

/** Undefined where everything is known. */
export function settlement(
  state: SessionState,
  { dialect, insertId = true }: SettlementOptions,
): Settlement | undefined {
  const { variables = [], userVariables = [] } = state.unread() ?? {};
  const wanted = insertId ? variables : variables.filter(([name]) => name !== INSERT_ID);
  if (wanted.length + userVariables.length === 0 && !state.isPending) return undefined;
  return settlementOf({ variables: wanted, userVariables }, dialect, state.isPending);
}

/** For values that are wanted elsewhere, as a `CatchUp` lists them. */
export function settlementOf(
  values: UnreadValues,
  dialect: Dialect,
  isPending = false,
): Settlement {
  const assigned = values.variables.filter(([name]) => !isSelected(name, dialect));
  const names = assigned.length === 0 && isPending ? [HARMLESS] : withChanged(assigned, dialect);
  const selected = [
    ...values.variables.filter(([name]) => isSelected(name, dialect)).flatMap(([name]) => [
      `@@SESSION.${name}`,
      "UNIX_TIMESTAMP(SYSDATE(6))",
    ]),
    ...values.userVariables.map(([name]) => readBackColumns(name, dialect)),
  ];
  const own = names.map((name) => `SESSION ${name}=@@SESSION.${name}`);
  return {
    set: own.length === 0 ? undefined : `SET ${own.join()}`,
    select: selected.length === 0 ? undefined : `SELECT ${selected.join()} LIMIT 1`,
    values,
  };
}

/** Assigning some variables changes others, which then must be put back. */
function withChanged(
  assigned: readonly (readonly [name: string, cell: Unread])[],
  dialect: Dialect,
): string[] {
  const names = assigned.map(([name]) => name);
  const changed = names.flatMap((name) => rowOf(name, dialect).changes ?? []);
  return [...names.filter((name) => !changed.includes(name)), ...changed];
}

/** Variables that cannot be assigned to themselves: that would stop the clock. */
function isSelected(name: string, dialect: Dialect): boolean {
  return rowOf(name, dialect).report === "clock" || name === INSERT_ID;
}

/** Fills the cells from the row that `select` has given. */
export function readSettled(
  { values }: Settlement,
  columns: readonly Column[],
  row: readonly (Uint8Array | null)[],
  dialect: Dialect,
): void {
  let at = 0;
  for (const [name, cell] of values.variables) {
    if (!isSelected(name, dialect)) continue;
    const text = numberText(row[at] ?? NOTHING);
    const isRunning = name !== INSERT_ID && runs(text, row[at + 1] ?? null, cell);
    cell.text = isRunning ? backTo(name, dialect) : text;
    at += 2;
  }
  for (const [name, cell] of values.userVariables) {
    const cells = row.slice(at, at + READ_BACK_COLUMNS);
    const type = columns[at + 1]!;
    cell.text = recreatedValue(name, cells, { type, dialect });
    at += READ_BACK_COLUMNS;
  }
}

/** Seconds that a clock that runs and the server's own are apart at most. */
const SLACK = 1;

/** A clock that was stopped still shows what was reported then, or another time than the server's. */
function runs(text: string, now: Uint8Array | null, { reported }: Unread): boolean {
  if (reported !== undefined) return Number(text) !== Number(reported);
  return Math.abs(Number(text) - Number(numberText(now ?? NOTHING))) < SLACK;
}
