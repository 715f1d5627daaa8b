/**
 * Reads TOML into a tree that knows the line of each key, which `@std/toml` does not tell. Sections,
 * keys, lists and inline tables are read here; single values are decoded by `@std/toml`. Messages
 * never quote the text, because a slip of a quote may turn a password into anything.
 * https://toml.io/en/v1.0.0
 */
import { parse } from "@std/toml";
import { type ProblemList, quote } from "./problems.ts";

export interface TomlText {
  readonly kind: "text";
  readonly line: number;
  readonly value: string;
}

export type TomlScalar =
  | TomlText
  | { readonly kind: "integer" | "float"; readonly line: number; readonly value: number }
  | { readonly kind: "boolean"; readonly line: number; readonly value: boolean }
  /** Dates and times, which no key takes. */
  | { readonly kind: "date"; readonly line: number };

export interface TomlList {
  readonly kind: "list";
  readonly line: number;
  readonly items: TomlNode[];
  /** Made by `[[header]]` lines, which may go on adding to it. */
  readonly byHeaders: boolean;
}

export interface TomlTable {
  readonly kind: "table";
  readonly line: number;
  readonly entries: Map<string, TomlEntry>;
  /** Decides what may still be added to it; see `#child`. */
  origin: "header" | "implied" | "dotted" | "inline";
}

export type TomlNode = TomlScalar | TomlList | TomlTable;

export interface TomlEntry {
  /** Where the key stands; for a section, its first header. */
  readonly line: number;
  readonly node: TomlNode;
}

