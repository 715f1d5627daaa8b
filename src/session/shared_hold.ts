/**
 * Server sessions that a client shares with others: one is taken for a command, brought to the
 * client's state, and given back when the reply is done and nothing pins the client to it.
 */
import { bringTo, introduce, NeedsFreshSession } from "../backend/catch_up.ts";
import type { PoolRequest } from "../backend/pool_request.ts";
import type { ServerSession } from "../backend/server_session.ts";
import type { SharedServers } from "../backend/shared_servers.ts";
import { SluiceError } from "../errors.ts";
import { Status } from "../protocol/constants.ts";
import { difference } from "../state/difference.ts";
import type { AssignedVariable } from "../sql/classified.ts";
import { SessionState, textOf } from "../state/session_state.ts";
import { Tracked } from "../state/track.ts";
import type { SessionContext } from "./context.ts";
import type { ServerUse } from "./login.ts";
import { Pins } from "./pins.ts";
import { cancel } from "./private_hold.ts";
import type { DoneStatement, HoldPin, ServerHold } from "./server_hold.ts";
import type { ServerNeed } from "./server_need.ts";

/** Server sessions that are tried one after the other until a fresh one comes. */
const MOST_TRIES = 100;

const SYNTAX_ERROR = 1064;

/** Reports of what cannot be told to another server session. */
const UNKEPT = Tracked.TRACKING | Tracked.ONCE;

interface Opening {
  readonly abort: AbortController;
  readonly need: ServerNeed | undefined;
  /** `ss_id`; 0 until there is one. */
  id: number;
  killed?: SluiceError;
}

export class SharedHold implements ServerHold {
  readonly #pins = new Pins();
  /** Statements that the client has prepared on the server session that it has. */
  #prepared = 0;
  #transactionSince = 0;
  readonly #clientId: number;
  readonly #context: SessionContext;
  /** Behind the login, or the reset that came last. */
  #loginSchema: string;
  /** The command that runs resets the session. */
  #isResetting = false;
  readonly #servers: SharedServers;
  readonly #request: PoolRequest;
  /** What the client's session must look like; undefined until a server session has shown it. */
  #wanted: SessionState | undefined;
  #current: ServerSession | undefined;
  /** Taken, and to be brought to the wanted state first. */
  #candidate: ServerSession | undefined;
  #opening: Opening | undefined;
  /** What others have left of their last statements must go from the next server session. */
  #mustReset = false;
  /** Where the last statement ran: its warnings and counts are there, while nobody else has it. */
  #last: ServerSession | undefined;

