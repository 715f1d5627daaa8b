/**
 * Server sessions that a client shares with others: one is taken for a command, brought to the
 * client's state, and given back when the reply is done and nothing pins the client to it.
 */
import { bringTo, introduce, isAlive, LostValues, NeedsFreshSession } from "../backend/catch_up.ts";
import type { Backend } from "../backend/backend.ts";
import type { PoolRequest } from "../backend/pool_request.ts";
import { clearConditions } from "../backend/read_out.ts";
import type { ServerSession } from "../backend/server_session.ts";
import type { SharedServers } from "../backend/shared_servers.ts";
import { WaitAbort } from "../backend/wait_abort.ts";
import { SluiceError } from "../errors.ts";
import { difference } from "../state/difference.ts";
import { NO_PINS, type Pin } from "../state/pins.ts";
import { SessionState, textOf } from "../state/session_state.ts";
import type { SessionStateInfo } from "../session_manager.ts";
import { ClientState, type LastFacts } from "./client_state.ts";
import { isSetUp, setUp } from "./command_setup.ts";
import type { SessionContext } from "./context.ts";
import { LAST_FACTS } from "./fact_answers.ts";
import { LastServer } from "./last_server.ts";
import type { ServerUse } from "./login.ts";
import { causeOf } from "./pin_cause.ts";
import { tellPins } from "./pin_log.ts";
import { cancel } from "./private_hold.ts";
import { firstWords, type PlannedCommand } from "./planned_command.ts";
import type { ServerHold } from "./server_hold.ts";
import { SessionRoute } from "./session_route.ts";
import { UnmetNeed } from "./server_need.ts";

/** Server sessions that are tried one after the other until a fresh one comes. */
const MOST_TRIES = 100;

interface Opening {
  readonly abort: WaitAbort;
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
  readonly #servers: SharedServers;
  readonly #route: SessionRoute;
  readonly #request: PoolRequest;
  #current: ServerSession | undefined;
  /** Taken by `takeNow`, for the opening that follows. */
  #taken: ServerSession | undefined;
  #opening: Opening | undefined;
  /** Goes on while the current server session is prepared for a command, killed or not. */
  #preparing: Promise<void> | undefined;
  readonly #last: LastServer;
  /** As the log knows them. */
  #toldPins: readonly Pin[] = NO_PINS;

