/**
 * Server sessions that a client shares with others: one is taken for a command, brought to the
 * client's state, and given back when the reply is done and nothing pins the client to it.
 */
import {
  bringTo,
  introduce,
  introduceReset,
  isAlive,
  LostValues,
  NeedsFreshSession,
} from "../backend/catch_up.ts";
import type { Backend } from "../backend/backend.ts";
import type { PoolRequest } from "../backend/pool_request.ts";
import { clearConditions, reportTransactions, restoreReports } from "../backend/read_out.ts";
import type { ServerSession } from "../backend/server_session.ts";
import type { SharedServers } from "../backend/shared_servers.ts";
import { SluiceError } from "../errors.ts";
import type { Classified } from "../sql/classified.ts";
import { Ask, Effect } from "../sql/effects.ts";
import { difference } from "../state/difference.ts";
import type { Pin } from "../state/pins.ts";
import { SessionState, textOf } from "../state/session_state.ts";
import type { SessionStateInfo } from "../session_manager.ts";
import { ClientState, type LastFacts } from "./client_state.ts";
import type { SessionContext } from "./context.ts";
import type { ServerUse } from "./login.ts";
import { causeOf } from "./pin_cause.ts";
import { cancel } from "./private_hold.ts";
import { firstWords, type PlannedCommand } from "./planned_command.ts";
import type { ServerHold } from "./server_hold.ts";
import { SessionRoute } from "./session_route.ts";
import { UnmetNeed } from "./server_need.ts";
import { LAST_FACTS } from "./fact_answers.ts";

/** Server sessions that are tried one after the other until a fresh one comes. */
const MOST_TRIES = 100;

interface Opening {
  readonly abort: AbortController;
  readonly command: PlannedCommand | undefined;
  /** `ss_id`; 0 until there is one. */
  id: number;
  /** Taken for it, and to be brought to the wanted state first. */
  candidate: ServerSession | undefined;
  /** A server session was lost just now: others may be dead, and are asked before they are used. */
  isWary: boolean;
  killed?: SluiceError;
}

export class SharedHold implements ServerHold {
  readonly sharing = "transaction";
  readonly isUnused = false;
  readonly #state: ClientState;
  readonly #clientId: number;
  readonly #context: SessionContext;
  /** Behind the login, or the reset that came last. */
  #loginSchema: string;
  /** The command that runs resets the session. */
  #isResetting = false;
  /** The last server session was reset, and nobody has looked at it since. */
  #isReset = false;
  readonly #servers: SharedServers;
  readonly #route: SessionRoute;
  readonly #request: PoolRequest;
  #current: ServerSession | undefined;
  /** Taken by `takeNow`, for the opening that follows. */
  #taken: ServerSession | undefined;
  #opening: Opening | undefined;
  /** Goes on while the current server session is prepared for a command, killed or not. */
  #preparing: Promise<void> | undefined;
  /** Where the last command ran: as the client left it, while nobody else has it. */
  #last: ServerSession | undefined;
  /** Goes on while the last server session is read out for somebody else. */
  #reading: Promise<void> | undefined;

  constructor({ cluster, request }: ServerUse, clientId: number, context: SessionContext) {
    this.#clientId = clientId;
    this.#context = context;
    this.#loginSchema = request.login.schema;
    this.#servers = cluster.share(request);
    this.#route = new SessionRoute(this.#servers);
    this.#state = new ClientState(this.#servers.habits);
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
    return this.#current?.schema ?? this.#state.wanted?.schema ?? this.#loginSchema;
  }

  get isInTransaction(): boolean {
    return this.#current?.isInTransaction ?? false;
  }

  get pins(): readonly Pin[] {
    return this.#state.pins;
  }

  listPins(command: PlannedCommand | undefined, since: number): readonly Pin[] {
    const takesFile = this.#current?.tracker.clientTurn === "sends_file";
    if (command === undefined || !takesFile) return this.pins;
    return [...this.pins, {
      reason: "load_data_local",
      since,
      cause: causeOf(command),
      things: [],
    }];
  }

  get route(): string {
    const backend = this.#current?.backend ?? this.#last?.backend;
    if (backend === undefined) return "";
    const isBound = this.#current !== undefined && (this.isInTransaction || this.pins.length > 0);
    return `${backend.config.name}: ${isBound ? "pinned" : this.#route.reason}`;
  }

  get lostLast(): ServerSession | undefined {
    const last = this.#last;
    const isThere = !this.#state.isPinned || this.#current !== undefined || last?.isOpen !== false;
    return isThere || this.#reading !== undefined ? undefined : last;
  }

  get settling(): Promise<void> | undefined {
    return this.#reading;
  }

