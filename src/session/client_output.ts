/** Sends what the proxy itself says to a client: answers, errors, last words. */
import { BorrowedBytes } from "../net/buffers.ts";
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

  /** Sends bytes, whole or not, gives back what is borrowed, and then does what remains. */
  send(bytes: Uint8Array | BorrowedBytes, then: () => void): void {
    this.#isWriting = true;
    this.#seenSince = 0;
    const written = () => {
      this.#isWriting = false;
      then();
    };
    const writing = bytes instanceof BorrowedBytes ? this.#writeParts(bytes) : this.#write(bytes);
    writing.then(written, written);
  }

  #write(bytes: Uint8Array): Promise<void> {
    this.bytesOut += bytes.length;
    return writeAll(this.#client, bytes);
  }

  async #writeParts(bytes: BorrowedBytes): Promise<void> {
    try {
      for (const part of bytes.parts) await this.#write(part);
    } finally {
      bytes.giveBack();
    }
  }

  /** Whether the client has not read for too long what is sent; asked once a second. */
  isStuck(now: number): boolean {
    if (!this.#isWriting) return false;
    if (this.#seenSince === 0) this.#seenSince = now;
    return now - this.#seenSince >= LIMIT;
  }
}
