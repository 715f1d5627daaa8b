/**
 * One client from accept to close: greeting, login, commands, end. It owns both connections and the
 * named phase; the relay moves the bytes.
 */
import type { ServerSession } from "../backend/server_session.ts";
import { SluiceError } from "../errors.ts";
import { logError, logInfo, logWarning } from "../log.ts";
import { StreamEnded } from "../net/packet_port.ts";
import { closeQuietly, type Transport } from "../net/transport.ts";
import type { CommandRow } from "../protocol/replies.ts";
import { Command, SESSION_STATUS, Status } from "../protocol/constants.ts";
import { encodeErr } from "../protocol/response.ts";
import type {
  ClientEntry,
  ClientPhase,
  ClientSessionInfo,
  SessionOwner,
  SessionStateInfo,
} from "../session_manager.ts";
import { type CallingSession, SessionCaller } from "./caller.ts";
import type { ClientCommand } from "./client_command.ts";
import type { ClientInput } from "./client_input.ts";
import { CommandPlanner } from "./command_planner.ts";
import type { Place } from "./limits.ts";
import type { Plan } from "./plan.ts";
import type { ClientTalk } from "./client_talk.ts";
import type { SessionContext } from "./context.ts";
import { END_REASONS, type EndReason } from "./end_reason.ts";
import {
  type ClientLogin,
  type Peer,
  receiveChangeUser,
  receiveLogin,
  sendLoginOk,
  type ServerUse,
} from "./login.ts";
import { PendingLoss } from "./pending_loss.ts";
import { PrivateHold } from "./private_hold.ts";
import { endFields, interrupted, toldOf } from "./session_errors.ts";
import { SharedHold } from "./shared_hold.ts";
import type { ServerHold } from "./server_hold.ts";
import type { ServerNeed } from "./server_need.ts";
import { CLOSES_STATEMENTS } from "./shared_statements.ts";
import {
  judge,
  type LosingSession,
  type Loss,
  type LossDecision,
  lossOnTheWay,
  toldOfKill,
} from "./server_loss.ts";
import { Relay } from "./relay.ts";
import type { RelayOwner } from "./relay_owner.ts";

/** A client as the listener hands it over. */
export interface ArrivedClient {
  readonly transport: Transport;
  readonly hostname: string;
  readonly port: number;
}

const LOG = { info: logInfo, warning: logWarning, error: logError } as const;

export class ClientSession implements ClientEntry, RelayOwner, CallingSession, Peer {
  readonly id: number;
  readonly host: string;
  status: number = Status.AUTOCOMMIT;
  readonly #context: SessionContext;
  readonly #transport: Transport;
  /** Made once, since lists want it of all sessions; by `join`, which keeps no parts of it. */
  readonly #peerLabel: string;
  readonly #proxySessionId: bigint;
  readonly #connectedSince = Date.now();
  readonly #relay: Relay;
  /** Undefined until a server is needed, and for accounts that use none. */
  #hold: ServerHold | undefined;
  #phase: ClientPhase = "greeting";
  #phaseSince = this.#connectedSince;
  #login: ClientLogin | undefined;
  /** The login name as the client said it. */
  #user = "";
  /** What it counts for in the limits. */
  #place: Place | undefined;
  #planner: CommandPlanner | undefined;
  #row: CommandRow | undefined;
  #statements = 0;
  #transactions = 0;
  #wasInTransaction = false;
  readonly #loss = new PendingLoss();
  /** Its login waits for a server, which has time limits of its own. */
  #isProving = false;
  /** Told to stop as soon as nothing is at work. */
  #isLeaving = false;

  constructor(id: number, client: ArrivedClient, context: SessionContext) {
    this.id = id;
    this.#context = context;
    this.#transport = client.transport;
    this.host = client.hostname;
    this.#peerLabel = [client.hostname, client.port].join(":");
    this.#proxySessionId = context.nextProxySessionId();
    this.#relay = new Relay(client.transport, this);
    context.manager.clients.add(this);
  }

  owner(): SessionOwner {
    const login = this.#login;
    return {
      id: this.id,
      isLoggedIn: login !== undefined,
      user: login?.name.user ?? this.#user,
      tenant: login?.name.tenant ?? "",
      cluster: login?.servers?.cluster.config.name ?? "",
    };
  }

