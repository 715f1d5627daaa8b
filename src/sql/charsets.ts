/**
 * Character sets as far as reading SQL needs them, by collation id.
 * https://dev.mysql.com/doc/refman/9.0/en/charset-charsets.html
 */

/**
 * Length of the character that begins at `at` with a byte above 0x7F: 1 where the bytes behind it
 * do not belong to it, as the server sees it.
 */
export type CharacterLength = (bytes: Uint8Array, at: number, end: number) => number;

interface CharsetRow {
  /** Of all sets that are read so. */
  readonly names: string;
  /** Collations of the set, without MariaDB's NOPAD ones. */
  readonly ids: readonly number[];
  /** Name of the decoder: one that knows all bytes where there is none for the set. */
  readonly label: string;
  /** Where a character's second byte can look like ASCII. */
  readonly length?: CharacterLength;
  /** A byte above 0x7F that is white space to servers. */
  readonly space?: number;
}

/** MariaDB's NOPAD collations have the number of the padding one and this. */
const NOPAD = 1024;

const NO_BREAK_SPACE = 0xa0;
const DOS_SPACE = 0xff;

/** Sets that are missing here are read as UTF-8; clients cannot send those of 16 and 32 bits. */
const CHARSETS: readonly CharsetRow[] = [
  { names: "big5", ids: [1, 84], label: "big5", length: big5Length },
  { names: "gbk", ids: [28, 87], label: "gbk", length: gbkLength },
  { names: "sjis cp932", ids: [13, 88, 95, 96], label: "shift_jis", length: sjisLength },
  { names: "gb18030", ids: [248, 249, 250], label: "gb18030", length: gb18030Length },
  { names: "ujis eucjpms", ids: [12, 91, 97, 98], label: "euc-jp" },
  { names: "euckr", ids: [19, 85], label: "euc-kr" },
  { names: "gb2312", ids: [24, 86], label: "gb2312" },
  {
    names: "latin1",
    ids: [5, 8, 15, 31, 47, 48, 49, 94],
    label: "windows-1252",
    space: NO_BREAK_SPACE,
  },
  { names: "latin2", ids: [2, 9, 21, 27, 77], label: "iso-8859-2", space: NO_BREAK_SPACE },
  { names: "cp1250", ids: [26, 34, 44, 66, 99], label: "windows-1250", space: NO_BREAK_SPACE },
  { names: "greek", ids: [25, 70], label: "iso-8859-7", space: NO_BREAK_SPACE },
  { names: "hebrew", ids: [16, 71], label: "iso-8859-8", space: NO_BREAK_SPACE },
  { names: "latin5", ids: [30, 78], label: "windows-1254", space: NO_BREAK_SPACE },
  { names: "latin7", ids: [20, 41, 42, 79], label: "iso-8859-13", space: NO_BREAK_SPACE },
  {
    names: "dec8 armscii8 geostd8",
    ids: [3, 69, 32, 64, 92, 93],
    label: "windows-1252",
    space: NO_BREAK_SPACE,
  },
  { names: "cp866", ids: [36, 68], label: "ibm866", space: DOS_SPACE },
  { names: "keybcs2 cp852", ids: [37, 73, 40, 81], label: "windows-1252", space: DOS_SPACE },
  { names: "cp1251", ids: [14, 23, 50, 51, 52], label: "windows-1251" },
  { names: "cp1256", ids: [57, 67], label: "windows-1256" },
  { names: "cp1257", ids: [29, 58, 59], label: "windows-1257" },
  { names: "koi8r", ids: [7, 74], label: "koi8-r" },
  { names: "koi8u", ids: [22, 75], label: "koi8-u" },
  { names: "macroman", ids: [39, 53], label: "macintosh" },
  { names: "tis620", ids: [18, 89], label: "windows-874" },
  { names: "cp850 hp8 macce swe7", ids: [4, 80, 6, 72, 38, 43, 10, 82], label: "windows-1252" },
];

const rows = new Map<number, CharsetRow>(
  CHARSETS.flatMap((row) => row.ids.flatMap((id) => [[id, row], [id + NOPAD, row]] as const)),
);

