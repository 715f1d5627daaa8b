/**
 * One client from accept to close: greeting, login, commands, end. It owns both connections and the
 * named phase; the relay moves the bytes.
 */
import type { ServerRequest } from "../backend/cluster.ts";
import type { ServerSession } from "../backend/server_session.ts";
import { messageOf, ProtocolError, SluiceError } from "../errors.ts";
import { logError, type LogFields, logInfo, logWarning } from "../log.ts";
import { OutOfOrder, StreamEnded } from "../net/packet_port.ts";
import { closeQuietly, type Transport } from "../net/transport.ts";
import type { CommandRow } from "../protocol/replies.ts";
import { encodeErr } from "../protocol/response.ts";
import type { ClientEntry, ClientPhase, ClientSessionInfo } from "../session_manager.ts";
import type { ClientTalk } from "./client_talk.ts";
import type { SessionContext } from "./context.ts";
import { END_REASONS, type EndReason } from "./end_reason.ts";
import {
  type ClientLogin,
  type Peer,
  receiveChangeUser,
  receiveLogin,
  sendLoginOk,
} from "./login.ts";
import { Relay, type RelayOwner } from "./relay.ts";

/** A client as the listener hands it over. */
export interface ArrivedClient {
  readonly transport: Transport;
  readonly hostname: string;
  readonly port: number;
}

const LOG = { info: logInfo, warning: logWarning, error: logError } as const;

export class ClientSession implements ClientEntry, RelayOwner {
  readonly id: number;
  readonly #context: SessionContext;
  readonly #transport: Transport;
  readonly #peer: Peer;
  readonly #port: number;
  readonly #proxySessionId: bigint;
  readonly #connectedSince = Date.now();
  readonly #relay: Relay;
  #phase: ClientPhase = "greeting";
  #phaseSince = this.#connectedSince;
  #login: ClientLogin | undefined;
  /** The login name as the client said it. */
  #user = "";
  #server: ServerSession | undefined;
  /** Ends the opening of a server session that nobody waits for any more. */
  #opening: AbortController | undefined;
  #row: CommandRow | undefined;
  #statements = 0;
  /** Told to stop as soon as nothing is at work. */
  #isLeaving = false;

  constructor(id: number, client: ArrivedClient, context: SessionContext) {
    this.id = id;
    this.#context = context;
    this.#transport = client.transport;
    this.#peer = { id, host: client.hostname, onName: (user) => this.#user = user };
    this.#port = client.port;
    this.#proxySessionId = context.nextProxySessionId();
    this.#relay = new Relay(client.transport, this);
    context.manager.clients.add(this);
  }

  info(): ClientSessionInfo {
    return {
      id: this.id,
      proxySessionId: this.#proxySessionId,
      phase: this.#phase,
      phaseSince: this.#phaseSince,
      connectedSince: this.#connectedSince,
      peer: this.#peerLabel,
      user: this.#login?.name.user ?? this.#user,
      tenant: this.#login?.name.tenant ?? "",
      cluster: this.#login?.cluster.config.name ?? "",
      schema: this.#server?.schema ?? this.#login?.request.login.schema ?? "",
      command: this.#row?.name ?? "",
      statements: this.#statements,
      bytesIn: this.#relay.bytesIn,
      bytesOut: this.#relay.bytesOut,
      serverSessionIds: this.#server === undefined ? [] : [this.#server.id],
    };
  }

