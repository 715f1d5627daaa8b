/** Walks over the tokens of a statement; what does not fit is left where it is. */
import type { Token, TokenKind } from "../sql/tokens.ts";

export class TokenReader {
  readonly #tokens: readonly Token[];
  #at = 0;

  /** A semicolon at the end says nothing. */
  constructor(tokens: readonly Token[]) {
    let end = tokens.length;
    while (end > 0 && isSymbol(tokens[end - 1], ";")) end--;
    this.#tokens = tokens.slice(0, end);
  }

  get at(): number {
    return this.#at;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#tokens.length;
  }

  /** The next token, if it is of one of these kinds. */
  take(...kinds: readonly TokenKind[]): Token | undefined {
    const token = this.#tokens[this.#at];
    if (token === undefined || !kinds.includes(token.kind)) return undefined;
    this.#at++;
    return token;
  }

  /** Whether the next token is one of these words. */
  isNext(...words: readonly string[]): boolean {
    const token = this.#tokens[this.#at];
    return token?.kind === "word" && words.includes(token.text.toUpperCase());
  }

  /** The next word in upper case, if it is one of these. */
  word(...words: readonly string[]): string | undefined {
    return this.isNext(...words) ? this.#tokens[this.#at++]!.text.toUpperCase() : undefined;
  }

  /** All of these words, one after the other, or none of them. */
  words(text: string): boolean {
    const start = this.#at;
    for (const word of text.split(" ")) {
      if (this.word(word) !== undefined) continue;
      this.#at = start;
      return false;
    }
    return true;
  }

  symbol(text: string): boolean {
    if (!isSymbol(this.#tokens[this.#at], text)) return false;
    this.#at++;
    return true;
  }

  /** The tokens since `start` as they were typed, but for comments and the kind of white space. */
  textSince(start: number): string {
    let text = "";
    let end = this.#tokens[start]?.start ?? 0;
    for (const token of this.#tokens.slice(start, this.#at)) {
      if (token.start > end) text += " ";
      text += token.kind === "quoted_name" ? `\`${token.text.replaceAll("`", "``")}\`` : token.text;
      end = token.end;
    }
    return text;
  }
}

function isSymbol(token: Token | undefined, text: string): boolean {
  return token?.kind === "symbol" && token.text === text;
}
