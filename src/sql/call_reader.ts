/** Calls in expressions: which functions matter to a session, and which may be stored ones. */
import type { Findings } from "./classified.ts";
import { Ask, Effect } from "./effects.ts";
import { harmlessOn, isMariadb } from "./function_names.ts";
import { Kind } from "./lexer.ts";
import type { SqlMode } from "./mode.ts";
import type { WordSet } from "./word_set.ts";

/** Who reads the tokens; what it says of the one that was read last. */
export interface TokenReader {
  readonly bytes: Uint8Array;
  readonly mode: SqlMode;
  readonly kind: Kind;
  readonly start: number;
  readonly end: number;
  /** In upper case, empty for other tokens than words and for names behind a point. */
  readonly word: string;
  /** How many parentheses are open, without this token. */
  readonly depth: number;
  isSymbol(text: string): boolean;
  text(): string;
}

/** What a function asks. */
const ASKING: ReadonlyMap<string, number> = new Map([
  ["ROW_COUNT", Ask.rowCount],
  ["FOUND_ROWS", Ask.foundRows],
  ["CONNECTION_ID", Ask.connectionId],
  ["PS_CURRENT_THREAD_ID", Ask.connectionId],
  ["IS_USED_LOCK", Ask.connectionId],
]);

/** Behind these there is the name of a table, and parentheses have columns in them. */
const BEFORE_TABLE: ReadonlySet<string> = new Set(["INTO", "AS", "TABLE"]);
/** The same where a statement begins with INSERT or REPLACE. */
const BEFORE_TARGET: ReadonlySet<string> = new Set([
  ...["INSERT", "REPLACE", "LOW_PRIORITY", "HIGH_PRIORITY", "DELAYED", "IGNORE"],
]);

/** Statements that run what is in them once for each row. */
const REPEATING: ReadonlySet<string> = new Set(["UPDATE", "DELETE", "LOAD", "TABLE"]);

/** In these an expression certainly runs, once, if nothing chooses among rows or operands. */
const RUNNING: ReadonlySet<string> = new Set(["SELECT", "DO"]);
/** What does choose among rows. */
const CHOOSING: ReadonlySet<string> = new Set([
  ...["WHERE", "HAVING", "LIMIT", "FETCH", "INTERSECT", "EXCEPT"],
]);

/** More than any function's that is known here. */
const LONGEST_NAME = 64;

/** What the token behind a call's parenthesis decides. */
type Wait = "none" | "insertId" | "lockName" | "lockEnd";

export class CallReader {
  isActive = true;
  readonly #reader: TokenReader;
  readonly #found: Findings;
  readonly #harmless: WordSet;
  #first = "";
  #sawSelect = false;
  /** Calls may run several times, or not at all. */
  #isRepeated = false;
  /** A lock's release may not run at all. */
  #mayKeepLock = false;
  /** The name that was read last, and what stands before it and its schema. */
  readonly #name = { isThere: false, isQualified: false, isQuoted: false, start: 0, end: 0 };
  #beforeName = "";
  #previous = "";
  #isBehindFrom = false;
  /** WITH: depth of its parentheses, -1 outside; and whether a name of a query is to come. */
  #withDepth = -1;
  #expectsQuery = false;
  #isQueryName = false;
  #wasClosed = false;
  #wait: Wait = "none";
  #lockEffect = 0;
  #lockName = "";
  /** How many names were found before this statement. */
  readonly #namesBefore: number;

  constructor(reader: TokenReader, found: Findings) {
    this.#reader = reader;
    this.#found = found;
    this.#harmless = harmlessOn(reader.mode.serverVersion);
    this.#namesBefore = found.names.length;
  }

