import { encodeText } from "../../src/protocol/bytes.ts";
import { UTF8MB4_GENERAL_CI } from "../../src/protocol/constants.ts";
import { type Token, tokenize } from "../../src/sql/tokens.ts";

/** Tokens of a text in the usual sql_mode. */
export function tokensOf(sql: string): Token[] {
  const bytes = encodeText(sql);
  const mode = { ansiQuotes: false, noBackslashEscapes: false, charset: UTF8MB4_GENERAL_CI };
  return tokenize(bytes, { start: 0, end: bytes.length }, mode);
}