  constructor({ cluster, request }: ServerUse, clientId: number, context: SessionContext) {
    this.#clientId = clientId;
    this.#context = context;
    this.#loginSchema = request.login.schema;
    this.#servers = cluster.share(request);
    this.#request = {
      holder: this,
      login: request.login,
      distance: (session) => this.#distance(session),
    };
  }

  get current(): ServerSession | undefined {
    return this.#current;
  }

  get schema(): string {
    return this.#current?.schema ?? this.#wanted?.schema ?? this.#loginSchema;
  }

  get isInTransaction(): boolean {
    return this.#current?.isInTransaction ?? false;
  }

  get pins(): readonly HoldPin[] {
    const pins: HoldPin[] = this.#pins.list();
    if (this.isInTransaction) pins.push({ reason: "transaction", since: this.#transactionSince });
    return pins;
  }

  get ids(): number[] {
    const id = this.#current?.id ?? this.#candidate?.id ?? this.#opening?.id;
    return id === undefined ? [] : [id];
  }

  /** Nobody else may have used the server session since; before the first statement, none may have. */
  keepsFacts(): boolean {
    const last = this.#last;
    if (last === undefined) this.#mustReset = true;
    return last === undefined || last === this.#current ||
      (last.isOpen && last.seat?.lastHolder === this && last.seat.state !== "taken");
  }

  takeNow(): ServerSession | undefined {
    const session = this.#servers.tryTake(this.#request);
    if (session === undefined) return undefined;
    const isReady = session.known !== undefined && !this.#mustReset;
    if (isReady && this.#wanted?.isSameAs(session.known!)) {
      return this.#current = session;
    }
    this.#candidate = session;
    return undefined;
  }

  async open(need?: ServerNeed): Promise<ServerSession | undefined> {
    const opening: Opening = this.#opening = { abort: new AbortController(), id: 0, need };
    try {
      const session = await this.#obtain(opening);
      if (this.#opening !== opening) {
        session?.giveBack(this);
        return undefined;
      }
      if (opening.killed !== undefined) throw opening.killed;
      return this.#current = session;
    } catch (error) {
      if (this.#opening !== opening) return undefined;
      throw error;
    } finally {
      if (this.#opening === opening) this.#opening = undefined;
    }
  }

  giveBack(statement: DoneStatement): boolean {
    const session = this.#current;
    if (session === undefined) return false;
    this.#last = session;
    if (this.#isResetting) return this.#startAfresh(session);
    this.#learn(session, statement);
    const isPinned = mayBeInTransaction(session) || !this.#pins.isEmpty;
    if (!session.isOpen || isPinned) return false;
    this.#current = undefined;
    session.giveBack(this);
    return true;
  }

  forgetState(): void {
    // A reset keeps the schema.
    this.#loginSchema = this.schema;
    this.#wanted = undefined;
    this.#prepared = 0;
    this.#pins.clear();
    this.#isResetting = true;
  }

  abandonOpening(): void {
    const opening = this.#opening;
    this.#opening = undefined;
    opening?.abort.abort();
  }

  killOpening(id: number, reason: string): boolean {
    const opening = this.#opening;
    if (opening === undefined || (opening.id !== id && this.#candidate?.id !== id)) return false;
    opening.killed = new SluiceError("killed", reason);
    this.#context.manager.servers.find(id)?.kill(reason);
    return true;
  }

  letGo(isExecuting: boolean): void {
    const session = this.#current;
    this.#current = undefined;
    if (session === undefined || !session.isOpen) return;
    if (isExecuting) cancel(session, this.#clientId, this.#context.config.connectTimeout);
    // What pins it, and a transaction, end with it.
    else if (!this.#pins.isEmpty || session.isInTransaction) session.release();
    else session.giveBack(this);
    this.#prepared = 0;
    this.#pins.clear();
  }

  discard(): void {
    this.#current?.close();
    this.#current = undefined;
  }

  #distance({ known }: ServerSession): number {
    if (known === undefined) return Infinity;
    if (this.#wanted === undefined) return known.variables.size + known.userVariables.size;
    if (this.#wanted.isSameAs(known)) return 0;
    return difference(this.#wanted, known, { dialect: "mysql" })?.cost ?? 0;
  }

  /** One that cannot be brought to the state is closed, and others have a try. */
  async #obtain(opening: Opening): Promise<ServerSession> {
    for (let tries = 1;; tries++) {
      try {
        return await this.#take(opening);
      } catch (error) {
        const limit = error instanceof NeedsFreshSession ? MOST_TRIES : 2;
        const isOver = opening.killed !== undefined || this.#opening !== opening;
        const mayHelp = error instanceof SluiceError &&
          (error.kind === "state_lost" || error.kind === "server_lost");
        if (isOver || !mayHelp || tries >= limit) throw error;
      }
    }
  }

  async #take(opening: Opening): Promise<ServerSession> {
    const current = this.#current;
    const session = current ?? this.#candidate ?? await this.#servers.acquire(this.#request, {
      signal: opening.abort.signal,
      onOpening: (id) => opening.id = id,
    });
    this.#candidate = session;
    try {
      if (current === undefined) await this.#bring(session);
      if (opening.need?.isMet(session) === false) await opening.need.meet(session, this.#wanted!);
      return session;
    } catch (error) {
      if (current === undefined) session.close();
      throw opening.killed ?? error;
    } finally {
      this.#candidate = undefined;
    }
  }

  async #bring(session: ServerSession): Promise<void> {
    if (this.#wanted === undefined) {
      await introduce(session);
      this.#wanted = SessionState.afterLogin(this.#loginSchema, session.known!.login);
    }
    if (this.#mustReset) session.known?.setUncertain();
    await bringTo(session, this.#wanted);
    this.#mustReset = false;
  }

  /** A session that was reset no longer is what it was behind its login: nobody gets it again. */
  #startAfresh(session: ServerSession): boolean {
    this.#isResetting = false;
    this.#wanted = undefined;
    this.#last = undefined;
    this.#current = undefined;
    session.release();
    return true;
  }

  /** The statement may have changed the state that both have, and more than that. */
  #learn(session: ServerSession, statement: DoneStatement): void {
    const { known, tracker } = session;
    const { asks, isPrepare, isClose, isQuery } = statement;
    const now = Date.now();
    const hasFailed = tracker.errorCode !== 0;
    // What is no statement has no effects.
    const isNothing = tracker.errorCode === SYNTAX_ERROR && statement.isAlone;
    const effects = isNothing ? 0 : statement.effects;
    const { isInTransaction } = session;
    if (!isInTransaction) this.#transactionSince = 0;
    else if (this.#transactionSince === 0) this.#transactionSince = now;
    this.#pins.after({ effects, asks, isQuery, hasFailed, isInTransaction }, now);
    if (isPrepare && !hasFailed) this.#prepared++;
    if (isClose && this.#prepared > 0) this.#prepared--;
    if (this.#prepared > 0) this.#pins.add("prepared statement", now);
    else this.#pins.remove("prepared statement");
    if (tracker.hasOpenedCursor) this.#pins.add("cursor", now);
    if ((session.reported & UNKEPT) !== 0) this.#pins.add("unknown state", now);
    session.reported = 0;
    if (known === undefined) return this.#pins.add("unknown state", now);
    if (!hasFailed) this.#keep(statement.assigned, known, now);
    if (known.unread() === undefined) this.#pins.remove("unread variable");
    else this.#pins.add("unread variable", now);
    this.#wanted?.copyFrom(known);
  }

  #keep(assigned: readonly AssignedVariable[], known: SessionState, now: number): void {
    for (const variable of assigned) {
      const expression = expressionFor(variable, known);
      if (expression === undefined) this.#pins.add("user variable", now);
      else known.setUserVariable(variable.name, expression);
    }
  }
}

/** A statement that fails may have begun a transaction, and its ERR has no flags to tell. */
function mayBeInTransaction({ isInTransaction, tracker }: ServerSession): boolean {
  const isAutomatic = (tracker.status & Status.AUTOCOMMIT) !== 0;
  return isInTransaction || (tracker.errorCode !== 0 && !isAutomatic);
}

/** What recreates the value in any session; undefined for what only the server session has. */
function expressionFor(
  { literal, takesConnectionCharset }: AssignedVariable,
  known: SessionState,
): string | undefined {
  if (literal === undefined || !takesConnectionCharset) return literal;
  const collation = textOf(known.variable("collation_connection"));
  if (collation === undefined || !/^[a-z0-9_]+$/.test(collation)) return undefined;
  const charset = collation.split("_", 1)[0];
  return `CONVERT(${literal} USING ${charset}) COLLATE ${collation}`;
}
