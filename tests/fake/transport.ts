/** A {@link Transport} in memory: what is read and when, and how much a write takes, is scripted. */
import { concat } from "../../src/protocol/bytes.ts";
import type { Transport } from "../../src/net/transport.ts";

interface PendingRead {
  readonly buffer: Uint8Array;
  resolve(count: number | null): void;
  reject(error: Error): void;
}

export class FakeTransport implements Transport {
  /** Sizes of the writes, as they were asked for. */
  readonly writes: number[] = [];
  /** Reads that were posted so far. */
  reads = 0;
  isClosed = false;
  /** Most bytes that one write takes. */
  writeLimit = Infinity;
  #written: Uint8Array[] = [];
  #pending: PendingRead | undefined;
  #chunks: Uint8Array[] = [];
  #hasEnded = false;
  #blocked: (() => void)[] | undefined;

  /** All that was written, in one. */
  get written(): Uint8Array {
    if (this.#written.length !== 1) this.#written = [concat(this.#written)];
    return this.#written[0]!;
  }

  set written(bytes: Uint8Array) {
    this.#written = [bytes];
  }

  get writtenLength(): number {
    return this.#written.reduce((sum, { length }) => sum + length, 0);
  }

  get isReading(): boolean {
    return this.#pending !== undefined;
  }

  /** Makes a chunk readable; a read never takes more than the rest of one chunk. */
  push(...chunks: readonly Uint8Array[]): void {
    for (const chunk of chunks) {
      if (chunk.length > 0) this.#chunks.push(chunk);
    }
    this.#deliver();
  }

  /** The same, in chunks of one byte. */
  pushBytes(bytes: Uint8Array): void {
    this.push(...Array.from(bytes, (byte) => Uint8Array.of(byte)));
  }

  /** No more bytes come. */
  end(): void {
    this.#hasEnded = true;
    this.#deliver();
  }

  /** The read that is outstanding fails. */
  breakRead(error: Error): void {
    const pending = this.#pending;
    this.#pending = undefined;
    pending?.reject(error);
  }

  /** Writes wait from now on, until `unblock`. */
  block(): void {
    this.#blocked ??= [];
  }

  unblock(): void {
    const waiting = this.#blocked ?? [];
    this.#blocked = undefined;
    for (const go of waiting) go();
  }

  read(buffer: Uint8Array): Promise<number | null> {
    if (this.#pending !== undefined) throw new Error("A second read was posted");
    if (buffer.length === 0) throw new Error("A read into no room was posted");
    this.reads++;
    return new Promise((resolve, reject) => {
      this.#pending = { buffer, resolve, reject };
      this.#deliver();
    });
  }

  async write(bytes: Uint8Array): Promise<number> {
    if (this.isClosed) throw new Deno.errors.BadResource("Bad resource ID");
    this.writes.push(bytes.length);
    if (this.#blocked) await new Promise<void>((go) => this.#blocked?.push(go));
    if (this.isClosed) throw new Deno.errors.Interrupted("operation canceled");
    // The bytes must have stayed as they are until now.
    const taken = bytes.subarray(0, Math.min(bytes.length, this.writeLimit));
    this.#written.push(taken.slice());
    return taken.length;
  }

  close(): void {
    if (this.isClosed) throw new Deno.errors.BadResource("Bad resource ID");
    this.isClosed = true;
    this.breakRead(new Deno.errors.Interrupted("operation canceled"));
    this.unblock();
  }

  #deliver(): void {
    const pending = this.#pending;
    if (pending === undefined) return;
    const chunk = this.#chunks.shift();
    if (chunk === undefined) {
      if (!this.#hasEnded) return;
      this.#pending = undefined;
      pending.resolve(null);
      return;
    }
    const part = chunk.subarray(0, pending.buffer.length);
    pending.buffer.set(part);
    if (part.length < chunk.length) this.#chunks.unshift(chunk.subarray(part.length));
    this.#pending = undefined;
    pending.resolve(part.length);
  }
}
