/**
 * Statements that lock, and those about handlers.
 * https://dev.mysql.com/doc/refman/9.0/en/lock-tables.html
 * https://mariadb.com/kb/en/backup-stage/
 */
import { Effect } from "./effects.ts";
import type { StatementReader } from "./statement_reader.ts";

/** LOCK TABLES, LOCK INSTANCE FOR BACKUP */
export function readLock(reader: StatementReader): void {
  reader.next();
  if (reader.is("INSTANCE")) reader.found.name(Effect.locksServer, "instance");
  else if (isTables(reader)) reader.found.effects |= LOCKS;
  else reader.found.effects |= Effect.unknown;
}

/** It commits, and what was locked before is no more. */
const LOCKS = Effect.locksTables | Effect.unlocksTables | Effect.endsTransaction;

/** UNLOCK TABLES, UNLOCK INSTANCE */
export function readUnlock(reader: StatementReader): void {
  const { found } = reader;
  reader.next();
  if (reader.is("INSTANCE")) found.name(Effect.unlocksServer, "instance");
  else if (!isTables(reader)) found.effects |= Effect.unknown;
  else {
    found.effects |= Effect.unlocksTables | Effect.endsTransaction;
    found.name(Effect.unlocksServer, "tables");
  }
}

/** FLUSH, of which two forms lock: all tables for everybody, or some as LOCK TABLES does. */
export function readFlush(reader: StatementReader): void {
  const { found } = reader;
  found.effects |= Effect.endsTransaction;
  reader.next();
  if (!reader.skip("LOCAL")) reader.skip("NO_WRITE_TO_BINLOG");
  if (!isTables(reader)) return;
  reader.next();
  const hasNames = !reader.is("WITH") && !reader.isEnd();
  // WITH READ LOCK, FOR EXPORT
  let before = "";
  for (; !reader.isEnd(); reader.next()) {
    const locks = reader.is("READ") && before === "WITH" ||
      reader.is("EXPORT") && before === "FOR";
    before = reader.word;
    if (!locks) continue;
    if (hasNames) found.effects |= LOCKS;
    else found.name(Effect.locksServer, "tables");
  }
}

/** BACKUP STAGE, BACKUP LOCK, BACKUP UNLOCK */
export function readBackup(reader: StatementReader): void {
  const { found } = reader;
  found.effects |= Effect.endsTransaction;
  reader.next();
  if (reader.skip("LOCK")) found.name(Effect.locksServer, "backup");
  else if (reader.skip("UNLOCK")) found.name(Effect.unlocksServer, "backup");
  else if (!reader.skip("STAGE")) found.effects |= Effect.unknown;
  else if (reader.is("END")) found.name(Effect.unlocksServer, "stage");
  else found.name(Effect.locksServer, "stage");
}

/** HANDLER t OPEN [[AS] alias], HANDLER t READ …, HANDLER t CLOSE */
export function readHandler(reader: StatementReader): void {
  const { found } = reader;
  reader.next();
  const table = reader.table();
  found.isWrite = true;
  switch (reader.word) {
    case "OPEN":
      reader.next();
      reader.skip("AS");
      found.name(Effect.opensHandler, reader.name() ?? table?.name);
      break;
    case "CLOSE":
      found.name(Effect.closesHandler, table?.name);
      break;
    case "READ":
      break;
    default:
      found.effects |= Effect.unknown;
  }
}

function isTables({ word }: StatementReader): boolean {
  return word === "TABLES" || word === "TABLE";
}
