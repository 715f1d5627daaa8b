/**
 * Reads the tokens of one statement, and finds on its way what expressions do, wherever they stand.
 * Who knows the statement's syntax asks for tokens one by one and adds what only it can know.
 */
import { isHostMark } from "./call_context.ts";
import { CallReader } from "./call_reader.ts";
import { decodeIn } from "./charsets.ts";
import type { Findings, TableName } from "./classified.ts";
import { Ask, Effect } from "./effects.ts";
import { Kind, Lexer } from "./lexer.ts";
import type { Range, SqlMode } from "./mode.ts";
import { unquote } from "./unquote.ts";

const AT = 0x40;

/** System variables that tell of the session's past. */
const ASKED: ReadonlyMap<string, number> = new Map([
  ["last_insert_id", Ask.lastInsertId],
  ["identity", Ask.lastInsertId],
  ["warning_count", Ask.diagnostics],
  ["error_count", Ask.diagnostics],
  ["pseudo_thread_id", Ask.connectionId],
  ["last_gtid", Ask.lastGtid],
]);

/** Statements that change data, and functions where a parenthesis follows. */
const WRITES: ReadonlySet<string> = new Set(["INSERT", "UPDATE", "DELETE", "REPLACE"]);

/** `/* sluice: server=NAME`, as one character a byte. */
const SERVER_HINT = /^\/\*[ \t\n\v\f\r]*sluice[ \t]*:[ \t]*server[ \t]*=[ \t]*([^\s*,;]+)/i;
const LONGEST_HINT = 256;

export class StatementReader {
  readonly found: Findings;
  readonly mode: SqlMode;
  readonly bytes: Uint8Array;
  /** The token in upper case if it is a word, empty for others and for names behind a point. */
  word = "";
  /** How many parentheses are open. */
  depth = 0;
  /** The text that EXECUTE IMMEDIATE runs. */
  innerText: Uint8Array | undefined;
  readonly #lexer: Lexer;
  readonly #start: number;
  readonly #calls: CallReader;
  #isBehindPoint = false;
  /** Words before the token. */
  #previous = "";
  #beforePrevious = "";
  /** A user variable whose use shows with the next token. */
  #variable: string | undefined;
  #isInInto = false;
  /** Behind `@@session` and the like, which a point and a name may follow. */
  #isBehindScope = false;

  constructor(bytes: Uint8Array, range: Range, mode: SqlMode, found: Findings) {
    this.bytes = bytes;
    this.mode = mode;
    this.found = found;
    this.#start = range.start;
    this.#lexer = new Lexer().begin(bytes, range, mode, { showsComments: true });
    this.#calls = new CallReader(this, found);
  }

  get kind(): Kind {
    return this.#lexer.kind;
  }

  get start(): number {
    return this.#lexer.start;
  }

  get end(): number {
    return this.#lexer.end;
  }

  /** Whether parentheses behind names are those of calls. Names of columns have some, too. */
  set readsCalls(value: boolean) {
    this.#calls.isActive = value;
  }

  isEnd(): boolean {
    return this.kind === Kind.end;
  }

  /** Whether the token is this word; `upper` is in upper case. */
  is(upper: string): boolean {
    return this.word === upper;
  }

  isSymbol(text: string): boolean {
    return this.#lexer.isSymbol(text);
  }

  /** Begins with a statement's first word, the token that was read last. */
  beginStatement(): void {
    this.#calls.beginStatement(this.word);
  }

  /** Goes to the next token; false at the end of the statement. */
  next(): boolean {
    const lexer = this.#lexer;
    this.#beforePrevious = this.#previous;
    this.#previous = this.word;
    const isPoint = lexer.isSymbol(".");
    do {
      lexer.next();
      if (lexer.kind === Kind.comment) this.#readComment();
    } while (lexer.kind >= Kind.comment);
    this.#isBehindPoint = isPoint;
    this.word = isPoint ? "" : lexer.upper();
    this.#observe();
    return lexer.kind !== Kind.end;
  }

  /** Reads what is left. */
  finish(): void {
    while (!this.isEnd()) this.next();
    this.#calls.finish();
  }

