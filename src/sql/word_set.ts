/** Words that are looked up by their bytes, without a string for each. */

/** Must be a power of two, and much more than there are words in any set. */
const SLOTS = 4096;

export class WordSet {
  readonly #words: readonly Uint8Array[];
  /** Numbers of words, from 1, by hash; where one is taken, the next free one. */
  readonly #slots = new Uint16Array(SLOTS);

  /** @param words of ASCII letters, digits and `_`, in any case */
  constructor(words: Iterable<string>) {
    this.#words = Array.from(words, (word) => new TextEncoder().encode(word.toLowerCase()));
    this.#words.forEach((word, index) => {
      let slot = hash(word, 0, word.length);
      while (this.#slots[slot] !== 0) slot = (slot + 1) & (SLOTS - 1);
      this.#slots[slot] = index + 1;
    });
  }

  /** Whether the bytes are one of the words, in any case. */
  has(bytes: Uint8Array, start: number, end: number): boolean {
    for (let slot = hash(bytes, start, end);; slot = (slot + 1) & (SLOTS - 1)) {
      const number = this.#slots[slot]!;
      if (number === 0) return false;
      if (isSame(this.#words[number - 1]!, bytes, start, end)) return true;
    }
  }
}

function hash(bytes: Uint8Array, start: number, end: number): number {
  let value = end - start;
  for (let at = start; at < end; at++) value = (Math.imul(value, 31) + (bytes[at]! | 0x20)) | 0;
  return (value ^ (value >>> 12)) & (SLOTS - 1);
}

/** Among letters, digits and `_`, the bit tells only upper case from lower case. */
function isSame(word: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (word.length !== end - start) return false;
  for (let index = 0; index < word.length; index++) {
    if ((bytes[start + index]! | 0x20) !== (word[index]! | 0x20)) return false;
  }
  return true;
}
