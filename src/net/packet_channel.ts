/** A {@link PacketPort} right on a transport: the way to talk to a server outside the data path. */
import { frame, payloadLength } from "../protocol/bytes.ts";
import { checkHeader, type PacketPort, StreamEnded } from "./packet_port.ts";
import { type Transport, writeAll } from "./transport.ts";

/** Start size of the buffer; nearly every login fits. */
const START = 1024;

/** Start buffers kept for the next channel. */
const KEPT = 64;
const free: Uint8Array[] = [];

export class PacketChannel implements PacketPort {
  readonly transport: Transport;
  readonly #limit: number;
  #buffer: Uint8Array;
  #start = 0;
  #end = 0;
  sequence = 0;

  /** @param limit most bytes of a packet's payload */
  constructor(transport: Transport, limit: number) {
    this.transport = transport;
    this.#limit = limit;
    this.#buffer = free.pop() ?? new Uint8Array(START);
  }

  async read(): Promise<Uint8Array> {
    let payload = this.#take();
    while (payload === undefined) {
      const room = this.#end === 0 ? this.#buffer : this.#buffer.subarray(this.#end);
      const count = await this.transport.read(room);
      if (count === null) throw new StreamEnded("the connection was closed");
      this.#end += count;
      payload = this.#take();
    }
    return payload;
  }

  write(payload: Uint8Array): Promise<void> {
    const bytes = frame(payload, this.sequence);
    this.sequence = (this.sequence + 1) & 0xff;
    return this.writeFrames(bytes);
  }

  writeFrames(bytes: Uint8Array): Promise<void> {
    return writeAll(this.transport, bytes);
  }

  /** Ends the use of the channel; the transport stays open. */
  finish(): void {
    if (this.#buffer.length === START && free.length < KEPT) free.push(this.#buffer);
    this.#buffer = new Uint8Array(0);
    this.#start = this.#end = 0;
  }

  /** The next payload where all of it is there; otherwise there is room for it afterwards. */
  #take(): Uint8Array | undefined {
    const available = this.#end - this.#start;
    if (available < 4) {
      this.#makeRoom(4);
      return undefined;
    }
    const length = payloadLength(this.#buffer, this.#start);
    checkHeader(
      { length, sequence: this.#buffer[this.#start + 3]! },
      { limit: this.#limit, sequence: this.sequence },
    );
    if (available < 4 + length) {
      this.#makeRoom(4 + length);
      return undefined;
    }
    const at = this.#start + 4;
    this.#start = at + length;
    this.sequence = (this.sequence + 1) & 0xff;
    return this.#buffer.subarray(at, at + length);
  }

  #makeRoom(count: number): void {
    if (this.#start === this.#end) this.#start = this.#end = 0;
    if (this.#start + count <= this.#buffer.length) return;
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