  /** Greets the client and lets it log in; everything after that comes from its bytes. */
  async run(): Promise<void> {
    const talk = this.#relay.talk(0);
    try {
      this.#setPhase("login");
      talk.attend();
      const login = await receiveLogin(talk, this.#peer, this.#context);
      await this.#prove(login);
      if (this.#hasEnded) return;
      await sendLoginOk(talk, login);
      this.#login = login;
    } catch (error) {
      return await this.#refuse(error, talk);
    }
    if (!this.#hasEnded) this.#relay.resume();
  }

  kill(reason: string): void {
    this.#relay.fail("killed", new SluiceError("killed", reason));
  }

  /** Ends at once where nothing is at work, otherwise when that is done. */
  leave(): void {
    this.#isLeaving = true;
    if (this.#phase === "login") return this.end("shutdown");
    if (this.#relay.isIdle && this.#server?.isInTransaction !== true) this.end("shutdown");
  }

  /** The time to leave is over. */
  evict(): void {
    this.#relay.fail("shutdown", new SluiceError("shutdown", "Server shutdown in progress"));
  }

  sweep(now: number): void {
    if (this.#phase === "login" || this.#phase === "greeting") {
      const limit = this.#context.config.loginTimeout;
      if (now - this.#phaseSince < limit) return;
      return this.end(
        "login_timeout",
        new SluiceError("login_timeout", `No login within ${limit} ms`),
      );
    }
    this.#relay.sweep();
  }

  // ---- what the relay asks for ----

  onCommand(row: CommandRow): void {
    this.#row = row;
    this.#setPhase("executing");
  }

  onIdle(): boolean {
    if (this.#phase === "executing") this.#statements++;
    this.#setPhase("idle");
    if (!this.#isLeaving || this.#server?.isInTransaction === true) return true;
    this.end("shutdown");
    return false;
  }

  needServer(): void {
    this.#setPhase("connecting");
    this.#openServer(this.#login!).then(
      () => this.#setPhase("executing"),
      (error) => {
        if (this.#hasEnded) return;
        if (error instanceof SluiceError) return this.#relay.refuse(error);
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
      { payload, current, peer: this.#peer },
      this.#context,
    );
    // A fresh server session is what resets every state there is.
    this.#relay.forgetServer();
    this.#server?.release();
    this.#server = undefined;
    await this.#prove(login);
    if (this.#hasEnded) return;
    await sendLoginOk(talk, login);
    this.#login = login;
    this.#statements++;
  }

  /**
   * The first login of an account with a schema is tried on a server, so that a schema that is not
   * there or a password that a server refuses is told as the answer to the login.
   */
  async #prove(login: ClientLogin): Promise<void> {
    if (!login.cluster.isProven(login.request)) await this.#openServer(login);
  }

  async #openServer(login: ClientLogin): Promise<void> {
    const opening = this.#opening = new AbortController();
    const request: ServerRequest = { ...login.request, signal: opening.signal };
    const server = await login.cluster.acquire(request);
    this.#opening = undefined;
    if (this.#hasEnded) return server.release();
    this.#server = server;
    this.#relay.use(server);
  }

  // ---- ends ----

  get #hasEnded(): boolean {
    return this.#phase === "closed";
  }

  get #peerLabel(): string {
    return `${this.#peer.host}:${this.#port}`;
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
    const fields = this.#endFields(reason, error);
    this.#phase = "closed";
    this.#relay.close();
    this.#opening?.abort(new Error("the client session ended"));
    closeQuietly(this.#transport);
    this.#releaseServer(isExecuting, reason);
    this.#context.manager.clients.remove(this.id);
    LOG[END_REASONS[reason]](
      reason === "login_refused" ? "login refused" : "session ended",
      fields,
    );
    this.#context.onSessionEnd(this.id);
  }

  #releaseServer(isExecuting: boolean, reason: EndReason): void {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined || !server.isOpen) return;
    if (reason === "server_lost") return server.close();
    if (!isExecuting) return server.release();
    server.cancel(this.#context.config.connectTimeout).catch((cause) => {
      logWarning("cannot cancel statement", {
        cs_id: this.id,
        server: server.backend.label,
        server_sessid: server.threadId,
        cause: messageOf(cause),
      });
    });
  }

  #endFields(reason: EndReason, error: SluiceError | undefined): LogFields {
    const { user, tenant, cluster, schema, command, statements, bytesIn, bytesOut } = this.info();
    return {
      cs_id: this.id,
      peer: this.#peerLabel,
      user: user || undefined,
      tenant: tenant || undefined,
      cluster: cluster || undefined,
      schema: schema || undefined,
      reason,
      code: error?.code,
      error: error?.message,
      cause: error?.cause === undefined ? undefined : causeOf(error.cause),
      duration_ms: Date.now() - this.#connectedSince,
      statements,
      last_command: command || undefined,
      bytes_in: bytesIn,
      bytes_out: bytesOut,
    };
  }
}

/** Errors of our own making carry their stack into the log. */
function causeOf(cause: unknown): string {
  const isOwn = cause instanceof SluiceError || cause instanceof ProtocolError;
  return cause instanceof Error && !isOwn ? cause.stack ?? cause.message : messageOf(cause);
}

/** What a client is told of whatever its login failed with. */
function toldOf(error: unknown): SluiceError {
  if (error instanceof SluiceError) return error;
  if (error instanceof OutOfOrder) {
    return new SluiceError("packets_out_of_order", "Got packets out of order", { cause: error });
  }
  if (error instanceof ProtocolError) {
    return new SluiceError("bad_handshake", "Bad handshake", { cause: error });
  }
  const message = `Internal error of the proxy: ${messageOf(error)}`;
  return new SluiceError("internal", message, { cause: error });
}
