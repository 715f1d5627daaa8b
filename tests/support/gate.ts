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
  /** Replies that pass before it shuts by itself. */
  #left: number | undefined;

  constructor(serverPort: number, holding: Holding = "connections") {
    super();
    this.#serverPort = serverPort;
    this.#holding = holding;
  }

  shut(): void {
    this.#shut ??= Promise.withResolvers();
  }

  /** Shuts as soon as it has let so many of what it holds back pass. */
  shutBehind(count: number): void {
    this.#left = count;
    if (count === 0) this.shut();
  }

  /** Lets through what was held back, and all that comes. */
  open(): void {
    this.#left = undefined;
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
    if (this.#holding !== what) return;
    if (this.#left !== undefined && this.#left > 0) {
      this.#left--;
      if (this.#left === 0) this.shut();
      return;
    }
    if (this.#shut === undefined) return;
    this.held++;
    await this.#shut.promise;
  }
}
