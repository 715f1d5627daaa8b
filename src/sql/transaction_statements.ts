/**
 * Statements about transactions.
 * https://dev.mysql.com/doc/refman/9.0/en/sql-transactional-statements.html
 */
import { Effect } from "./effects.ts";
import type { StatementReader } from "./statement_reader.ts";

/** The transaction before ends, and what LOCK TABLES locked is unlocked. */
const BEGINS = Effect.beginsTransaction | Effect.endsTransaction | Effect.unlocksTables;

/** BEGIN [WORK]; with anything behind, it is a compound statement. */
export function readBegin(reader: StatementReader): void {
  reader.next();
  reader.skip("WORK");
  const isAlone = reader.isEnd() || reader.isSymbol(";");
  reader.found.effects |= isAlone ? BEGINS : Effect.calls;
}

/** START TRANSACTION, and START of what replicates. */
export function readStart(reader: StatementReader): void {
  reader.next();
  reader.found.effects |= reader.is("TRANSACTION") ? BEGINS : Effect.endsTransaction;
  reader.found.isWrite = true;
}

/** COMMIT and ROLLBACK, [WORK] [AND [NO] CHAIN] [[NO] RELEASE]; ROLLBACK TO. */
export function readEnd(reader: StatementReader): void {
  const { found } = reader;
  reader.next();
  reader.skip("WORK");
  found.isWrite = true;
  if (reader.is("TO")) return;
  found.effects |= Effect.endsTransaction;
  let before = "";
  for (; !reader.isEnd(); reader.next()) {
    if (reader.is("CHAIN") && before !== "NO") found.effects |= Effect.beginsTransaction;
    before = reader.word;
  }
}

/** XA; XA RECOVER only lists. */
export function readXa(reader: StatementReader): void {
  reader.next();
  if (reader.is("RECOVER")) return;
  reader.found.effects |= Effect.xa;
}

/** SAVEPOINT */
export function readSavepoint({ found }: StatementReader): void {
  found.isWrite = true;
  found.effects |= Effect.setsSavepoint;
}

/** RELEASE SAVEPOINT */
export function readRelease(reader: StatementReader): void {
  reader.next();
  reader.found.isWrite = true;
  if (!reader.is("SAVEPOINT")) reader.found.effects |= Effect.unknown;
}
