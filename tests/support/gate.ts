/** A port in front of a server: counts who comes, and can be shut for a while. */
import { Relay } from "./relay.ts";

/**
 * What a gate holds back while it is shut: connections that come then, which are taken and do not
 * reach the server, while older ones go on; or all that the server says, to anybody.
 */
export type Holding = "connections" | "replies";

export class Gate extends Relay {
  /** Connections that came so far. */
  connections = 0;
  /** Times that something was held back. */
  held = 0;
  readonly #serverPort: number;
  readonly #holding: Holding;
  #shut: PromiseWithResolvers<void> | undefined;

  constructor(serverPort: number, holding: Holding = "connections") {
    super();
    this.#serverPort = serverPort;
    this.#holding = holding;
  }

  shut(): void {
    this.#shut ??= Promise.withResolvers();
  }

  /** Lets through what was held back, and all that comes. */
  open(): void {
    this.#shut?.resolve();
    this.#shut = undefined;
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    this.open();
    await super[Symbol.asyncDispose]();
  }

  protected override async lead(): Promise<number> {
    this.connections++;
    await this.#passed("connections");
    return this.#serverPort;
  }

  protected override async reply(bytes: Uint8Array): Promise<Uint8Array> {
    await this.#passed("replies");
    return bytes;
  }

  async #passed(what: Holding): Promise<void> {
    if (this.#shut === undefined || this.#holding !== what) return;
    this.held++;
    await this.#shut.promise;
  }
}
