/**
 * What is known of the state of a server session that clients share: what it has reported, and what
 * its users know of the commands that they ran. Of a private one nothing is.
 */
import type { OkPacket } from "../protocol/response.ts";
import type { Dialect } from "../state/dialect.ts";
import { type LoginFacts, loginState } from "../state/login_statement.ts";
import { ServerStatements } from "../state/server_statements.ts";
import type { SessionState } from "../state/session_state.ts";
import { NO_VARIABLES } from "./opening_session.ts";
import { Reports } from "./reports.ts";

type AwaitedFacts = Omit<LoginFacts, "dialect" | "schema">;

export class ServerState {
  /** What it was told and has reported; undefined where nobody has asked it to report. */
  known: SessionState | undefined;
  /** Values of variables right behind its login, once it has been asked for them. */
  freshLogin: ReadonlyMap<string, string> = NO_VARIABLES;
  /** Of the command that runs; undefined where nobody has asked it to report. */
  reports: Reports | undefined;
  /** Warnings or an error of a statement may be there for who asks. */
  mayHaveConditions = false;
  /** A client has changed what it reports: that is put right before it may matter. */
  reportsLess = false;
  /** It reports what becomes of SET TRANSACTION, which is switched on where it matters. */
  reportsTransactions = false;
  /** What `countedOf` gave before code of the server ran; undefined where texts have run since. */
  counted: number | undefined;
  /** What clients that share it have prepared; undefined where none has. */
  prepared: ServerStatements | undefined;

  readonly #dialect: Dialect;
  #awaited: AwaitedFacts | undefined;

  constructor(dialect: Dialect) {
    this.#dialect = dialect;
  }

  /** The next report is the reply to the login statement: `known` begins with it. */
  expectLogin(facts: AwaitedFacts): void {
    this.known = undefined;
    this.reports = new Reports();
    this.reportsTransactions = false;
    this.counted = 0;
    this.#awaited = facts;
  }

  /** A reply has reported changes; `schema` is the one selected now. @throws {ProtocolError} */
  take(ok: OkPacket, schema: string): void {
    const dialect = this.#dialect;
    const awaited = this.#awaited;
    if (awaited !== undefined) {
      this.#awaited = undefined;
      this.known = loginState(ok, { dialect, schema, ...awaited });
    } else if (this.known !== undefined) {
      this.reports!.take(this.known, ok, dialect);
    }
  }

  /** What clients have prepared there, for one that is about to. */
  keepPrepared(): ServerStatements {
    return this.prepared ??= new ServerStatements();
  }

  /** The server has closed all statements. */
  forgetPrepared(): void {
    this.prepared?.clear();
    this.prepared = undefined;
  }
}
