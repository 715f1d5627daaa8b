/** What may stand for an operand in the syntax of a statement. */
import type { Token } from "../sql/tokens.ts";

interface OperandForm {
  /** For messages: "wanted an id". */
  readonly wanted: string;
  /** Number of tokens that stand for it from `at` on; 0 where none do. */
  take(tokens: readonly Token[], at: number): number;
}

const LARGEST = 0xffff_ffff_ffff_ffffn;
const INTEGER = /^(?:\d+|0x[0-9a-f]+)$/i;

/** The whole number of a text in [0, 2^64); undefined for any other text. */
export function parseId(text: string): bigint | undefined {
  const trimmed = text.trim();
  if (!INTEGER.test(trimmed) || trimmed.length > 64) return undefined;
  const id = BigInt(trimmed);
  return id <= LARGEST ? id : undefined;
}

const ID: OperandForm = {
  wanted: `an id from 0 to ${LARGEST}`,
  take(tokens, at) {
    const first = tokens[at];
    if (first?.kind === "parameter") return 1;
    if (first?.kind === "string") return isId(first) ? 1 : 0;
    const sign = first?.kind === "symbol" && (first.text === "-" || first.text === "+") ? 1 : 0;
    const number = tokens[at + sign];
    return number?.kind === "number" && isId(number) ? sign + 1 : 0;
  },
};

function isId(token: Token): boolean {
  return parseId(token.text) !== undefined;
}

function isCall(tokens: readonly Token[], at: number): boolean {
  const [name, open, close] = tokens.slice(at, at + 3);
  return name?.kind === "word" && name.text.toUpperCase() === "CONNECTION_ID" &&
    open?.text === "(" && close?.text === ")";
}

/** The id of a session may also be written `CONNECTION_ID()`. */
const SESSION: OperandForm = {
  wanted: ID.wanted,
  take: (tokens, at) => isCall(tokens, at) ? 3 : ID.take(tokens, at),
};

function oneOf(wanted: string, ...kinds: readonly Token["kind"][]): OperandForm {
  return {
    wanted,
    take: (tokens, at) => {
      const kind = tokens[at]?.kind;
      return kind !== undefined && kinds.includes(kind) ? 1 : 0;
    },
  };
}

/** One string, or whatever is typed without a space: `10s`, `-1`, `127.0.0.1:2883`. */
const VALUE: OperandForm = {
  wanted: "a value",
  take(tokens, at) {
    let count = 0;
    for (let token = tokens[at]; token !== undefined; token = tokens[at + count]) {
      if (count > 0 && token.start !== tokens[at + count - 1]!.end) break;
      count++;
    }
    // What comes behind a comma and a space is no part of it: a second setting, for instance.
    const isCut = count > 1 && tokens[at + count] !== undefined;
    return isCut && tokens[at + count - 1]!.text === "," ? count - 1 : count;
  },
};

function rest(wanted: string): OperandForm {
  return { wanted, take: (tokens, at) => tokens.length - at };
}

/** Of what can be explained; anything else behind EXPLAIN is the name of a table. */
const STATEMENT: OperandForm = {
  wanted: "a statement",
  take: (tokens, at) => {
    const first = tokens[at];
    const begins = first?.kind === "word" && EXPLAINED.includes(first.text.toUpperCase());
    return begins ? tokens.length - at : 0;
  },
};

const EXPLAINED = ["SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE", "WITH", "CALL", "LOAD"];

const PATTERN = oneOf("a pattern", "string", "word", "quoted_name", "parameter");
const NAME = oneOf("a name", "word", "quoted_name", "string");

const FORMS: Readonly<Record<string, OperandForm>> = {
  id: SESSION,
  "ss_id": ID,
  "query_id": ID,
  "thread_id": ID,
  rows: { ...ID, wanted: "a number of rows" },
  offset: { ...ID, wanted: "a number of rows" },
  user: oneOf("a user", "string", "word", "quoted_name", "parameter"),
  pattern: PATTERN,
  name: NAME,
  value: VALUE,
  dbkey: { ...VALUE, wanted: "the name of a pool" },
  condition: rest("a condition"),
  statement: STATEMENT,
  what: rest("an operand"),
};

/** @throws {Error} for a name that no form has: a defect of the table */
export function formOf(operand: string): OperandForm {
  const form = FORMS[operand];
  if (form === undefined) throw new Error(`There is no operand "${operand}"`);
  return form;
}