  constructor({ cluster, request }: ServerUse, clientId: number, context: SessionContext) {
    this.#clientId = clientId;
    this.#context = context;
    this.#loginSchema = request.login.schema;
    this.#servers = cluster.share(request);
    this.#route = new SessionRoute(this.#servers);
    this.#state = new ClientState(this.#servers.habits);
    this.#request = {
      holder: this,
      clientId,
      login: request.login,
      distance: (session) => this.#distance(session),
    };
    this.#last = new LastServer({
      state: this.#state,
      servers: this.#servers,
      request: this.#request,
      onKept: (session) => this.#current = session,
    });
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
    const backend = this.#current?.backend ?? this.#last.session?.backend;
    if (backend === undefined) return "";
    const isBound = this.#current !== undefined && (this.isInTransaction || this.pins.length > 0);
    return `${backend.config.name}: ${isBound ? "pinned" : this.#route.reason}`;
  }

  get lostLast(): ServerSession | undefined {
    const { session, reading } = this.#last;
    const isThere = !this.#state.isPinned || this.#current !== undefined ||
      session?.isOpen !== false;
    return isThere || reading !== undefined ? undefined : session;
  }

  get settling(): Promise<void> | undefined {
    return this.#last.reading;
  }

  get ids(): number[] {
    const opening = this.#opening;
    const kept = this.#state.isPinned && this.#last.isFree ? this.#last.session!.id : 0;
    const id = this.#current?.id ?? opening?.candidate?.id ?? opening?.id ?? kept;
    return id === 0 ? [] : [id];
  }

  get warnings(): number | undefined {
    const { warnings, conditions } = this.#state.facts;
    return warnings ?? conditions?.warnings;
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
    if (!this.#last.isFree) return false;
    if (isAboutLast(command)) return true;
    try {
      const backend = this.#choose(command) ?? this.#servers.preferred;
      return backend === this.#last.session!.backend;
    } catch (error) {
      // `open` comes to the same, and says it.
      if (error instanceof SluiceError) return false;
      throw error;
    }
  }

  /** @throws {SluiceError} unknown_server */
  #choose(command: PlannedCommand | undefined): Backend | undefined {
    const staysThere = command !== undefined && isAboutLast(command) && this.#last.isFree;
    const last = staysThere ? this.#last.session!.backend : undefined;
    return this.#route.choose(command, this.#state.wanted, last);
  }

  takeNow(command: PlannedCommand): ServerSession | undefined {
    if (this.#last.reading !== undefined || this.#preparing !== undefined) return undefined;
    if (this.#current !== undefined) return this.#begin(this.#current, command);
    const session = this.#tryTake(command);
    if (session === undefined) return undefined;
    if (session.known !== undefined) this.#beginAs(session);
    if (this.#isInState(session)) return this.#begin(session, command);
    this.#taken = session;
    return undefined;
  }

  isReady(command: PlannedCommand): boolean {
    return this.#preparing === undefined && isSetUp(this.#current!, command, this.#state);
  }

  async open(command?: PlannedCommand, isAgain = false): Promise<ServerSession | undefined> {
    const abort = new WaitAbort();
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
    this.#last.use(session);
    if (this.#isResetting) {
      this.#isResetting = false;
      if (session.tracker.errorCode === 0) {
        this.#current = undefined;
        this.#last.reset();
        this.#tellPins(session);
        this.#last.giveBack();
        return true;
      }
    }
    this.#state.learn(session, command, Date.now());
    this.#tellPins(session);
    const isBound = this.#state.isBound || session.prepared?.hasReserved === true;
    if (!session.isOpen || isBound || session.isInTransaction) return false;
    this.#current = undefined;
    this.#last.giveBack();
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
    this.#last.drop();
    if (session === undefined || !session.isOpen) return;
    if (isExecuting) cancel(session, this.#clientId, this.#context.config.connectTimeout);
    // What pins it, and a transaction, end with it.
    else if (this.#state.isPinned || session.isInTransaction) session.release();
    else session.giveBack(undefined);
    this.#state.lose();
    this.#tellPins(session);
  }

  lose(): void {
    const session = this.#current;
    this.#current = undefined;
    session?.close();
    this.#state.lose();
    this.#tellPins(session);
  }

  #tellPins(session: ServerSession | undefined): void {
    const { pins } = this.#state;
    if (pins === this.#toldPins) return;
    tellPins(this.#toldPins, pins, { clientId: this.#clientId, serverId: session?.id });
    this.#toldPins = pins;
  }

  discard(): void {
    this.#current?.close();
    this.#current = undefined;
    this.#last.drop();
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
    if (this.#last.isAsLeft(session)) return !this.#last.isReset;
    if (this.#last.isToBeRead) return false;
    const { known } = session;
    const state = this.#state;
    return known !== undefined && state.wanted?.isSameAs(known) === true &&
      !session.mayHaveConditions && !session.reportsLess &&
      (!state.asksInsertId || state.hasInsertId(session));
  }

  #begin(session: ServerSession, command: PlannedCommand | undefined): ServerSession {
    session.beforeHandOver = undefined;
    this.#tellPins(session);
    this.#state.begin(session, command, this.#last.isAsLeft(session));
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
    await this.#last.reading;
    await this.#preparing;
    if (this.#opening !== opening) {
      if (opening.candidate !== undefined) this.#returnUnused(opening.candidate);
      throw new SluiceError("killed", "Nobody waits for the server session");
    }
    if (this.#current !== undefined) return await this.#prepareCurrent(this.#current, opening);
    const session = await this.#next(opening);
    try {
      await this.#last.reading;
      if (!this.#last.isAsLeft(session)) await this.#last.leave();
      if (this.#current === undefined) {
        await this.#bring(session);
        if (opening.command !== undefined) await setUp(session, opening.command, this.#state);
        return session;
      }
    } catch (error) {
      this.#putBack(session, error);
      throw opening.killed ?? error;
    } finally {
      opening.candidate = undefined;
    }
    // What was read out has told that the client cannot leave the one that it had.
    this.#returnUnused(session);
    return await this.#prepareCurrent(this.#current!, opening);
  }

  /** What comes next waits for it, even where nobody waits for this command any more. */
  async #prepareCurrent(current: ServerSession, opening: Opening): Promise<ServerSession> {
    if (opening.command === undefined) return current;
    const preparing = setUp(current, opening.command, this.#state);
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
        signal: opening.abort,
        onOpening: (id) => opening.id = id,
      });
      if (!opening.isWary || tries >= MOST_TRIES || await isAlive(session)) return session;
      opening.candidate = undefined;
    }
  }

  /** It was taken, and the command does not go to it. */
  #putBack(session: ServerSession, error: unknown): void {
    const isInOrder = error instanceof LostValues || error instanceof UnmetNeed;
    if (isInOrder && session.isOpen) this.#returnUnused(session);
    else session.close();
  }

  #returnUnused(session: ServerSession): void {
    session.giveBack(this.#last.isAsLeft(session) ? this : undefined);
  }

  async #bring(session: ServerSession): Promise<void> {
    if (this.#last.isAsLeft(session)) {
      if (this.#last.isReset) await this.#last.introduceReset();
      return;
    }
    await introduce(session);
    this.#last.forgetReset();
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
}

const USES_TABLES = /\b(from|table)\b/i;

/** Whether it asks for what the last statement has left, and certainly for no data. */
function isAboutLast(command: PlannedCommand): boolean {
  const { asks, isRead } = command.classified;
  return (asks & LAST_FACTS) !== 0 && isRead && !USES_TABLES.test(firstWords(command));
}
