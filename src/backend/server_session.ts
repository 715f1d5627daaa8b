/**
 * One connection to a server. Whoever has acquired it is its user: bytes and the end of the
 * connection are reported there. It never knows what that user is.
 *
 * Exactly one read is outstanding from the login to the close, except while its user moves what was
 * read: an idle server that closes is noticed at once, at no cost per command.
 */
import { formatAddress } from "../config/address.ts";
import { messageOf, SluiceError } from "../errors.ts";
import { logDebug, logsDebug } from "../log.ts";
import { BIG, giveBig, idleBufferFor, SMALL, takeBig } from "../net/buffers.ts";
import { closeQuietly, type Settled, type Transport, writeAll } from "../net/transport.ts";
import type { Capabilities } from "../protocol/capabilities.ts";
import { Capability, Command, SessionTrack, Status } from "../protocol/constants.ts";
import type { Greeting } from "../protocol/handshake.ts";
import { ReplyTracker } from "../protocol/reply_tracker.ts";
import type { Dialect } from "../state/dialect.ts";
import { decodeTrackedVariables, type OkPacket, trackedSchema } from "../protocol/response.ts";
import type {
  ServerEntry,
  ServerPhase,
  ServerSessionInfo,
  SessionManager,
} from "../session_manager.ts";
import type { Backend, DialLimits } from "./backend.ts";
import { LostConnection } from "./lost_connection.ts";
import { NO_VARIABLES, OpeningSession } from "./opening_session.ts";
import type { PoolSeat } from "./pool_seat.ts";
import { type LoggedIn, logIn, type ServerLogin } from "./server_login.ts";
import { ServerState } from "./server_state.ts";
import { SessionTracking, type TrackedSession } from "./session_tracking.ts";
import { isUnknownThread, runAside } from "./side_connection.ts";

/** Who uses a server session; every call comes from its read. */
export interface ServerSessionUser {
  /** `buffer` of the session holds more than before, up to `end`. */
  onServerBytes(): void;
  /** The connection has ended. What `buffer` holds can still be read. */
  onServerLost(error: SluiceError): void;
}

export interface OpenOptions extends DialLimits {
  readonly manager: SessionManager;
  readonly login: ServerLogin;
  /** Told the `ss_id` as soon as there is one. */
  readonly onOpening?: (id: number) => void;
}

const QUIT = Uint8Array.of(1, 0, 0, 0, Command.QUIT);

/** After COM_QUIT servers close; one that does not is closed from here after this long. */
const LEAVING_FOR = 2_000;

export class ServerSession implements ServerEntry, TrackedSession {
  readonly id: number;
  readonly backend: Backend;
  readonly capabilities: Capabilities;
  readonly threadId: number;
  readonly dialect: Dialect;
  readonly tracker: ReplyTracker;
  /**
   * What was read: [0, moved) is done with, [moved, walked) may go to the user's peer, and up to
   * `end` there are bytes. While a read is outstanding, nothing of it may be moved in here.
   */
  buffer: Uint8Array = new Uint8Array(SMALL);
  moved = 0;
  walked = 0;
  end = 0;
  /** Commands that were sent to it, and their bytes: kept by its users. */
  statements = 0;
  bytesOut = 0;
  readonly state: ServerState;
  /** Its place in a pool; undefined for private ones. */
  seat: PoolSeat<ServerSession> | undefined;
  /**
   * Set by its holder before it goes back to its pool: reads out what only this session can tell of
   * the last statement. Runs once, before anybody else gets the session, with the session free to
   * acquire; where it fails, the session is closed. `kept`: there is what cannot be read out, and the
   * holder has taken the session again.
   */
  beforeHandOver: (() => Promise<"kept" | void>) | undefined;

  readonly #transport: Transport;
  readonly #manager: SessionManager;
  readonly #login: ServerLogin;
  readonly #openedSince = Date.now();
  #small: Uint8Array = this.buffer;
  #user: ServerSessionUser | undefined;
  #phase: ServerPhase = "idle";
  #schema: string;
  #variables: Map<string, string> | undefined;
  #bytesIn = 0;
  #isReading = false;
  #leavingSince = 0;
  /** Why it will be closed, where that is known before. */
  #ending = "";

  /** Connects and logs in; listed from the first moment. @throws {SluiceError} */
  static async open(backend: Backend, options: OpenOptions): Promise<ServerSession> {
    const { manager, login } = options;
    const opening = new OpeningSession(manager.nextServerId(), backend, login);
    const giveUp = () => opening.kill("The client session has ended");
    options.signal?.addEventListener("abort", giveUp);
    if (options.signal?.aborted) giveUp();
    manager.servers.add(opening);
    options.onOpening?.(opening.id);
    try {
      const limits = { timeout: options.timeout, signal: opening.signal };
      return await backend.connect(limits, async (channel) => {
        const loggedIn = await logIn(channel, login);
        channel.finish();
        return new ServerSession(channel.transport, {
          ...options,
          backend,
          loggedIn,
          id: opening.id,
        });
      });
    } catch (error) {
      manager.servers.remove(opening.id);
      throw opening.killed ?? error;
    } finally {
      options.signal?.removeEventListener("abort", giveUp);
    }
  }

