/**
 * SHA-1 of what fits into one block: a native login hashes 20 and 40 bytes, for which calling into
 * the runtime costs more than the hash. https://www.rfc-editor.org/rfc/rfc3174
 */

/** Most bytes of one block beside the bit that ends them and their length. */
export const SHA1_BLOCK_LIMIT = 55;

const WORDS = 16;

/** The block's words, each overwritten by the one that the schedule has 16 rounds later. */
const schedule = new Int32Array(WORDS);

const NOTHING = new Uint8Array(0);

/**
 * @param tail what follows `data` to be hashed with it
 * @throws {RangeError} for more than {@link SHA1_BLOCK_LIMIT} bytes in all
 */
export function sha1OfBlock(data: Uint8Array, tail: Uint8Array = NOTHING): Uint8Array {
  const length = data.length + tail.length;
  if (length > SHA1_BLOCK_LIMIT) {
    throw new RangeError(
      `Cannot hash block: expected at most ${SHA1_BLOCK_LIMIT} bytes, got ${length}`,
    );
  }
  schedule.fill(0);
  for (let at = 0; at < data.length; at++) addByte(at, data[at]!);
  for (let at = 0; at < tail.length; at++) addByte(data.length + at, tail[at]!);
  // A bit ends the data; after zeros comes its length in bits.
  addByte(length, 0x80);
  schedule[WORDS - 1] = 8 * length;
  let a = 0x67452301, b = 0xefcdab89 | 0, c = 0x98badcfe | 0, d = 0x10325476, e = 0xc3d2e1f0 | 0;
  for (let round = 0; round < 80; round++) {
    let mixed: number;
    if (round < 20) mixed = ((b & c) | (~b & d)) + 0x5a827999;
    else if (round < 40) mixed = (b ^ c ^ d) + 0x6ed9eba1;
    else if (round < 60) mixed = ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
    else mixed = (b ^ c ^ d) + 0xca62c1d6;
    const next = (rotate(a, 5) + mixed + e + wordOf(round)) | 0;
    e = d;
    d = c;
    c = rotate(b, 30);
    b = a;
    a = next;
  }
  const hash = new Uint8Array(20);
  putWord(hash, 0, a + 0x67452301);
  putWord(hash, 4, b + 0xefcdab89);
  putWord(hash, 8, c + 0x98badcfe);
  putWord(hash, 12, d + 0x10325476);
  putWord(hash, 16, e + 0xc3d2e1f0);
  return hash;
}

/** Words are big-endian. */
function addByte(at: number, byte: number): void {
  schedule[at >> 2]! |= byte << (24 - 8 * (at & 3));
}

/** The word of a round; asked for in their order. */
function wordOf(round: number): number {
  const at = round & 15;
  if (round < WORDS) return schedule[at]!;
  const mixed = schedule[(at + 13) & 15]! ^ schedule[(at + 8) & 15]! ^
    schedule[(at + 2) & 15]! ^ schedule[at]!;
  return schedule[at] = rotate(mixed, 1);
}

function rotate(word: number, count: number): number {
  return (word << count) | (word >>> (32 - count));
}

function putWord(bytes: Uint8Array, at: number, word: number): void {
  bytes[at] = word >>> 24;
  bytes[at + 1] = word >>> 16;
  bytes[at + 2] = word >>> 8;
  bytes[at + 3] = word;
}
