import type { SectionName } from "./key_row.ts";
import { nearest } from "./nearest.ts";
import { enumerate, type ProblemList, quote } from "./problems.ts";
import { SECTIONS } from "./schema.ts";
import { kindText, type TomlNode, type TomlTable } from "./toml_document.ts";
import { headerOf } from "./wanted.ts";

/** The tables of a section below `parent`; none when it is missing or no table. */
export function tablesOf(
  parent: TomlTable,
  name: SectionName,
  problems: ProblemList,
): TomlTable[] {
  const section = SECTIONS.find((row) => row.name === name);
  const entry = parent.entries.get(name.split(".").at(-1) ?? name);
  if (section === undefined || entry === undefined) return [];
  const { node } = entry;
  if (!section.repeated && node.kind === "table") return [node];
  if (section.repeated && node.kind === "list" && node.items.every(isTable)) {
    return node.items.filter(isTable);
  }
  const below = node.kind === "table" ? impliedBy(node, name) : undefined;
  if (below !== undefined) {
    const problem = `Expected ${headerOf(section)} on a line of its own before ${below}, got none`;
    problems.add(entry.line, name, problem);
    return [];
  }
  const got = node.kind === "table"
    ? `[${name}]`
    : node.kind === "list" && node.byHeaders
    ? `[[${name}]]`
    : kindText(node);
  problems.add(entry.line, name, `Expected ${headerOf(section)} on a line of its own, got ${got}`);
  return [];
}

/** The header below a section that alone has made it; undefined where it has a header itself. */
function impliedBy({ origin, entries }: TomlTable, name: string): string | undefined {
  if (origin !== "implied") return undefined;
  for (const [key, { node }] of entries) {
    const isList = node.kind === "list" && node.byHeaders;
    return isList ? `[[${name}.${key}]]` : `[${name}.${key}]`;
  }
}

export function isTable(node: TomlNode): node is TomlTable {
  return node.kind === "table";
}

/** The line of a key, or that of its table when the key is missing. */
export function lineOf(table: TomlTable, key: string): number {
  return table.entries.get(key)?.line ?? table.line;
}

/** The line of one item of a list. */
export function itemLine(table: TomlTable, key: string, index: number): number {
  const node = table.entries.get(key)?.node;
  return (node?.kind === "list" ? node.items[index]?.line : undefined) ?? lineOf(table, key);
}

/** "Expected a configured cluster (a or b), got "c"", with the likely one if there is one. */
export function unknownName(what: string, given: string, known: readonly string[]): string {
  const like = nearest(given, known);
  const hint = like === undefined ? "" : ` (did you mean ${quote(like)}?)`;
  const names = [...new Set(known)].slice(0, 20).map(quote);
  const choice = names.length === 0 ? "there is none" : enumerate(names, "or");
  return `Expected a configured ${what} (${choice}), got ${quote(given)}${hint}`;
}

/** Finds what is given twice. */
export class UniqueNames {
  readonly #what: string;
  readonly #problems: ProblemList;
  readonly #lines = new Map<string, number>();

  constructor(what: string, problems: ProblemList) {
    this.#what = what;
    this.#problems = problems;
  }

  /** Empty names stand for missing ones, which are told elsewhere. */
  add(line: number, key: string, name: string): void {
    if (name === "") return;
    const first = this.#lines.get(name);
    if (first === undefined) {
      this.#lines.set(name, line);
      return;
    }
    const where = line > 0 ? ` (first on line ${first})` : "";
    this.#problems.add(
      line,
      key,
      `Expected each ${this.#what} once, got ${quote(name)} again${where}`,
    );
  }
}
