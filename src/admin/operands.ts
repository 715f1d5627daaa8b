/** The operands of one execution, with the values of its parameters in place. */
import type { Value } from "../protocol/binary_value.ts";
import { ColumnType } from "../protocol/constants.ts";
import { toText } from "../protocol/text_value.ts";
import type { Token } from "../sql/tokens.ts";
import { parseId } from "./operand_forms.ts";
import { badCommand } from "./refusals.ts";
import type { Match } from "./syntax.ts";

/** `CONNECTION_ID()` in place of an id. */
export type IdOperand = bigint | "own";

export class Operands {
  readonly #match: Match;
  readonly #parameters: readonly Token[];
  readonly #values: readonly Value[];

  /** @param parameters all parameter tokens of the statement, in order, to which `values` belong */
  constructor(match: Match, parameters: readonly Token[], values: readonly Value[]) {
    this.#match = match;
    this.#parameters = parameters;
    this.#values = values;
  }

  /** Whether the statement has this word. */
  has(word: string): boolean {
    return this.#match.words.includes(word);
  }

  tokens(name: string): readonly Token[] | undefined {
    return this.#match.operands.get(name);
  }

  /** The value that stands for a `?`; NULL where the caller gave too few. */
  parameter(token: Token): Value {
    return this.#values[this.#parameters.indexOf(token)] ?? null;
  }

  /** An operand as text; undefined where it was left out, and for a parameter that is NULL. */
  text(name: string): string | undefined {
    const tokens = this.tokens(name);
    if (tokens === undefined) return undefined;
    if (tokens[0]?.kind !== "parameter") return tokens.map(({ text }) => text).join("");
    const value = this.parameter(tokens[0]);
    return value === null ? undefined : toText(value, ColumnType.VAR_STRING);
  }

  /**
   * A whole number; NULL counts as 0, as servers take it.
   * @throws {SluiceError} for a parameter that is no whole number of 64 bits
   */
  integer(name: string): bigint | undefined {
    const tokens = this.tokens(name);
    if (tokens === undefined) return undefined;
    const text = this.text(name) ?? "0";
    const digits = text.replace(/^[-+]/, "");
    const size = parseId(digits);
    if (size === undefined) throw badCommand(`wanted a whole number, got '${text.slice(0, 32)}'`);
    return text.startsWith("-") ? -size : size;
  }

  /** The id of a session. @throws {SluiceError} as {@linkcode integer} does */
  id(name = "id"): IdOperand | undefined {
    return this.tokens(name)?.[0]?.kind === "word" ? "own" : this.integer(name);
  }
}
