/**
 * Why a client session must stay on its server session. Each reason has a row that says what ends
 * it; what commands begin and end is in `apply_command.ts`.
 */
import { Status } from "../protocol/constants.ts";

interface PinRow {
  /** What ends it, for people. */
  readonly ends: string;
  /** Only the server can tell whether it is there: it is asked when somebody else wants the session. */
  readonly isToBeAsked?: true;
  /** Its things are there as often as they were taken. */
  readonly isCounted?: true;
}

export const PINS = {
  transaction: { ends: "COMMIT or ROLLBACK" },
  next_transaction: { ends: "the next transaction" },
  savepoint: { ends: "COMMIT or ROLLBACK" },
  xa: { ends: "XA COMMIT or XA ROLLBACK" },
  temporary_table: { ends: "DROP TABLE of all temporary tables" },
  lock_tables: { ends: "UNLOCK TABLES" },
  server_lock: { ends: "UNLOCK TABLES, UNLOCK INSTANCE or BACKUP STAGE END" },
  user_lock: { ends: "RELEASE_LOCK of all locks", isToBeAsked: true, isCounted: true },
  cursor: { ends: "the last row, or the statement's reset or close" },
  prepared_statement: { ends: "the close of statements that can only be had there" },
  handler: { ends: "HANDLER CLOSE" },
  /** Shown while the file is on its way: no reply leaves it behind. */
  load_data_local: { ends: "the statement's reply" },
  long_data: { ends: "the statement's execution, reset or close" },
  found_rows: { ends: "the next SELECT" },
  special_variable: { ends: "its use, or a reset of the session" },
  sequence: { ends: "a reset of the session" },
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
  /** What holds it, each once: names of tables and locks, ids of statements. Made when asked for. */
  readonly things: readonly string[];
}

/** Shared by all sessions without a pin. */
export const NO_PINS: readonly Pin[] = Object.freeze([]);

/** Stands for a thing whose name no text tells: only what ends all of its kind ends it. */
export const SOME = "";

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

/** Whether none of them is there for certain: the server can tell. */
export function areToBeAsked(pins: readonly Pin[]): boolean {
  return pins.every(({ reason }) => rowOf(reason).isToBeAsked === true);
}

function rowOf(reason: PinReason): PinRow {
  return PINS[reason];
}

/** What began a pin, and when. */
export type PinBegin = Pick<Pin, "since" | "cause">;

/** A pin and what holds it: however many things there are, one comes and goes at the same cost. */
class Held implements Pin {
  readonly reason: PinReason;
  readonly since: number;
  readonly cause: string;
  /** How often each of them is there. */
  readonly counts = new Map<string, number>();

  constructor(reason: PinReason, { since, cause }: PinBegin) {
    this.reason = reason;
    this.since = since;
    this.cause = cause;
  }

  get things(): readonly string[] {
    return [...this.counts.keys()];
  }
}

/** The pins of one client session. */
export class Pins {
  /** A new array where one begins or ends, and the same where things come and go. */
  #pins: readonly Held[] = NONE;

  get isPinned(): boolean {
    return this.#pins !== NONE;
  }

  /** In the order in which they began. */
  list(): readonly Pin[] {
    return this.#pins;
  }

  /** @param thing one that holds it, if it holds one; any where it is not given */
  has(reason: PinReason, thing?: string): boolean {
    const held = this.#find(reason);
    return held !== undefined && (thing === undefined || held.counts.has(thing));
  }

  /** How many different things hold it. */
  size(reason: PinReason): number {
    return this.#find(reason)?.counts.size ?? 0;
  }

  add(reason: PinReason, begin: PinBegin, thing?: string): void {
    let held = this.#find(reason);
    if (held === undefined) {
      held = new Held(reason, begin);
      this.#pins = [...this.#pins, held];
    }
    if (thing === undefined) return;
    const before = rowOf(reason).isCounted === true ? held.counts.get(thing) ?? 0 : 0;
    held.counts.set(thing, before + 1);
  }

  /** One of the things is gone, or is there once less; with the last one the pin ends. */
  remove(reason: PinReason, thing: string): void {
    const held = this.#find(reason);
    const count = held?.counts.get(thing);
    if (held === undefined || count === undefined) return;
    if (count > 1) held.counts.set(thing, count - 1);
    else this.removeAll(reason, thing);
  }

  /** The thing is gone, however often it was there. */
  removeAll(reason: PinReason, thing: string): void {
    const held = this.#find(reason);
    if (held?.counts.delete(thing) === true && held.counts.size === 0) this.end(reason);
  }

  set(reason: PinReason, isThere: boolean, begin: PinBegin): void {
    if (isThere) this.add(reason, begin);
    else this.end(reason);
  }

  end(reason: PinReason): void {
    if (!this.has(reason)) return;
    const left = this.#pins.filter((held) => held.reason !== reason);
    this.#pins = left.length === 0 ? NONE : left;
  }

  endAll(): void {
    this.#pins = NONE;
  }

  #find(reason: PinReason): Held | undefined {
    return this.#pins.find((held) => held.reason === reason);
  }
}

const NONE = NO_PINS as readonly Held[];
