import type { Token, TokenKind } from "../../src/admin/token.ts";

const MARK =
  /\/\*[\s\S]*?\*\/|#.*|--\s.*|\s+|('(?:[^'\\]|''|\\.)*'|"(?:[^"\\]|""|\\.)*")|(`(?:[^`]|``)*`)|(@@?[\w$.]*)|(\d+(?:\.\d*)?(?:e[-+]?\d+)?(?![\w$])|0x[0-9a-f]+)|([\w$\u0080-\uffff]+)|(\?)|(.)/giy;
const KINDS: readonly TokenKind[] = [
  "string",
  "quoted_name",
  "variable",
  "number",
  "word",
  "parameter",
  "symbol",
];

export function tokensOf(sql: string): Token[] {
  const tokens: Token[] = [];
  for (const match of sql.matchAll(MARK)) {
    const index = KINDS.findIndex((_, at) => match[at + 1] !== undefined);
    if (index < 0) continue;
    const raw = match[0];
    const text = index <= 1 ? raw.slice(1, -1) : raw;
    tokens.push({
      kind: KINDS[index]!,
      text,
      start: match.index,
      end: match.index + raw.length,
    });
  }
  return tokens;
}
