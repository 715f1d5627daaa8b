/**
 * The server session that ran a client's last command. It alone can tell what the command has left,
 * so it is read out before somebody else gets it, or before the client goes on elsewhere; until then
 * the client finds it as it was.
 */
import { introduceReset } from "../backend/catch_up.ts";
import type { PoolRequest } from "../backend/pool_request.ts";
import type { ServerSession } from "../backend/server_session.ts";
import type { SharedServers } from "../backend/shared_servers.ts";
import type { ClientState } from "./client_state.ts";

export interface LastServerOptions {
  readonly state: ClientState;
  readonly servers: SharedServers;
  /** The client's, to its pools. */
  readonly request: PoolRequest;
  /** There was what cannot be read out: the client has the session again. */
  onKept(session: ServerSession): void;
}

export class LastServer {
  readonly #options: LastServerOptions;
  #session: ServerSession | undefined;
  #reading: Promise<void> | undefined;
  #isReset = false;

  constructor(options: LastServerOptions) {
    this.#options = options;
  }

  get session(): ServerSession | undefined {
    return this.#session;
  }

  /** Goes on while it is read out. */
  get reading(): Promise<void> | undefined {
    return this.#reading;
  }

  /** Its client has reset it, and nobody has looked at it since. */
  get isReset(): boolean {
    return this.#isReset;
  }

  /** Whether it waits for this client. */
  get isFree(): boolean {
    const session = this.#session;
    return session !== undefined && this.isAsLeft(session) && session.seat?.state !== "taken";
  }

  /** Whether it waits, and must be read out before the client goes on elsewhere. */
  get isToBeRead(): boolean {
    return this.#session?.beforeHandOver === this.#readOut && this.isFree;
  }

  /** Whether this is it, and nobody has used it since this client did, who may have taken it again. */
  isAsLeft(session: ServerSession): boolean {
    return session === this.#session && session.isOpen && this.#reading === undefined &&
      session.seat?.lastHolder === this.#options.request.holder;
  }

  /** A command has run there. */
  use(session: ServerSession): void {
    this.#session = session;
  }

  /** The client gives it back. */
  giveBack(): void {
    const session = this.#session!;
    const { state, request } = this.#options;
    if (this.#isReset || state.leavesMore(session)) session.beforeHandOver = this.#readOut;
    session.giveBack(request.holder);
  }

  /** It was taken for the client, and has run nothing. */
  returnUnused(session: ServerSession): void {
    if (this.isAsLeft(session)) this.giveBack();
    else session.giveBack(undefined);
  }

  /** The client has reset it: what it is like shows when somebody needs it next. */
  reset(): void {
    this.#isReset = true;
    this.#session!.state.mayHaveConditions = false;
    this.#session!.state.forgetPrepared();
    this.#options.state.reset();
  }

  /** The client goes on with another session. */
  forgetReset(): void {
    this.#isReset = false;
  }

  /** @throws {SluiceError} */
  async introduceReset(): Promise<void> {
    const session = this.#session!;
    await introduceReset(session);
    this.#isReset = false;
    this.#options.state.beginAs(session);
  }

  /**
   * The client goes on with another session: what only this one can tell is read first. The client
   * has it again where it cannot be left.
   * @throws {SluiceError}
   */
  async leave(): Promise<void> {
    await this.#reading;
    if (!this.isToBeRead) return;
    const { servers, request } = this.#options;
    const session = this.#session!;
    const taken = servers.tryTake(request, session.backend);
    let isKept = false;
    try {
      if (taken === session) isKept = await this.#readOut() === "kept";
    } catch (error) {
      taken?.close();
      throw error;
    }
    if (!isKept) taken?.giveBack(undefined);
  }

  /** Nobody asks any more for what is in there. */
  drop(): void {
    const session = this.#session;
    const { isFree } = this;
    this.#session = undefined;
    if (session?.beforeHandOver !== this.#readOut) return;
    session.beforeHandOver = undefined;
    // A lock may be there, or nobody knows what a reset has left.
    if (isFree && (this.#options.state.isPinned || this.#isReset)) session.retire();
  }

  readonly #readOut = async (): Promise<"kept" | void> => {
    const session = this.#session;
    if (session === undefined) return;
    session.beforeHandOver = undefined;
    const { state, onKept } = this.#options;
    const ready = this.#isReset ? this.introduceReset() : Promise.resolve();
    const reading = ready.then(() => state.readOut(session));
    this.#reading = reading.then(() => {}, () => {});
    try {
      if (await reading) return;
      // The client may have left meanwhile, and everything ends with its server session.
      if (this.#session !== session) return session.close();
      onKept(session);
      return "kept";
    } finally {
      this.#reading = undefined;
    }
  };
}
