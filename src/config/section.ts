import { parseAddress } from "./address.ts";
import { parseCapacity } from "./capacity.ts";
import { parseDuration } from "./duration.ts";
import type { KeyRow, KeyType, SectionName } from "./key_row.ts";
import { nearest } from "./nearest.ts";
import { enumerate, type ProblemList, quote } from "./problems.ts";
import { KEYS, keysOf, SECTIONS, type SectionValues } from "./schema.ts";
import { keyText, kindText, type TomlNode, type TomlTable } from "./toml_document.ts";
import { headerOf, wantedItem, wantedValue } from "./wanted.ts";

type Reading =
  | { readonly ok: true; readonly value: unknown }
  /** `note`: why, where the wanted form alone does not tell. */
  | { readonly ok: false; readonly note?: string };

const WRONG: Reading = { ok: false };
// deno-lint-ignore no-control-regex
const CONTROL = /[\x00-\x1f\x7f]/;

/** How each type of key reads one item. */
const READERS: Readonly<Record<KeyType, (node: TomlNode, row: KeyRow) => Reading>> = {
  text: (node) => readText(node, (text) => CONTROL.test(text) ? undefined : text),
  name: (node, row) => readText(node, (text) => isName(text, row) ? text : undefined),
  version: (node, row) => readText(node, (text) => isVersion(text, row) ? text : undefined),
  path: (node, row) =>
    readText(node, (text) => CONTROL.test(text) || !mayBeEmpty(text, row) ? undefined : text),
  integer: (node, row) => node.kind === "integer" ? readNumber(node.value, row) : WRONG,
  duration: (node, row) =>
    node.kind === "text" ? readNumber(parseDuration(node.value), row) : WRONG,
  boolean: (node) => node.kind === "boolean" ? { ok: true, value: node.value } : WRONG,
  capacity: (node, row) =>
    node.kind === "text" ? readNumber(parseCapacity(node.value), row) : WRONG,
  choice: (node, row) => readText(node, (text) => row.choices?.includes(text) ? text : undefined),
  address: readAddress,
  server: (node, row) => {
    const reading = node.kind === "table" ? undefined : readAddress(node, row);
    return reading === undefined || reading.ok ? { ok: true, value: node } : reading;
  },
  secret: (node) => readText(node, (text) => text),
  hash: (node) => readText(node, readHash),
  environment: (node) =>
    readText(node, (text) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(text) ? text : undefined),
};

/** Types whose values no message shows; a slip may put the password itself there. */
const HIDDEN: readonly KeyType[] = ["secret", "hash", "environment", "path"];

/**
 * Reads one table by the rows of its section: each key's value or default. Unknown keys, missing
 * keys and wrong values are added to `problems`; a wrong value reads as the default.
 */
export function readSection<S extends SectionName>(
  table: TomlTable,
  section: S,
  problems: ProblemList,
): SectionValues<S> {
  const rows = keysOf(section);
  for (const [key, entry] of table.entries) {
    if (rows.some((row) => row.key === key) || isSubsection(section, key)) continue;
    problems.add(entry.line, keyText([...section.split("."), key]), unknownKey(section, key));
  }
  const values: Record<string, unknown> = {};
  for (const row of rows) {
    const entry = table.entries.get(row.key);
    values[row.key] = entry === undefined ? undefined : readValue(entry.node, row, problems);
    values[row.key] ??= defaultOf(row);
    if (entry === undefined && row.required) {
      problems.add(table.line, `${section}.${row.key}`, `Expected ${wantedValue(row)}, got none`);
    }
  }
  // Every row of the section was read by the reader of its type, which is what the type says.
  return values as SectionValues<S>;
}

/** The value of a key by its row; undefined, with `problems` added to, when it is wrong. */
function readValue(node: TomlNode, row: KeyRow, problems: ProblemList): unknown {
  if (row.list === undefined) return readItem(node, row, problems);
  if (node.kind !== "list" || (row.filled && node.items.length === 0)) {
    const got = node.kind === "list" ? "an empty list" : given(node, row);
    problems.add(
      node.line,
      `${row.section}.${row.key}`,
      `Expected ${wantedValue(row)}, got ${got}`,
    );
    return undefined;
  }
  const read = node.items.map((item) => ({ item, value: readItem(item, row, problems) }));
  const valid = read.filter(({ value }) => value !== undefined);
  // Wrong items leave the tree as well, so that `itemLine` finds the rest by index.
  node.items.splice(0, node.items.length, ...valid.map(({ item }) => item));
  return valid.map(({ value }) => value);
}

