/**
 * The way of one command to a server session that others share: chosen, waited for, brought to the
 * client's state and to what the command needs. It has the session until it is done, and disposes of
 * it where it ends before.
 */
import { bringTo, introduce, isAlive, LostValues } from "../backend/catch_up.ts";
import type { Backend } from "../backend/backend.ts";
import type { PoolRequest } from "../backend/pool_request.ts";
import { clearConditions } from "../backend/read_out.ts";
import { withSchema } from "../backend/server_login.ts";
import type { ServerSession } from "../backend/server_session.ts";
import type { SharedServers } from "../backend/shared_servers.ts";
import { WaitAbort } from "../backend/wait_abort.ts";
import { SluiceError } from "../errors.ts";
import { SessionState } from "../state/session_state.ts";
import type { ClientState } from "./client_state.ts";
import { setUp } from "./command_setup.ts";
import type { LastServer } from "./last_server.ts";
import { type PlannedCommand, replacedBy } from "./planned_command.ts";
import { UnmetNeed } from "./server_need.ts";

/** Server sessions that are asked one after the other until one answers. */
const MOST_ASKED = 100;

/** ER_BAD_DB_ERROR, ER_DBACCESS_DENIED_ERROR */
const NO_SCHEMA: ReadonlySet<number> = new Set([1049, 1044]);

/** What a client has of shared server sessions, as its openings see it. */
export interface OpeningHome {
  readonly state: ClientState;
  readonly last: LastServer;
  readonly servers: SharedServers;
  readonly request: PoolRequest;
  /** The one that the client must stay on. */
  readonly current: ServerSession | undefined;
  /** Where the command is to go; undefined: anywhere. @throws {SluiceError} unknown_server */
  choose(command: PlannedCommand | undefined): Backend | undefined;
  /** What the session must look like; where nobody has said that yet, like this one. */
  wantedFor(session: ServerSession): SessionState;
  /** Whether its login may have become untrue, so that its schema is entered again. */
  readonly isToProve: boolean;
  /** Ends a connection that is on its way. */
  killConnecting(id: number, reason: string): void;
}

export interface OpeningOptions {
  /** Undefined for a login, which only tries whether there is a session. */
  readonly command: PlannedCommand | undefined;
  /** Taken from its pool already, to be brought to the state. */
  readonly candidate: ServerSession | undefined;
  /** A server session was lost just now: others may be dead, and are asked before they are used. */
  readonly isWary: boolean;
}

export class SharedOpening {
  readonly #home: OpeningHome;
  readonly #command: PlannedCommand | undefined;
  readonly #abort = new WaitAbort();
  #isWary: boolean;
  /** What servers refuse of the client's state, and the command puts something else in its place. */
  #without: "schema" | "role" | undefined;
  /** `ss_id` of a connection that is made for it; 0 while there is none. */
  #connecting = 0;
  /** The candidate, or the client's own while that is prepared. */
  #session: ServerSession | undefined;
  #ended: SluiceError | undefined;

  constructor(home: OpeningHome, { command, candidate, isWary }: OpeningOptions) {
    this.#home = home;
    this.#command = command;
    this.#session = candidate;
    this.#isWary = isWary;
  }

  /** `ss_id` of what it has or waits for; 0 while there is nothing. */
  get id(): number {
    return this.#worksOn?.id ?? this.#connecting;
  }

  /** Why nobody is to have what it comes to. */
  get ended(): SluiceError | undefined {
    return this.#ended;
  }