const BARE_KEY = /[A-Za-z0-9_-]+/y;
const SPACE = /[ \t]+/y;
const COMMENT = /#[^\n]*/y;
const LINE_END = /\r?\n/y;
const BARE_VALUE = /\d{4}-\d\d-\d\d [\d:.+-]+Z?|[^\s,[\]{}#"'=]+/y;
/** Deeper lists and tables are refused before they exhaust the stack. */
const MAX_DEPTH = 32;

/**
 * The root table. Keys and sections that appear twice are added to `problems` and reading goes on;
 * the first breach of the syntax is added too and ends it.
 *
 * @returns undefined after a breach of the syntax
 */
export function readToml(text: string, problems: ProblemList): TomlTable | undefined {
  try {
    return new TomlReader(text, problems).read();
  } catch (error) {
    if (!(error instanceof TomlSyntaxError)) throw error;
    problems.add(error.line, "", error.message);
    return undefined;
  }
}

export function tomlTable(line: number, origin: TomlTable["origin"]): TomlTable {
  return { kind: "table", line, entries: new Map(), origin };
}

class TomlSyntaxError extends Error {
  readonly line: number;
  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

class TomlReader {
  readonly #text: string;
  readonly #problems: ProblemList;
  #at: number;
  /** Line of `#counted`; only ever moves forward, so that counting costs one pass. */
  #line = 1;
  #counted = 0;

  constructor(text: string, problems: ProblemList) {
    this.#text = text;
    this.#problems = problems;
    this.#at = text.startsWith("\uFEFF") ? 1 : 0;
  }

  read(): TomlTable {
    const root = tomlTable(1, "header");
    let section = root;
    let prefix: string[] = [];
    for (this.#skipBlank(); this.#at < this.#text.length; this.#skipBlank()) {
      if (this.#text.startsWith("[", this.#at)) {
        const line = this.#currentLine();
        const repeated = this.#take("[[");
        if (!repeated) this.#take("[");
        prefix = this.#keyPath();
        if (!this.#take(repeated ? "]]" : "]")) {
          this.#fail(`Expected ${repeated ? '"]]"' : '"]"'} after the name of the section`);
        }
        section = repeated ? this.#append(root, prefix, line) : this.#open(root, prefix, line);
      } else {
        this.#pair(section, prefix, 0);
      }
      this.#skipSpace();
      this.#match(COMMENT);
      if (this.#at < this.#text.length && this.#match(LINE_END) === undefined) {
        this.#fail("Expected the end of the line after a value or section");
      }
    }
    return root;
  }

  /** `[path]` */
  #open(root: TomlTable, path: readonly string[], line: number): TomlTable {
    const parent = this.#descend(root, path.slice(0, -1), { line, origin: "implied", path });
    const name = path.at(-1) ?? "";
    const known = parent.entries.get(name);
    if (known === undefined) return this.#child(parent, name, tomlTable(line, "header"));
    if (known.node.kind === "table" && known.node.origin === "implied") {
      known.node.origin = "header";
      return known.node;
    }
    const problem = known.node.kind === "list" && known.node.byHeaders
      ? `Expected [[${path.join(".")}]] as on line ${known.line}, got [${path.join(".")}]`
      : alreadySet(known);
    this.#problems.add(line, keyText(path), problem);
    return tomlTable(line, "header");
  }

  /** `[[path]]` */
  #append(root: TomlTable, path: readonly string[], line: number): TomlTable {
    const parent = this.#descend(root, path.slice(0, -1), { line, origin: "implied", path });
    const name = path.at(-1) ?? "";
    const known = parent.entries.get(name);
    const table = tomlTable(line, "header");
    if (known === undefined) {
      parent.entries.set(name, {
        line,
        node: { kind: "list", line, items: [table], byHeaders: true },
      });
    } else if (known.node.kind === "list" && known.node.byHeaders) {
      known.node.items.push(table);
    } else {
      this.#problems.add(line, keyText(path), alreadySet(known));
    }
    return table;
  }

  /** `path = value` inside `section`, or inside an inline table */
  #pair(section: TomlTable, prefix: readonly string[], depth: number): void {
    const line = this.#currentLine();
    const path = this.#keyPath();
    if (!this.#take("=")) this.#fail('Expected "=" and a value after the key');
    const node = this.#value(depth);
    const full = [...prefix, ...path];
    const parent = this.#descend(section, path.slice(0, -1), {
      line,
      origin: "dotted",
      path: full,
    });
    const name = path.at(-1) ?? "";
    const known = parent.entries.get(name);
    if (known === undefined) parent.entries.set(name, { line, node });
    else this.#problems.add(line, keyText(full), alreadySet(known));
  }

  /** The table at `path` below `from`, made where it is missing. */
  #descend(
    from: TomlTable,
    path: readonly string[],
    by: { line: number; origin: "implied" | "dotted"; path: readonly string[] },
  ): TomlTable {
    let table = from;
    for (const name of path) {
      const entry = table.entries.get(name);
      const node = entry?.node.kind === "list" && entry.node.byHeaders && by.origin === "implied"
        ? entry.node.items.at(-1)
        : entry?.node;
      if (entry === undefined) {
        table = this.#child(table, name, tomlTable(by.line, by.origin));
      } else if (node?.kind === "table" && mayExtend(node, by.origin)) {
        table = node;
      } else {
        this.#problems.add(by.line, keyText(by.path), alreadySet(entry));
        return tomlTable(by.line, by.origin);
      }
    }
    return table;
  }

  #child(parent: TomlTable, name: string, table: TomlTable): TomlTable {
    parent.entries.set(name, { line: table.line, node: table });
    return table;
  }

  #keyPath(): string[] {
    const path: string[] = [];
    do {
      this.#skipSpace();
      path.push(this.#key());
      this.#skipSpace();
    } while (this.#take("."));
    return path;
  }

  #key(): string {
    const bare = this.#match(BARE_KEY);
    if (bare !== undefined) return bare;
    const quotes = this.#text[this.#at];
    if (quotes !== '"' && quotes !== "'") this.#fail("Expected a key such as listen");
    if (this.#text.startsWith(quotes.repeat(3), this.#at)) {
      this.#fail("Expected a key on one line, got a text of several lines");
    }
    return this.#string().value;
  }

  #value(depth: number): TomlNode {
    this.#skipSpace();
    if (depth > MAX_DEPTH) {
      this.#fail(`Expected at most ${MAX_DEPTH} lists and tables in each other`);
    }
    const char = this.#text[this.#at];
    if (char === '"' || char === "'") return this.#string();
    if (char === "[") return this.#list(depth);
    if (char === "{") return this.#inlineTable(depth);
    const line = this.#currentLine();
    const raw = this.#match(BARE_VALUE);
    const value = raw === undefined ? undefined : decode(raw);
    if (raw === undefined || value === undefined) {
      this.#fail('Expected a value such as "text" in quotes, 10, true or a list in brackets');
    }
    if (typeof value === "boolean") return { kind: "boolean", line, value };
    if (typeof value !== "number") return { kind: "date", line };
    const kind = /^[+-]?(?:\d[\d_]*|0[xob][\da-f_]+)$/i.test(raw) ? "integer" : "float";
    return { kind, line, value };
  }

  #list(depth: number): TomlList {
    const list: TomlList = { kind: "list", line: this.#currentLine(), items: [], byHeaders: false };
    this.#take("[");
    for (;;) {
      this.#skipBlank();
      if (this.#take("]")) return list;
      list.items.push(this.#value(depth + 1));
      this.#skipBlank();
      if (this.#take("]")) return list;
      if (!this.#take(",")) this.#failAt(list.line, 'Expected "," or "]" in the list from here');
    }
  }

  #inlineTable(depth: number): TomlTable {
    const table = tomlTable(this.#currentLine(), "inline");
    this.#take("{");
    this.#skipSpace();
    if (this.#take("}")) return table;
    for (;;) {
      this.#skipSpace();
      this.#pair(table, [], depth + 1);
      this.#skipSpace();
      if (this.#take("}")) return table;
      if (!this.#take(",")) {
        this.#failAt(table.line, 'Expected "," or "}" on the line of this table');
      }
    }
  }

  #string(): TomlText {
    const line = this.#currentLine();
    const start = this.#at;
    const quotes = this.#text[start] ?? "";
    const long = this.#text.startsWith(quotes.repeat(3), start);
    const closing = quotes.repeat(long ? 3 : 1);
    let end = start + closing.length;
    while (!this.#text.startsWith(closing, end)) {
      if (end >= this.#text.length || (!long && this.#text[end] === "\n")) {
        this.#fail(`Expected the quotes to be closed${long ? "" : " on the same line"}`);
      }
      end += quotes === '"' && this.#text[end] === "\\" ? 2 : 1;
    }
    end += closing.length;
    const raw = this.#text.slice(start, end);
    const value = decode(quotes === '"' ? plainEscapes(raw) : raw);
    if (typeof value !== "string") {
      this.#fail(
        "Expected text with the escapes of TOML; in single quotes a backslash is no escape",
      );
    }
    // Up to two quotes that belong to the text may stand before the closing three.
    let extra = 0;
    while (long && extra < 2 && this.#text[end + extra] === quotes) extra++;
    this.#at = end + extra;
    return { kind: "text", line, value: value + quotes.repeat(extra) };
  }

  #skipSpace(): void {
    this.#match(SPACE);
  }

  /** Spaces, comments and line ends. */
  #skipBlank(): void {
    while (
      (this.#match(SPACE) ?? this.#match(COMMENT) ?? this.#match(LINE_END)) !== undefined
    );
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #take(expected: string): boolean {
    if (!this.#text.startsWith(expected, this.#at)) return false;
    this.#at += expected.length;
    return true;
  }

  #currentLine(): number {
    for (; this.#counted < this.#at; this.#counted++) {
      if (this.#text[this.#counted] === "\n") this.#line++;
    }
    return this.#line;
  }

  #fail(message: string): never {
    this.#failAt(this.#currentLine(), message);
  }

  #failAt(line: number, message: string): never {
    throw new TomlSyntaxError(line, `Cannot read TOML: ${message}`);
  }
}

/** Dotted keys extend what dotted keys made; headers extend everything but inline tables. */
function mayExtend(table: TomlTable, origin: "implied" | "dotted"): boolean {
  return origin === "dotted" ? table.origin === "dotted" : table.origin !== "inline";
}

function alreadySet(known: TomlEntry): string {
  return `Expected once, got it again (first on line ${known.line})`;
}

/** A path of keys as messages name it; keys that need quotes have them. */
export function keyText(path: readonly string[]): string {
  return path.map((key) => /^[A-Za-z0-9_-]{1,60}$/.test(key) ? key : quote(key)).join(".");
}

/** What a node is, without its content. */
export function kindText(node: TomlNode): string {
  if (node.kind === "text") return node.value === "" ? "empty text" : "text";
  return node.kind === "integer" || node.kind === "float" ? "a number" : `a ${node.kind}`;
}

/** The one value that `raw` is, by `@std/toml`; undefined when it is none. */
function decode(raw: string | undefined): unknown {
  if (raw === undefined) return undefined;
  try {
    return (parse(`value = ${raw}`) as { value?: unknown }).value;
  } catch {
    // Its messages quote the text, which may be a password.
    return undefined;
  }
}

const ESCAPE = /\\(?:U([0-9A-Fa-f]{8})|u[0-9A-Fa-f]{4}|[btnfr"\\]|[ \t]*\r?\n|)/g;

/**
 * The same text with only the escapes that `@std/toml` decodes rightly: it reads six digits of `\U`,
 * and any text as the digits of `\u`. Undefined when an escape is not TOML's.
 */
function plainEscapes(raw: string): string | undefined {
  let valid = true;
  const plain = raw.replace(ESCAPE, (escape: string, digits: string | undefined) => {
    if (escape === "\\") valid = false;
    if (escape.endsWith("\n")) return "\\\n";
    if (digits === undefined) return escape;
    const code = parseInt(digits, 16);
    if (code > 0x10ffff) return (valid = false, "");
    const units = String.fromCodePoint(code).split("");
    return units.map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`).join("");
  });
  return valid ? plain : undefined;
}
