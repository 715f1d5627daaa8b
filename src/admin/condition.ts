/**
 * `WHERE` of SHOW PROCESSLIST: comparisons of columns with values, joined by AND, OR and NOT. As in
 * SQL, text is compared without regard to letter case, and what NULL takes part in is unknown.
 */
import type { Value } from "../protocol/binary_value.ts";
import { ColumnType } from "../protocol/constants.ts";
import type { Column } from "../protocol/resultset.ts";
import { toText } from "../protocol/text_value.ts";
import type { Token } from "../sql/tokens.ts";
import type { Row } from "./answer.ts";
import { isLike } from "./like.ts";
import type { Operands } from "./operands.ts";
import { badCommand } from "./refusals.ts";
import { TokenReader } from "./token_reader.ts";

/** `null`: unknown. */
type Truth = boolean | null;
type Test = (row: Row) => Truth;
type Term = (row: Row) => Value;

/**
 * Which rows the statement's condition is true of; undefined where it has none.
 * @throws {SluiceError} bad_internal_command for other conditions than these
 */
export function readCondition(
  operands: Operands,
  columns: readonly Column[],
): ((row: Row) => boolean) | undefined {
  const tokens = operands.tokens("condition");
  if (tokens === undefined) return undefined;
  const test = new ConditionReader(tokens, operands, columns).read();
  return (row) => test(row) === true;
}

const COMPARISONS: Readonly<Record<string, (order: number) => boolean>> = {
  "=": (order) => order === 0,
  "<>": (order) => order !== 0,
  "!=": (order) => order !== 0,
  "<": (order) => order < 0,
  ">": (order) => order > 0,
  "<=": (order) => order <= 0,
  ">=": (order) => order >= 0,
};

class ConditionReader {
  readonly #tokens: readonly Token[];
  readonly #reader: TokenReader;
  readonly #operands: Operands;
  readonly #names: readonly string[];

  constructor(tokens: readonly Token[], operands: Operands, columns: readonly Column[]) {
    this.#tokens = tokens;
    this.#reader = new TokenReader(tokens);
    this.#operands = operands;
    this.#names = columns.map(({ name }) => name.toUpperCase());
  }

  read(): Test {
    const test = this.#or();
    if (!this.#reader.isAtEnd) throw this.#wrong("AND, OR or the end");
    return test;
  }

  #or(): Test {
    const tests = [this.#and()];
    while (this.#reader.word("OR") !== undefined || this.#reader.symbol("||")) {
      tests.push(this.#and());
    }
    return (row) => tests.map((test) => test(row)).reduce(either);
  }

  #and(): Test {
    const tests = [this.#not()];
    while (this.#reader.word("AND") !== undefined || this.#reader.symbol("&&")) {
      tests.push(this.#not());
    }
    // What is not both is one or the other not.
    return (row) => not(tests.map((test) => not(test(row))).reduce(either));
  }

  #not(): Test {
    const isNot = this.#reader.word("NOT") !== undefined || this.#reader.symbol("!");
    const test = isNot ? this.#not() : this.#predicate();
    return isNot ? (row) => not(test(row)) : test;
  }

  #predicate(): Test {
    if (this.#reader.symbol("(")) {
      const inner = this.#or();
      if (!this.#reader.symbol(")")) throw this.#wrong(")");
      return inner;
    }
    const left = this.#term();
    if (this.#reader.word("IS") !== undefined) {
      const isNot = this.#reader.word("NOT") !== undefined;
      if (this.#reader.word("NULL") === undefined) throw this.#wrong("NULL");
      return (row) => (left(row) === null) !== isNot;
    }
    const isNot = this.#reader.word("NOT") !== undefined;
    const test = this.#membership(left) ?? (isNot ? undefined : this.#comparison(left));
    if (test === undefined) throw this.#wrong("a comparison, LIKE, IN or IS");
    return isNot ? (row) => not(test(row)) : test;
  }

  #membership(left: Term): Test | undefined {
    if (this.#reader.word("LIKE") !== undefined) {
      const pattern = this.#term();
      return (row) => {
        const [text, form] = [textOf(left(row)), textOf(pattern(row))];
        if (text === null || form === null) return null;
        return form === "" ? text === "" : isLike(text.toLowerCase(), form.toLowerCase());
      };
    }
    if (this.#reader.word("IN") === undefined) return undefined;
    const terms: Term[] = [];
    if (!this.#reader.symbol("(")) throw this.#wrong("(");
    do terms.push(this.#term()); while (this.#reader.symbol(","));
    if (!this.#reader.symbol(")")) throw this.#wrong(")");
    return (row) => {
      const value = left(row);
      return terms.map((term) => equals(value, term(row))).reduce(either);
    };
  }

  #comparison(left: Term): Test | undefined {
    const operator = Object.keys(COMPARISONS).find((text) => this.#reader.symbol(text));
    const holds = COMPARISONS[operator ?? ""];
    if (holds === undefined) return undefined;
    const right = this.#term();
    return (row) => {
      const order = compare(left(row), right(row));
      return order === null ? null : holds(order);
    };
  }

  #term(): Term {
    if (this.#reader.word("NULL") !== undefined) return () => null;
    const isNegative = this.#reader.symbol("-");
    const number = this.#reader.take("number");
    if (number !== undefined) {
      const value = (isNegative ? -1 : 1) * Number(number.text);
      return () => value;
    }
    const literal = this.#reader.take("string", "parameter");
    if (literal !== undefined) {
      const value = literal.kind === "string" ? literal.text : this.#operands.parameter(literal);
      return () => value;
    }
    const name = this.#next;
    const index = name === undefined ? -1 : this.#names.indexOf(name.text.toUpperCase());
    if (index < 0 || this.#reader.take("word", "quoted_name") === undefined) {
      throw this.#wrong("a column or a value");
    }
    return (row) => row[index] ?? null;
  }

  get #next(): Token | undefined {
    return this.#tokens[this.#reader.at];
  }

  #wrong(wanted: string): Error {
    const given = this.#next;
    return badCommand(
      `wanted ${wanted} in the condition, got ${
        given === undefined ? "the end" : `'${given.text.slice(0, 40)}'`
      }`,
    );
  }
}

function not(truth: Truth): Truth {
  return truth === null ? null : !truth;
}

function either(left: Truth, right: Truth): Truth {
  if (left === true || right === true) return true;
  return left === null || right === null ? null : false;
}

function equals(left: Value, right: Value): Truth {
  const order = compare(left, right);
  return order === null ? null : order === 0;
}

function textOf(value: Value): string | null {
  return value === null ? null : toText(value, ColumnType.VAR_STRING);
}

/** Numbers by size when one side is a number; text that is none counts as 0, as servers take it. */
function compare(left: Value, right: Value): number | null {
  if (left === null || right === null) return null;
  if (isNumber(left) || isNumber(right)) return numberOf(left) - numberOf(right);
  const [first, second] = [textOf(left)!.toLowerCase(), textOf(right)!.toLowerCase()];
  return first === second ? 0 : first < second ? -1 : 1;
}

function isNumber(value: Value): boolean {
  return typeof value === "number" || typeof value === "bigint";
}

function numberOf(value: Value): number {
  return isNumber(value) ? Number(value) : Number.parseFloat(textOf(value) ?? "") || 0;
}
