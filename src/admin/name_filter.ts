/** The end of SHOW VARIABLES and its like: which names are wanted. */
import { isLike } from "./like.ts";
import type { TokenReader } from "./token_reader.ts";

type NameFilter = (name: string) => boolean;

/**
 * `LIKE 'p'`, or `WHERE` with conditions on one column that are joined by OR; undefined where it is
 * more than this. Letter case does not count.
 * @param column the one with the names, in upper case
 */
export function readNameFilter(reader: TokenReader, column: string): NameFilter | undefined {
  let filter: NameFilter | undefined = () => true;
  if (reader.word("LIKE") !== undefined) filter = readPattern(reader);
  else if (reader.word("WHERE") !== undefined) filter = readConditions(reader, column);
  return reader.isAtEnd ? filter : undefined;
}

/** A backslash before `_` is left out: no two names differ in that character alone. */
function readPattern(reader: TokenReader): NameFilter | undefined {
  const pattern = reader.take("string")?.text.toLowerCase().replaceAll("\\", "");
  return pattern === undefined ? undefined : (name) => isLike(name.toLowerCase(), pattern);
}

function readConditions(reader: TokenReader, column: string): NameFilter | undefined {
  const conditions: NameFilter[] = [];
  do {
    const condition = readCondition(reader, column);
    if (condition === undefined) return undefined;
    conditions.push(condition);
  } while (reader.word("OR") !== undefined);
  return (name) => conditions.some((condition) => condition(name));
}

function readCondition(reader: TokenReader, column: string): NameFilter | undefined {
  if (reader.symbol("(")) {
    const inner = readConditions(reader, column);
    return reader.symbol(")") ? inner : undefined;
  }
  if (reader.take("word", "quoted_name")?.text.toUpperCase() !== column) return undefined;
  if (reader.word("LIKE") !== undefined) return readPattern(reader);
  if (reader.symbol("=")) return oneOf([reader.take("string")?.text]);
  if (reader.word("IN") === undefined || !reader.symbol("(")) return undefined;
  const names: (string | undefined)[] = [];
  do names.push(reader.take("string")?.text); while (reader.symbol(","));
  return reader.symbol(")") ? oneOf(names) : undefined;
}

function oneOf(names: readonly (string | undefined)[]): NameFilter | undefined {
  if (names.includes(undefined)) return undefined;
  const wanted = new Set(names.map((name) => name?.toLowerCase()));
  return (name) => wanted.has(name.toLowerCase());
}