  /**
   * One that cannot be brought to the state is closed, and others have a try.
   * @returns a session in the client's state, which is the caller's then, unless the way has ended
   * @throws {SluiceError}
   */
  async run(): Promise<ServerSession> {
    const { state } = this.#home;
    for (let tries = 1;; tries++) {
      try {
        return await this.#take();
      } catch (error) {
        if (this.#ended !== undefined) throw this.#ended;
        if (error instanceof LostValues) state.forget(error.values);
        const isBound = this.#home.current !== undefined;
        if (isBound) throw error;
        if (this.#goesWithout(error)) continue;
        if (!mayHelpElsewhere(error) || tries >= 2) throw error;
        this.#isWary = true;
      }
    }
  }

  /** A schema may have been dropped, or a role taken away: selecting another one must go on. */
  #goesWithout(error: unknown): boolean {
    const replaced = this.#command && replacedBy(this.#command);
    if (replaced === undefined || this.#without !== undefined) return false;
    // Only where a server says so: a session may be of no use for other reasons.
    const isRefused = error instanceof SluiceError &&
      (replaced === "schema"
        ? NO_SCHEMA.has(error.code)
        : error.kind === "state_lost" && error.cause !== undefined);
    if (isRefused) this.#without = replaced;
    return isRefused;
  }

  /** Nobody waits for it any more, and what it works on is given up. */
  abandon(): void {
    this.#end(new SluiceError("killed", "Nobody waits for the server session"));
    this.#worksOn?.kill("Nobody waits for it any more");
  }

  /**
   * The command is not to run.
   * @returns false where the session that the client is bound to is being prepared: that comes to
   *   its end, so that nothing is lost, and `run` with it
   */
  interrupt(error: SluiceError): boolean {
    this.#end(error);
    if (this.#home.current !== undefined) return false;
    this.#session?.kill(error.message);
    return true;
  }

  /** Ends the server session that it has or waits for. @returns false where that is another one */
  kill(id: number, reason: string): boolean {
    if (id === 0 || id !== this.id) return false;
    const session = this.#worksOn;
    this.#ended = new SluiceError("killed", reason);
    if (session === undefined) this.#home.killConnecting(id, reason);
    else session.kill(reason);
    return true;
  }

  /** What a client is bound to is prepared without a search for another one. */
  get #worksOn(): ServerSession | undefined {
    return this.#session ?? this.#home.current;
  }

  #end(error: SluiceError): void {
    this.#ended = error;
    this.#abort.abort();
  }

  /** @throws where it has ended meanwhile */
  #goOn(): void {
    if (this.#ended !== undefined) throw this.#ended;
  }

  async #take(): Promise<ServerSession> {
    const { last } = this.#home;
    await last.reading;
    if (this.#home.current === undefined) {
      const session = await this.#next();
      try {
        await last.reading;
        this.#goOn();
        if (!last.isAsLeft(session)) await last.leave();
        this.#goOn();
      } catch (error) {
        this.#putBack();
        throw error;
      }
      if (this.#home.current === undefined) return await this.#prepare(session);
    }
    // What was read out has told that the client cannot leave the one that it had.
    this.#putBack();
    return await this.#prepareCurrent(this.#home.current!);
  }

  /** Becomes the candidate. */
  async #next(): Promise<ServerSession> {
    const { servers } = this.#home;
    let { request } = this.#home;
    if (this.#without === "schema") {
      request = { ...request, login: withSchema(request.login, "") };
    }
    for (let tries = 1;; tries++) {
      this.#goOn();
      const session = this.#session ??= await servers.acquire(request, {
        backend: this.#home.choose(this.#command),
        signal: this.#abort,
        onOpening: (id) => this.#connecting = id,
      });
      this.#connecting = 0;
      if (!this.#isWary || tries >= MOST_ASKED || await isAlive(session)) return session;
      this.#session = undefined;
    }
  }

  /** The candidate has run nothing, and is for others. */
  #putBack(): void {
    const session = this.#session;
    this.#session = undefined;
    if (session !== undefined) this.#home.last.returnUnused(session);
  }

  async #prepare(session: ServerSession): Promise<ServerSession> {
    try {
      await this.#bring(session);
      if (this.#command !== undefined) await setUp(session, this.#command, this.#home.state);
      return session;
    } catch (error) {
      leave(session, error);
      this.#putBack();
      throw error;
    }
  }

  async #prepareCurrent(current: ServerSession): Promise<ServerSession> {
    this.#goOn();
    if (this.#command === undefined) return current;
    this.#session = current;
    try {
      await setUp(current, this.#command, this.#home.state);
      return current;
    } catch (error) {
      leave(current, error);
      this.#session = undefined;
      throw error;
    }
  }

  async #bring(session: ServerSession): Promise<void> {
    const { last, servers, state } = this.#home;
    if (last.isAsLeft(session)) {
      if (last.isReset) return await last.introduceReset();
      if (state.isInPlace(session)) return;
      return await bringTo(session, state.wanted!, { keepsUnknown: true });
    }
    await introduce(session);
    last.forgetReset();
    const wanted = this.#possible(session);
    if (session.state.mayHaveConditions) await clearConditions(session);
    if (this.#home.isToProve) await servers.prove(session, wanted.schema);
    if (state.asksInsertId) state.supposeInsertId();
    await bringTo(session, wanted, { asksInsertId: state.asksInsertId });
  }

  /** The client's state, as far as it can be had. */
  #possible(session: ServerSession): SessionState {
    const wanted = this.#home.wantedFor(session);
    if (this.#without === undefined) return wanted;
    const known = session.state.known!;
    const possible = new SessionState();
    possible.copyFrom(wanted);
    if (this.#without === "schema") possible.setSchema(known.schema);
    else possible.setRole(known.role);
    return possible;
  }
}

/** What has failed half way is in nobody's state; what was refused may be there for who asks. */
function leave(session: ServerSession, error: unknown): void {
  if (!isInOrder(error)) session.close();
  else if (error instanceof UnmetNeed && error.conditions === undefined) {
    session.state.mayHaveConditions = true;
  }
}

/** Whether another server session may do. */
function mayHelpElsewhere(error: unknown): boolean {
  return error instanceof SluiceError && !isInOrder(error) &&
    (error.kind === "state_lost" || error.kind === "server_lost");
}

/** Whether the server session is in the client's state all the same. */
function isInOrder(error: unknown): boolean {
  return error instanceof LostValues || error instanceof UnmetNeed;
}
