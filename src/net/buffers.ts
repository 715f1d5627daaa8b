/**
 * Read buffers. An idle socket keeps a small one of its own; whoever moves more than that borrows a
 * big one for as long as it lasts, so that memory follows active sessions and not connections.
 */

/** Idle buffer of a socket: most queries and most single-row replies fit. */
export const SMALL = 512;

/** Largest idle buffer that a socket grows to when its packets are regularly larger. */
export const LARGEST_IDLE = 16 * 1024;

/** Borrowed buffer. 64 KiB, just above one loopback segment, measured 1.4 times dearer. */
export const BIG = 96 * 1024;

/** Big buffers kept for the next borrower; beyond that the garbage collector has them. */
const KEPT = 64;

const free: Uint8Array[] = [];

export function takeBig(): Uint8Array {
  return free.pop() ?? new Uint8Array(BIG);
}

/** Gives back what {@link takeBig} lent; other arrays are ignored, so owners need no case for them. */
export function giveBig(buffer: Uint8Array): void {
  if (buffer.length === BIG && free.length < KEPT) free.push(buffer);
}

/**
 * Bytes that become many, in borrowed buffers. One array that grows would leave its smaller selves
 * behind, and so much outside of the heap soon has the collector look through all of it.
 */
export class BorrowedBytes {
  readonly #buffers: Uint8Array[] = [];
  /** Of the last buffer. */
  #end = BIG;

  append(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      if (this.#end === BIG) {
        this.#buffers.push(takeBig());
        this.#end = 0;
      }
      const count = Math.min(bytes.length - at, BIG - this.#end);
      const part = count === bytes.length ? bytes : bytes.subarray(at, at + count);
      this.#buffers.at(-1)!.set(part, this.#end);
      this.#end += count;
      at += count;
    }
  }

  /** All of them in their order, until they are given back. */
  get parts(): Uint8Array[] {
    const last = this.#buffers.length - 1;
    return this.#buffers.map((buffer, at) => at === last ? buffer.subarray(0, this.#end) : buffer);
  }

  giveBack(): void {
    this.#buffers.forEach(giveBig);
    this.#buffers.length = 0;
    this.#end = BIG;
  }
}

/** The idle buffer for a socket that has just moved `total` bytes in one go. */
export function idleBufferFor(current: Uint8Array, total: number): Uint8Array {
  if (total < current.length || current.length >= LARGEST_IDLE) return current;
  return new Uint8Array(Math.min(LARGEST_IDLE, 2 * total));
}
