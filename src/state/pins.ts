/**
 * Why a client session must stay on its server session. Each reason has a row that says what ends
 * it; what a command begins and ends is a function of facts about it.
 */
import { Command, Status } from "../protocol/constants.ts";
import type { NamedEffect } from "../sql/classify.ts";
import { Effect } from "../sql/classify.ts";
import type { Dialect } from "./dialect.ts";
import { changesReports } from "./apply_statement.ts";
import type { SpecialVariable } from "./track.ts";

interface PinRow {
  /** What ends it, for people. */
  readonly ends: string;
  /** Only the server can tell whether it is there: it is asked when somebody else wants the session. */
  readonly isToBeAsked?: true;
}

export const PINS = {
  transaction: { ends: "COMMIT or ROLLBACK" },
  next_transaction: { ends: "the next transaction" },
  xa: { ends: "XA COMMIT or XA ROLLBACK" },
  temporary_table: { ends: "DROP TABLE of all temporary tables" },
  lock_tables: { ends: "UNLOCK TABLES" },
  server_lock: { ends: "UNLOCK TABLES, UNLOCK INSTANCE or BACKUP STAGE END" },
  user_lock: { ends: "RELEASE_LOCK of all locks", isToBeAsked: true },
  cursor: { ends: "the last row, or the statement's reset or close" },
  prepared_statement: { ends: "the close of statements that can only be had there" },
  handler: { ends: "HANDLER CLOSE" },
  /** Shown while the file is on its way: no reply leaves it behind. */
  load_data_local: { ends: "the statement's reply" },
  long_data: { ends: "the statement's execution, reset or close" },
  found_rows: { ends: "the next SELECT" },
  special_variable: { ends: "its use, or a reset of the session" },
  routine: { ends: "the server has told what it has left", isToBeAsked: true },
  unknown_state: { ends: "a reset of the session" },
} as const satisfies Record<string, PinRow>;

export type PinReason = keyof typeof PINS;

export interface Pin {
  readonly reason: PinReason;
  /** Milliseconds, as whoever counts them gave them. */
  readonly since: number;
  /** What did it: `CREATE TEMPORARY TABLE`, `COM_STMT_EXECUTE`. */
  readonly cause: string;
  /** What holds it, one of each that must end: names of tables and locks, ids of statements. */
  readonly things: readonly string[];
}

/** Shared by all sessions without a pin. */
export const NO_PINS: readonly Pin[] = Object.freeze([]);

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
  /** The session's schema when it ran. */
  readonly schema: string;
  /** Flags of the last packet; undefined where the reply ended with ERR. */
  readonly status: number | undefined;
  /** The code of the ERR that the reply ended with. */
  readonly error?: number | undefined;
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

/** Stands for a thing whose name no text tells: only what ends all of its kind ends it. */
const SOME = "";

/** ER_BAD_TABLE_ERROR */
const UNKNOWN_TABLE = 1051;

/** Whether a command can neither begin nor end a pin: most cannot, nor in a transaction. */
export function leavesPins(pins: readonly Pin[], effects: number, status: number): boolean {
  if (effects !== 0 || (status & Status.CURSOR_EXISTS) !== 0) return false;
  const isInTransaction = (status & Status.IN_TRANS) !== 0;
  return isInTransaction ? isTransaction(pins) : pins.length === 0;
}

/** Whether what statements do that seem to do nothing may end one of them. */
export function areSensitive(pins: readonly Pin[]): boolean {
  return pins.length > 0 && !isTransaction(pins);
}

function isTransaction(pins: readonly Pin[]): boolean {
  return pins.length === 1 && pins[0]!.reason === "transaction";
}

/**
 * The pins behind a command; the same array where nothing has changed.
 * @param at time of the reply
 */
export function pinsAfter(
  before: readonly Pin[],
  facts: CommandFacts,
  at: number,
): readonly Pin[] {
  const next = new NextPins(before, facts.cause, at);
  switch (facts.command) {
    case Command.RESET_CONNECTION:
    case Command.CHANGE_USER:
      if (facts.error === undefined) next.endAll();
      return next.pins;
    case Command.STMT_EXECUTE:
    case Command.STMT_FETCH:
    case Command.STMT_RESET:
    case Command.STMT_CLOSE:
    case Command.STMT_SEND_LONG_DATA:
    case Command.MARIADB_STMT_BULK_EXECUTE:
      followStatement(next, facts);
  }
  followTables(next, facts);
  followLocks(next, facts);
  followRest(next, facts);
  followTransaction(next, facts);
  return next.pins;
}

/** Events that are no commands. */
export type PinEvent = "server session lost" | "state read";

