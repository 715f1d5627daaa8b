/** Operators of several bytes. */

const OPERATORS = ["<=>", "->>", "<=", ">=", "<>", "!=", "<<", ">>", ":=", "||", "&&", "->", "\\N"];

/** What each first byte can go on with, longest first. */
const tails: readonly (readonly Uint8Array[] | undefined)[] = Array.from(
  { length: 256 },
  (_, byte) => {
    const first = String.fromCharCode(byte);
    const own = OPERATORS.filter((operator) => operator[0] === first);
    return own.length === 0 ? undefined : own.map((operator) => encode(operator.slice(1)));
  },
);

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Length of the operator at `at`, 1 for single characters. */
export function symbolLength(bytes: Uint8Array, at: number, end: number): number {
  const candidates = tails[bytes[at]!];
  if (candidates === undefined) return 1;
  for (const tail of candidates) {
    if (at + tail.length >= end) continue;
    let index = 0;
    while (index < tail.length && bytes[at + 1 + index] === tail[index]) index++;
    if (index === tail.length) return 1 + tail.length;
  }
  return 1;
}
