/**
 * Server sessions that a client shares with others: one is taken for a command, brought to the
 * client's state, and given back when the reply is done and nothing pins the client to it.
 */
import type { Backend } from "../backend/backend.ts";
import type { PoolRequest } from "../backend/pool_request.ts";
import type { ServerSession } from "../backend/server_session.ts";
import type { SharedServers } from "../backend/shared_servers.ts";
import { withSchema } from "../backend/server_login.ts";
import { SluiceError } from "../errors.ts";
import { Command } from "../protocol/constants.ts";
import { difference } from "../state/difference.ts";
import { NO_PINS, type Pin } from "../state/pins.ts";
import { SessionState, textOf } from "../state/session_state.ts";
import type { SessionStateInfo } from "../session_manager.ts";
import { ClientState } from "./client_state.ts";
import { isSetUp } from "./command_setup.ts";
import type { SessionContext } from "./context.ts";
import { LAST_FACTS } from "./fact_answers.ts";
import { LastServer } from "./last_server.ts";
import type { LastFacts } from "./last_statement.ts";
import type { ServerUse } from "./login.ts";
import { cancel } from "./cancel.ts";
import { causeOf } from "./pin_cause.ts";
import { tellPins } from "./pin_log.ts";
import { firstWords, type PlannedCommand } from "./planned_command.ts";
import type { ServerHold } from "./server_hold.ts";
import { SessionRoute } from "./session_route.ts";
import { UnmetNeed } from "./server_need.ts";
import { type OpeningHome, SharedOpening } from "./shared_opening.ts";

export class SharedHold implements ServerHold, OpeningHome {
  readonly sharing = "transaction";
  readonly isUnused = false;
  readonly state: ClientState;
  readonly #clientId: number;
  readonly #context: SessionContext;
  /** Behind the login, or the reset that came last. */
  #loginSchema: string;
  readonly servers: SharedServers;
  readonly #route: SessionRoute;
  readonly request: PoolRequest;
  #current: ServerSession | undefined;
  /** Taken by `takeNow`, for the opening that follows. */
  #taken: ServerSession | undefined;
  #opening: SharedOpening | undefined;
  readonly last: LastServer;
  /** As the log knows them. */
  #toldPins: readonly Pin[] = NO_PINS;

  constructor({ cluster, request }: ServerUse, clientId: number, context: SessionContext) {
    this.#clientId = clientId;
    this.#context = context;
    this.#loginSchema = request.login.schema;
    this.servers = cluster.share(request);
    this.#route = new SessionRoute(this.servers);
    this.state = new ClientState(this.servers.habits);
    const login = () => withSchema(request.login, this.schema);
    this.request = {
      holder: this,
      clientId,
      get login() {
        return login();
      },
      distance: (session) => this.#distance(session),
    };
    this.last = new LastServer({
      state: this.state,
      servers: this.servers,
      request: this.request,
      onKept: (session) => this.#current = session,
    });
  }

  get current(): ServerSession | undefined {
    return this.#current;
  }

  get schema(): string {
    return this.#current?.schema ?? this.state.wanted?.schema ?? this.#loginSchema;
  }

  get isInTransaction(): boolean {
    return this.#current?.isInTransaction ?? false;
  }

  get pins(): readonly Pin[] {
    return this.state.pins;
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
    const backend = this.#current?.backend ?? this.last.session?.backend;
    if (backend === undefined) return "";
    const isBound = this.#current !== undefined && (this.isInTransaction || this.pins.length > 0);
    return `${backend.config.name}: ${isBound ? "pinned" : this.#route.reason}`;
  }

  get lostLast(): ServerSession | undefined {
    const { session, reading } = this.last;
    const isThere = !this.state.isPinned || this.#current !== undefined ||
      session?.isOpen !== false;
    return isThere || reading !== undefined ? undefined : session;
  }

  get settling(): Promise<void> | undefined {
    return this.last.reading;
  }

  get bound(): ServerSession | undefined {
    const isKept = this.state.isPinned && this.last.isFree;
    return this.#current ?? (isKept ? this.last.session : undefined);
  }

