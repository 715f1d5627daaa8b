/**
 * CREATE, ALTER, DROP, RENAME: what they do to temporary tables, and what they commit.
 * https://dev.mysql.com/doc/refman/9.0/en/implicit-commit.html
 */
import type { TableName } from "./classified.ts";
import { Effect } from "./effects.ts";
import { isMariadb } from "./function_names.ts";
import type { StatementReader } from "./statement_reader.ts";

/** What may stand between CREATE or ALTER and the kind of object, without a value. */
const MODIFIERS: ReadonlySet<string> = new Set([
  ...["OR", "REPLACE", "ONLINE", "OFFLINE", "IGNORE"],
]);

/** Not the name of the table, but of a part of it, is what RENAME renames. */
const PARTS: ReadonlySet<string> = new Set(["COLUMN", "INDEX", "KEY", "CONSTRAINT"]);

export function readCreate(reader: StatementReader): void {
  const { found } = reader;
  reader.readsCalls = false;
  reader.next();
  while (MODIFIERS.has(reader.word)) reader.next();
  const isTemporary = reader.skip("TEMPORARY");
  found.isWrite = true;
  if (!isTemporary) found.effects |= Effect.endsTransaction;
  // Replacing an account changes it.
  if (reader.is("USER")) found.effects |= Effect.changesAccount;
  if (!reader.is("TABLE") && !(isTemporary && reader.is("SEQUENCE"))) {
    if (isTemporary) found.name(Effect.createsTemporary, undefined);
    readDefinition(reader);
    return;
  }
  reader.next();
  skipIfExists(reader);
  const table = reader.table();
  if (isTemporary) addTable(reader, Effect.createsTemporary, table);
  // Names of columns and indexes have parentheses; what a query calls is run.
  while (!reader.isEnd() && !reader.is("SELECT")) reader.next();
  reader.readsCalls = true;
}

/** What a routine, trigger, event or view does is not done now. */
function readDefinition(reader: StatementReader): void {
  const { found } = reader;
  const { effects, asks } = found;
  const names = found.names.length;
  const variables = found.userVariables.length;
  reader.finish();
  found.effects = effects;
  found.asks = asks;
  found.names.length = names;
  found.userVariables.length = variables;
}

export function readDrop(reader: StatementReader): void {
  const { found } = reader;
  found.isWrite = true;
  reader.next();
  if (reader.skip("PREPARE")) {
    found.name(Effect.deallocates, reader.name());
    return;
  }
  const isTemporary = reader.skip("TEMPORARY");
  if (!isTemporary) found.effects |= Effect.endsTransaction;
  if (reader.is("USER")) found.effects |= Effect.changesAccount;
  if (!reader.is("TABLE") && !reader.is("TABLES") && !reader.is("SEQUENCE")) {
    if (isTemporary) found.name(Effect.dropsTemporary, undefined);
    return;
  }
  reader.next();
  skipIfExists(reader);
  do addTable(reader, Effect.dropsTemporary, reader.table()); while (
    reader.isSymbol(",") && reader.next()
  );
}

export function readAlter(reader: StatementReader): void {
  const { found } = reader;
  found.isWrite = true;
  found.effects |= Effect.endsTransaction;
  reader.readsCalls = false;
  reader.next();
  while (MODIFIERS.has(reader.word)) reader.next();
  switch (reader.word) {
    case "USER":
      found.effects |= Effect.changesAccount;
      return;
    case "SESSION":
      found.effects |= Effect.unknown;
      return;
    case "TABLE":
      break;
    case "DATABASE":
    case "SCHEMA":
      // It may be the one that is selected.
      found.name(Effect.setsUnreported, "collation_database");
      return;
    default:
      readDefinition(reader);
      return;
  }
  reader.next();
  skipIfExists(reader);
  const table = reader.table();
  let isSpecification = true;
  while (!reader.isEnd()) {
    const isRename = isSpecification && reader.is("RENAME") && reader.depth === 0;
    isSpecification = reader.isSymbol(",") || isSpecification && isOption(reader);
    reader.next();
    if (isRename && !PARTS.has(reader.word)) addRename(reader, table);
  }
}

/** What may stand before the first specification. */
function isOption({ word }: StatementReader): boolean {
  return word === "WAIT" || word === "NOWAIT" || word === "";
}

/** RENAME TABLE a TO b, c TO d; RENAME USER */
export function readRename(reader: StatementReader): void {
  const { found } = reader;
  found.isWrite = true;
  found.effects |= Effect.endsTransaction;
  reader.next();
  if (reader.is("USER")) found.effects |= Effect.changesAccount;
  // Only there it is for temporary tables.
  if (!isMariadb(reader.mode.serverVersion)) return;
  if (!reader.skip("TABLE") && !reader.skip("TABLES")) return;
  skipIfExists(reader);
  do {
    const table = reader.table();
    while (!reader.isEnd() && !reader.is("TO")) reader.next();
    addRename(reader, table);
  } while (reader.isSymbol(",") && reader.next());
}

/** At RENAME's TO, AS, `=`, or the new name. */
function addRename(reader: StatementReader, table: TableName | undefined): void {
  if (reader.is("TO") || reader.is("AS") || reader.isSymbol("=")) reader.next();
  const renamedTo = reader.table();
  if (table === undefined || renamedTo === undefined) return;
  reader.found.name(Effect.dropsTemporary, table.name, { schema: table.schema, renamedTo });
}

function addTable(reader: StatementReader, effect: number, table: TableName | undefined): void {
  reader.found.name(effect, table?.name, { schema: table?.schema });
}

/** IF [NOT] EXISTS */
function skipIfExists(reader: StatementReader): void {
  if (!reader.skip("IF")) return;
  reader.skip("NOT");
  reader.skip("EXISTS");
}
