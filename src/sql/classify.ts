/**
 * What a statement may do to its session, and ask of it, as far as a text tells. Whatever is not
 * known counts as what may do anything. No input makes it throw.
 */
import { type Classified, Findings } from "./classified.ts";
import { Effect } from "./effects.ts";
import type { Range, SqlMode } from "./mode.ts";
import { splitStatements } from "./split.ts";
import { StatementReader } from "./statement_reader.ts";
import { STATEMENTS } from "./statement_table.ts";

export type { AssignedVariable, Classified, NamedEffect, TableName } from "./classified.ts";
export { mayHaveEffects } from "./effect_filter.ts";
export { Ask, Effect } from "./effects.ts";

const SEMICOLON = 0x3b;

/** How deep EXECUTE IMMEDIATE is looked into; what is behind may do anything. */
const DEEPEST = 4;

/** System variables that decide how texts are read. */
const READING: ReadonlySet<string | undefined> = new Set([
  ...["sql_mode", "character_set_client"],
]);

/** @param range one statement, with comments or not */
export function classify(bytes: Uint8Array, range: Range, mode: SqlMode): Classified {
  const found = new Findings();
  read(bytes, range, { mode, found, depth: 0 });
  return found.result;
}

/**
 * All statements of a text, as if they were one: the lists are in the order of the text, and it is a
 * read if all are. A text of comments does nothing.
 */
export function classifyText(bytes: Uint8Array, range: Range, mode: SqlMode): Classified {
  const found = new Findings();
  readText(bytes, range, { mode, found, depth: 0 });
  return found.result;
}

interface Context {
  readonly mode: SqlMode;
  readonly found: Findings;
  readonly depth: number;
}

function readText(bytes: Uint8Array, range: Range, context: Context): void {
  const end = Math.min(range.end, bytes.length);
  const first = bytes.indexOf(SEMICOLON, range.start);
  if (first < 0 || first >= end) {
    read(bytes, range, context);
    return;
  }
  const { found, mode } = context;
  for (const statement of splitStatements(bytes, range, mode)) {
    // Those behind may be taken apart in another way.
    if (found.names.some(changesReading)) found.effects |= Effect.unknown;
    read(bytes, statement, context);
  }
}

function changesReading({ effect, name }: { effect: number; name: string | undefined }): boolean {
  return effect === Effect.setsSystemVariables && READING.has(name);
}

function read(bytes: Uint8Array, range: Range, { mode, found, depth }: Context): void {
  const reader = new StatementReader(bytes, range, mode, found);
  reader.next();
  readStatement(reader);
  reader.finish();
  if (reader.innerText === undefined) return;
  const { innerText } = reader;
  if (depth === DEEPEST) found.effects |= Effect.unknown;
  else readText(innerText, { start: 0, end: innerText.length }, { mode, found, depth: depth + 1 });
}

function readStatement(reader: StatementReader): void {
  for (;;) {
    while (reader.isSymbol("(")) reader.next();
    if (reader.isEnd()) return;
    reader.beginStatement();
    const family = STATEMENTS.get(reader.word);
    if (family === undefined) {
      reader.found.effects |= Effect.unknown;
      return;
    }
    if (family(reader) !== true) return;
  }
}
