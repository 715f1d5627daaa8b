/** Stands in the list for a server session that is being opened. */
import { SluiceError } from "../errors.ts";
import type { ServerEntry, ServerSessionInfo } from "../session_manager.ts";
import type { Backend } from "./backend.ts";
import type { ServerLogin } from "./server_login.ts";

export const NO_VARIABLES: ReadonlyMap<string, string> = new Map();

export class OpeningSession implements ServerEntry {
  readonly id: number;
  readonly #backend: Backend;
  readonly #login: ServerLogin;
  readonly #openedSince = Date.now();
  readonly #abort = new AbortController();
  killed: SluiceError | undefined;

  constructor(id: number, backend: Backend, login: ServerLogin) {
    this.id = id;
    this.#backend = backend;
    this.#login = login;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  info(): ServerSessionInfo {
    return {
      id: this.id,
      threadId: 0,
      phase: "connecting",
      server: this.#backend.config.name,
      address: this.#backend.address,
      user: this.#login.user,
      schema: this.#login.schema,
      openedSince: this.#openedSince,
      statements: 0,
      bytesIn: 0,
      bytesOut: 0,
      isInTransaction: false,
      localAddress: "",
      stateVersion: undefined,
      variables: NO_VARIABLES,
    };
  }

  kill(reason: string): void {
    this.killed = new SluiceError("killed", reason);
    this.#abort.abort();
  }

  /** The opening has a time limit of its own. */
  sweep(): void {}
}
