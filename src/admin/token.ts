/** Tokens of statements: what the lexer makes of a text. */
export type { Token, TokenKind } from "../sql/tokens.ts";
