/**
 * Whole packets over a transport, for the phases in which they are few and small: logins and the
 * proxy's own statements. The data path does not use it.
 */
import { ProtocolError } from "../errors.ts";
import { frame, MAX_PAYLOAD, payloadLength } from "../protocol/bytes.ts";
import { type Transport, writeAll } from "./transport.ts";

/** Start size of the buffer; nearly every login fits. */
const START = 1024;

const free: Uint8Array[] = [];
const KEPT = 64;

/** The peer ended the stream between packets or inside one. */
export class StreamEnded extends Error {
  override readonly name = "StreamEnded";
}

/** A packet had another number than its turn. */
export class OutOfOrder extends ProtocolError {}

/** A packet is larger than its phase allows. */
export class PacketTooLarge extends ProtocolError {}

export class PacketChannel {
  readonly transport: Transport;
  readonly #limit: number;
  #buffer: Uint8Array;
  #start = 0;
  #end = 0;
  /** Number of the next packet in either direction. */
  sequence = 0;
  bytesRead = 0;
  bytesWritten = 0;

  /** @param limit most bytes of a packet's payload */
  constructor(transport: Transport, limit: number) {
    this.transport = transport;
    this.#limit = limit;
    this.#buffer = free.pop() ?? new Uint8Array(START);
  }

  /**
   * The next packet's payload, a view that is valid until the next read.
   * @throws {StreamEnded} {@link OutOfOrder} {@link PacketTooLarge}
   */
  async read(): Promise<Uint8Array> {
    await this.#fill(4);
    const length = payloadLength(this.#buffer, this.#start);
    const sequence = this.#buffer[this.#start + 3]!;
    if (sequence !== this.sequence) {
      throw new OutOfOrder(`Cannot read packet: expected number ${this.sequence}, got ${sequence}`);
    }
    if (length > this.#limit || length === MAX_PAYLOAD) {
      throw new PacketTooLarge(
        `Cannot read packet: expected at most ${this.#limit} bytes, got ${length}`,
      );
    }
    await this.#fill(4 + length);
    const at = this.#start + 4;
    this.#start = at + length;
    this.sequence = (this.sequence + 1) & 0xff;
    return this.#buffer.subarray(at, at + length);
  }

  /** Sends one message; several at once by {@link writeFrames}. */
  async write(payload: Uint8Array): Promise<void> {
    const bytes = frame(payload, this.sequence);
    this.sequence = (this.sequence + 1) & 0xff;
    await this.writeFrames(bytes);
  }

  /** Sends bytes that carry their packet headers already. */
  async writeFrames(bytes: Uint8Array): Promise<void> {
    await writeAll(this.transport, bytes);
    this.bytesWritten += bytes.length;
  }

  /** What was read beyond the last packet, as a copy. Ends the use of the channel. */
  finish(): Uint8Array {
    const rest = this.#buffer.slice(this.#start, this.#end);
    if (this.#buffer.length === START && free.length < KEPT) free.push(this.#buffer);
    this.#buffer = new Uint8Array(0);
    this.#start = this.#end = 0;
    return rest;
  }

  async #fill(count: number): Promise<void> {
    if (this.#start > 0 && this.#start === this.#end) this.#start = this.#end = 0;
    if (this.#start + count > this.#buffer.length) this.#makeRoom(count);
    while (this.#end - this.#start < count) {
      const read = await this.transport.read(this.#buffer.subarray(this.#end));
      if (read === null) throw new StreamEnded("Connection ended");
      this.#end += read;
      this.bytesRead += read;
    }
  }

  #makeRoom(count: number): void {
    const kept = this.#buffer.subarray(this.#start, this.#end);
    if (count <= this.#buffer.length) {
      this.#buffer.copyWithin(0, this.#start, this.#end);
    } else {
      const grown = new Uint8Array(Math.max(count, 2 * this.#buffer.length));
      grown.set(kept);
      this.#buffer = grown;
    }
    this.#end = kept.length;
    this.#start = 0;
  }
}
