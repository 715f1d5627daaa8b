/** Statements that have little in common: prepared ones, calls, files, what tells of the session. */
import { Ask, Effect } from "./effects.ts";
import { Kind } from "./lexer.ts";
import type { StatementReader } from "./statement_reader.ts";

/** What SHOW reads of the session. */
const SHOWN: ReadonlyMap<string, number> = new Map([
  ["WARNINGS", Ask.diagnostics],
  ["ERRORS", Ask.diagnostics],
  ["COUNT", Ask.diagnostics],
  ["TRACE", Ask.diagnostics],
  ["PROFILE", Ask.profiles],
  ["PROFILES", Ask.profiles],
]);

/** What stands between ANALYZE and the tables; else MariaDB runs the statement behind it. */
const TABLE_WORDS: ReadonlySet<string> = new Set([
  ...["TABLE", "TABLES", "LOCAL", "NO_WRITE_TO_BINLOG"],
]);

export function readShow(reader: StatementReader): void {
  reader.next();
  reader.found.asks |= SHOWN.get(reader.word) ?? 0;
}

export function readUse(reader: StatementReader): void {
  reader.next();
  reader.found.name(Effect.usesSchema, reader.name());
}

/** CALL: what is given may come back changed. */
export function readCall(reader: StatementReader): void {
  reader.found.effects |= Effect.calls;
  readVariables(reader, false);
}

/** GET DIAGNOSTICS @a = … */
export function readGet(reader: StatementReader): void {
  reader.found.asks |= Ask.diagnostics | Ask.diagnosticsArea;
  reader.found.isWrite = true;
  readVariables(reader, true);
}

/** LOAD DATA, LOAD XML: variables stand where columns do, or in expressions. LOAD INDEX. */
export function readLoad(reader: StatementReader): void {
  const { found } = reader;
  reader.next();
  found.isWrite = true;
  if (reader.is("INDEX")) {
    found.effects |= Effect.endsTransaction;
    return;
  }
  found.effects |= Effect.loadsData;
  while (!reader.isEnd() && !reader.is("INFILE")) reader.next();
  readVariables(reader, false);
}

/** @param onlySets they are not read, but only set */
function readVariables(reader: StatementReader, onlySets: boolean): void {
  const { found } = reader;
  for (; !reader.isEnd(); reader.next()) {
    const variable = reader.takeVariable();
    if (variable === undefined) continue;
    found.assign(variable);
    if (!onlySets) found.asks |= Ask.userVariables;
  }
}

/** PREPARE name FROM text */
export function readPrepare(reader: StatementReader): void {
  reader.next();
  reader.found.name(Effect.prepares, reader.name());
}

export function readDeallocate(reader: StatementReader): void {
  reader.next();
  reader.skip("PREPARE");
  reader.found.name(Effect.deallocates, reader.name());
}

/** EXECUTE name; of EXECUTE IMMEDIATE a text that is no literal may be any. */
export function readExecute(reader: StatementReader): void {
  const { found } = reader;
  reader.next();
  const isImmediate = reader.is("IMMEDIATE");
  const name = reader.name();
  // IMMEDIATE is a name if nothing follows but parameters.
  if (!isImmediate || reader.isEnd() || reader.is("USING")) {
    found.name(Effect.executes, name);
    return;
  }
  const isText = reader.kind === Kind.string;
  const text = isText ? reader.content() : undefined;
  reader.next();
  found.name(Effect.executes, undefined);
  if (text === undefined || !reader.isEnd() && !reader.is("USING")) {
    found.effects |= Effect.unknown;
  } else {
    reader.innerText = text;
  }
}

/** ANALYZE TABLE, or MariaDB's ANALYZE statement. */
export function readTableCommand(reader: StatementReader): boolean {
  reader.next();
  if (TABLE_WORDS.has(reader.word)) {
    reader.found.effects |= Effect.endsTransaction;
    return false;
  }
  if (reader.skip("FORMAT")) {
    if (reader.isSymbol("=")) reader.next();
    reader.next();
  }
  return true;
}
