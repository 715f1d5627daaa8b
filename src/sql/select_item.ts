/** One expression of a select list: where it is, and whether it has a name of its own. */
import { Kind, type Lexer } from "./lexer.ts";

/** Words that stand before an operand. */
const OPERATORS: ReadonlySet<string> = new Set([
  ...["AND", "OR", "XOR", "NOT", "IS", "DIV", "MOD", "LIKE", "REGEXP", "RLIKE", "IN", "BETWEEN"],
  ...["ESCAPE", "BINARY", "COLLATE", "SOUNDS", "MEMBER", "OF", "EXISTS"],
]);

/** Behind these, a name at the end need not be the item's. */
const UNCLEAR: ReadonlySet<string> = new Set(["CASE", "INTERVAL", "OVER", "AT"]);

export class SelectItem {
  /** Place of the item's tokens, its name among them; -1 where it has none. */
  start = -1;
  end = -1;
  /** Tokens from AS on. */
  #behindAs = 0;
  /** The last token follows an operand as a name does that has no AS. */
  #endsWithName = false;
  /** Only AS would tell that there is a name. */
  #isUnclear = false;
  /** It goes on behind a name: it is not what is known here. */
  #isStrange = false;
  /** The token before, outside of parentheses. */
  #previous: "none" | "operator" | "word" | "string" | "operand" = "none";

  /**
   * @param word the token in upper case if it is a word
   * @param isInside the token is in parentheses that the item has
   */
  read(lexer: Lexer, word: string, isInside: boolean): void {
    if (this.start < 0) this.start = lexer.start;
    this.end = lexer.end;
    if (isInside) return;
    if (this.#endsWithName || this.#behindAs > 1) this.#isStrange = true;
    if (word === "AS" || this.#behindAs > 0) {
      this.#behindAs++;
      return;
    }
    if (UNCLEAR.has(word)) this.#isUnclear = true;
    if (this.#isUnclear) return;
    const begins = beginsOperand(lexer, word);
    if (begins && this.#previous !== "none" && this.#previous !== "operator") {
      this.#readNeighbour(lexer);
    }
    this.#previous = kindOf(lexer, word);
  }

  /** undefined where it cannot be told. */
  get hasName(): boolean | undefined {
    if (this.#isStrange) return undefined;
    if (this.#behindAs > 0) return true;
    return this.#isUnclear ? undefined : this.#endsWithName;
  }

  /** An operand right behind another one: a name, arguments, the rest of a string. */
  #readNeighbour(lexer: Lexer): void {
    const { kind } = lexer;
    if (kind === Kind.symbol && this.#previous === "word") return;
    if (kind === Kind.string && this.#previous === "string") return;
    const isName = kind === Kind.word || kind === Kind.quotedName ||
      (kind === Kind.string && this.#previous === "operand");
    if (isName) this.#endsWithName = true;
    else this.#isStrange = true;
  }
}

function beginsOperand(lexer: Lexer, word: string): boolean {
  if (lexer.kind === Kind.symbol) return lexer.isSymbol("(");
  return !OPERATORS.has(word);
}

function kindOf(lexer: Lexer, word: string): "operator" | "word" | "string" | "operand" {
  switch (lexer.kind) {
    case Kind.symbol:
      return lexer.isSymbol(")") ? "operand" : "operator";
    case Kind.word:
      return OPERATORS.has(word) ? "operator" : "word";
    case Kind.string:
      return "string";
    default:
      return "operand";
  }
}
