/** The server session that a client session holds: opened on demand, given back, ended. */
import type { ServerRequest } from "../backend/cluster.ts";
import type { ServerSession } from "../backend/server_session.ts";
import { messageOf, SluiceError } from "../errors.ts";
import { logWarning } from "../log.ts";
import type { SessionContext } from "./context.ts";
import type { ServerUse } from "./login.ts";

interface Opening {
  readonly abort: AbortController;
  /** `ss_id`; 0 until there is one. */
  id: number;
  killed?: SluiceError;
}

export class ServerHold {
  /** The schema that the next server session begins with. */
  nextSchema = "";
  readonly #clientId: number;
  readonly #context: SessionContext;
  #current: ServerSession | undefined;
  /** The opening that a command or a login waits for. */
  #opening: Opening | undefined;

  constructor(clientId: number, context: SessionContext) {
    this.#clientId = clientId;
    this.#context = context;
  }

  get current(): ServerSession | undefined {
    return this.#current;
  }

  get schema(): string {
    return this.#current?.schema ?? this.nextSchema;
  }

  get isInTransaction(): boolean {
    return this.#current?.isInTransaction ?? false;
  }

  /** `ss_id` of the session, or of the one that is being opened. */
  get ids(): number[] {
    const id = this.#current?.id ?? this.#opening?.id;
    return id === undefined ? [] : [id];
  }

  /**
   * @returns undefined where nobody waits for it any more
   * @throws {SluiceError} where no server session can be had, to who still waits
   */
  async open({ cluster, request: asked }: ServerUse): Promise<ServerSession | undefined> {
    const opening: Opening = this.#opening = { abort: new AbortController(), id: 0 };
    const request: ServerRequest = {
      tenant: asked.tenant,
      login: { ...asked.login, schema: this.nextSchema },
      signal: opening.abort.signal,
      onOpening: (id) => opening.id = id,
    };
    let server: ServerSession;
    try {
      server = await cluster.acquire(request);
    } catch (error) {
      if (this.#opening !== opening) return undefined;
      this.#opening = undefined;
      throw error;
    }
    if (this.#opening !== opening) {
      server.release();
      return undefined;
    }
    this.#opening = undefined;
    if (opening.killed !== undefined) {
      // It was open already, and not yet here.
      server.close();
      throw opening.killed;
    }
    return this.#current = server;
  }

  /** Nobody waits for the opening any more. */
  abandonOpening(): void {
    const opening = this.#opening;
    this.#opening = undefined;
    opening?.abort.abort();
  }

  /** Ends the opening with an error for who waits. @returns false where it is not of this `ss_id` */
  killOpening(id: number, reason: string): boolean {
    const opening = this.#opening;
    if (opening?.id !== id) return false;
    opening.killed = new SluiceError("killed", reason);
    this.#context.manager.servers.find(id)?.kill(reason);
    return true;
  }

  /**
   * Holds it no more. Its schema is kept for the next one.
   * @param isExecuting whether a statement runs on it, which is cancelled then
   */
  letGo(isExecuting: boolean): void {
    const server = this.#current;
    if (server === undefined) return;
    this.#current = undefined;
    this.nextSchema = server.schema;
    if (!server.isOpen) return;
    if (!isExecuting) return server.release();
    server.cancel(this.#context.config.connectTimeout).catch((cause) => {
      logWarning("cannot cancel statement", {
        cs_id: this.#clientId,
        server: server.backend.label,
        server_sessid: server.threadId,
        cause: messageOf(cause),
      });
    });
  }

  /** The session is broken: there is nothing to give back. */
  discard(): void {
    this.#current?.close();
    this.#current = undefined;
  }
}
