/** Tokens of a statement as values, for those who look at few of them. */
import { decodeIn } from "./charsets.ts";
import { Kind, Lexer } from "./lexer.ts";
import type { Range, SqlMode } from "./mode.ts";
import { unquote } from "./unquote.ts";

export type { Range, SqlMode } from "./mode.ts";

export type TokenKind =
  | "word"
  | "quoted_name"
  | "string"
  | "number"
  | "symbol"
  | "parameter"
  | "variable";

export interface Token {
  readonly kind: TokenKind;
  /**
   * A word as typed (compare it in upper case); names and strings without their quotes and
   * escapes; variables unquoted with their `@` or `@@`; numbers as typed; one operator or
   * punctuation character; `?`.
   */
  readonly text: string;
  /** Byte positions in the buffer. */
  readonly start: number;
  readonly end: number;
}

const KINDS: Readonly<Record<number, TokenKind>> = {
  [Kind.word]: "word",
  [Kind.quotedName]: "quoted_name",
  [Kind.string]: "string",
  [Kind.number]: "number",
  [Kind.symbol]: "symbol",
  [Kind.parameter]: "parameter",
  [Kind.variable]: "variable",
};

/**
 * The tokens of one statement, without comments; what a server takes as text of versioned comments
 * counts. Never throws.
 * @param limit how many at most
 */
export function tokenize(
  bytes: Uint8Array,
  range: Range,
  mode: SqlMode,
  limit = Number.POSITIVE_INFINITY,
): Token[] {
  const lexer = new Lexer().begin(bytes, range, mode);
  const tokens: Token[] = [];
  while (tokens.length < limit && lexer.next()) {
    const { start, end } = lexer;
    tokens.push({ kind: KINDS[lexer.kind]!, text: textOf(lexer, bytes, mode), start, end });
  }
  return tokens;
}

function textOf({ kind, start, end }: Lexer, bytes: Uint8Array, mode: SqlMode): string {
  const piece = bytes.subarray(start, end);
  switch (kind) {
    case Kind.quotedName:
    case Kind.string:
    case Kind.variable:
      return decodeIn(mode.charset, unquote(piece, mode));
    default:
      return decodeIn(mode.charset, piece);
  }
}
