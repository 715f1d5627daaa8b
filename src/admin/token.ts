/** Tokens of statements: what the lexer makes of a text. */
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
  readonly text: string;
  readonly start: number;
  readonly end: number;
}
