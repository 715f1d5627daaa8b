/**
 * GET DIAGNOSTICS, as far as a text tells what it asks for and where the answers go.
 * https://dev.mysql.com/doc/refman/9.0/en/get-diagnostics.html
 * https://mariadb.com/kb/en/get-diagnostics/
 */
import { isMariadb } from "./function_names.ts";
import { Kind, Lexer } from "./lexer.ts";
import type { Range, SqlMode } from "./mode.ts";

/** What there is to be known of a condition. */
export const CONDITION_ITEMS = [
  ...["CLASS_ORIGIN", "SUBCLASS_ORIGIN", "RETURNED_SQLSTATE", "MESSAGE_TEXT", "MYSQL_ERRNO"],
  ...["CONSTRAINT_CATALOG", "CONSTRAINT_SCHEMA", "CONSTRAINT_NAME", "CATALOG_NAME", "SCHEMA_NAME"],
  ...["TABLE_NAME", "COLUMN_NAME", "CURSOR_NAME"],
] as const;

/** MariaDB alone has it. */
const ROW_NUMBER = "ROW_NUMBER";

export type ConditionItem = typeof CONDITION_ITEMS[number] | typeof ROW_NUMBER;

export type StatementItem = "NUMBER" | "ROW_COUNT";

/** A user variable, as it is written in the text, and what it gets. */
export interface DiagnosticsTarget<Item extends string> {
  readonly variable: Uint8Array;
  readonly item: Item;
}

export type DiagnosticsRequest =
  | { readonly kind: "statement"; readonly targets: readonly DiagnosticsTarget<StatementItem>[] }
  | {
    readonly kind: "condition";
    /** Counted from 1; as it is written where that is no plain number. */
    readonly number: number | Uint8Array;
    readonly targets: readonly DiagnosticsTarget<ConditionItem>[];
  };

const OF_STATEMENTS: ReadonlySet<string> = new Set(["NUMBER", "ROW_COUNT"]);
const OF_CONDITIONS: ReadonlySet<string> = new Set([...CONDITION_ITEMS, ROW_NUMBER]);

/** Words that are values. */
const VALUES: ReadonlySet<string> = new Set(["NULL", "TRUE", "FALSE"]);

/**
 * @param range one statement
 * @returns undefined for every other statement, and for what no server takes outside of routines:
 *   GET STACKED DIAGNOSTICS, variables of routines
 */
export function readGetDiagnostics(
  bytes: Uint8Array,
  range: Range,
  mode: SqlMode,
): DiagnosticsRequest | undefined {
  const lexer = new Lexer().begin(bytes, range, mode);
  lexer.next();
  if (!skip(lexer, "GET")) return undefined;
  skip(lexer, "CURRENT");
  if (!skip(lexer, "DIAGNOSTICS")) return undefined;
  if (!skip(lexer, "CONDITION")) {
    const targets = readTargets<StatementItem>(bytes, lexer, OF_STATEMENTS);
    return targets && { kind: "statement", targets };
  }
  const number = readNumber(bytes, lexer);
  if (number === undefined) return undefined;
  const targets = readTargets<ConditionItem>(bytes, lexer, OF_CONDITIONS);
  if (targets === undefined) return undefined;
  const { serverVersion } = mode;
  const isKnown = serverVersion === undefined || isMariadb(serverVersion) ||
    targets.every(({ item }) => item !== ROW_NUMBER);
  return isKnown ? { kind: "condition", number, targets } : undefined;
}

function skip(lexer: Lexer, word: string): boolean {
  const isThere = lexer.is(word);
  if (isThere) lexer.next();
  return isThere;
}

/** A literal without a sign, or a variable. */
function readNumber(bytes: Uint8Array, lexer: Lexer): number | Uint8Array | undefined {
  const { kind, start } = lexer;
  let { end } = lexer;
  const word = lexer.upper();
  if (kind === Kind.number || kind === Kind.variable || VALUES.has(word)) {
    lexer.next();
  } else if (kind === Kind.string || word.startsWith("_")) {
    if (kind !== Kind.string) lexer.next();
    if (lexer.kind !== Kind.string) return undefined;
    for (; lexer.kind === Kind.string; lexer.next()) end = lexer.end;
  } else {
    return undefined;
  }
  const written = bytes.slice(start, end);
  const text = String.fromCharCode(...written.subarray(0, LONGEST_NUMBER + 1));
  const isPlain = /^\d+$/.test(text) && text.length <= LONGEST_NUMBER;
  return isPlain ? Number(text) : written;
}

const LONGEST_NUMBER = 15;

/** `@a = ITEM, @b = ITEM`, up to the end. */
function readTargets<Item extends string>(
  bytes: Uint8Array,
  lexer: Lexer,
  items: ReadonlySet<string>,
): DiagnosticsTarget<Item>[] | undefined {
  const targets: DiagnosticsTarget<Item>[] = [];
  for (;;) {
    const { kind, start, end } = lexer;
    const isUser = kind === Kind.variable && end > start + 1 && bytes[start + 1] !== AT;
    lexer.next();
    if (!isUser || !lexer.isSymbol("=")) return undefined;
    lexer.next();
    const item = lexer.upper();
    if (!items.has(item)) return undefined;
    targets.push({ variable: bytes.slice(start, end), item: item as Item });
    lexer.next();
    if (!lexer.isSymbol(",")) break;
    lexer.next();
  }
  return lexer.kind === Kind.end && !lexer.isUnterminated ? targets : undefined;
}

const AT = 0x40;