  /** Goes behind the word if it is there. */
  skip(word: string): boolean {
    if (!this.is(word)) return false;
    this.next();
    return true;
  }

  /** Goes behind a name; undefined where there is none. */
  name(): string | undefined {
    if (this.kind !== Kind.word && this.kind !== Kind.quotedName) return undefined;
    const name = this.text();
    this.next();
    return name;
  }

  /** Goes behind a table's name. */
  table(): TableName | undefined {
    const first = this.name();
    if (first === undefined) return undefined;
    if (!this.isSymbol(".")) return { schema: undefined, name: first };
    this.next();
    return { schema: first, name: this.name() ?? "" };
  }

  /** What the token means: without quotes and escapes. */
  text(): string {
    return decodeIn(this.mode.charset, this.content());
  }

  /** The same as bytes. */
  content(): Uint8Array {
    const piece = this.bytes.subarray(this.start, this.end);
    const isPlain = this.kind === Kind.word || this.kind === Kind.number;
    return isPlain ? piece : unquote(piece, this.mode);
  }

  /** The name of the user variable that the token is, which is not read by this. */
  takeVariable(): string | undefined {
    const name = this.#variable;
    this.#variable = undefined;
    return name;
  }

  // ---- what is found on the way ----

  #observe(): void {
    const { found } = this;
    if (this.#variable !== undefined) {
      if (this.isSymbol(":=")) found.assign(this.#variable);
      else found.asks |= Ask.userVariables;
      this.#variable = undefined;
    }
    if (WRITES.has(this.#previous) && !this.isSymbol("(")) found.isWrite = true;
    this.#calls.read(this.#isBehindPoint);
    switch (this.kind) {
      case Kind.word:
        this.#readWord();
        break;
      case Kind.variable:
        this.#readVariable();
        return;
      case Kind.symbol:
        if (this.isSymbol("(")) this.depth++;
        else if (this.isSymbol(")")) this.depth--;
        else if (this.isSymbol(",")) return;
        else if (this.isSymbol(".")) return;
        break;
    }
    this.#isInInto = this.word === "INTO";
    if (this.#isBehindScope && this.#isBehindPoint) this.#ask(this.text());
    this.#isBehindScope = false;
  }

  #readWord(): void {
    const { found } = this;
    if (this.#isBehindPoint) {
      if (this.#lexer.is("NEXTVAL")) found.effects |= Effect.usesSequence;
      else if (this.#lexer.is("CURRVAL")) found.asks |= Ask.sequence;
      return;
    }
    switch (this.word) {
      case "SQL_CALC_FOUND_ROWS":
        found.effects |= Effect.calculatesFoundRows;
        break;
      case "OUTFILE":
      case "DUMPFILE":
        found.isWrite = true;
        break;
      case "SHARE":
        if (this.#previous === "FOR" || this.#previous === "IN") found.isWrite = true;
        break;
      case "FOR":
        if (this.#previous !== "VALUE") break;
        if (this.#beforePrevious === "NEXT") found.effects |= Effect.usesSequence;
        if (this.#beforePrevious === "PREVIOUS") found.asks |= Ask.sequence;
        break;
    }
  }

  #readVariable(): void {
    const { bytes, start } = this;
    this.#isBehindScope = false;
    if (start + 1 < this.end && bytes[start + 1] === AT) {
      this.#ask(this.text().slice(2));
      return;
    }
    if (isHostMark(bytes, start, this.#start)) return;
    const name = this.text().slice(1);
    if (this.#isInInto) this.found.assign(name);
    else this.#variable = name;
  }

  /** @param name of a system variable, its scope may be before it */
  #ask(name: string): void {
    const [last, ...before] = name.toLowerCase().split(".").reverse();
    this.found.asks |= ASKED.get(last!) ?? 0;
    this.#isBehindScope = before.length === 0;
  }

  #readComment(): void {
    const { start, end } = this.#lexer;
    const bytes = this.bytes.subarray(start, Math.min(end, start + LONGEST_HINT));
    const server = SERVER_HINT.exec(String.fromCharCode(...bytes))?.[1];
    if (server !== undefined) this.found.server = server;
  }
}