  get ids(): number[] {
    const opening = this.#opening;
    const kept = this.#state.isPinned && this.#isLastFree ? this.#last!.id : 0;
    const id = this.#current?.id ?? opening?.candidate?.id ?? opening?.id ?? kept;
    return id === 0 ? [] : [id];
  }

  get warnings(): number {
    return this.#state.facts.warnings;
  }

  stateInfo(): SessionStateInfo {
    return this.#state.info();
  }

  variable(name: string): string | undefined {
    return textOf(this.#state.wanted?.variable(name));
  }

  facts(asks: number, command: PlannedCommand): LastFacts | undefined {
    return this.#state.factsFor(asks, this.#current !== undefined || this.#goesToLast(command));
  }

  #goesToLast(command: PlannedCommand): boolean {
    if (!this.#isLastFree) return false;
    if (isAboutLast(command)) return true;
    try {
      const backend = this.#choose(command) ?? this.#servers.preferred;
      return backend === this.#last!.backend;
    } catch (error) {
      // `open` comes to the same, and says it.
      if (error instanceof SluiceError) return false;
      throw error;
    }
  }

  /** @throws {SluiceError} unknown_server */
  #choose(command: PlannedCommand | undefined): Backend | undefined {
    const staysThere = command !== undefined && isAboutLast(command) && this.#isLastFree;
    const last = staysThere ? this.#last!.backend : undefined;
    return this.#route.choose(command, this.#state.wanted, last);
  }

