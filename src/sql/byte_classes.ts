/** What a byte can begin, by table. */
import { WIDE_SPACES } from "./charsets.ts";

export const Class = {
  symbol: 0,
  space: 1,
  /** Letters, `_`, `$`, and everything above 0x7F. */
  letter: 2,
  digit: 3,
  /** `'`, `"` and `` ` ``. */
  quote: 4,
  at: 5,
  slash: 6,
  star: 7,
  minus: 8,
  hash: 9,
  point: 10,
  question: 11,
  /** The letters that a string can follow: b, n, x. */
  prefix: 12,
  dollar: 13,
} as const;

const SPACES = " \t\n\v\f\r";

const SINGLES: Readonly<Record<string, number>> = {
  "'": Class.quote,
  '"': Class.quote,
  "`": Class.quote,
  "@": Class.at,
  "/": Class.slash,
  "*": Class.star,
  "-": Class.minus,
  "#": Class.hash,
  ".": Class.point,
  "?": Class.question,
  "$": Class.dollar,
};

function classOf(byte: number): number {
  const text = String.fromCharCode(byte);
  if (SPACES.includes(text)) return Class.space;
  if (byte >= 0x80 || /[ac-mo-wyz_]/i.test(text)) return Class.letter;
  if (/[bnx]/i.test(text)) return Class.prefix;
  if (/[0-9]/.test(text)) return Class.digit;
  return SINGLES[text] ?? Class.symbol;
}

function isNamePart(byte: number): boolean {
  const class_ = classOf(byte);
  return class_ === Class.letter || class_ === Class.prefix || class_ === Class.digit ||
    class_ === Class.dollar;
}

/** Both tables of a character set, indexed by byte. */
export interface ByteTables {
  readonly classes: Uint8Array;
  /** 1 for the bytes of names and words. */
  readonly nameParts: Uint8Array;
}

const plain: ByteTables = {
  classes: Uint8Array.from({ length: 256 }, (_, byte) => classOf(byte)),
  nameParts: Uint8Array.from({ length: 256 }, (_, byte) => isNamePart(byte) ? 1 : 0),
};

const withSpace = new Map(WIDE_SPACES.map((space) => [space, {
  classes: plain.classes.with(space, Class.space),
  nameParts: plain.nameParts.with(space, 0),
}]));

/** @param space a byte above 0x7F that is white space */
export function tablesOf(space: number | undefined): ByteTables {
  return space === undefined ? plain : withSpace.get(space) ?? plain;
}