  beginStatement(first: string): void {
    // EXPLAIN and the like need not run what is behind them.
    if (this.#first !== "" || !RUNNING.has(first)) this.#mayKeepLock = true;
    this.#first = first;
    this.#sawSelect = false;
    if (REPEATING.has(first)) this.#isRepeated = true;
  }

  /** Reads the reader's token, before its depth is counted. */
  read(isBehindPoint: boolean): void {
    const reader = this.#reader;
    this.#decide();
    const { kind, word } = reader;
    if (this.#isBehindFrom && word !== "DUAL") this.#isRepeated = true;
    this.#isBehindFrom = word === "FROM";
    if (word === "SELECT") this.#sawSelect = true;
    else if (CHOOSING.has(word)) this.#mayKeepLock = true;
    if (reader.isSymbol("(")) this.#open();
    if (kind === Kind.word || kind === Kind.quotedName) {
      this.#readQuery();
      this.#readName(isBehindPoint);
    } else {
      this.#readSymbol();
      this.#name.isThere = false;
    }
    this.#previous = reader.isSymbol(",") ? "," : word;
  }

  finish(): void {
    this.#decide();
    const forgotten = (this.#isRepeated ? Effect.getsLock | Effect.releasesLock : 0) |
      (this.#mayKeepLock ? Effect.releasesLock : 0);
    if (forgotten === 0) return;
    const { names } = this.#found;
    for (let index = this.#namesBefore; index < names.length; index++) {
      const { effect } = names[index]!;
      if ((effect & forgotten) !== 0) names[index] = { effect, name: undefined };
    }
  }

  #readName(isBehindPoint: boolean): void {
    const { kind, start, end } = this.#reader;
    const name = this.#name;
    if (!isBehindPoint) this.#beforeName = this.#previous;
    name.isThere = true;
    name.isQualified = isBehindPoint;
    name.isQuoted = kind === Kind.quotedName;
    name.start = name.isQuoted ? start + 1 : start;
    name.end = name.isQuoted ? end - 1 : end;
  }

  // ---- names of queries, whose columns may stand behind them in parentheses ----

  #readQuery(): void {
    const { word, depth } = this.#reader;
    this.#wasClosed = false;
    this.#isQueryName = false;
    if (word === "WITH") {
      this.#withDepth = depth;
      this.#expectsQuery = true;
    } else if (this.#expectsQuery) {
      this.#isQueryName = word !== "RECURSIVE";
      this.#expectsQuery = !this.#isQueryName;
    } else if (depth === this.#withDepth && word !== "AS") {
      this.#withDepth = -1;
    }
  }

  #readSymbol(): void {
    const reader = this.#reader;
    const isSame = reader.depth === this.#withDepth;
    this.#expectsQuery = isSame && this.#wasClosed && reader.isSymbol(",");
    // The columns of a query, the query itself, and `)` and `,` are all that may be there.
    if (isSame && !this.#expectsQuery && (this.#wasClosed || !reader.isSymbol("("))) {
      this.#withDepth = -1;
    }
    this.#isQueryName = false;
    this.#wasClosed = reader.isSymbol(")");
  }

  // ---- calls ----

  #open(): void {
    const { isThere, isQualified, isQuoted, start, end } = this.#name;
    if (!isThere || !this.isActive || this.#isQueryName) return;
    if (BEFORE_TABLE.has(this.#beforeName)) return;
    const { bytes } = this.#reader;
    const text = end - start > LONGEST_NAME
      ? ""
      : String.fromCharCode(...bytes.subarray(start, end)).toUpperCase();
    const isInsert = (this.#first === "INSERT" || this.#first === "REPLACE") && !this.#sawSelect;
    if (isInsert && (BEFORE_TARGET.has(this.#beforeName) || text === "VALUE")) return;
    if (text === "BENCHMARK") this.#isRepeated = true;
    if (!isQualified && this.#isOwn(text, isQuoted)) return;
    if (isQualified || !this.#harmless.has(bytes, start, end)) {
      this.#found.effects |= Effect.calls;
    }
  }

  /** Whether the function is one of those that matter. */
  #isOwn(text: string, isQuoted: boolean): boolean {
    const found = this.#found;
    const asks = ASKING.get(text);
    if (asks !== undefined) {
      found.asks |= asks;
      return true;
    }
    switch (text) {
      case "LAST_INSERT_ID":
        this.#wait = "insertId";
        return true;
      case "GET_LOCK":
        this.#wait = "lockName";
        this.#lockEffect = Effect.getsLock;
        return true;
      case "RELEASE_LOCK":
        this.#wait = "lockName";
        this.#lockEffect = Effect.releasesLock;
        this.#release();
        return true;
      case "RELEASE_ALL_LOCKS":
        found.name(Effect.releasesLock, undefined, { all: true });
        this.#release();
        return true;
      case "NEXTVAL":
      case "SETVAL":
      case "LASTVAL":
        return !isQuoted && this.#readSequence(text);
      default:
        return false;
    }
  }

  /** It runs for certain where an expression begins with it, not as an operand or argument. */
  #release(): void {
    const isFirst = this.#beforeName === "," || RUNNING.has(this.#beforeName);
    if (this.#reader.depth > 0 || !isFirst) this.#mayKeepLock = true;
  }

  /** Where servers without sequences may be meant, they are stored functions as well. */
  #readSequence(text: string): boolean {
    if (text === "LASTVAL") this.#found.asks |= Ask.sequence;
    else this.#found.effects |= Effect.usesSequence;
    return isMariadb(this.#reader.mode.serverVersion);
  }

  #decide(): void {
    const reader = this.#reader;
    const found = this.#found;
    switch (this.#wait) {
      case "insertId":
        if (reader.isSymbol(")")) found.asks |= Ask.lastInsertId;
        else found.effects |= Effect.setsLastInsertId;
        break;
      case "lockName":
        if (reader.kind === Kind.string) {
          this.#lockName = reader.text();
          this.#wait = "lockEnd";
          return;
        }
        found.name(this.#lockEffect, undefined);
        break;
      case "lockEnd": {
        const isWhole = reader.isSymbol(",") || reader.isSymbol(")");
        found.name(this.#lockEffect, isWhole ? this.#lockName : undefined);
        break;
      }
    }
    this.#wait = "none";
  }
}
