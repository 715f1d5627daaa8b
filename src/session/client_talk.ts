/**
 * The client's side as a {@link PacketPort}, over the same input that the relay takes commands from:
 * logins and changes of user need no reads of their own beside the one that is outstanding.
 */
import { checkHeader, type PacketPort, StreamEnded } from "../net/packet_port.ts";
import { type Transport, writeAll } from "../net/transport.ts";
import { concat, frame, payloadLength } from "../protocol/bytes.ts";
import type { ClientInput } from "./client_input.ts";

/** Largest payload of COM_CHANGE_USER and of the packets of a login: attributes are up to 64 KiB. */
export const TALK_LIMIT = 80 * 1024;

interface Waiting {
  resolve(payload: Uint8Array): void;
  reject(error: Error): void;
}

export class ClientTalk implements PacketPort {
  sequence: number;
  bytesWritten = 0;
  readonly #transport: Transport;
  readonly #input: ClientInput;
  #waiting: Waiting | undefined;
  #queued: Uint8Array | undefined;

  constructor(transport: Transport, input: ClientInput, sequence: number) {
    this.#transport = transport;
    this.#input = input;
    this.sequence = sequence;
  }

  /** Reads before anything is asked of the client, so that one that leaves meanwhile is noticed. */
  attend(): void {
    this.#input.readAhead();
  }

  /** The payload is a copy: the input goes on with what comes behind it. */
  read(): Promise<Uint8Array> {
    const waiting = Promise.withResolvers<Uint8Array>();
    this.#waiting = waiting;
    this.onClientBytes();
    return waiting.promise;
  }

  write(payload: Uint8Array): Promise<void> {
    const bytes = frame(payload, this.sequence);
    this.sequence = (this.sequence + 1) & 0xff;
    return this.writeFrames(bytes);
  }

  /** Sends one message as the next packet, together with what is written after it. */
  queue(payload: Uint8Array): void {
    this.#queued = frame(payload, this.sequence);
    this.sequence = (this.sequence + 1) & 0xff;
  }

  writeFrames(bytes: Uint8Array): Promise<void> {
    const all = this.#queued === undefined ? bytes : concat([this.#queued, bytes]);
    this.#queued = undefined;
    this.bytesWritten += all.length;
    return writeAll(this.#transport, all);
  }

  /** The input has grown. */
  onClientBytes(): void {
    const waiting = this.#waiting;
    // Nothing is asked of the client now: what it sends waits.
    if (waiting === undefined) return this.#input.readAhead();
    try {
      const payload = this.#take();
      if (payload === undefined) return;
      this.#waiting = undefined;
      waiting.resolve(payload);
    } catch (error) {
      this.#waiting = undefined;
      waiting.reject(error as Error);
    }
  }

  /** The client has ended the connection. @returns whether somebody was waiting for it to speak */
  onClientEnd(reason: string): boolean {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.reject(new StreamEnded(reason));
    return waiting !== undefined;
  }

  #take(): Uint8Array | undefined {
    const input = this.#input;
    if (input.available < 4) {
      input.readMore(4);
      return undefined;
    }
    const { bytes, start } = input;
    const length = payloadLength(bytes, start);
    checkHeader(
      { length, sequence: bytes[start + 3]! },
      { limit: TALK_LIMIT, sequence: this.sequence },
    );
    if (input.available < 4 + length) {
      input.readMore(4 + length);
      return undefined;
    }
    const payload = bytes.slice(start + 4, start + 4 + length);
    input.consume(4 + length);
    input.readAhead();
    this.sequence = (this.sequence + 1) & 0xff;
    return payload;
  }
}