function readItem(node: TomlNode, row: KeyRow, problems: ProblemList): unknown {
  const reading = READERS[row.type](node, row);
  if (reading.ok) return reading.value;
  const note = reading.note === undefined ? "" : `: ${reading.note}`;
  const problem = `Expected ${wantedItem(row)}, got ${given(node, row)}${note}`;
  problems.add(node.line, `${row.section}.${row.key}`, problem);
  return undefined;
}

/** The default of a key in the form that reading gives. */
function defaultOf(row: KeyRow): unknown {
  const { default: text } = row;
  if (Array.isArray(text)) return text.map((item) => defaultOf({ ...row, default: item }));
  if (typeof text !== "string") return text;
  const reading = READERS[row.type]({ kind: "text", line: 0, value: text }, row);
  return reading.ok ? reading.value : undefined;
}

function readText(node: TomlNode, convert: (text: string) => unknown): Reading {
  const value = node.kind === "text" ? convert(node.value) : undefined;
  return value === undefined ? WRONG : { ok: true, value };
}

function readNumber(value: number | undefined, row: KeyRow): Reading {
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = row;
  return value === undefined || value < min || value > max ? WRONG : { ok: true, value };
}

function readAddress(node: TomlNode, row: KeyRow): Reading {
  if (node.kind !== "text") return WRONG;
  const parsed = parseAddress(node.value, row.min ?? 1);
  return parsed.ok ? { ok: true, value: parsed.address } : { ok: false, note: parsed.note };
}

function readHash(text: string): Uint8Array | undefined {
  return /^\*[0-9A-Fa-f]{40}$/.test(text) ? Uint8Array.fromHex(text.slice(1)) : undefined;
}

function isName(text: string, row: KeyRow): boolean {
  return mayBeEmpty(text, row) && !CONTROL.test(text) && text.trim() === text &&
    !text.split("").some((char) => row.without?.includes(char));
}

function isVersion(text: string, row: KeyRow): boolean {
  return text === "" ? mayBeEmpty(text, row) : /^\d+\.\d+\.\d+/.test(text) && !CONTROL.test(text);
}

function mayBeEmpty(text: string, row: KeyRow): boolean {
  return text !== "" || row.default === "";
}

/** What was given, as a message may show it. */
function given(node: TomlNode, row: KeyRow): string {
  if (HIDDEN.includes(row.type)) return kindText(node);
  if (node.kind === "text") {
    // user:password@host:port
    const isAddress = row.type === "address" || row.type === "server";
    const hidden = node.value.includes("@") && (isAddress || node.value.includes(":"));
    return hidden ? 'text with "@"' : quote(node.value);
  }
  if (!("value" in node)) return kindText(node);
  const isWholeFloat = node.kind === "float" && Number.isInteger(node.value);
  return isWholeFloat ? node.value.toFixed(1) : String(node.value);
}

function isSubsection(section: SectionName, key: string): boolean {
  return SECTIONS.some((row) => row.name === `${section}.${key}`);
}

function unknownKey(section: SectionName, key: string): string {
  const known = keysOf(section).map((row) => row.key);
  // mysql_version is ODP's name for it; every other proxy says server_version.
  const like = key === "server_version" ? "mysql_version" : nearest(key, known);
  const elsewhere = KEYS.find((row) => row.key === key && row.section !== section);
  let hint = "";
  if (like !== undefined && known.includes(like)) hint = ` (did you mean ${like}?)`;
  else if (elsewhere !== undefined) hint = ` (did you mean ${elsewhere.section}.${key}?)`;
  const header = SECTIONS.find((row) => row.name === section);
  const where = header === undefined ? section : headerOf(header);
  return `Unknown key${hint}, known keys of ${where}: ${enumerate(known)}`;
}