  private constructor(
    transport: Transport,
    opened: OpenOptions & {
      readonly id: number;
      readonly backend: Backend;
      readonly loggedIn: LoggedIn;
    },
  ) {
    const { manager, login, loggedIn } = opened;
    const { capabilities, greeting } = loggedIn;
    this.id = opened.id;
    this.backend = opened.backend;
    this.capabilities = capabilities;
    this.threadId = greeting.threadId;
    this.dialect = dialectOf(greeting);
    this.state = new ServerState(this.dialect);
    this.#transport = transport;
    this.#manager = manager;
    this.#login = login;
    this.#schema = loggedIn.schema;
    this.tracker = new ReplyTracker(new SessionTracking(this));
    this.tracker.status = loggedIn.status;
    manager.servers.add(this);
    this.read();
  }

  get schema(): string {
    return this.#schema;
  }

  /** What it was opened with: the state that it began in. */
  get login(): ServerLogin {
    return this.#login;
  }

  /** A system variable, if the server has reported a change of it. */
  variable(name: string): string | undefined {
    return this.#variables?.get(name);
  }

  /** Whether it can be used. */
  get isOpen(): boolean {
    return this.#phase === "idle" || this.#phase === "in_use";
  }

  /** Whether closing it now would undo somebody's work. */
  get isInTransaction(): boolean {
    return (this.tracker.status & Status.IN_TRANS) !== 0;
  }

  info(): ServerSessionInfo {
    const { localAddr } = this.#transport;
    return {
      id: this.id,
      threadId: this.threadId,
      phase: this.#phase,
      server: this.backend.config.name,
      address: this.backend.address,
      user: this.#login.user,
      schema: this.#schema,
      openedSince: this.#openedSince,
      statements: this.statements,
      bytesIn: this.#bytesIn,
      bytesOut: this.bytesOut,
      isInTransaction: this.isInTransaction,
      localAddress: localAddr === undefined ? "" : formatAddress(localAddr),
      stateVersion: this.state.known?.version,
      variables: this.#variables ?? NO_VARIABLES,
    };
  }