  takeNow(command: PlannedCommand): ServerSession | undefined {
    if (this.#reading !== undefined || this.#preparing !== undefined) return undefined;
    if (this.#current !== undefined) return this.#begin(this.#current, command);
    const session = this.#tryTake(command);
    if (session === undefined) return undefined;
    if (session.known !== undefined) this.#beginAs(session);
    if (this.#isInState(session)) return this.#begin(session, command);
    this.#taken = session;
    return undefined;
  }

  isReady({ classified, need }: PlannedCommand): boolean {
    if (this.#preparing !== undefined) return false;
    const session = this.#current!;
    if (needsReports(session, classified)) return false;
    if (needsTransactionReports(session, classified)) return false;
    return need?.isMet(session) !== false &&
      (!mayAskInsertId(classified) || this.#state.hasInsertId(session));
  }

  async open(command?: PlannedCommand, isAgain = false): Promise<ServerSession | undefined> {
    const abort = new AbortController();
    const candidate = this.#taken;
    this.#taken = undefined;
    const opening: Opening = { abort, id: 0, candidate, command, isWary: isAgain };
    this.#opening = opening;
    try {
      const session = await this.#obtain(opening);
      if (this.#opening !== opening) {
        // The client may have gone on elsewhere: nobody knows which of its states this one has.
        if (session !== this.#current) session.close();
        return undefined;
      }
      if (opening.killed !== undefined) throw opening.killed;
      return this.#begin(session, command);
    } catch (error) {
      if (this.#opening !== opening) return undefined;
      throw error;
    } finally {
      if (this.#opening === opening) this.#opening = undefined;
    }
  }

  giveBack(command: PlannedCommand): boolean {
    const session = this.#current;
    if (session === undefined) return false;
    this.#last = session;
    if (this.#isResetting) return this.#startAfresh(session, command);
    this.#state.learn(session, command, Date.now());
    const isBound = this.#state.isBound || session.prepared?.hasReserved === true;
    if (!session.isOpen || isBound || session.isInTransaction) return false;
    this.#current = undefined;
    if (this.#state.leavesMore(session)) session.beforeHandOver = this.#readOut;
    session.giveBack(this);
    return true;
  }

  forgetState(): void {
    // A reset keeps the schema.
    this.#loginSchema = this.schema;
    this.#isResetting = true;
  }

  abandonOpening(): void {
    const opening = this.#opening;
    this.#opening = undefined;
    opening?.abort.abort();
  }

  killOpening(id: number, reason: string): boolean {
    const opening = this.#opening;
    if (opening === undefined || id === 0) return false;
    if (opening.id !== id && opening.candidate?.id !== id) return false;
    opening.killed = new SluiceError("killed", reason);
    this.#context.manager.servers.find(id)?.kill(reason);
    return true;
  }

  letGo(isExecuting: boolean): void {
    const session = this.#current;
    this.#current = undefined;
    this.#dropLast();
    if (session === undefined || !session.isOpen) return;
    if (isExecuting) cancel(session, this.#clientId, this.#context.config.connectTimeout);
    // What pins it, and a transaction, end with it.
    else if (this.#state.isPinned || session.isInTransaction) session.release();
    else session.giveBack(this);
    this.#state.lose();
  }

  lose(): void {
    const session = this.#current;
    this.#current = undefined;
    session?.close();
    this.#state.lose();
  }

  discard(): void {
    this.#current?.close();
    this.#current = undefined;
    this.#dropLast();
  }

  /** Nobody asks for what is in there any more. */
  #dropLast(): void {
    const last = this.#last;
    const isFree = this.#isLastFree;
    this.#last = undefined;
    if (last?.beforeHandOver !== this.#readOut) return;
    last.beforeHandOver = undefined;
    // A lock may be there, or nobody knows what a reset has left.
    if (isFree && (this.#state.isPinned || this.#isReset)) last.release();
  }

  /** Whether the last one waits for this client, as it was left. */
  get #isLastFree(): boolean {
    const last = this.#last;
    return last !== undefined && this.#isAsLeft(last) && last.seat?.state !== "taken";
  }

  /** Whether it is to be read out before the client goes on elsewhere. */
  get #isLastToBeRead(): boolean {
    return this.#last?.beforeHandOver === this.#readOut && this.#isLastFree;
  }

  /** Whether nobody has used it since this client did, who has taken it again. */
  #isAsLeft(session: ServerSession): boolean {
    return session === this.#last && session.isOpen && session.seat?.lastHolder === this &&
      this.#reading === undefined;
  }

  #tryTake(command: PlannedCommand): ServerSession | undefined {
    try {
      return this.#servers.tryTake(this.#request, this.#choose(command));
    } catch (error) {
      // `open` comes to the same, and says it.
      if (error instanceof SluiceError) return undefined;
      throw error;
    }
  }

  /** Whether the client's state is there. */
  #isInState(session: ServerSession): boolean {
    if (this.#isAsLeft(session)) return !this.#isReset;
    if (this.#isLastToBeRead) return false;
    const { known } = session;
    const state = this.#state;
    return known !== undefined && state.wanted?.isSameAs(known) === true &&
      !session.mayHaveConditions && !session.reportsLess &&
      (!state.asksInsertId || state.hasInsertId(session));
  }

  #begin(session: ServerSession, command: PlannedCommand | undefined): ServerSession {
    session.beforeHandOver = undefined;
    this.#state.begin(session, command, this.#isAsLeft(session));
    return this.#current = session;
  }

  #distance({ known, dialect }: ServerSession): number {
    const { wanted } = this.#state;
    if (known === undefined) return Infinity;
    if (wanted === undefined) return known.variables.size + known.userVariables.size;
    if (wanted.isSameAs(known)) return 0;
    return difference(wanted, known, { dialect, asksInsertId: false })?.cost ?? 0;
  }

  /** One that cannot be brought to the state is closed, and others have a try. */
  async #obtain(opening: Opening): Promise<ServerSession> {
    for (let tries = 1;; tries++) {
      try {
        return await this.#take(opening);
      } catch (error) {
        if (error instanceof LostValues) this.#state.forget(error.values);
        const limit = error instanceof NeedsFreshSession ? MOST_TRIES : 2;
        opening.isWary = true;
        const isOver = opening.killed !== undefined || this.#opening !== opening;
        const mayHelp = error instanceof SluiceError && !(error instanceof LostValues) &&
          (error.kind === "state_lost" || error.kind === "server_lost");
        if (isOver || !mayHelp || tries >= limit) throw error;
      }
    }
  }

  async #take(opening: Opening): Promise<ServerSession> {
    await this.#reading;
    await this.#preparing;
    if (this.#opening !== opening) {
      opening.candidate?.giveBack(this);
      throw new SluiceError("killed", "Nobody waits for the server session");
    }
    if (this.#current !== undefined) return await this.#prepareCurrent(this.#current, opening);
    const session = await this.#next(opening);
    try {
      if (await this.#canLeaveLast(session)) {
        await this.#bring(session);
        if (opening.command !== undefined) await this.#prepare(session, opening.command);
        return session;
      }
    } catch (error) {
      this.#putBack(session, error);
      throw opening.killed ?? error;
    } finally {
      opening.candidate = undefined;
    }
    session.giveBack(this);
    return await this.#prepareCurrent(this.#current!, opening);
  }

  /** What comes next waits for it, even where nobody waits for this command any more. */
  async #prepareCurrent(current: ServerSession, opening: Opening): Promise<ServerSession> {
    if (opening.command === undefined) return current;
    const preparing = this.#prepare(current, opening.command);
    this.#preparing = preparing.then(() => {}, () => {});
    try {
      await preparing;
      return current;
    } catch (error) {
      throw opening.killed ?? error;
    } finally {
      this.#preparing = undefined;
    }
  }

  /** Becomes the candidate. */
  async #next(opening: Opening): Promise<ServerSession> {
    for (let tries = 1;; tries++) {
      const session = opening.candidate ??= await this.#servers.acquire(this.#request, {
        backend: this.#choose(opening.command),
        signal: opening.abort.signal,
        onOpening: (id) => opening.id = id,
      });
      if (!opening.isWary || tries >= MOST_TRIES || await isAlive(session)) return session;
      opening.candidate = undefined;
    }
  }

  /** It was taken, and the command does not go to it. */
  #putBack(session: ServerSession, error: unknown): void {
    const isInOrder = error instanceof LostValues || error instanceof UnmetNeed;
    if (isInOrder && session.isOpen) session.giveBack(this);
    else session.close();
  }

  async #bring(session: ServerSession): Promise<void> {
    if (this.#isAsLeft(session)) {
      if (this.#isReset) await this.#introduceReset(session);
      return;
    }
    await introduce(session);
    this.#isReset = false;
    const state = this.#state;
    const wanted = this.#beginAs(session);
    if (session.mayHaveConditions) await clearConditions(session);
    if (state.asksInsertId) state.supposeInsertId();
    await bringTo(session, wanted, { asksInsertId: state.asksInsertId });
  }

  /** A client that has run nothing is like a server session behind its login. */
  #beginAs({ freshLogin }: ServerSession): SessionState {
    return this.#state.wanted ??= SessionState.afterLogin(this.#loginSchema, freshLogin);
  }

  /** The state is there: the rest that the command needs follows. */
  async #prepare(session: ServerSession, { classified, need }: PlannedCommand): Promise<void> {
    const state = this.#state;
    if (needsReports(session, classified)) await restoreReports(session);
    if (needsTransactionReports(session, classified)) await reportTransactions(session);
    if (mayAskInsertId(classified) && !state.hasInsertId(session)) {
      state.supposeInsertId();
      await bringTo(session, state.wanted!, { asksInsertId: true });
    }
    if (need?.isMet(session) === false) await need.meet(session, state.wanted!);
  }

  /**
   * The client goes on elsewhere: what only its last server session can tell is read first.
   * @returns false where that has what stays there, so that the client does, too
   */
  async #canLeaveLast(session: ServerSession): Promise<boolean> {
    await this.#reading;
    if (!this.#isAsLeft(session) && this.#isLastToBeRead) {
      const taken = this.#servers.tryTake(this.#request, this.#last!.backend);
      try {
        if (taken === this.#last) await this.#readOut();
      } catch (error) {
        taken?.close();
        throw error;
      }
      if (taken !== this.#current) taken?.giveBack(this);
    }
    return this.#current === undefined;
  }

  readonly #readOut = async (): Promise<"kept" | void> => {
    const last = this.#last;
    if (last === undefined) return;
    last.beforeHandOver = undefined;
    const ready = this.#isReset ? this.#introduceReset(last) : Promise.resolve();
    const reading = ready.then(() => this.#state.readOut(last));
    this.#reading = reading.then(() => {}, () => {});
    try {
      if (await reading) return;
      // The client may have left meanwhile, and everything ends with its server session.
      if (this.#last !== last) return last.close();
      this.#current = last;
      return "kept";
    } finally {
      this.#reading = undefined;
    }
  };

  /** What the session is like now shows when somebody needs it next. */
  #startAfresh(session: ServerSession, command: PlannedCommand): boolean {
    this.#isResetting = false;
    if (session.tracker.errorCode !== 0) return this.giveBack(command);
    this.#state.reset();
    this.#isReset = true;
    session.mayHaveConditions = false;
    this.#current = undefined;
    session.beforeHandOver = this.#readOut;
    session.giveBack(this);
    return true;
  }

  async #introduceReset(session: ServerSession): Promise<void> {
    await introduceReset(session);
    this.#isReset = false;
    this.#state.wanted = new SessionState();
    this.#state.wanted.copyFrom(session.known!);
  }
}

/** Whether it asks for what the last statement has left, and certainly for no data. */
function isAboutLast(command: PlannedCommand): boolean {
  const { asks, isRead } = command.classified;
  return (asks & LAST_FACTS) !== 0 && isRead && !USES_TABLES.test(firstWords(command));
}

const USES_TABLES = /\b(from|table)\b/i;

/** What only reads, and asks for what the last statement has left, can do without. */
function needsReports({ reportsLess }: ServerSession, { effects, asks }: Classified): boolean {
  const isUnreported = (effects & ~Effect.setsUserVariables) === 0 && (asks & LAST_FACTS) !== 0;
  return reportsLess && effects !== 0 && !isUnreported;
}

function needsTransactionReports(
  { reportsTransactions, isInTransaction }: ServerSession,
  { effects }: Classified,
): boolean {
  // In a transaction it is refused, or for the one behind the next.
  return !reportsTransactions && !isInTransaction && (effects & Effect.setsNextTransaction) !== 0;
}

/** Routines may, and MySQL tells it in the reply to a CALL. */
function mayAskInsertId({ asks, effects }: Classified): boolean {
  return (asks & Ask.lastInsertId) !== 0 || (effects & Effect.calls) !== 0;
}
