/**
 * The way of what a client sends out of its input: to a server session as it is, to one in another
 * form, or to nowhere. One write at a time; who waits for it is told, and says what comes next.
 */
import type { ServerSession } from "../backend/server_session.ts";
import { BIG } from "../net/buffers.ts";
import { frame } from "../protocol/bytes.ts";
import { ClientCommand } from "./client_command.ts";
import type { ClientInput } from "./client_input.ts";
import type { ServerNeed } from "./server_need.ts";
import { ServerWriter, type ServerWriterUser } from "./server_writer.ts";

export class CommandSender {
  readonly command = new ClientCommand();
  /** Whether commands are kept that are in the input whole: they may have to be sent once more. */
  keeps = false;
  readonly #input: ClientInput;
  readonly #writer: ServerWriter;

  constructor(input: ClientInput, user: ServerWriterUser) {
    this.#input = input;
    this.#writer = new ServerWriter(user);
  }

  /** Writes as much of the command as is here, unless a part of it is being written. */
  send(server: ServerSession, need: ServerNeed | undefined): void {
    if (this.#writer.isWriting) return;
    const input = this.#input;
    if (this.command.isBegun) return this.#forward(server, this.command.take(input));
    const by = need?.onSend(server, input);
    const count = this.command.take(input);
    if (this.keeps && this.command.isWhole) input.keep(count);
    if (by === undefined) this.#forward(server, count);
    else this.#writer.replace(server, input, { count, by });
  }

  /** Writes a command that the proxy has made. */
  sendOwn(server: ServerSession, payload: Uint8Array): void {
    this.#writer.write(server, frame(payload, 0));
  }

  /**
   * Writes what the client sends during a reply, where it is its turn: a file, or its part of a
   * stream. What comes early waits.
   * @param isBusy whether the client has not been given all that came before its turn
   */
  takeTurn(server: ServerSession, isBusy: boolean): void {
    const turn = server.tracker.clientTurn;
    const isTooEarly = turn === "waits" || (turn === "sends_file" && isBusy);
    if (isTooEarly) return this.#input.readAhead();
    if (this.#writer.isWriting) return;
    const isFree = turn === "talks";
    this.#forward(server, isFree ? this.#input.available : this.command.take(this.#input));
  }

  /** Reads the command on to its end. @returns whether all of it has been taken */
  skip(): boolean {
    if (!this.command.isWhole) this.#input.consume(this.command.take(this.#input));
    if (!this.command.isWhole) this.#input.readMore(BIG);
    return this.command.isWhole;
  }

  /** Nobody waits for the rest of what is being written. @returns whether there is such a write */
  stop(): boolean {
    if (this.#writer.isWriting) this.#writer.stop();
    return this.#writer.isWriting;
  }

  /** No more calls of the user. */
  close(): void {
    this.#writer.close();
  }

  #forward(server: ServerSession, count: number): void {
    if (count === 0) return this.#input.readMore(BIG);
    this.#writer.forward(server, this.#input, count);
  }
}
