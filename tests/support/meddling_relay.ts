/** Passes bytes between clients and a server, and meddles with what the server says. */
import { type Passage, Relay } from "./relay.ts";

/** What becomes of bytes from the server. */
export type Meddling = (bytes: Uint8Array) => Passage;

export class MeddlingRelay extends Relay {
  readonly #serverPort: number;
  readonly #meddling: Meddling;

  constructor(serverPort: number, meddling: Meddling) {
    super();
    this.#serverPort = serverPort;
    this.#meddling = meddling;
  }

  protected override lead(): number {
    return this.#serverPort;
  }

  protected override reply(bytes: Uint8Array): Passage {
    return this.#meddling(bytes);
  }
}
