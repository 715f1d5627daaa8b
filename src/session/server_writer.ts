/** Writes to a server session, one message part at a time, without a promise of its own per write. */
import type { ServerSession } from "../backend/server_session.ts";
import type { Settled } from "../net/transport.ts";
import type { ClientInput } from "./client_input.ts";

export interface ServerWriterUser {
  /** All of it has been written, or enough: see {@link ServerWriter.stop}. */
  onServerWritten(): void;
  onServerUnwritable(error: unknown): void;
}

const NOTHING = new Uint8Array(0);

export class ServerWriter {
  readonly #user: ServerWriterUser;
  #server: ServerSession | undefined;
  /** What is still to be written. It stays its owner's, who keeps it as it is until told. */
  #left: Uint8Array = NOTHING;
  /** Where the part came from, and how much of it is to be consumed there when it is written. */
  #input: ClientInput | undefined;
  #taking = 0;
  #isWriting = false;
  #isClosed = false;
  #onSettled: Settled | undefined;

  constructor(user: ServerWriterUser) {
    this.#user = user;
  }

  get isWriting(): boolean {
    return this.#isWriting;
  }

  /** One part at a time. */
  write(server: ServerSession, part: Uint8Array): void {
    this.#server = server;
    this.#left = part;
    this.#isWriting = true;
    this.#write();
  }

  /** The first `count` bytes of the input, which are consumed when they have been written. */
  forward(server: ServerSession, input: ClientInput, count: number): void {
    this.#input = input;
    this.#taking = count;
    this.write(server, input.bytes.subarray(input.start, input.start + count));
  }

  /** Writes other bytes in place of the first `count` ones. */
  replace(
    server: ServerSession,
    input: ClientInput,
    { count, by }: { readonly count: number; readonly by: Uint8Array },
  ): void {
    this.#input = input;
    this.#taking = count;
    this.write(server, by);
  }

  /** Nobody waits for the rest of the part: the write that goes on is the last one. */
  stop(): void {
    this.#left = NOTHING;
  }

  /** No more calls of the user. */
  close(): void {
    this.#isClosed = true;
  }

  #write(): void {
    const onSettled = this.#onSettled ??= this.#makeCallback();
    this.#server!.write(this.#left).then(onSettled, onSettled);
  }

  #makeCallback(): Settled {
    return (outcome) => {
      if (typeof outcome === "number") return this.#written(outcome);
      if (this.#isClosed) return;
      this.#done();
      this.#user.onServerUnwritable(outcome);
    };
  }

  #written(count: number): void {
    this.#server!.bytesOut += count;
    if (this.#isClosed) return;
    if (count < this.#left.length) {
      this.#left = this.#left.subarray(count);
      return this.#write();
    }
    this.#done();
    this.#user.onServerWritten();
  }

  #done(): void {
    this.#left = NOTHING;
    this.#isWriting = false;
    this.#input?.consume(this.#taking);
    this.#input = undefined;
  }
}
