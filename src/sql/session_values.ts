/**
 * SELECT lists that ask a session about itself, with the answers put in: `SELECT CONNECTION_ID()`
 * tells a client the id it knows, and `SELECT ROW_COUNT()` is right on any server session.
 */
import { Kind, Lexer } from "./lexer.ts";
import type { Range, SqlMode } from "./mode.ts";
import { SelectItem } from "./select_item.ts";

/** What the functions and variables shall give; those that are not here are left alone. */
export interface SessionValues {
  readonly connectionId?: number;
  readonly rowCount?: number | bigint;
  readonly foundRows?: number | bigint;
  readonly warningCount?: number;
  readonly errorCount?: number;
}

export interface SessionValuesOptions {
  readonly mode: SqlMode;
  readonly values: SessionValues;
}

/** Puts `text` in place of the bytes from `start` to `end`. */
interface Edit extends Range {
  readonly text: string;
}

/** May stand between SELECT and the first item. */
const MODIFIERS: ReadonlySet<string> = new Set([
  ...["ALL", "DISTINCT", "DISTINCTROW", "HIGH_PRIORITY", "STRAIGHT_JOIN", "SQL_SMALL_RESULT"],
  ...["SQL_BIG_RESULT", "SQL_BUFFER_RESULT", "SQL_NO_CACHE", "SQL_CACHE", "SQL_CALC_FOUND_ROWS"],
]);