/** The pins behind an event. */
export function pinsAfterEvent(before: readonly Pin[], event: PinEvent): readonly Pin[] {
  if (event === "server session lost") return NO_PINS;
  const after = before.filter(({ reason }) => reason !== "routine");
  return after.length === before.length ? before : after.length === 0 ? NO_PINS : after;
}

/** Whether none of them is there for certain: the server can tell. */
export function areToBeAsked(pins: readonly Pin[]): boolean {
  return pins.every(({ reason }) => (PINS[reason] as PinRow).isToBeAsked === true);
}

/** The pins of one client session. */
export class Pins {
  #pins: readonly Pin[] = NO_PINS;

  get isPinned(): boolean {
    return this.#pins !== NO_PINS;
  }

  /** In the order in which they began. */
  list(): readonly Pin[] {
    return this.#pins;
  }

  add(reason: PinReason, at: number, cause: string): void {
    const next = new NextPins(this.#pins, cause, at);
    next.add(reason);
    this.#pins = next.pins;
  }

  set(reason: PinReason, isThere: boolean, at: number, cause: string): void {
    const next = new NextPins(this.#pins, cause, at);
    next.set(reason, isThere);
    this.#pins = next.pins;
  }

  apply(facts: CommandFacts, at: number): void {
    this.#pins = pinsAfter(this.#pins, facts, at);
  }

  end(event: PinEvent): void {
    this.#pins = pinsAfterEvent(this.#pins, event);
  }

  /** What somebody has worked out of {@link list}. */
  replace(pins: readonly Pin[]): void {
    this.#pins = pins.length === 0 ? NO_PINS : pins;
  }
}

class NextPins {
  #pins: readonly Pin[];
  readonly #cause: string;
  readonly #at: number;

  constructor(pins: readonly Pin[], cause: string, at: number) {
    this.#pins = pins;
    this.#cause = cause;
    this.#at = at;
  }

  get pins(): readonly Pin[] {
    return this.#pins;
  }

  has(reason: PinReason): boolean {
    return this.#pins.some((pin) => pin.reason === reason);
  }

  /** Things may be there more than once, as locks are taken. */
  add(reason: PinReason, thing?: string): void {
    const old = this.#pins.find((pin) => pin.reason === reason);
    if (old === undefined) {
      const things = thing === undefined ? [] : [thing];
      const pin = { reason, since: this.#at, cause: this.#cause, things };
      this.#pins = [...this.#pins, pin];
    } else if (thing !== undefined) {
      this.#replace(old, [...old.things, thing]);
    }
  }

  /** Adds a thing unless it is there. */
  addOnce(reason: PinReason, thing: string): void {
    const old = this.#pins.find((pin) => pin.reason === reason);
    if (!old?.things.includes(thing)) this.add(reason, thing);
  }

  end(reason: PinReason): void {
    if (!this.has(reason)) return;
    const left = this.#pins.filter((pin) => pin.reason !== reason);
    this.#pins = left.length === 0 ? NO_PINS : left;
  }

  /** One of the things is gone; with the last one the pin ends. */
  remove(reason: PinReason, thing: string): void {
    const old = this.#pins.find((pin) => pin.reason === reason);
    const index = old?.things.indexOf(thing) ?? -1;
    if (old === undefined || index < 0) return;
    if (old.things.length === 1) this.end(reason);
    else this.#replace(old, old.things.toSpliced(index, 1));
  }

  set(reason: PinReason, isThere: boolean): void {
    if (isThere) this.add(reason);
    else this.end(reason);
  }

  endAll(): void {
    this.#pins = NO_PINS;
  }

  #replace(old: Pin, things: readonly string[]): void {
    this.#pins = this.#pins.map((pin) => pin === old ? { ...old, things } : pin);
  }
}

function followTransaction(next: NextPins, facts: CommandFacts): void {
  const { status, effects, characteristics, error } = facts;
  const isDone = error === undefined;
  if (status !== undefined) {
    const isInTransaction = (status & Status.IN_TRANS) !== 0;
    next.set("transaction", isInTransaction);
    if (!isInTransaction) next.end("xa");
    else if ((effects & Effect.xa) !== 0) next.add("xa");
  }
  const isNext = isDone && (effects & Effect.setsNextTransaction) !== 0;
  if (characteristics === "") next.end("next_transaction");
  else if (isNext && !next.has("transaction")) next.add("next_transaction");
  else if (endsNext(next, facts)) next.end("next_transaction");
}

/**
 * Where servers do not report it. With autocommit the statement that uses a table is the transaction,
 * and of that it is sure only where rows have changed: a SELECT may have used none, and DO counts a
 * row that is nobody's.
 */
function endsNext(next: NextPins, facts: CommandFacts): boolean {
  const { dialect, effects, error, isRead, changes = 0 } = facts;
  const ends = Effect.beginsTransaction | Effect.endsTransaction;
  if (next.has("transaction")) return true;
  if (error !== undefined) return false;
  const changesRows = effects === 0 && !isRead && changes > 0;
  return (effects & ends) !== 0 || (dialect === "oceanbase" && changesRows);
}

function followTables(next: NextPins, facts: CommandFacts): void {
  const { dialect, error, schema, names, effects } = facts;
  if ((effects & (Effect.createsTemporary | Effect.dropsTemporary)) === 0) return;
  // What MariaDB does not know behind DROP is not there, and it has dropped the others.
  const isDropped = error === undefined || (error === UNKNOWN_TABLE && dialect === "mariadb");
  for (const named of names) {
    const key = tableKey(named, schema);
    if (named.effect === Effect.createsTemporary) {
      if (error === undefined) next.addOnce("temporary_table", key);
    } else if (named.effect === Effect.dropsTemporary && isDropped) {
      const { renamedTo } = named;
      const wasThere = next.pins.some(({ things, reason }) =>
        reason === "temporary_table" && things.includes(key)
      );
      next.remove("temporary_table", key);
      if (wasThere && renamedTo !== undefined) {
        next.addOnce("temporary_table", tableKey(renamedTo, schema));
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

/** Letters of either case are the same to MySQL, and others to MariaDB. */
function lockName(name: string, dialect: Dialect): string {
  return dialect === "mariadb" ? name : name.toLowerCase();
}

function followLocks(next: NextPins, { effects, names, error, dialect }: CommandFacts): void {
  const isDone = error === undefined;
  if (isDone && (effects & Effect.unlocksTables) !== 0) next.end("lock_tables");
  if (isDone && (effects & Effect.locksTables) !== 0) next.add("lock_tables");
  for (const { effect, name, all } of names) {
    // The lock was taken before the rest of its statement failed, maybe.
    if (effect === Effect.getsLock) {
      next.add("user_lock", name === undefined ? SOME : lockName(name, dialect));
    }
    if (!isDone) continue;
    switch (effect) {
      case Effect.releasesLock:
        if (all === true) next.end("user_lock");
        else if (name !== undefined) next.remove("user_lock", lockName(name, dialect));
        break;
      case Effect.locksServer:
        next.addOnce("server_lock", name ?? SOME);
        break;
      case Effect.unlocksServer:
        next.remove("server_lock", name ?? SOME);
        break;
      case Effect.opensHandler:
        next.addOnce("handler", name?.toLowerCase() ?? SOME);
        break;
      case Effect.closesHandler:
        next.remove("handler", name?.toLowerCase() ?? SOME);
    }
  }
}

function followRest(next: NextPins, facts: CommandFacts): void {
  const { effects, isRead, asksDiagnostics, error, dialect } = facts;
  // Even what failed may have run in part.
  if ((effects & Effect.unknown) !== 0) next.add("unknown_state");
  // Of what else it has done, the rest need not have been reported.
  const isMore = error !== undefined || (effects & ~SETS) !== 0;
  if (isMore && changesReports(facts.names, dialect)) next.add("unknown_state");
  if ((effects & Effect.calls) !== 0) next.add("routine");
  if (error === undefined && (effects & Effect.calculatesFoundRows) !== 0) next.add("found_rows");
  else if (isRead && !(asksDiagnostics && dialect === "mariadb")) next.end("found_rows");
  if (facts.hasInsertId === true) next.remove("special_variable", "insert_id");
  for (const { effect, name } of facts.names) {
    // MariaDB does not report all of them.
    const isSpecial = effect === Effect.setsOneShot && SPECIAL.test(name ?? "");
    if (isSpecial && error === undefined) next.addOnce("special_variable", name!);
  }
  for (const { name, isOver } of facts.specialVariables ?? []) {
    if (isOver) next.remove("special_variable", name);
    else next.addOnce("special_variable", name);
  }
}

/** Of statements whose text tells all that they do. */
const SETS = Effect.setsSystemVariables | Effect.setsUserVariables;

/** Used up by other statements. */
const SPECIAL = /^(insert_id|rand_seed[12])$/;

/** Commands about prepared statements that clients know by id. */
function followStatement(next: NextPins, facts: CommandFacts): void {
  const { command, status = 0, statementId } = facts;
  const id = statementId === undefined ? SOME : String(statementId);
  if (command === Command.STMT_SEND_LONG_DATA) return next.addOnce("long_data", id);
  if (command === Command.STMT_FETCH) {
    if ((status & Status.LAST_ROW_SENT) !== 0) next.remove("cursor", id);
    return;
  }
  next.remove("long_data", id);
  const hasCursor = command === Command.STMT_EXECUTE && (status & Status.CURSOR_EXISTS) !== 0;
  if (hasCursor) next.addOnce("cursor", id);
  else next.remove("cursor", id);
}