  info(): ClientSessionInfo {
    const { isLoggedIn, user, tenant, cluster } = this.owner();
    return {
      id: this.id,
      isLoggedIn,
      user,
      tenant,
      cluster,
      proxySessionId: this.#proxySessionId,
      phase: this.#phase,
      phaseSince: this.#phaseSince,
      connectedSince: this.#connectedSince,
      peer: this.#peerLabel,
      localAddress: this.#transport.localAddr,
      isEncrypted: false,
      schema: this.#hold?.schema ?? "",
      command: this.#row?.name ?? "",
      statements: this.#statements,
      transactions: this.#transactions,
      isInTransaction: this.#isInTransaction,
      isBlockedByClient: this.#relay.isBlockedByClient,
      bytesIn: this.#relay.bytesIn,
      bytesOut: this.#relay.bytesOut,
      serverSessionIds: this.#hold?.ids ?? [],
      route: this.#hold?.route ?? "",
      pins: this.#hold?.listPins(this.#planner?.planned, this.#phaseSince) ?? [],
    };
  }

  get hold(): ServerHold | undefined {
    return this.#hold;
  }

  onName(user: string): void {
    this.#user = user;
  }

  /** Greets the client and lets it log in; everything after that comes from its bytes. */
  async run(): Promise<void> {
    const talk = this.#relay.talk(0);
    try {
      this.#setPhase("login");
      talk.attend();
      const login = await receiveLogin(talk, this, this.#context);
      await this.#prove(login);
      if (this.#hasEnded) return;
      this.#enter(login);
      await sendLoginOk(talk, login, this);
    } catch (error) {
      return await this.#refuse(error, talk);
    }
    if (!this.#hasEnded) this.#relay.resume();
  }

  /** Not even an ERR: a client that has asked nothing takes it for the answer to what it asks next. */
  kill(reason: string): void {
    this.end("killed", new SluiceError("killed", reason));
  }

  async killQuery(): Promise<void> {
    const relay = this.#relay;
    if (relay.isAcquiring) {
      // It asks nothing, and nothing else would free the statement.
      if (relay.command.code === Command.STMT_CLOSE) return;
      const error = new SluiceError("killed", "Query execution was interrupted");
      if (this.#hold?.interruptOpening(error) !== false) this.#refuseCommand(error);
      return;
    }
    const server = this.#hold?.current;
    if (server === undefined || !relay.isExecuting) return;
    // A late one must not hit a later command.
    const number = relay.commandNumber;
    const isWanted = () => relay.commandNumber === number && relay.isExecuting;
    await server.cancelQuery(this.#context.config.connectTimeout, isWanted);
  }

  killServer(id: number): boolean {
    const hold = this.#hold;
    if (hold?.killOpening(id, interrupted(id, "").message)) return true;
    const server = hold?.bound;
    if (server?.id !== id) return false;
    const isExecuting = this.#relay.isExecuting;
    const error = interrupted(id, ` on ${server.backend.label}`);
    const told = toldOfKill(error, this.#losing);
    if (!isExecuting) this.#loss.note(told);
    hold!.letGo(isExecuting);
    this.#relay.dropServer(told ?? error);
    return true;
  }

  state(): SessionStateInfo | undefined {
    return this.#hold?.stateInfo();
  }

  statementText(limit: number): string | undefined {
    return this.#phase === "executing" || this.#phase === "connecting"
      ? this.#planner?.planned.text.read(limit)
      : undefined;
  }

  /** Ends at once where nothing is at work, otherwise when that is done. */
  leave(): void {
    this.#isLeaving = true;
    if (this.#phase === "login") return this.end("shutdown");
    if (this.#relay.isIdle && !this.#isInTransaction) this.end("shutdown");
  }

  /** The time to leave is over. */
  evict(): void {
    this.#relay.fail("shutdown", new SluiceError("shutdown", "Server shutdown in progress"));
  }

  sweep(now: number): void {
    if (this.#phase === "login" || this.#phase === "greeting") {
      const limit = this.#context.config.loginTimeout;
      if (this.#isProving || now - this.#phaseSince < limit) return;
      return this.end(
        "login_timeout",
        new SluiceError("login_timeout", `No login within ${limit} ms`),
      );
    }
    const idleLimit = this.#context.config.defaultInactivityTimeout;
    if (this.#phase === "idle" && idleLimit > 0 && now - this.#phaseSince >= idleLimit) {
      const message = `The client was disconnected because of inactivity for ${idleLimit} ms`;
      return this.#relay.fail("idle_timeout", new SluiceError("idle_timeout", message));
    }
    this.#relay.sweep(now);
  }

  get #isInTransaction(): boolean {
    return this.#hold?.isInTransaction ?? false;
  }

  // ---- what the relay asks for ----

  onCommand(row: CommandRow): void {
    this.#row = row;
    this.#setPhase("executing");
  }

  plan(command: ClientCommand, input: ClientInput): Plan | undefined {
    const planner = this.#commands;
    const plan = planner.plan(command, input);
    const loss = this.#loss.takeForFetch(command);
    return loss === undefined ? plan : [planner.answers.error(loss)];
  }

  /** Made when it is needed: many clients log in and ask nothing for a long time. */
  get #commands(): CommandPlanner {
    return this.#planner ??= new CommandPlanner(
      new SessionCaller(this, this.#login!, this.#context),
    );
  }

  onIdle(hasRun: boolean): boolean {
    if (this.#phase === "executing") this.#statements++;
    const isInTransaction = this.#isInTransaction;
    this.status = (this.#hold?.current?.tracker.status ?? this.status) & SESSION_STATUS;
    if (this.#wasInTransaction && !isInTransaction) this.#transactions++;
    this.#wasInTransaction = isInTransaction;
    this.#setPhase("idle");
    const server = this.#hold?.current;
    if (server !== undefined && hasRun) this.#finishCommand(server);
    if (this.#hold?.giveBack(hasRun ? this.#commands.planned : undefined)) this.#relay.dropServer();
    if (!this.#isLeaving || isInTransaction) return true;
    this.end("shutdown");
    return false;
  }

  /** It has run, and its reply has reached the client. */
  #finishCommand(server: ServerSession): void {
    this.need?.onDone(server);
    const isReset = this.#relay.command.code === Command.RESET_CONNECTION;
    if (!isReset || server.tracker.errorCode !== 0) return;
    this.#loss.forget();
    this.#planner?.forgetStatements();
  }

  get settling(): Promise<void> | undefined {
    return this.#hold?.settling;
  }

  get need(): ServerNeed | undefined {
    const need = this.#planner?.planned.need;
    if (need !== undefined) return need;
    return this.#hold?.current?.state.prepared?.closing ? CLOSES_STATEMENTS : undefined;
  }

  isReady(): boolean {
    return this.#hold!.isReady(this.#planner!.planned);
  }

  get keepsCommands(): boolean {
    return this.#hold?.sharing === "transaction";
  }

  get #losing(): LosingSession {
    return { id: this.id, hold: this.#hold!, planned: this.#planner?.planned };
  }

  onServerLost(loss: Loss): LossDecision {
    const decision = judge(loss, this.#losing);
    this.status &= ~Status.IN_TRANS;
    if (loss.stage === "none" && this.#isLeaving) return { error: loss.error, ends: "shutdown" };
    if (loss.stage !== "none" || typeof decision === "string" || decision.ends !== undefined) {
      return decision;
    }
    this.#loss.note(decision.error);
    return "lives";
  }

  /** No server session can be had, or the one that binds the client is lost on the way. */
  #refuseCommand(error: SluiceError): void {
    const isLost = this.#hold?.current?.isOpen === false;
    const told = isLost ? lossOnTheWay(error, this.#losing) : error;
    // Without its part an execution would have another value.
    if (this.#relay.command.code === Command.STMT_SEND_LONG_DATA) this.#loss.note(told);
    this.#relay.refuse(told);
  }

  takeServer(): ServerSession | undefined {
    if (this.#loss.find(this.#relay.command, this.#losing) !== undefined) return undefined;
    const server = this.#hold?.takeNow(this.#planner!.planned);
    server?.acquire(this.#relay);
    return server;
  }

  needServer(isAgain: boolean): void {
    const loss = this.#loss.take(this.#relay.command, this.#losing);
    if (loss !== undefined) return this.#relay.refuse(loss);
    this.#setPhase("connecting");
    this.#hold!.open(this.#planner?.planned, isAgain).then(
      (server) => {
        if (server === undefined || this.#hasEnded) return;
        this.#relay.use(server);
        this.#setPhase("executing");
      },
      (error) => {
        if (this.#hasEnded) return;
        // The one that it is bound to has been in use for what has failed.
        const { current } = this.#hold!;
        if (current?.isOpen === true) current.acquire(this.#relay);
        if (error instanceof SluiceError) return this.#refuseCommand(error);
        this.#relay.fail("internal_error", toldOf(error));
      },
    );
  }

  changeUser(payload: Uint8Array, talk: ClientTalk): void {
    this.#setPhase("login");
    this.#changeUser(payload, talk).then(
      () => {
        if (!this.#hasEnded) this.#relay.resume();
      },
      (error) => this.#refuse(error, talk),
    );
  }

  async #changeUser(payload: Uint8Array, talk: ClientTalk): Promise<void> {
    const current = this.#login!;
    talk.attend();
    const login = await receiveChangeUser(
      talk,
      { payload, current, peer: this },
      this.#context,
    );
    // A fresh server session is what resets every state there is.
    this.#loss.forget();
    this.#relay.dropServer();
    this.#hold?.letGo(false);
    this.#hold = undefined;
    await this.#prove(login);
    if (this.#hasEnded) return;
    this.#enter(login);
    await sendLoginOk(talk, login, this);
    this.#statements++;
  }

  /** From now on commands are those of this account. @throws {SluiceError} where it has too many */
  #enter(login: ClientLogin): void {
    const { limits } = this.#context;
    const { name, servers } = login;
    this.#place?.leave();
    this.#place = servers === undefined
      ? limits.enterExempt()
      : limits.enter({ ...name, cluster: servers.cluster.config.name }, servers.maxConnections);
    this.#login = login;
    if (servers !== undefined) this.#hold ??= this.#makeHold(servers);
    this.#planner?.forgetStatements();
    this.#planner = undefined;
  }

  /**
   * The first login of an account with a schema is tried on a server, so that a schema that is not
   * there or a password that a server refuses is told as the answer to the login.
   */
  async #prove({ servers }: ClientLogin): Promise<void> {
    if (servers === undefined || servers.cluster.isProven(servers.request)) return;
    // The client may have left while it was being looked at.
    if (this.#hasEnded) return;
    const hold = this.#hold = this.#makeHold(servers);
    this.#isProving = true;
    try {
      const server = await hold.open();
      if (this.#hasEnded) hold.letGo(false);
      if (server === undefined || this.#hasEnded) return;
      servers.cluster.rememberProof(servers.request);
      this.#relay.use(server);
    } finally {
      this.#isProving = false;
      this.#setPhase("login");
    }
  }

  #makeHold(servers: ServerUse): ServerHold {
    const Hold = servers.sharing === "transaction" ? SharedHold : PrivateHold;
    return new Hold(servers, this.id, this.#context);
  }

  // ---- ends ----

  get #hasEnded(): boolean {
    return this.#phase === "closed";
  }

  #setPhase(phase: ClientPhase): void {
    if (this.#phase === "closed") return;
    this.#phase = phase;
    this.#phaseSince = Date.now();
  }

  /** A login that came to nothing: MySQL's own error, then the close. */
  async #refuse(error: unknown, talk: ClientTalk): Promise<void> {
    if (this.#hasEnded) return;
    if (error instanceof StreamEnded) {
      return this.end("client_lost", new SluiceError("client_lost", error.message));
    }
    const told = toldOf(error);
    if (told.kind === "internal") return this.#crash(error);
    try {
      await talk.write(encodeErr(told));
    } catch {
      // The client has gone before it could read the refusal; the log has it.
    }
    this.end("login_refused", told);
  }

  #crash(error: unknown): void {
    this.end("internal_error", toldOf(error));
  }

  end(reason: EndReason, error?: SluiceError): void {
    if (this.#hasEnded) return;
    const isExecuting = this.#relay.isExecuting;
    const info = this.info();
    this.#phase = "closed";
    this.#relay.close();
    this.#hold?.abandonOpening();
    this.#planner?.forgetStatements();
    closeQuietly(this.#transport);
    if (reason === "server_lost") this.#hold?.discard();
    else this.#hold?.letGo(isExecuting);
    this.#context.manager.endClient(info);
    this.#place?.leave();
    LOG[END_REASONS[reason]](
      reason === "login_refused" ? "login refused" : "session ended",
      endFields(info, reason, error),
    );
    this.#context.onSessionEnd(this.id);
  }
}
