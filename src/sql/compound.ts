/**
 * Which semicolons belong to the body of a routine, trigger or event, or to a compound statement of
 * MariaDB. Blocks are counted: what opens one does so only where a statement begins, except CASE.
 * https://dev.mysql.com/doc/refman/9.0/en/sql-compound-statements.html
 * https://mariadb.com/kb/en/using-compound-statements-outside-of-stored-programs/
 */
import { Kind, type Lexer } from "./lexer.ts";

/** Where the reader is. */
type Phase =
  /** Before the first word. */
  | "start"
  /** Behind BEGIN, which is a transaction's or MariaDB's. */
  | "begin"
  /** Behind CREATE or ALTER, before the kind of object. */
  | "object"
  /** Before the parameters of a routine. */
  | "routine"
  /** Before FOR EACH ROW. */
  | "trigger"
  /** Before DO. */
  | "event"
  /** What stands before a body: its first statement is what begins like one. */
  | "header"
  | "body"
  /** No semicolon belongs to the rest. */
  | "plain"
  /** All semicolons belong to the rest, which cannot be read here. */
  | "unreadable";

const BLOCKS: ReadonlySet<string> = new Set(["BEGIN", "IF", "LOOP", "WHILE", "REPEAT", "FOR"]);

/** Words that may stand behind END. */
const END_WORDS: ReadonlySet<string> = new Set(["IF", "CASE", "LOOP", "WHILE", "REPEAT", "FOR"]);

/** A body that begins with one of these has no block around it. */
const STATEMENTS: ReadonlySet<string> = new Set([
  ...["SELECT", "WITH", "VALUES", "TABLE", "INSERT", "REPLACE", "UPDATE", "DELETE", "SET", "CALL"],
  ...["RETURN", "DO", "CREATE", "ALTER", "DROP", "RENAME", "TRUNCATE", "SIGNAL", "RESIGNAL"],
  ...["PREPARE", "EXECUTE", "DEALLOCATE", "GRANT", "REVOKE", "SHOW", "ANALYZE", "CHECK", "KILL"],
]);

/** Behind these SET is part of a type. */
const BEFORE_TYPE_SET: ReadonlySet<string> = new Set(["RETURNS", "CHARACTER", "CHAR"]);

const FOLLOWED_BY_STATEMENT: ReadonlySet<string> = new Set(["BEGIN", "LOOP", "REPEAT"]);

/** Inside of a condition of DECLARE … HANDLER FOR, not its last token. */
const CONDITION_WORDS: ReadonlySet<string> = new Set(["SQLSTATE", "VALUE", "NOT"]);

/** Reads a statement's tokens, without comments, one after the other. */
export class CompoundBody {
  #phase: Phase = "start";
  #isAlter = false;
  #parentheses = 0;
  /** The word before, empty for other tokens. */
  #previous = "";
  /** Between DEFINER and the name behind its `=`. */
  #awaitsUser = false;
  /** Open blocks; `case` is a CASE in an expression. */
  #blocks: string[] = [];
  /** How many tokens of the innermost statement have been read. */
  #count = 0;
  #isBehindPoint = false;
  /** The innermost statement begins with DECLARE. */
  #isDeclaration = false;
  /** In DECLARE … HANDLER FOR: before a condition, or behind one. */
  #handler: "none" | "declared" | "condition" | "behind" = "none";

  /** Before another statement. */
  reset(): void {
    this.#phase = "start";
    this.#isAlter = this.#awaitsUser = this.#isBehindPoint = false;
    this.#parentheses = this.#count = 0;
    this.#previous = "";
    this.#blocks.length = 0;
    this.#handler = "none";
  }

