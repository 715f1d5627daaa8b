/** What a command begins and ends of the pins of a client session: a function of facts about it. */
import { Command, Status } from "../protocol/constants.ts";
import type { NamedEffect } from "../sql/classified.ts";
import { Effect } from "../sql/effects.ts";
import { changesReports } from "./apply_statement.ts";
import type { Dialect } from "./dialect.ts";
import { type PinBegin, type Pins, SOME } from "./pins.ts";
import type { SpecialVariable } from "./track.ts";
import { addLock, removeLock } from "./user_locks.ts";

/** What is known of a command when its reply is done. */
export interface CommandFacts {
  /** Of {@link Command}. */
  readonly command: number;
  /** What the pins shall say that it was. */
  readonly cause: string;
  readonly dialect: Dialect;
  /** Bits of `Effect`, and what they concern; 0 and none for other commands than statements. */
  readonly effects: number;
  readonly names: readonly NamedEffect[];
  readonly isRead: boolean;
  /** It asks for warnings and the like. */
  readonly asksDiagnostics: boolean;
  /** The session's texts are in UTF-8, and are read so. */
  readonly isUtf8: boolean;
  /** The session's schema when it ran. */
  readonly schema: string;
  /** Flags of the last packet; undefined where the reply ended with ERR. */
  readonly status: number | undefined;
  /** The code of the ERR that the reply ended with. */
  readonly error?: number | undefined;
  /** It was one of several statements, or may have been: what failed need not be all of them. */
  readonly isOneOfSeveral?: boolean;
  /** Clients of the account ask for the last value of sequences. */
  readonly asksSequences?: boolean;
  /** Of a prepared statement that the command is about: the client's id. */
  readonly statementId?: number | undefined;
  /** What the OK packets reported. */
  readonly characteristics?: string | undefined;
  readonly specialVariables?: readonly SpecialVariable[];
  /** An OK had an insert id. */
  readonly hasInsertId?: boolean;
  /** How many rows it has changed; below 0 where it has returned rows. */
  readonly changes?: number | bigint;
}

/** ER_BAD_TABLE_ERROR */
const UNKNOWN_TABLE = 1051;

/** Whether what it begins may be there: what it ends is over only where nothing has failed. */
function mayHaveBegun({ error, isOneOfSeveral = false }: CommandFacts): boolean {
  return error === undefined || isOneOfSeveral;
}

/** @param at time of the reply */
export function applyCommand(pins: Pins, facts: CommandFacts, at: number): void {
  const begin: PinBegin = { since: at, cause: facts.cause };
  switch (facts.command) {
    case Command.RESET_CONNECTION:
    case Command.CHANGE_USER:
      if (facts.error === undefined) pins.endAll();
      return;
    case Command.STMT_EXECUTE:
    case Command.STMT_FETCH:
    case Command.STMT_RESET:
    case Command.STMT_CLOSE:
    case Command.STMT_SEND_LONG_DATA:
    case Command.MARIADB_STMT_BULK_EXECUTE:
      followStatement(pins, facts, begin);
  }
  followTables(pins, facts, begin);
  followLocks(pins, facts, begin);
  followRest(pins, facts, begin);
  followTransaction(pins, facts, begin);
}

function followTransaction(pins: Pins, facts: CommandFacts, begin: PinBegin): void {
  const { status, effects, characteristics } = facts;
  if (status !== undefined) {
    const isInTransaction = (status & Status.IN_TRANS) !== 0;
    pins.set("transaction", isInTransaction, begin);
    // By the flag, one that has lost a deadlock is over before XA ROLLBACK ends it.
    if ((effects & Effect.xa) !== 0) pins.set("xa", isInTransaction, begin);
  }
  followSavepoint(pins, facts, begin);
  const isNext = mayHaveBegun(facts) && (effects & Effect.setsNextTransaction) !== 0;
  // Code of the server may have set them.
  const isReported = characteristics !== undefined && characteristics !== "";
  if (characteristics === "") pins.end("next_transaction");
  else if ((isNext || isReported) && !pins.has("transaction")) pins.add("next_transaction", begin);
  else if (endsNext(pins, facts)) pins.end("next_transaction");
}

const BEGINS_OR_ENDS = Effect.beginsTransaction | Effect.endsTransaction;

/** Without autocommit, it begins a transaction that no flag tells of. */
function followSavepoint(pins: Pins, facts: CommandFacts, begin: PinBegin): void {
  const { status, effects, error } = facts;
  if (error === undefined && (effects & BEGINS_OR_ENDS) !== 0) pins.end("savepoint");
  if ((effects & Effect.setsSavepoint) === 0 || !mayHaveBegun(facts)) return;
  const isTold = status !== undefined && (status & (Status.IN_TRANS | Status.AUTOCOMMIT)) !== 0;
  if (!isTold) pins.add("savepoint", begin);
}

/**
 * Where servers do not report it. With autocommit the statement that uses a table is the transaction,
 * and of that it is sure only where rows have changed: a SELECT may have used none, and DO counts a
 * row that is nobody's.
 */