/** What may come behind the list, or behind FROM DUAL. All of it is reserved. */
const CLAUSES: ReadonlySet<string> = new Set([
  ...["WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "FOR", "LOCK", "PROCEDURE"],
]);

/**
 * Where one of these is, the server's own id may be meant: it is compared with what the server
 * keeps, or kept for later. Behind UNION and the like a list is no longer the only one.
 */
const REFUSED: ReadonlySet<string> = new Set([
  ...["INTO", "UNION", "EXCEPT", "INTERSECT", "MINUS", "IS_USED_LOCK", "IS_FREE_LOCK", "SYS"],
  ...["PROCESSLIST", "PERFORMANCE_SCHEMA", "INFORMATION_SCHEMA", "PS_THREAD_ID"],
]);

/** These may keep counts for later: those are as good then. */
const ALLOWED_FOR_COUNTS: ReadonlySet<string> = new Set(["INTO", ":="]);

const REFUSED_SYMBOLS: ReadonlySet<string> = new Set([":=", "{", ";"]);

/** Column names of items are cut behind that many bytes. */
const LONGEST_NAME = 255;

/**
 * The statement with the values in their places in the list of a SELECT that reads no table. Columns
 * keep the names and types that they would have.
 * @param range one statement
 * @returns undefined where nothing is to be replaced or where it might be wrong to
 */
export function withSessionValues(
  bytes: Uint8Array,
  range: Range,
  { mode, values }: SessionValuesOptions,
): Uint8Array | undefined {
  const lexer = new Lexer().begin(bytes, range, mode);
  if (!lexer.next() || !lexer.is("SELECT")) return undefined;
  const edits = new SelectList(bytes, lexer, values).read();
  return edits.length === 0 ? undefined : apply(bytes, range, edits);
}

/** What stands in place of a call. The other branch gives the column its type and length. */
function callText(word: string, values: SessionValues): string | undefined {
  const { connectionId, rowCount, foundRows } = values;
  switch (word) {
    case "CONNECTION_ID":
      // Ten digits: the length of the column is that of CONNECTION_ID() in MariaDB, too.
      return connectionId === undefined
        ? undefined
        : `CAST(${String(connectionId).padStart(10, "0")} AS UNSIGNED)`;
    case "ROW_COUNT":
      return rowCount === undefined ? undefined : `IF(1,${rowCount},ROW_COUNT())`;
    case "FOUND_ROWS":
      return foundRows === undefined ? undefined : `IF(1,${foundRows},FOUND_ROWS())`;
    default:
      return undefined;
  }
}

function unsigned(value: number | bigint, expression: string): string {
  return `IF(1,CAST(${value} AS UNSIGNED),${expression})`;
}

function variableText(
  name: string,
  { warningCount, errorCount }: SessionValues,
): string | undefined {
  switch (name.replace(/^@@(session\.|local\.)?/i, "").toLowerCase()) {
    case "warning_count":
      return warningCount === undefined ? undefined : unsigned(warningCount, "@@warning_count");
    case "error_count":
      return errorCount === undefined ? undefined : unsigned(errorCount, "@@error_count");
    default:
      return undefined;
  }
}

/** Reads a SELECT behind its first word. */
class SelectList {
  readonly #bytes: Uint8Array;
  readonly #lexer: Lexer;
  readonly #values: SessionValues;
  readonly #edits: Edit[] = [];
  #depth = 0;
  /** Depth of parentheses in which a subquery began, 0 outside of one. */
  #subquery = 0;
  #item = new SelectItem();
  #itemHasCall = false;
  /** A call that is being read: how many of its three tokens, and where it begins. */
  readonly #call = { tokens: 0, start: 0, text: "" };

  constructor(bytes: Uint8Array, lexer: Lexer, values: SessionValues) {
    this.#bytes = bytes;
    this.#lexer = lexer;
    this.#values = values;
  }

  /** What is to be changed; nothing where anything speaks against it. */
  read(): readonly Edit[] {
    const isSafe = this.#readList() && this.#readRest();
    const { sawVersion, isUnterminated } = this.#lexer;
    return isSafe && !sawVersion && !isUnterminated ? this.#edits : [];
  }

  /** Up to the first clause behind the list. */
  #readList(): boolean {
    const lexer = this.#lexer;
    while (lexer.next() && MODIFIERS.has(lexer.upper()));
    let isBehindPoint = false;
    for (; lexer.kind !== Kind.end; lexer.next()) {
      if (this.#isRefused()) return false;
      const word = isBehindPoint ? "" : lexer.upper();
      isBehindPoint = lexer.isSymbol(".");
      if (this.#depth === 0 && (word === "FROM" || CLAUSES.has(word))) break;
      if (this.#depth === 0 && lexer.isSymbol(",")) {
        if (!this.#closeItem()) return false;
        continue;
      }
      this.#readToken(word);
      if (this.#depth < 0) return false;
    }
    // MariaDB reads one word more before it names the column: `CONNECTION_ID() FOR`.
    const isNamedByMore = lexer.is("FOR") && this.#itemHasCall && !this.#item.hasName;
    return this.#depth === 0 && !isNamedByMore && this.#closeItem();
  }

  #readToken(word: string): void {
    const lexer = this.#lexer;
    if (lexer.isSymbol(")")) {
      this.#depth--;
      if (this.#depth < this.#subquery) this.#subquery = 0;
    }
    this.#item.read(lexer, word, this.#depth > 0);
    if (lexer.isSymbol("(")) this.#depth++;
    if (this.#subquery > 0) return;
    if (this.#depth > 0 && (word === "SELECT" || word === "WITH")) this.#subquery = this.#depth;
    if (lexer.kind === Kind.variable) this.#readVariable();
    this.#readCall(word);
  }

  /** Looks for the name, `(` and `)`, one behind the other. */
  #readCall(word: string): void {
    const lexer = this.#lexer;
    const call = this.#call;
    const goesOn = call.tokens === 1
      ? lexer.isSymbol("(")
      : call.tokens === 2 && lexer.isSymbol(")");
    if (goesOn) {
      call.tokens++;
    } else {
      const text = word === "" ? undefined : callText(word, this.#values);
      call.tokens = text === undefined ? 0 : 1;
      call.start = lexer.start;
      call.text = text ?? "";
    }
    if (call.tokens < 3) return;
    call.tokens = 0;
    this.#edit(call.start, call.text);
  }

  #readVariable(): void {
    const { start, end } = this.#lexer;
    const text = variableText(this.#text(start, end), this.#values);
    if (text !== undefined) this.#edit(start, text);
  }

  /** Replaces what ends with the lexer's token. */
  #edit(start: number, text: string): void {
    this.#edits.push({ start, end: this.#lexer.end, text });
    this.#itemHasCall = true;
  }

  /** Gives the item its name where that was its text. @returns false where it cannot be told */
  #closeItem(): boolean {
    const { start, end, hasName } = this.#item;
    const isChanged = this.#itemHasCall;
    this.#item = new SelectItem();
    this.#itemHasCall = false;
    this.#call.tokens = 0;
    if (!isChanged || hasName === true) return true;
    const text = this.#bytes.subarray(start, end);
    if (hasName === undefined || text.length > LONGEST_NAME || !text.every(isPlain)) return false;
    const name = String.fromCharCode(...text).replaceAll("`", "``");
    this.#edits.push({ start: end, end, text: ` AS \`${name}\`` });
    return true;
  }

  #readRest(): boolean {
    const lexer = this.#lexer;
    if (lexer.is("FROM")) {
      if (!lexer.next() || !lexer.is("DUAL")) return false;
      lexer.next();
    }
    if (lexer.kind === Kind.end) return true;
    if (!CLAUSES.has(lexer.upper())) return false;
    do {
      if (this.#isRefused()) return false;
    } while (lexer.next());
    return true;
  }

  #isRefused(): boolean {
    const { kind, start, end } = this.#lexer;
    switch (kind) {
      case Kind.word:
        return this.#isRefusedName(this.#lexer.upper(), REFUSED);
      case Kind.quotedName:
        return REFUSED.has(this.#text(start + 1, end - 1).toUpperCase());
      case Kind.symbol:
        return this.#isRefusedName(this.#text(start, end), REFUSED_SYMBOLS);
      default:
        return false;
    }
  }

  #isRefusedName(name: string, refused: ReadonlySet<string>): boolean {
    const isAllowed = this.#values.connectionId === undefined && ALLOWED_FOR_COUNTS.has(name);
    return refused.has(name) && !isAllowed;
  }

  #text(start: number, end: number): string {
    return end - start > LONGEST_NAME
      ? ""
      : String.fromCharCode(...this.#bytes.subarray(start, end));
  }
}

/** Other bytes might become another name on their way through the character sets. */
function isPlain(byte: number): boolean {
  return (byte >= 0x20 && byte < 0x7f) || (byte >= 0x09 && byte <= 0x0d);
}

function apply(bytes: Uint8Array, range: Range, edits: readonly Edit[]): Uint8Array {
  const encoder = new TextEncoder();
  const pieces: Uint8Array[] = [];
  let at = range.start;
  for (const { start, end, text } of edits) {
    pieces.push(bytes.subarray(at, start), encoder.encode(text));
    at = end;
  }
  pieces.push(bytes.subarray(at, range.end));
  const result = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let length = 0;
  for (const piece of pieces) {
    result.set(piece, length);
    length += piece.length;
  }
  return result;
}
