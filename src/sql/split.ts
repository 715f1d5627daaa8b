/** Several statements in one text, as a server takes them apart. */
import { CompoundBody } from "./compound.ts";
import { Kind, Lexer } from "./lexer.ts";
import type { Range, SqlMode } from "./mode.ts";

const LINE_FEED = 0x0a;
const HASH = 0x23;
const MINUS = 0x2d;

/**
 * The statements of a text. A `;` in a compound body belongs to the body; where its end cannot be
 * found, it goes to the end of the text. Empty statements are left out, one that is nothing but a
 * comment is not: servers answer it.
 * @returns their places, without white space around and without the `;`. A comment that the end of
 *   its line ends keeps the line feed, so that something may be put behind
 */
export function splitStatements(bytes: Uint8Array, range: Range, mode: SqlMode): Range[] {
  const lexer = new Lexer().begin(bytes, range, mode, { showsComments: true });
  const statements: Range[] = [];
  const body = new CompoundBody();
  let start = -1;
  let end = -1;
  while (lexer.next()) {
    const isSemicolon = lexer.isSymbol(";");
    if (isSemicolon && !body.holdsSemicolon()) {
      if (start >= 0) statements.push({ start, end });
      start = -1;
      body.reset();
      continue;
    }
    if (start < 0) start = lexer.start;
    end = lexer.end;
    if (isLineComment(bytes, lexer) && bytes[end] === LINE_FEED && end < range.end) end++;
    if (lexer.kind < Kind.comment && !isSemicolon) body.read(lexer);
  }
  if (start >= 0) statements.push({ start, end });
  return statements;
}

function isLineComment(bytes: Uint8Array, { kind, start }: Lexer): boolean {
  return kind === Kind.comment && (bytes[start] === HASH || bytes[start] === MINUS);
}