  /** Makes `user` the one that hears of bytes and of the end. */
  acquire(user: ServerSessionUser): void {
    if (!this.isOpen) {
      // It has ended since it was chosen.
      return queueMicrotask(() => user.onServerLost(this.#loss("it has closed the connection")));
    }
    this.#user = user;
    this.#phase = "in_use";
  }

  /**
   * Ends the use for now: to the pool that it is of, or as {@linkcode release}.
   * @param holder who has run commands on it and finds it again while nobody else has; undefined for
   *   who has run none, or has no more use for what they left
   */
  giveBack(holder: object | undefined): void {
    if (this.seat === undefined) this.release();
    else this.seat.pool.release(this, holder);
  }

  /** Nobody has it, and nobody is to have it: it leaves its pool at once, and then closes. */
  retire(): void {
    this.seat?.pool.retire(this.seat);
  }

  /** Ends the use, and it waits for the next one. What was sent and not asked for ends it. */
  park(): void {
    if (!this.isOpen) return;
    this.#user = undefined;
    this.#phase = "idle";
    if (this.end > this.moved) this.close();
    else this.read();
  }

  /** Ends the use: private sessions are of no use to anybody else, so it leaves. */
  release(reason = "its client has left it"): void {
    this.#user = undefined;
    this.leave(reason);
  }

  /** Collation id of its login. */
  get loginCharset(): number {
    return this.#login.charset;
  }

  /** Posts the next read, behind what the buffer holds, unless one is outstanding or it is full. */
  read(): void {
    if (this.#isReading || this.end === this.buffer.length || this.#phase === "closed") return;
    this.#isReading = true;
    const room = this.end === 0 ? this.buffer : this.buffer.subarray(this.end);
    this.#transport.read(room).then(this.#onSettled, this.#onSettled);
  }

  get isReading(): boolean {
    return this.#isReading;
  }

  /** May write a part only, as the transport does. */
  write(bytes: Uint8Array): Promise<number> {
    return this.#transport.write(bytes);
  }

  /** Whether the idle buffer is full, so that a reply needs a borrowed one. */
  get isSmallFull(): boolean {
    return this.buffer === this.#small && this.end === this.buffer.length;
  }

  /** Copies what is there to a buffer of at least `size` bytes. No read may be outstanding. */
  enlarge(size = BIG): void {
    const larger = size <= BIG ? takeBig() : new Uint8Array(size);
    larger.set(this.buffer.subarray(0, this.end));
    giveBig(this.buffer);
    this.buffer = larger;
  }

  /** Makes room of what has been moved, unless an outstanding read forbids it. */
  compact(): void {
    if (this.moved === 0 || this.#isReading) return;
    if (this.moved < this.end) this.buffer.copyWithin(0, this.moved, this.end);
    this.walked -= this.moved;
    this.end -= this.moved;
    this.moved = 0;
  }

  /** A reply of `total` bytes has been moved whole: back to the idle buffer and the idle read. */
  finishReply(total: number): void {
    this.compact();
    if (!this.#isReading && this.buffer !== this.#small && this.end <= this.#small.length) {
      this.#small = idleBufferFor(this.#small, total);
      this.#small.set(this.buffer.subarray(0, this.end));
      giveBig(this.buffer);
      this.buffer = this.#small;
    }
    this.read();
  }

  /**
   * Ends the running statement and the session. The connection stays open until the server has
   * heard of it, so that its thread id cannot have passed to somebody else.
   */
  async cancel(timeout: number): Promise<void> {
    this.#user = undefined;
    this.#phase = "closing";
    this.#ending = "its statement was cancelled";
    try {
      const sql = `KILL ${this.threadId}`;
      await runAside(this.backend, this.#login, { sql, timeout });
    } catch (error) {
      if (!isUnknownThread(error)) throw error;
    } finally {
      this.close();
    }
  }

  /**
   * Ends the running statement only. Resolves when the server has confirmed.
   * @param isWanted asked again when the server is ready to hear of it, so that no later statement
   *   is hit
   * @throws {SluiceError} where the server cannot be told
   */
  async cancelQuery(timeout: number, isWanted: () => boolean): Promise<void> {
    const sql = `KILL QUERY ${this.threadId}`;
    try {
      await runAside(this.backend, this.#login, { sql, timeout, isWanted });
    } catch (error) {
      if (!isUnknownThread(error)) throw error;
    }
  }

  /** Says good-bye and closes when the server does: cheaper than closing under a pending read. */
  leave(reason: string): void {
    if (!this.isOpen) return;
    this.#phase = "closing";
    this.#ending = reason;
    this.#leavingSince = Date.now();
    this.read();
    writeAll(this.#transport, QUIT).then(undefined, () => this.close());
  }

  kill(reason: string): void {
    const user = this.#user;
    this.close(reason);
    user?.onServerLost(new SluiceError("killed", reason));
  }

  sweep(now: number): void {
    if (this.#leavingSince > 0 && now - this.#leavingSince > LEAVING_FOR) this.close();
  }

  close(reason = "it is of no use any more"): void {
    if (this.#phase === "closed") return;
    this.#phase = "closed";
    this.#user = undefined;
    this.state.forgetPrepared();
    this.#manager.endServer(this.id);
    // Its user may still be moving what the buffer holds: the collector has it afterwards.
    closeQuietly(this.#transport);
    this.seat?.pool.onEnd(this.seat);
    if (logsDebug()) this.#tellClosed(this.#ending || reason);
  }

  #tellClosed(reason: string): void {
    logDebug("server session closed", {
      ss_id: this.id,
      server: this.backend.label,
      server_sessid: this.threadId,
      reason,
      duration_ms: Date.now() - this.#openedSince,
      statements: this.statements,
    });
  }

  /** Its account has logged in anew, without a schema. */
  onLoggedInAgain(): void {
    this.#schema = "";
    this.state.forgetPrepared();
  }

  /** A reply has reported changes of the session. */
  onSessionTrack(ok: OkPacket): void {
    this.#schema = trackedSchema(ok) ?? this.#schema;
    this.state.take(ok, this.#schema);
    // Of one that clients share, that is where they are.
    if (this.state.reports !== undefined) return;
    for (const { type, data } of ok.track) {
      if (type !== SessionTrack.SYSTEM_VARIABLES) continue;
      this.#variables ??= new Map();
      for (const [name, value] of decodeTrackedVariables(data)) this.#variables.set(name, value);
    }
  }

  readonly #onSettled: Settled = (outcome) => {
    this.#isReading = false;
    if (typeof outcome === "number") return this.#onRead(outcome);
    if (outcome === null) return this.#lost("the server closed the connection");
    if (this.#phase !== "closed") this.#lost(messageOf(outcome));
  };

  #onRead(count: number): void {
    this.end += count;
    this.#bytesIn += count;
    if (this.#user !== undefined) return this.#user.onServerBytes();
    // What a statement that is being cancelled still sends is of no use to anybody.
    if (this.#phase === "closing" && this.#leavingSince === 0) return;
    // Nobody asked: a farewell, or nonsense. Either way the session is over.
    this.close("the server sent what nobody had asked for");
  }

  #lost(reason: string): void {
    const user = this.#user;
    this.close(reason);
    user?.onServerLost(this.#loss(reason));
  }

  #loss(reason: string): SluiceError {
    return new LostConnection(this.backend.label, reason);
  }
}

/** MySQL and MariaDB have had both since the same release; OceanBase has session tracking alone. */
function dialectOf({ capabilities, serverVersion }: Greeting): Dialect {
  const both = Capability.SESSION_TRACK | Capability.DEPRECATE_EOF;
  if ((capabilities & both) === Capability.SESSION_TRACK) return "oceanbase";
  return serverVersion.includes("MariaDB") ? "mariadb" : "mysql";
}
