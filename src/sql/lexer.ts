/**
 * Reads SQL as MySQL, MariaDB and OceanBase do. One pass, one object: nothing is allocated for a
 * token, and no input makes it throw.
 * https://dev.mysql.com/doc/refman/9.0/en/language-structure.html
 */
import { type ByteTables, Class, tablesOf } from "./byte_classes.ts";
import { type CharacterLength, characterLengthOf, wideSpaceOf } from "./charsets.ts";
import type { Range, SqlMode } from "./mode.ts";
import { symbolLength } from "./symbols.ts";
import { executesVersion, knowsDollarQuotes } from "./versions.ts";

/** What a token is. */
export const Kind = {
  end: 0,
  word: 1,
  quotedName: 2,
  /** Also `n'…'`, and `$tag$…$tag$` where a server may know it. */
  string: 3,
  /** Also `0x…`, `x'…'` and `b'…'`. */
  number: 4,
  symbol: 5,
  parameter: 6,
  /** `@name`, `@'name'`, `@@name`, `@@scope.name`; the host of an account, too. */
  variable: 7,
  /** From here on there are tokens for those only who ask for them. */
  comment: 8,
  /** A comment that begins with `/*+`. */
  hint: 9,
  /** Where a versioned comment begins or ends whose contents are text. */
  versionMark: 10,
} as const;
export type Kind = (typeof Kind)[keyof typeof Kind];

export interface LexerOptions {
  /** Comments, hints and version marks are tokens, too. */
  readonly showsComments?: boolean;
}

const BACKSLASH = 0x5c;
const DOUBLE_QUOTE = 0x22;
const SINGLE_QUOTE = 0x27;
const BACKTICK = 0x60;
const POINT = 0x2e;
const STAR = 0x2a;
const SLASH = 0x2f;
const AT = 0x40;
const DOLLAR = 0x24;
const LINE_FEED = 0x0a;
/** More than any keyword that somebody asks for has. */
const LONGEST_KEYWORD = 32;

const PLAIN: ByteTables = tablesOf(undefined);

export class Lexer {
  kind: Kind = Kind.end;
  /** Position of the token in the buffer. */
  start = 0;
  end = 0;
  /** A versioned comment was met, whether its contents are text or not. */
  sawVersion = false;
  /** A string, a quoted name or a comment had no end: servers refuse such a text. */
  isUnterminated = false;

  #bytes: Uint8Array = new Uint8Array(0);
  #limit = 0;
  #serverVersion: number | undefined;
  #ansiQuotes = false;
  #escapes = true;
  #showsComments = false;
  /** Inside of a versioned comment whose contents are text. */
  #isInVersion = false;
  #classes = PLAIN.classes;
  #nameParts = PLAIN.nameParts;
  #characterLength: CharacterLength | undefined;

