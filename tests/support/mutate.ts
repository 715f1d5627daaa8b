/** Makes broken messages out of good ones, the same for the same random numbers. */
import { concat } from "../../src/protocol/bytes.ts";

/** Bytes that mean something in lengths and heads. */
const TELLING = [0x00, 0x01, 0x7f, 0x80, 0xfa, 0xfb, 0xfc, 0xfd, 0xfe, 0xff];

export class Mutator {
  readonly #random: () => number;
  readonly #others: readonly Uint8Array[];

  /** @param others messages that pieces are taken from */
  constructor(random: () => number, others: readonly Uint8Array[]) {
    this.#random = random;
    this.#others = others;
  }

  /** A whole number from 0 up to but not including `end`. */
  below(end: number): number {
    return Math.floor(this.#random() * end);
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  /** A broken copy: one to four changes, each to what the one before left. */
  mutate(bytes: Uint8Array): Uint8Array {
    let result: Uint8Array = bytes.slice();
    for (let count = 1 + this.below(4); count > 0; count--) result = this.#change(result);
    return result;
  }

  #change(bytes: Uint8Array): Uint8Array {
    const at = this.below(bytes.length + 1);
    switch (this.below(8)) {
      case 0:
        return bytes.slice(0, at);
      case 1:
        if (at < bytes.length) bytes[at] = bytes[at]! ^ (1 << this.below(8));
        return bytes;
      case 2:
      case 3:
        if (at < bytes.length) bytes[at] = this.pick(TELLING);
        return bytes;
      case 4:
        return concat([bytes.subarray(0, at), bytes.subarray(at + 1 + this.below(8))]);
      case 5:
        return this.#insert(bytes, at, Uint8Array.of(this.pick(TELLING), this.below(256)));
      case 6: {
        const length = this.below(Math.min(32, bytes.length - at + 1));
        return this.#insert(bytes, at, bytes.slice(at, at + length));
      }
      default: {
        const other = this.pick(this.#others);
        const from = this.below(other.length + 1);
        return this.#insert(bytes, at, other.subarray(from, from + this.below(48)));
      }
    }
  }

  #insert(bytes: Uint8Array, at: number, piece: Uint8Array): Uint8Array {
    return concat([bytes.subarray(0, at), piece, bytes.subarray(at)]);
  }
}
