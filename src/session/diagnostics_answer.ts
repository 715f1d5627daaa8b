/**
 * GET DIAGNOSTICS where somebody else has used the server session since: what it asks for is known,
 * and assigned to its user variables on the server session that the client has now. The statement
 * itself is answered by one that does nothing.
 */
import { type Conditions, joined, readConditions } from "../backend/read_conditions.ts";
import { ask, dropOwnConditions, resultOf } from "../backend/read_out.ts";
import { exchange, queryCommand, type Reply, textCommand } from "../backend/server_exchange.ts";
import type { ServerSession } from "../backend/server_session.ts";
import { concat, encodeText } from "../protocol/bytes.ts";
import type { DiagnosticsRequest } from "../sql/get_diagnostics.ts";
import { withSessionValues } from "../sql/session_values.ts";
import type { SqlMode } from "../sql/tokens.ts";
import { assignment } from "../state/diagnostics.ts";
import { cellNumber } from "../state/user_variables.ts";
import type { LastFacts } from "./last_statement.ts";
import { refusalIn, type ServerNeed, UnmetNeed } from "./server_need.ts";

/** Stands in the text for a statement that has been answered. */
export const ANSWERED = encodeText("DO 0");

/** A GET DIAGNOSTICS with its text. */
export interface AskedDiagnostics {
  readonly text: Uint8Array;
  readonly request: DiagnosticsRequest;
}

/** Made for one command, whose first statements are those, each of them a part of its own. */
export class DiagnosticsAnswer implements ServerNeed {
  readonly hidesFacts = true;
  readonly #asked: readonly AskedDiagnostics[];
  readonly #facts: LastFacts;
  readonly #mode: SqlMode;
  #metOn: ServerSession | undefined;
  #conditions: Conditions | undefined;
  #rowCount: number | bigint;
  /** Of each of them: what there is not is a condition of its own. */
  #warnings: (0 | 1)[] = [];
  #sent = 0;

  /** @param facts of the statement before, which have all of its conditions */
  constructor(asked: readonly AskedDiagnostics[], facts: LastFacts, mode: SqlMode) {
    this.#asked = asked;
    this.#facts = facts;
    this.#mode = mode;
    this.#rowCount = facts.rowCount;
  }

  isMet(server: ServerSession): boolean {
    return server === this.#metOn;
  }

  async meet(server: ServerSession): Promise<void> {
    // It answers what does nothing with a row.
    if (server.dialect === "oceanbase") throw await refusalOf(server, this.#asked[0]!.text);
    this.#conditions = this.#facts.conditions;
    this.#rowCount = this.#facts.rowCount;
    this.#warnings = [];
    this.#sent = 0;
    for (const asked of this.#asked) await this.#answer(server, asked);
    this.#metOn = server;
  }

  onSend(): undefined {}

  onSent({ tracker }: ServerSession): void {
    const warnings = this.#warnings[this.#sent++];
    if (warnings !== undefined) tracker.tellWarnings(warnings);
  }

  onDone(server: ServerSession): void {
    if (server !== this.#metOn) return;
    this.#facts.conditions = this.#conditions;
    this.#facts.rowCount = this.#rowCount;
  }

  async #answer(server: ServerSession, { text, request }: AskedDiagnostics): Promise<void> {
    const { all = [], collation = "" } = this.#conditions?.told ?? {};
    const number = request.kind === "condition" ? await this.#number(server, request.number) : 1;
    const isThere = request.kind === "statement" || all[number - 1] !== undefined;
    this.#warnings.push(isThere ? 0 : 1);
    if (!isThere) return await this.#miss(server, text);
    const told = { rowCount: this.#rowCount, conditions: all, collation };
    await ask(server, [textCommand(server, assignment(request, told, number))]);
    await dropOwnConditions(server);
  }

  /** There is no such condition, on the server session neither, which says so in its own words. */
  async #miss(server: ServerSession, text: Uint8Array): Promise<void> {
    const [limit] = await ask(server, [
      queryCommand(server, "SELECT @@max_error_count"),
      textCommand(server, text),
    ]);
    const newer = await readConditions(server);
    this.#conditions = joined(this.#conditions, newer, numberIn(limit!, server));
    this.#rowCount = -1;
  }

  /** What a literal or a variable comes to, as a whole number; 0 for NULL. */
  async #number(server: ServerSession, written: number | Uint8Array): Promise<number> {
    if (typeof written === "number") return written;
    // Of all that gives a length, this takes any value, and rounds it as GET DIAGNOSTICS does.
    const text = concat([encodeText("SELECT LENGTH(SPACE("), written, encodeText("))")]);
    const { told, errors = 0 } = this.#conditions ?? {};
    const count = told?.all.length ?? 0;
    // In this place, MySQL counts those that it has kept, and MariaDB takes the counts for 0.
    const values = server.dialect === "mariadb"
      ? {}
      : { warningCount: count, errorCount: Math.min(errors, count) };
    const range = { start: 0, end: text.length };
    const rewritten = withSessionValues(text, range, { mode: this.#mode, values }) ?? text;
    const [reply] = await exchange(server, [textCommand(server, rewritten)]);
    const refusal = refusalIn(reply!);
    if (refusal !== undefined) throw refusal;
    await dropOwnConditions(server);
    return numberIn(reply!, server);
  }
}

/** What OceanBase says itself, if it does not take the statement. */
async function refusalOf(server: ServerSession, text: Uint8Array): Promise<UnmetNeed> {
  const [reply] = await exchange(server, [textCommand(server, text)]);
  const refusal = refusalIn(reply!);
  if (refusal !== undefined) {
    server.state.mayHaveConditions = true;
    return refusal;
  }
  return new UnmetNeed(
    "state_lost",
    "GET DIAGNOSTICS cannot be answered: its server session has been given to another client",
  );
}

/** The only value of a reply; 0 for NULL. */
function numberIn(reply: Reply, server: ServerSession): number {
  const { rows: [row] } = resultOf(reply, server);
  return cellNumber(row?.[0]) || 0;
}
