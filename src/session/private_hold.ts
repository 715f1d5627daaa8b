/** A server session that belongs to one client: opened on demand, and closed with it. */
import type { ServerRequest } from "../backend/cluster.ts";
import { withSchema } from "../backend/server_login.ts";
import type { ServerSession } from "../backend/server_session.ts";
import { SluiceError } from "../errors.ts";
import { cancel } from "./cancel.ts";
import type { SessionContext } from "./context.ts";
import type { ServerUse } from "./login.ts";
import type { ServerHold } from "./server_hold.ts";

const NO_PINS: readonly never[] = [];

interface Opening {
  readonly abort: AbortController;
  /** `ss_id`; 0 until there is one. */
  id: number;
  killed?: SluiceError;
}

export class PrivateHold implements ServerHold {
  readonly sharing = "session";
  readonly lostLast = undefined;
  readonly settling = undefined;
  readonly #use: ServerUse;
  /** The schema that the next server session begins with. */
  #nextSchema: string;
  readonly #clientId: number;
  readonly #context: SessionContext;
  #current: ServerSession | undefined;
  /** The opening that a command or a login waits for. */
  #opening: Opening | undefined;

  constructor(use: ServerUse, clientId: number, context: SessionContext) {
    this.#use = use;
    this.#nextSchema = use.request.login.schema;
    this.#clientId = clientId;
    this.#context = context;
  }

  get current(): ServerSession | undefined {
    return this.#current;
  }

  get isUnused(): boolean {
    return this.#current?.statements === 0;
  }

  get route(): string {
    const name = this.#current?.backend.config.name;
    return name === undefined ? "" : `${name}: private`;
  }

  get schema(): string {
    return this.#current?.schema ?? this.#nextSchema;
  }

  get isInTransaction(): boolean {
    return this.#current?.isInTransaction ?? false;
  }

  get bound(): ServerSession | undefined {
    return this.#current;
  }

  get ids(): number[] {
    const id = this.#current?.id ?? this.#opening?.id ?? 0;
    return id === 0 ? [] : [id];
  }

  /** Had by `open` once, it stays until the end. */
  takeNow(): undefined {}

  isReady(): boolean {
    return true;
  }

  giveBack(): boolean {
    return false;
  }

  readonly warnings = 0;

  countNoWarnings(): void {}

  stateInfo(): undefined {}

  variable(name: string): string | undefined {
    return this.#current?.variable(name);
  }

  facts(): undefined {
    return undefined;
  }

  get pins(): readonly never[] {
    return NO_PINS;
  }

  listPins(): readonly never[] {
    return this.pins;
  }

  async open(): Promise<ServerSession | undefined> {
    const { cluster, request: asked } = this.#use;
    const opening: Opening = this.#opening = { abort: new AbortController(), id: 0 };
    const request: ServerRequest = {
      tenant: asked.tenant,
      login: withSchema(asked.login, this.#nextSchema),
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

  abandonOpening(): void {
    const opening = this.#opening;
    this.#opening = undefined;
    opening?.abort.abort();
  }

  interruptOpening(): boolean {
    this.abandonOpening();
    return true;
  }

  killOpening(id: number, reason: string): boolean {
    const opening = this.#opening;
    if (id === 0 || opening?.id !== id) return false;
    opening.killed = new SluiceError("killed", reason);
    this.#context.manager.servers.find(id)?.kill(reason);
    return true;
  }

  /** The schema is kept for the next one. */
  letGo(isExecuting: boolean): void {
    const server = this.#current;
    if (server === undefined) return;
    this.#current = undefined;
    this.#nextSchema = server.schema;
    if (!server.isOpen) return;
    if (isExecuting) cancel(server, this.#clientId, this.#context.config.connectTimeout);
    else server.release();
  }

  lose(): void {
    const server = this.#current;
    this.#current = undefined;
    if (server === undefined) return;
    this.#nextSchema = server.schema;
    server.close();
  }

  discard(): void {
    this.#current?.close();
    this.#current = undefined;
  }
}
