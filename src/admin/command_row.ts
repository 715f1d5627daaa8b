/** What the table of the proxy's own statements says of each. */
import type { Column } from "../protocol/resultset.ts";
import type { AdminAnswer } from "./answer.ts";
import type { Operands } from "./operands.ts";
import type { AdminScope } from "./scope.ts";
import { Syntax } from "./syntax.ts";

/** Who may use a statement: `operators` are `root@proxysys` and `root@sys`. */
export type Gate = "everybody" | "operators";

export interface CommandRow {
  readonly syntax: Syntax;
  readonly gate: Gate;
  /** One line of help. */
  readonly help: string;
  /** Columns of a listing; none where it answers OK. */
  readonly columns?: readonly Column[] | ((operands: Operands) => readonly Column[]);
  /** Lists whatever `internal_cmd_mem_limited` says. */
  readonly isUnlimited?: true;
  /** Known to operators of OceanBase's proxy, and not here: it answers 1235. */
  readonly isMissing?: true;
  /** @throws {SluiceError} what the caller is told */
  run(scope: AdminScope, operands: Operands): AdminAnswer | Promise<AdminAnswer>;
}

/** A row as it is written down. */
export type CommandText = Omit<CommandRow, "syntax"> & { readonly syntax: string };

export function commandRow(text: CommandText): CommandRow {
  return { ...text, syntax: new Syntax(text.syntax) };
}
