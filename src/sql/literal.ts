/** Whether a value is one literal, and how to write it so that it always means the same. */
import { Kind } from "./lexer.ts";
import type { StatementReader } from "./statement_reader.ts";

/** Bytes that mean themselves in every character set that clients can send, and in every mode. */
const PLAIN = /^[\t\n\r -[\]-~]*$/;

/**
 * Reads the tokens of a value, one after the other. Numbers stay as typed, since their digits make
 * their type; strings get single quotes.
 */
export class Literal {
  #state: "start" | "sign" | "introducer" | "string" | "collate" | "closed" | "computed" = "start";
  /** Before the value: a sign, an introducer or `N`. */
  #prefix = "";
  #value = "";
  #collation = "";
  #isString = false;

  /** Takes the reader's token. */
  read(reader: StatementReader): void {
    if (!this.#take(reader)) this.#state = "computed";
  }

  /** undefined where the value is no literal, or one that depends on modes or character sets. */
  get text(): string | undefined {
    if (this.#state !== "string" && this.#state !== "closed") return undefined;
    if (!this.#isString) return this.#prefix + this.#value;
    // In MariaDB's EMPTY_STRING_IS_NULL it is NULL.
    if (this.#value === "") return undefined;
    return `${this.#prefix}'${this.#value.replaceAll("'", "''")}'${this.#collation}`;
  }

  /** The literal is a string without a character set of its own. */
  get takesConnectionCharset(): boolean {
    return this.text !== undefined && this.#isString && this.#prefix === "";
  }

  #take(reader: StatementReader): boolean {
    const { kind, word } = reader;
    switch (this.#state) {
      case "start":
        return this.#begin(reader);
      case "sign":
        return kind === Kind.number && /^[\d.]/.test(reader.text()) && this.#close(reader.text());
      case "introducer":
        if (kind === Kind.string) return this.#append(reader);
        // Only bytes can follow, and their letter would belong to the introducer.
        return kind === Kind.number && /^([xb]'|0[xb])/i.test(reader.text()) &&
          this.#close(` ${reader.text()}`);
      case "string":
        if (word !== "COLLATE") return this.#append(reader);
        this.#state = "collate";
        return true;
      case "collate":
        return this.#collate(kind === Kind.string ? reader.text() : word);
      default:
        return false;
    }
  }

  #begin(reader: StatementReader): boolean {
    const { kind, word } = reader;
    if (kind === Kind.number) return this.#close(reader.text());
    if (kind === Kind.string) {
      if (/^n/i.test(String.fromCharCode(reader.bytes[reader.start]!))) this.#prefix = "N";
      return this.#append(reader);
    }
    if (word === "NULL" || word === "TRUE" || word === "FALSE") return this.#close(word);
    if (reader.isSymbol("-") || reader.isSymbol("+")) {
      this.#prefix = reader.isSymbol("-") ? "-" : "";
      this.#state = "sign";
      return true;
    }
    this.#prefix = word.toLowerCase();
    this.#state = "introducer";
    return /^_[a-z0-9]+$/.test(this.#prefix);
  }

  #close(value: string): boolean {
    this.#value = value;
    this.#state = "closed";
    return true;
  }

  /** Strings that follow each other are one. */
  #append(reader: StatementReader): boolean {
    if (reader.kind !== Kind.string) return false;
    const text = reader.text();
    this.#value += text;
    this.#state = "string";
    this.#isString = true;
    return PLAIN.test(text);
  }

  /** A collation tells which character set the string must have had, or it would have failed. */
  #collate(collation: string): boolean {
    const name = collation.toLowerCase();
    const charset = name.split("_")[0]!;
    // In some, ASCII is no single bytes; some collations belong to several character sets.
    const isTold = /^\w+$/.test(name) &&
      !/^(ucs2|utf16|utf16le|utf32|uca\d+|default)$/.test(charset);
    this.#prefix ||= `_${charset}`;
    this.#collation = ` COLLATE ${name}`;
    this.#state = "closed";
    return isTold;
  }
}
