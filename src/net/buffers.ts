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

/** The idle buffer for a socket that has just moved `total` bytes in one go. */
export function idleBufferFor(current: Uint8Array, total: number): Uint8Array {
  if (total < current.length || current.length >= LARGEST_IDLE) return current;
  return new Uint8Array(Math.min(LARGEST_IDLE, 2 * total));
}
