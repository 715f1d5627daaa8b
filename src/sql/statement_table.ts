/** Which statements there are, by their first word, and who reads them. */
import { Effect } from "./effects.ts";
import { readBackup, readFlush, readHandler, readLock, readUnlock } from "./lock_statements.ts";
import {
  readCall,
  readDeallocate,
  readExecute,
  readGet,
  readLoad,
  readPrepare,
  readShow,
  readTableCommand,
  readUse,
} from "./other_statements.ts";
import { readSet } from "./set_statement.ts";
import type { StatementReader } from "./statement_reader.ts";
import { readAlter, readCreate, readDrop, readRename } from "./table_statements.ts";
import {
  readBegin,
  readEnd,
  readRelease,
  readSavepoint,
  readStart,
  readXa,
} from "./transaction_statements.ts";

/**
 * Reads a statement from its first word on, as far as its syntax matters.
 * @returns whether another statement begins at the reader's token
 */
export type FamilyReader = (reader: StatementReader) => boolean | void;

/** What it does shows in its expressions. */
function readsOnly(): void {}

function changesData({ found }: StatementReader): void {
  found.isWrite = true;
}

function commits({ found }: StatementReader): void {
  found.effects |= Effect.endsTransaction;
}

/** Accounts may get other passwords with privileges. */
function grants(reader: StatementReader): void {
  commits(reader);
  while (reader.next()) {
    if (reader.word === "IDENTIFIED") reader.found.effects |= Effect.changesAccount;
  }
}

/** A compound statement of MariaDB. */
function runsRoutine({ found }: StatementReader): void {
  found.effects |= Effect.calls;
}

function doesAnything({ found }: StatementReader): void {
  found.effects |= Effect.unknown;
}

/** Whatever is not here may do anything. */
export const STATEMENTS: ReadonlyMap<string, FamilyReader> = new Map<string, FamilyReader>([
  ["SELECT", readsOnly],
  ["WITH", readsOnly],
  ["VALUES", readsOnly],
  ["TABLE", readsOnly],
  ["DO", readsOnly],
  ["SHOW", readShow],
  ["EXPLAIN", readsOnly],
  ["DESCRIBE", readsOnly],
  ["DESC", readsOnly],
  ["HELP", readsOnly],
  ["CHECKSUM", readsOnly],

  ["INSERT", changesData],
  ["REPLACE", changesData],
  ["UPDATE", changesData],
  ["DELETE", changesData],
  ["LOAD", readLoad],
  ["CALL", readCall],
  ["KILL", changesData],
  ["SIGNAL", changesData],
  ["RESIGNAL", changesData],
  ["PURGE", changesData],
  ["SHUTDOWN", changesData],
  ["RESTART", changesData],

  ["SET", readSet],
  ["USE", readUse],
  ["GET", readGet],
  ["PREPARE", readPrepare],
  ["EXECUTE", readExecute],
  ["DEALLOCATE", readDeallocate],

  ["BEGIN", readBegin],
  ["START", readStart],
  ["COMMIT", readEnd],
  ["ROLLBACK", readEnd],
  ["SAVEPOINT", readSavepoint],
  ["RELEASE", readRelease],
  ["XA", readXa],

  ["LOCK", readLock],
  ["UNLOCK", readUnlock],
  ["FLUSH", readFlush],
  ["BACKUP", readBackup],
  ["HANDLER", readHandler],

  ["CREATE", readCreate],
  ["ALTER", readAlter],
  ["DROP", readDrop],
  ["RENAME", readRename],
  ["TRUNCATE", commits],
  ["GRANT", grants],
  ["REVOKE", commits],
  ["ANALYZE", readTableCommand],
  ["CHECK", commits],
  ["OPTIMIZE", commits],
  ["REPAIR", commits],
  ["CACHE", commits],
  ["INSTALL", commits],
  ["UNINSTALL", commits],
  ["IMPORT", commits],
  ["RESET", commits],
  ["CHANGE", commits],
  ["STOP", commits],
  ["CLONE", commits],

  ["IF", runsRoutine],
  ["CASE", runsRoutine],
  ["LOOP", runsRoutine],
  ["WHILE", runsRoutine],
  ["REPEAT", runsRoutine],
  ["FOR", runsRoutine],
  ["DECLARE", runsRoutine],

  ["BINLOG", doesAnything],
]);