  get ids(): number[] {
    const id = this.#opening?.id || this.bound?.id || 0;
    return id === 0 ? [] : [id];
  }

  get warnings(): number | undefined {
    return this.state.lastStatement.warnings;
  }

  countNoWarnings(): void {
    this.state.lastStatement.countNoWarnings();
  }

  stateInfo(): SessionStateInfo {
    return this.state.info();
  }

  variable(name: string): string | undefined {
    return textOf(this.state.wanted?.variable(name));
  }

  facts(asks: number, command: PlannedCommand): LastFacts | undefined {
    const canBeAsked = this.#current !== undefined || this.#goesToLast(command);
    return this.state.lastStatement.factsFor(asks, canBeAsked);
  }

  #goesToLast(command: PlannedCommand): boolean {
    if (!this.last.isFree) return false;
    if (isAboutLast(command)) return true;
    try {
      const backend = this.choose(command) ?? this.servers.preferred;
      return backend === this.last.session!.backend;
    } catch (error) {
      // `open` comes to the same, and says it.
      if (error instanceof SluiceError) return false;
      throw error;
    }
  }

  /** @throws {SluiceError} unknown_server */
  choose(command: PlannedCommand | undefined): Backend | undefined {
    const staysThere = command !== undefined && isAboutLast(command) && this.last.isFree;
    const last = staysThere ? this.last.session!.backend : undefined;
    return this.#route.choose(command, this.state.wanted, last);
  }

  takeNow(command: PlannedCommand): ServerSession | undefined {
    if (this.last.reading !== undefined) return undefined;
    const current = this.#current;
    if (current !== undefined) {
      return isSetUp(current, command, this.state) ? this.#begin(current, command) : undefined;
    }
    const session = this.#tryTake(command);
    if (session === undefined) return undefined;
    if (session.state.known !== undefined) this.wantedFor(session);
    if (this.#isInState(session)) {
      this.#begin(session, command);
      if (isSetUp(session, command, this.state)) return session;
      this.#current = undefined;
    }
    this.#taken = session;
    return undefined;
  }

  isReady(command: PlannedCommand): boolean {
    return isSetUp(this.#current!, command, this.state);
  }

  async open(command?: PlannedCommand, isAgain = false): Promise<ServerSession | undefined> {
    const candidate = this.#taken;
    this.#taken = undefined;
    const opening = new SharedOpening(this, { command, candidate, isWary: isAgain });
    this.#opening = opening;
    try {
      const session = await opening.run();
      const { ended } = opening;
      if (ended === undefined) return this.#begin(session, command);
      if (session !== this.#current) session.close();
      throw ended;
    } catch (error) {
      if (error instanceof UnmetNeed) this.state.lastStatement.learnRefusal(error.conditions);
      else this.servers.onFailure(error, this.schema);
      if (this.#opening !== opening) return undefined;
      throw error;
    } finally {
      if (this.#opening === opening) this.#opening = undefined;
    }
  }

  giveBack(command: PlannedCommand | undefined): boolean {
    const session = this.#current;
    if (session === undefined) return false;
    const isReset = command !== undefined && this.#follow(session, command);
    this.#tellPins(session);
    const isBound = this.state.isBound || session.isInTransaction ||
      session.state.prepared?.hasReserved === true;
    if (!isReset && (isBound || !session.isOpen)) return false;
    this.#current = undefined;
    // What was to replace a schema or a role that is gone has failed in another's place.
    if (!isReset && !this.state.isInPlace(session)) session.close();
    else if (command === undefined) this.last.returnUnused(session);
    else this.last.giveBack();
    return true;
  }

  /** The command has run there. @returns whether it has reset the client's session */
  #follow(session: ServerSession, command: PlannedCommand): boolean {
    this.last.use(session);
    const isReset = command.command === Command.RESET_CONNECTION &&
      session.tracker.errorCode === 0;
    if (isReset) {
      // A reset keeps the schema, and MariaDB what was prepared of an XA transaction.
      this.#loginSchema = session.schema;
      if (this.pins.some(({ reason }) => reason === "xa")) session.close();
      this.last.reset();
    } else {
      this.state.learn(session, command, Date.now());
    }
    return isReset;
  }

  abandonOpening(): void {
    const opening = this.#opening;
    this.#opening = undefined;
    opening?.abandon();
  }

  interruptOpening(error: SluiceError): boolean {
    if (this.#opening?.interrupt(error) === false) return false;
    this.#opening = undefined;
    return true;
  }

  killOpening(id: number, reason: string): boolean {
    return this.#opening?.kill(id, reason) ?? false;
  }

  letGo(isExecuting: boolean): void {
    const session = this.#current;
    this.#current = undefined;
    const isFree = !this.state.isPinned && session?.isInTransaction !== true;
    this.last.drop();
    this.state.lose();
    this.#tellPins(session);
    if (session === undefined || !session.isOpen) return;
    if (isExecuting) cancel(session, this.#clientId, this.#context.config.connectTimeout);
    // What pins it, and a transaction, end with it.
    else if (isFree) session.giveBack(undefined);
    else session.release();
  }

  lose(): void {
    const session = this.#current;
    this.#current = undefined;
    session?.close();
    this.state.lose();
    this.#tellPins(session);
  }

  #tellPins(session: ServerSession | undefined): void {
    const { pins } = this.state;
    if (pins === this.#toldPins) return;
    tellPins(this.#toldPins, pins, { clientId: this.#clientId, serverId: session?.id });
    this.#toldPins = pins;
  }

  discard(): void {
    this.#current?.close();
    this.#current = undefined;
    this.last.drop();
  }

  #tryTake(command: PlannedCommand): ServerSession | undefined {
    try {
      return this.servers.tryTake(this.request, this.choose(command));
    } catch (error) {
      // `open` comes to the same, and says it.
      if (error instanceof SluiceError) return undefined;
      throw error;
    }
  }

  /** Whether the client's state is there. */
  #isInState(session: ServerSession): boolean {
    const { known } = session.state;
    const { state } = this;
    if (this.last.isAsLeft(session)) return !this.last.isReset && state.isInPlace(session);
    if (this.last.isToBeRead) return false;
    return known !== undefined && state.wanted?.isSameAs(known) === true && !this.isToProve &&
      !session.state.mayHaveConditions && !session.state.reportsLess &&
      (!state.asksInsertId || state.hasInsertId(session));
  }

  #begin(session: ServerSession, command: PlannedCommand | undefined): ServerSession {
    session.beforeHandOver = undefined;
    this.#tellPins(session);
    this.state.begin(session, command, this.last.isAsLeft(session));
    return this.#current = session;
  }

  #distance({ state: { known }, dialect }: ServerSession): number {
    const { wanted } = this.state;
    if (known === undefined) return Infinity;
    if (wanted === undefined) return known.variables.size + known.userVariables.size;
    if (wanted.isSameAs(known)) return 0;
    return difference(wanted, known, { dialect, asksInsertId: false })?.cost ?? 0;
  }

  /** Whether the client has run nothing since its login, whose schema may be gone. */
  get isToProve(): boolean {
    return this.last.session === undefined && !this.servers.isInOrder(this.schema);
  }

  /** A client that has run nothing is like a server session behind its login. */
  wantedFor({ state: { freshLogin } }: ServerSession): SessionState {
    return this.state.wanted ??= SessionState.afterLogin(this.#loginSchema, freshLogin);
  }

  killConnecting(id: number, reason: string): void {
    this.#context.manager.servers.find(id)?.kill(reason);
  }
}

const USES_TABLES = /\b(from|table)\b/i;

/** Whether it asks for what the last statement has left, and certainly for no data. */
function isAboutLast(command: PlannedCommand): boolean {
  const { asks, isRead } = command.classified;
  return (asks & LAST_FACTS) !== 0 && isRead && !USES_TABLES.test(firstWords(command));
}