  /** Whether a `;` belongs to the body; where it does, the next token begins a statement in it. */
  holdsSemicolon(): boolean {
    if (this.#phase === "unreadable") return true;
    if (this.#phase !== "body") return false;
    // No expression goes over a semicolon.
    while (this.#blocks.at(-1) === "case") this.#blocks.pop();
    this.#previous = "";
    this.#beginStatement();
    return true;
  }

  read(lexer: Lexer): void {
    if (this.#phase === "plain" || this.#phase === "unreadable") return;
    const word = this.#isBehindPoint ? "" : lexer.upper();
    const isSymbol = lexer.kind === Kind.symbol;
    if (this.#phase === "body") this.#readBody(word, lexer);
    else this.#readHead(word, lexer);
    if (isSymbol && lexer.isSymbol("(")) this.#parentheses++;
    if (isSymbol && lexer.isSymbol(")")) this.#parentheses--;
    this.#isBehindPoint = isSymbol && lexer.isSymbol(".");
    this.#previous = word;
  }

  // ---- before the body ----

  #readHead(word: string, lexer: Lexer): void {
    switch (this.#phase) {
      case "start":
        this.#readFirst(word, lexer);
        break;
      case "begin":
        this.#phase = "plain";
        if (word === "NOT") this.#enterBody("BEGIN");
        break;
      case "object":
        this.#readObject(word, lexer);
        break;
      case "routine":
        if (this.#parentheses === 1 && lexer.isSymbol(")")) this.#phase = "header";
        // Without parameters there is a body in Oracle's mode only.
        else if (word === "AS" || word === "IS") this.#phase = "unreadable";
        break;
      case "trigger":
        if (word === "ROW" && this.#previous === "EACH") this.#phase = "header";
        break;
      case "event":
        if (word === "DO" && this.#parentheses === 0) this.#phase = "header";
        break;
      case "header":
        if (this.#parentheses === 0) this.#readHeader(word, lexer);
        break;
    }
  }

  #readFirst(word: string, lexer: Lexer): void {
    this.#count++;
    // A label is told by what is behind it.
    if (this.#count > 1) this.#phase = lexer.isSymbol(":") ? "header" : "plain";
    else if (word === "BEGIN") this.#phase = "begin";
    else if (word === "DECLARE") this.#phase = "unreadable";
    else if (BLOCKS.has(word) || word === "CASE") this.#enterBody(word);
    else if (word === "CREATE" || word === "ALTER") {
      this.#phase = "object";
      this.#isAlter = word === "ALTER";
    }
  }

  #readObject(word: string, lexer: Lexer): void {
    if (this.#awaitsUser) {
      this.#awaitsUser = lexer.isSymbol("=");
      return;
    }
    switch (word) {
      case "":
        // The rest of an account.
        return;
      case "OR":
      case "REPLACE":
      case "AGGREGATE":
        return;
      case "DEFINER":
        this.#awaitsUser = true;
        return;
      case "EVENT":
        this.#phase = "event";
        return;
    }
    if (this.#isAlter) this.#phase = "plain";
    else if (word === "PROCEDURE" || word === "FUNCTION") this.#phase = "routine";
    else if (word === "TRIGGER") this.#phase = "trigger";
    else this.#phase = word === "PACKAGE" ? "unreadable" : "plain";
  }

  #readHeader(word: string, lexer: Lexer): void {
    if (this.#previous === "AS" || this.#previous === "IS") {
      // The text of a foreign language, or the declarations of Oracle's mode.
      this.#phase = lexer.kind === Kind.string ? "plain" : "unreadable";
    } else if (BLOCKS.has(word) || word === "CASE") {
      this.#enterBody(word);
    } else if (STATEMENTS.has(word) && !(word === "SET" && BEFORE_TYPE_SET.has(this.#previous))) {
      this.#phase = "plain";
    }
  }

  #enterBody(word: string): void {
    this.#phase = "body";
    this.#beginStatement();
    this.#open(word);
  }

  // ---- in the body ----

  #beginStatement(): void {
    this.#count = 0;
    this.#handler = "none";
    this.#isDeclaration = false;
  }

  /** @param block its first word, or `case` for one in an expression */
  #open(block: string): void {
    this.#blocks.push(block);
    if (!FOLLOWED_BY_STATEMENT.has(block)) this.#count++;
  }

  #readBody(word: string, lexer: Lexer): void {
    if (this.#previous === "END" && END_WORDS.has(word)) return;
    if (this.#handler !== "none" && this.#readHandler(word, lexer)) return;
    const isFirst = this.#count === 0;
    const block = this.#blocks.at(-1);
    switch (word) {
      case "END":
        this.#count++;
        if (block === "case" || isFirst || block === "until") this.#close();
        return;
      case "CASE":
        this.#open(isFirst ? word : "case");
        return;
      case "THEN":
      case "ELSE":
        if (block === "case") this.#count++;
        else this.#beginStatement();
        return;
      case "DO":
        // First it is a statement of its own, elsewhere a loop's or an event's.
        if (isFirst) this.#count++;
        else this.#beginStatement();
        return;
      case "UNTIL":
        this.#count++;
        if (isFirst && block === "REPEAT") this.#blocks[this.#blocks.length - 1] = "until";
        return;
      case "NOT":
      case "ATOMIC":
        // BEGIN NOT ATOMIC; no statement begins like that.
        if (!isFirst) this.#count++;
        return;
      case "HANDLER":
        this.#count++;
        if (this.#isDeclaration) this.#handler = "declared";
        return;
    }
    if (isFirst) this.#isDeclaration = word === "DECLARE";
    if (isFirst && BLOCKS.has(word)) this.#open(word);
    else if (this.#count === 1 && lexer.isSymbol(":")) this.#beginStatement();
    else this.#count++;
  }

  #close(): void {
    this.#blocks.pop();
    if (this.#blocks.length === 0) this.#phase = "plain";
  }

  /** @returns whether the token belongs to the handler's conditions */
  #readHandler(word: string, lexer: Lexer): boolean {
    switch (this.#handler) {
      case "declared":
        if (word === "FOR") this.#handler = "condition";
        return true;
      case "condition":
        if (!CONDITION_WORDS.has(word)) this.#handler = "behind";
        return true;
      default:
        if (lexer.isSymbol(",")) {
          this.#handler = "condition";
          return true;
        }
        this.#beginStatement();
        return false;
    }
  }
}