function endsNext(pins: Pins, facts: CommandFacts): boolean {
  const { dialect, effects, error, isRead, changes = 0 } = facts;
  if (pins.has("transaction")) return true;
  if (error !== undefined || dialect !== "oceanbase") return false;
  const changesRows = effects === 0 && !isRead && changes > 0;
  return (effects & BEGINS_OR_ENDS) !== 0 || changesRows;
}

function followTables(pins: Pins, facts: CommandFacts, begin: PinBegin): void {
  const { dialect, error, schema, names, effects } = facts;
  if ((effects & (Effect.createsTemporary | Effect.dropsTemporary)) === 0) return;
  // What MariaDB does not know behind DROP is not there, and it has dropped the others.
  const isDropped = error === undefined || (error === UNKNOWN_TABLE && dialect === "mariadb");
  for (const named of names) {
    const key = tableKey(named, schema);
    if (named.effect === Effect.createsTemporary) {
      if (mayHaveBegun(facts)) pins.add("temporary_table", begin, key);
    } else if (named.effect === Effect.dropsTemporary && isDropped) {
      const { renamedTo } = named;
      const wasThere = pins.has("temporary_table", key);
      pins.remove("temporary_table", key);
      if (wasThere && renamedTo !== undefined) {
        pins.add("temporary_table", begin, tableKey(renamedTo, schema));
      }
    }
  }
}

function tableKey(
  { schema, name }: { readonly schema?: string | undefined; readonly name: string | undefined },
  current: string,
): string {
  return name === undefined ? SOME : `${schema ?? current}.${name}`;
}

function followLocks(pins: Pins, facts: CommandFacts, begin: PinBegin): void {
  const { effects, names, error, dialect, isUtf8 } = facts;
  const isDone = error === undefined;
  const hasBegun = mayHaveBegun(facts);
  if (isDone && (effects & Effect.unlocksTables) !== 0) pins.end("lock_tables");
  if (hasBegun && (effects & Effect.locksTables) !== 0) pins.add("lock_tables", begin);
  for (const { effect, name, all } of names) {
    // The lock was taken before the rest of its statement failed, maybe.
    if (effect === Effect.getsLock) addLock(pins, { name, dialect, isUtf8, begin });
    if (hasBegun && effect === Effect.locksServer) pins.add("server_lock", begin, name ?? SOME);
    if (hasBegun && effect === Effect.opensHandler) {
      pins.add("handler", begin, name?.toLowerCase() ?? SOME);
    }
    if (!isDone) continue;
    switch (effect) {
      case Effect.releasesLock:
        if (all === true) pins.end("user_lock");
        else if (name !== undefined) removeLock(pins, name, dialect);
        break;
      case Effect.unlocksServer:
        pins.remove("server_lock", name ?? SOME);
        break;
      case Effect.closesHandler:
        pins.remove("handler", name?.toLowerCase() ?? SOME);
    }
  }
}

function followRest(pins: Pins, facts: CommandFacts, begin: PinBegin): void {
  const { effects, isRead, asksDiagnostics, error, dialect } = facts;
  // Even what failed may have run in part.
  if ((effects & Effect.unknown) !== 0) pins.add("unknown_state", begin);
  // Of what else it has done, the rest need not have been reported.
  const isMore = error !== undefined || (effects & ~SETS) !== 0;
  if (isMore && changesReports(facts.names, dialect)) pins.add("unknown_state", begin);
  if ((effects & Effect.calls) !== 0) pins.add("routine", begin);
  if ((effects & Effect.usesSequence) !== 0 && facts.asksSequences === true) {
    pins.add("sequence", begin);
  }
  if (mayHaveBegun(facts) && (effects & Effect.calculatesFoundRows) !== 0) {
    pins.add("found_rows", begin);
  } else if (isRead && !(asksDiagnostics && dialect === "mariadb")) {
    pins.end("found_rows");
  }
  if (facts.hasInsertId === true) pins.remove("special_variable", "insert_id");
  for (const { effect, name } of facts.names) {
    // MariaDB does not report all of them.
    const isSpecial = effect === Effect.setsOneShot && SPECIAL.test(name ?? "");
    if (isSpecial && mayHaveBegun(facts)) pins.add("special_variable", begin, name!);
  }
  for (const { name, isOver } of facts.specialVariables ?? []) {
    if (isOver) pins.remove("special_variable", name);
    else pins.add("special_variable", begin, name);
  }
}

/** Of statements whose text tells all that they do. */
const SETS = Effect.setsSystemVariables | Effect.setsUserVariables;

/** Used up by other statements. */
const SPECIAL = /^(insert_id|rand_seed[12])$/;

/** Commands about prepared statements that clients know by id. */
function followStatement(pins: Pins, facts: CommandFacts, begin: PinBegin): void {
  const { command, status = 0, statementId } = facts;
  const id = statementId === undefined ? SOME : String(statementId);
  if (command === Command.STMT_SEND_LONG_DATA) return pins.add("long_data", begin, id);
  if (command === Command.STMT_FETCH) {
    if ((status & Status.LAST_ROW_SENT) !== 0) pins.remove("cursor", id);
    return;
  }
  pins.remove("long_data", id);
  const hasCursor = command === Command.STMT_EXECUTE && (status & Status.CURSOR_EXISTS) !== 0;
  if (hasCursor) pins.add("cursor", begin, id);
  else pins.remove("cursor", id);
}
