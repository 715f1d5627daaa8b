/** The one table of the proxy's own statements. */
import type { Column } from "../protocol/resultset.ts";
import type { AdminAnswer } from "./answer.ts";
import { kill, killProxySession, killQueryById, killUser } from "./kill.ts";
import type { Operands } from "./operands.ts";
import { PROXY_SESSION_COLUMNS, showProxySessions } from "./proxy_sessions.ts";
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
  /** @throws {SluiceError} what the caller is told */
  run(scope: AdminScope, operands: Operands): AdminAnswer | Promise<AdminAnswer>;
}

type CommandText = Omit<CommandRow, "syntax"> & { readonly syntax: string };

const TEXTS: readonly CommandText[] = [
  {
    syntax: "SHOW PROXYSESSION",
    gate: "everybody",
    help: "The client sessions that you may see",
    columns: PROXY_SESSION_COLUMNS,
    run: showProxySessions,
  },
  {
    syntax: "KILL [HARD|SOFT] [CONNECTION|QUERY] id",
    gate: "everybody",
    help: "Ends a client session, or only what it is doing",
    run: kill,
  },
  {
    syntax: "KILL [HARD|SOFT] [CONNECTION|QUERY] USER user",
    gate: "everybody",
    help: "Ends all client sessions of a user, or only what they are doing",
    run: killUser,
  },
  {
    syntax: "KILL [HARD|SOFT] QUERY ID query_id",
    gate: "everybody",
    help: "Answers that there is no such query: the proxy does not number queries",
    run: killQueryById,
  },
  {
    syntax: "KILL PROXYSESSION id [ss_id]",
    gate: "operators",
    help: "Ends a client session, or only one of its server sessions",
    run: killProxySession,
  },
];

export const COMMANDS: readonly CommandRow[] = TEXTS.map((row) => ({
  ...row,
  syntax: new Syntax(row.syntax),
}));
