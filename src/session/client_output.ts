/** Sends what the proxy itself says to a client: answers, errors, last words. */
import { type Transport, writeAll } from "../net/transport.ts";

/** How long a client may leave unread what the proxy says. Milliseconds. */
const LIMIT = 10_000;

export class ClientOutput {
  bytesOut = 0;
  /** When the write in progress began, by the clock of the first sweep that saw it; 0 for none. */
  #seenSince = 0;
  #isWriting = false;
  readonly #client: Transport;

  constructor(client: Transport) {
    this.#client = client;
  }

  get isWriting(): boolean {
    return this.#isWriting;
  }

  /** Sends bytes, whole or not, and then does what remains. */
  send(bytes: Uint8Array, then: () => void): void {
    this.bytesOut += bytes.length;
    this.#isWriting = true;
    this.#seenSince = 0;
    const written = () => {
      this.#isWriting = false;
      then();
    };
    writeAll(this.#client, bytes).then(written, written);
  }

  /** Whether the client has not read for too long what is sent; asked once a second. */
  isStuck(now: number): boolean {
    if (!this.#isWriting) return false;
    if (this.#seenSince === 0) this.#seenSince = now;
    return now - this.#seenSince >= LIMIT;
  }
}
