/**
 * The notation in which the table of commands writes what a statement looks like, for instance
 * `KILL [HARD|SOFT] [CONNECTION|QUERY] id`: upper case stands for words, lower case for operands
 * (see operand_forms.ts), `[]` for what may be left out, `{}` for what may not, `|` between
 * alternatives; every other character stands for itself. One text makes the matcher and the help.
 */
import type { Token } from "../sql/tokens.ts";
import { formOf } from "./operand_forms.ts";

type Piece =
  | { readonly kind: "word" | "symbol" | "operand"; readonly text: string }
  | { readonly kind: "choice"; readonly options: readonly Piece[][]; readonly optional: boolean };

/** A statement of this syntax: its words and what stands for its operands. */
export interface Match {
  readonly words: readonly string[];
  readonly operands: ReadonlyMap<string, readonly Token[]>;
}

/** Where a statement leaves the syntax, and what could stand there. */
export interface Mismatch {
  /** Index of the token, or the number of tokens where more was wanted. */
  readonly at: number;
  readonly wanted: readonly string[];
  /** Whether the statement has the keyword, so that it can be nothing else. */
  readonly isRecognised: boolean;
}

interface State {
  readonly at: number;
  readonly words: readonly string[];
  readonly operands: readonly (readonly [string, readonly Token[]])[];
}

/** Begin statements of servers too; the word behind them makes a statement the proxy's. */
const COMMON_WORDS = ["SHOW", "ALTER", "PING", "SELECT", "EXPLAIN"];

export class Syntax {
  readonly text: string;
  /** The words that it cannot do without: `SHOW PROCESSLIST`. */
  readonly name: string;
  readonly firstWord: string;
  /** The first word that no statement of a server has in its place. */
  readonly keyword: string;
  readonly #pieces: readonly Piece[];

  constructor(text: string) {
    this.text = text;
    this.#pieces = compile(text);
    const words = this.#pieces.flatMap((piece) => piece.kind === "word" ? [piece.text] : []);
    this.name = words.join(" ");
    this.firstWord = words[0]!;
    this.keyword = words.find((word) => !COMMON_WORDS.includes(word))!;
  }

  match(tokens: readonly Token[]): Match | Mismatch {
    const search = new Search(tokens, this.keyword);
    for (const state of search.walk(this.#pieces, { at: 0, words: [], operands: [] })) {
      if (state.at === tokens.length) {
        return { words: state.words, operands: new Map(state.operands) };
      }
      search.miss(state.at, "the end");
    }
    return search;
  }
}

export function isMatch(outcome: Match | Mismatch): outcome is Match {
  return "words" in outcome;
}

/** Tries all ways through a syntax and remembers the farthest that one got. */
class Search implements Mismatch {
  at = 0;
  wanted: string[] = [];
  isRecognised = false;
  readonly #tokens: readonly Token[];
  readonly #keyword: string;

  constructor(tokens: readonly Token[], keyword: string) {
    this.#tokens = tokens;
    this.#keyword = keyword;
  }

  *walk(pieces: readonly Piece[], state: State): Generator<State> {
    const [piece, ...rest] = pieces;
    if (piece === undefined) {
      yield state;
    } else if (piece.kind === "choice") {
      for (const option of piece.options) {
        for (const next of this.walk(option, state)) yield* this.walk(rest, next);
      }
      if (piece.optional) yield* this.walk(rest, state);
    } else {
      const next = this.#take(piece.kind, piece.text, state);
      if (next !== undefined) yield* this.walk(rest, next);
    }
  }

  miss(at: number, wanted: string): void {
    if (at < this.at) return;
    if (at > this.at) {
      this.at = at;
      this.wanted = [];
    }
    if (!this.wanted.includes(wanted)) this.wanted.push(wanted);
  }

  #take(kind: "word" | "symbol" | "operand", text: string, state: State): State | undefined {
    const { at, words, operands } = state;
    if (kind === "operand") {
      const form = formOf(text);
      const count = form.take(this.#tokens, at);
      if (count === 0) return this.#missed(at, form.wanted);
      const taken = this.#tokens.slice(at, at + count);
      return { at: at + count, words, operands: [...operands, [text, taken]] };
    }
    const token = this.#tokens[at];
    if (token?.kind !== kind || token.text.toUpperCase() !== text) return this.#missed(at, text);
    if (kind === "symbol") return { at: at + 1, words, operands };
    if (text === this.#keyword) this.isRecognised = true;
    return { at: at + 1, words: [...words, text], operands };
  }

  #missed(at: number, wanted: string): undefined {
    this.miss(at, wanted);
  }
}

const PIECE = /\s*(?:([A-Z_]+)|([a-z_]+)|(\S))/gy;

function compile(text: string): Piece[] {
  const marks = [...text.matchAll(PIECE)];
  let next = 0;
  function sequence(): Piece[] {
    const pieces: Piece[] = [];
    for (; next < marks.length; next++) {
      const [, word, operand, symbol] = marks[next]!;
      if (word !== undefined) pieces.push({ kind: "word", text: word });
      else if (operand !== undefined) pieces.push({ kind: "operand", text: operand });
      else if (symbol === "[" || symbol === "{") pieces.push(choice(symbol === "["));
      else if (symbol === "]" || symbol === "}" || symbol === "|") break;
      else pieces.push({ kind: "symbol", text: symbol! });
    }
    return pieces;
  }
  function choice(optional: boolean): Piece {
    const options: Piece[][] = [];
    do {
      next++;
      options.push(sequence());
    } while (marks[next]?.[3] === "|");
    return { kind: "choice", options, optional };
  }
  const pieces = sequence();
  if (next < marks.length) throw new Error(`Cannot read the syntax "${text}"`);
  return pieces;
}