  /** Begins a text; the bytes must stay as they are until the last token has been read. */
  begin(bytes: Uint8Array, range: Range, mode: SqlMode, options?: LexerOptions): this {
    const { classes, nameParts } = tablesOf(wideSpaceOf(mode.charset));
    this.#bytes = bytes;
    this.#limit = Math.min(range.end, bytes.length);
    this.#serverVersion = mode.serverVersion;
    this.#ansiQuotes = mode.ansiQuotes;
    this.#escapes = !mode.noBackslashEscapes;
    this.#showsComments = options?.showsComments ?? false;
    this.#isInVersion = false;
    this.#classes = classes;
    this.#nameParts = nameParts;
    this.#characterLength = characterLengthOf(mode.charset);
    this.kind = Kind.end;
    this.start = this.end = Math.min(range.start, this.#limit);
    this.sawVersion = this.isUnterminated = false;
    return this;
  }

  /** Goes to the next token; false at the end of the text. */
  next(): boolean {
    const bytes = this.#bytes;
    const limit = this.#limit;
    if (this.#isNameBehindPoint()) return this.#take(Kind.word, this.end, this.#name(this.end));
    for (let at = this.end; at < limit;) {
      switch (this.#classes[bytes[at]!]) {
        case Class.space:
          at++;
          continue;
        case Class.letter:
          return this.#take(Kind.word, at, this.#name(at));
        case Class.prefix:
          return this.#prefixed(at);
        case Class.digit:
          return this.#number(at);
        case Class.point:
          return this.#point(at);
        case Class.quote:
          return this.#quote(at);
        case Class.at:
          return this.#take(Kind.variable, at, this.#variable(at));
        case Class.dollar:
          return this.#dollar(at);
        case Class.question:
          return this.#take(Kind.parameter, at, at + 1);
        case Class.slash:
          if (bytes[at + 1] !== STAR || at + 1 >= limit) break;
          if (this.#comment(at)) return true;
          at = this.end;
          continue;
        case Class.star:
          if (!this.#isInVersion || bytes[at + 1] !== SLASH || at + 1 >= limit) break;
          this.#isInVersion = false;
          if (this.#skip(Kind.versionMark, at, at + 2)) return true;
          at = this.end;
          continue;
        case Class.minus:
          if (!this.#isLineComment(at)) break;
          if (this.#skip(Kind.comment, at, this.#lineEnd(at))) return true;
          at = this.end;
          continue;
        case Class.hash:
          if (this.#skip(Kind.comment, at, this.#lineEnd(at))) return true;
          at = this.end;
          continue;
      }
      return this.#take(Kind.symbol, at, at + symbolLength(bytes, at, limit));
    }
    this.#take(Kind.end, limit, limit);
    return false;
  }

  /** Whether the token is this word; `upper` is ASCII in upper case. */
  is(upper: string): boolean {
    return this.kind === Kind.word && this.#reads(upper);
  }

  /** Whether the token is this operator or punctuation. */
  isSymbol(text: string): boolean {
    return this.kind === Kind.symbol && this.#reads(text);
  }

  /** A word in upper case, for those who look at few of them; empty for other tokens. */
  upper(): string {
    if (this.kind !== Kind.word || this.end - this.start > LONGEST_KEYWORD) return "";
    let text = "";
    for (let at = this.start; at < this.end; at++) text += String.fromCharCode(this.#bytes[at]!);
    return text.toUpperCase();
  }

  #reads(upper: string): boolean {
    const { start, end } = this;
    if (end - start !== upper.length) return false;
    for (let index = 0; index < upper.length; index++) {
      const byte = this.#bytes[start + index]!;
      const isLower = byte >= 0x61 && byte <= 0x7a;
      if ((isLower ? byte - 0x20 : byte) !== upper.charCodeAt(index)) return false;
    }
    return true;
  }

  #take(kind: Kind, start: number, end: number): true {
    this.kind = kind;
    this.start = start;
    this.end = Math.min(end, this.#limit);
    return true;
  }

  /** The same for what is no token unless comments are asked for. */
  #skip(kind: Kind, start: number, end: number): boolean {
    this.#take(kind, start, end);
    return this.#showsComments;
  }

  // ---- words and numbers ----

  /** Directly behind a point everything that can be a name is one: `t.1a`, `t.select`. */
  #isNameBehindPoint(): boolean {
    const { end, start } = this;
    return this.kind === Kind.symbol && end === start + 1 && this.#bytes[start] === POINT &&
      end < this.#limit && this.#nameParts[this.#bytes[end]!] === 1;
  }

  /** @returns the end of the name that begins at `at` */
  #name(at: number): number {
    const bytes = this.#bytes;
    const limit = this.#limit;
    const parts = this.#nameParts;
    const length = this.#characterLength;
    while (at < limit && parts[bytes[at]!] === 1) {
      at += length !== undefined && bytes[at]! >= 0x80 ? length(bytes, at, limit) : 1;
    }
    return at;
  }

  #isNamePart(at: number): boolean {
    return at < this.#limit && this.#nameParts[this.#bytes[at]!] === 1;
  }

  #isDigit(at: number): boolean {
    return at < this.#limit && isDigit(this.#bytes[at]!);
  }

  #digits(at: number): number {
    while (this.#isDigit(at)) at++;
    return at;
  }

  /** A word that begins with b, n or x, or a string that has such a letter before it. */
  #prefixed(at: number): true {
    const bytes = this.#bytes;
    if (at + 1 < this.#limit && bytes[at + 1] === SINGLE_QUOTE) {
      const letter = bytes[at]! | 0x20;
      if (letter === 0x6e) return this.#take(Kind.string, at, this.#quoted(at + 1, this.#escapes));
      let to = at + 2;
      while (to < this.#limit && isDigitOf(bytes[to]!, letter)) to++;
      if (to < this.#limit && bytes[to] === SINGLE_QUOTE) {
        return this.#take(Kind.number, at, to + 1);
      }
    }
    return this.#take(Kind.word, at, this.#name(at));
  }

  /** A number, or a name that begins with digits. */
  #number(at: number): true {
    const bytes = this.#bytes;
    const letter = at + 1 < this.#limit ? bytes[at + 1]! : 0;
    if (bytes[at] === 0x30 && (letter === 0x78 || letter === 0x62)) {
      let to = at + 2;
      while (to < this.#limit && isDigitOf(bytes[to]!, letter)) to++;
      const isNumber = to > at + 2 && !this.#isNamePart(to);
      return isNumber ? this.#take(Kind.number, at, to) : this.#take(Kind.word, at, this.#name(at));
    }
    const to = this.#digits(at);
    if (to < this.#limit && bytes[to] === POINT) return this.#fraction(at, to);
    if (!this.#isNamePart(to)) return this.#take(Kind.number, at, to);
    const exponent = this.#exponent(to);
    if (exponent > to) return this.#take(Kind.number, at, exponent);
    return this.#take(Kind.word, at, this.#name(to));
  }

  /** @param point where the decimal point is */
  #fraction(at: number, point: number): true {
    const to = this.#digits(point + 1);
    return this.#take(Kind.number, at, this.#exponent(to));
  }

  /** @returns the end of an exponent at `at`, or `at` */
  #exponent(at: number): number {
    const bytes = this.#bytes;
    if (at >= this.#limit || (bytes[at]! | 0x20) !== 0x65) return at;
    const sign = bytes[at + 1];
    const first = sign === 0x2b || sign === 0x2d ? at + 2 : at + 1;
    return this.#isDigit(first) ? this.#digits(first) : at;
  }

  /** Behind a word a point stands between names, also where a digit follows. */
  #point(at: number): true {
    const isSeparator = this.kind === Kind.word && this.end === at;
    if (isSeparator || !this.#isDigit(at + 1)) return this.#take(Kind.symbol, at, at + 1);
    return this.#fraction(at, at);
  }

  // ---- quotes ----

  #quote(at: number): true {
    const byte = this.#bytes[at]!;
    const isName = byte === BACKTICK || (byte === DOUBLE_QUOTE && this.#ansiQuotes);
    const kind = isName ? Kind.quotedName : Kind.string;
    return this.#take(kind, at, this.#quoted(at, !isName && this.#escapes));
  }

  /** @returns the end of what is quoted from `at` on; a doubled quote does not end it */
  #quoted(at: number, escapes: boolean): number {
    const bytes = this.#bytes;
    const limit = this.#limit;
    const length = this.#characterLength;
    const quote = bytes[at++]!;
    while (at < limit) {
      const byte = bytes[at]!;
      if (byte === quote) {
        if (at + 1 >= limit || bytes[at + 1] !== quote) return at + 1;
        at += 2;
      } else if (byte === BACKSLASH && escapes) {
        at += 2;
      } else {
        at += length !== undefined && byte >= 0x80 ? length(bytes, at, limit) : 1;
      }
    }
    this.isUnterminated = true;
    return limit;
  }

  /** Servers read names of variables byte by byte, whatever the character set. */
  #variable(at: number): number {
    const bytes = this.#bytes;
    if (at + 1 >= this.#limit) return at + 1;
    const byte = bytes[at + 1]!;
    if (byte === AT) return this.#systemVariable(at + 2);
    if (this.#classes[byte] === Class.quote) {
      const isName = byte === BACKTICK || (byte === DOUBLE_QUOTE && this.#ansiQuotes);
      return this.#quoted(at + 1, !isName && this.#escapes);
    }
    // Names of hosts have points.
    let to = at + 1;
    while (to < this.#limit && (bytes[to] === POINT || this.#isNamePart(to))) to++;
    return to;
  }

  #systemVariable(at: number): number {
    const bytes = this.#bytes;
    for (;;) {
      const isQuoted = at < this.#limit && bytes[at] === BACKTICK;
      if (isQuoted) at = this.#quoted(at, false);
      else while (this.#isNamePart(at)) at++;
      const goesOn = at + 1 < this.#limit && bytes[at] === POINT &&
        (bytes[at + 1] === BACKTICK || this.#isNamePart(at + 1));
      if (!goesOn) return at;
      at++;
    }
  }

  /** A name, or a text between two equal tags that have a `$` on each side. */
  #dollar(at: number): true {
    const to = this.#name(at);
    if (!knowsDollarQuotes(this.#serverVersion)) return this.#take(Kind.word, at, to);
    let tagEnd = at + 1;
    while (tagEnd < to && this.#bytes[tagEnd] !== DOLLAR) tagEnd++;
    if (tagEnd >= to) return this.#take(Kind.word, at, to);
    const close = this.#find(tagEnd + 1, at, tagEnd + 1);
    return close < 0 ? this.#take(Kind.word, at, to) : this.#take(Kind.string, at, close);
  }

  /** @returns the end of the next copy of the bytes from `start` to `end`, searched from `at` on */
  #find(at: number, start: number, end: number): number {
    const bytes = this.#bytes;
    const limit = this.#limit;
    const length = end - start;
    for (; at + length <= limit; at++) {
      let same = 0;
      while (same < length && bytes[at + same] === bytes[start + same]) same++;
      if (same === length) return at + length;
    }
    return -1;
  }

  // ---- comments ----

  /** Behind `--` there must be white space or a control character, or the end. */
  #isLineComment(at: number): boolean {
    const bytes = this.#bytes;
    if (at + 1 >= this.#limit || bytes[at + 1] !== 0x2d) return false;
    if (at + 2 >= this.#limit) return true;
    const byte = bytes[at + 2]!;
    return byte < 0x20 || byte === 0x7f || this.#classes[byte] === Class.space;
  }

  /** Up to the line feed, or the NUL, which ends the comment for servers. */
  #lineEnd(at: number): number {
    const bytes = this.#bytes;
    const limit = this.#limit;
    while (at < limit && bytes[at] !== LINE_FEED && bytes[at] !== 0) at++;
    return at;
  }

  /** @returns whether there is a token for it */
  #comment(at: number): boolean {
    const bytes = this.#bytes;
    const mark = at + 2 < this.#limit ? bytes[at + 2] : 0;
    const isMariadbForm = (mark === 0x4d) && at + 3 < this.#limit && bytes[at + 3] === 0x21;
    if (mark !== 0x21 && !isMariadbForm) {
      const kind = mark === 0x2b ? Kind.hint : Kind.comment;
      return this.#skip(kind, at, this.#commentEnd(at + 2, 0));
    }
    this.sawVersion = true;
    const digits = at + (isMariadbForm ? 4 : 3);
    const count = this.#versionLength(digits);
    const version = this.#value(digits, count);
    if (!executesVersion(version, isMariadbForm, this.#serverVersion)) {
      return this.#skip(Kind.comment, at, this.#commentEnd(digits, 1));
    }
    this.#isInVersion = true;
    return this.#skip(Kind.versionMark, at, digits + count);
  }

  /** A version has five digits or six; what is shorter belongs to the text. */
  #versionLength(at: number): number {
    let count = 0;
    while (count < 6 && this.#isDigit(at + count)) count++;
    return count < 5 ? 0 : count;
  }

  #value(at: number, count: number): number {
    let value = 0;
    for (let index = 0; index < count; index++) {
      value = value * 10 + this.#bytes[at + index]! - 0x30;
    }
    return value;
  }

  /** @param nested how deep comments in it are comments: one level in versioned comments */
  #commentEnd(at: number, nested: number): number {
    const bytes = this.#bytes;
    const limit = this.#limit;
    let depth = 0;
    for (; at + 1 < limit; at++) {
      if (bytes[at] === STAR && bytes[at + 1] === SLASH) {
        at++;
        if (depth === 0) return at + 1;
        depth--;
      } else if (depth < nested && bytes[at] === SLASH && bytes[at + 1] === STAR) {
        at++;
        depth++;
      }
    }
    this.isUnterminated = true;
    return limit;
  }
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

/** @param letter x for hexadecimal digits, b for binary ones */
function isDigitOf(byte: number, letter: number): boolean {
  if (letter === 0x62) return byte === 0x30 || byte === 0x31;
  const lower = byte | 0x20;
  return isDigit(byte) || (lower >= 0x61 && lower <= 0x66);
}