const ids = new Map<string, number>(
  CHARSETS.flatMap((row) => row.names.split(" ").map((name) => [name, row.ids[0]!] as const)),
);

const UTF8MB4 = 45;

/** A collation id for a character set's name: one by which texts are read as in the set. */
export function charsetId(name: string): number {
  return ids.get(name) ?? UTF8MB4;
}

/** Whether texts in the set are read as UTF-8. */
export function isReadAsUtf8(charset: number): boolean {
  return !rows.has(charset);
}

/** The same number for collations whose texts are read alike. */
export function readingOf(charset: number): number {
  return rows.get(charset)?.ids[0] ?? 0;
}

/** For sets where a character's second byte can look like ASCII. */
export function characterLengthOf(charset: number): CharacterLength | undefined {
  return rows.get(charset)?.length;
}

/** A byte above 0x7F that is white space in the set. */
export function wideSpaceOf(charset: number): number | undefined {
  return rows.get(charset)?.space;
}

/** All bytes above 0x7F that are white space in one set or another. */
export const WIDE_SPACES: readonly number[] = [NO_BREAK_SPACE, DOS_SPACE];

const decoders = new Map<string, TextDecoder>();

/** Up to this length ASCII is decoded here: calling into the runtime costs more than the loop. */
const SHORT = 64;

/** Text of bytes in the set; what is invalid becomes U+FFFD. */
export function decodeIn(charset: number, bytes: Uint8Array): string {
  const ascii = bytes.length <= SHORT ? asciiText(bytes) : undefined;
  return ascii ?? decoderOf(charset).decode(bytes);
}

/** undefined where there is anything else: in all sets, bytes of ASCII that are alone mean it. */
function asciiText(bytes: Uint8Array): string | undefined {
  let text = "";
  for (let at = 0; at < bytes.length; at++) {
    if (bytes[at]! >= 0x80) return undefined;
    text += String.fromCharCode(bytes[at]!);
  }
  return text;
}

function decoderOf(charset: number): TextDecoder {
  const label = rows.get(charset)?.label ?? "utf-8";
  let decoder = decoders.get(label);
  if (decoder === undefined) {
    decoder = new TextDecoder(label, { ignoreBOM: true });
    decoders.set(label, decoder);
  }
  return decoder;
}

function isBetween(byte: number | undefined, first: number, last: number): boolean {
  return byte !== undefined && byte >= first && byte <= last;
}

/** Second bytes that look like ASCII; 0x7F is none in any set. */
function isLow(byte: number): boolean {
  return isBetween(byte, 0x40, 0x7e);
}

function big5Length(bytes: Uint8Array, at: number, end: number): number {
  if (at + 1 >= end || !isBetween(bytes[at], 0xa1, 0xf9)) return 1;
  return isLow(bytes[at + 1]!) || isBetween(bytes[at + 1], 0xa1, 0xfe) ? 2 : 1;
}

function gbkLength(bytes: Uint8Array, at: number, end: number): number {
  if (at + 1 >= end || !isBetween(bytes[at], 0x81, 0xfe)) return 1;
  return isLow(bytes[at + 1]!) || isBetween(bytes[at + 1], 0x80, 0xfe) ? 2 : 1;
}

function sjisLength(bytes: Uint8Array, at: number, end: number): number {
  if (at + 1 >= end) return 1;
  if (!isBetween(bytes[at], 0x81, 0x9f) && !isBetween(bytes[at], 0xe0, 0xfc)) return 1;
  return isLow(bytes[at + 1]!) || isBetween(bytes[at + 1], 0x80, 0xfc) ? 2 : 1;
}

function gb18030Length(bytes: Uint8Array, at: number, end: number): number {
  if (at + 3 < end && isBetween(bytes[at], 0x81, 0xfe) && isBetween(bytes[at + 1], 0x30, 0x39)) {
    return isBetween(bytes[at + 2], 0x81, 0xfe) && isBetween(bytes[at + 3], 0x30, 0x39) ? 4 : 1;
  }
  return gbkLength(bytes, at, end);
}
