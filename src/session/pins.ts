/** Why a client must stay on the server session that it has, since when, and what ends that. */
import { Ask, Effect } from "../sql/effects.ts";

interface PinRule {
  /** Effects of a statement that leave something behind on the server session. */
  readonly begins: number;
  /** Effects that take it away again. */
  readonly ends?: number;
  /** It is for the next transaction: over when one has begun or ended. Mere reads may leave it. */
  readonly isForTransaction?: true;
  /** It is over with the next statement that has no effects and asks nothing of this. */
  readonly untilUnasked?: number;
}

/** What nothing ends lasts until the client leaves or resets its session. */
const RULES = {
  "LOCK TABLES": {
    begins: Effect.locksTables,
    ends: Effect.unlocksTables | Effect.beginsTransaction,
  },
  "global lock": { begins: Effect.locksServer, ends: Effect.unlocksServer },
  "SET TRANSACTION": { begins: Effect.setsNextTransaction, isForTransaction: true },
  "SQL_CALC_FOUND_ROWS": { begins: Effect.calculatesFoundRows, untilUnasked: Ask.foundRows },
  "temporary table": { begins: Effect.createsTemporary },
  "user lock": { begins: Effect.getsLock },
  "HANDLER": { begins: Effect.opensHandler },
  "XA": { begins: Effect.xa },
  "prepared statement by name": { begins: Effect.prepares },
  "prepared statement": { begins: 0 },
  "cursor": { begins: 0 },
  "user variable": { begins: 0 },
  "unread variable": { begins: 0 },
  "unknown state": { begins: 0 },
} as const satisfies Record<string, PinRule>;

export type PinReason = keyof typeof RULES;

const ROWS = Object.entries(RULES) as readonly (readonly [PinReason, PinRule])[];

/** Effects that leave nothing which servers do not report, or that other rules look after. */
const HARMLESS = Effect.usesSchema | Effect.setsSystemVariables | Effect.beginsTransaction |
  Effect.endsTransaction | Effect.setsUserVariables | Effect.deallocates | Effect.executes |
  Effect.loadsLocal | Effect.disconnects | Effect.releasesLock | Effect.closesHandler |
  Effect.dropsTemporary | Effect.unlocksTables |
  Effect.unlocksServer;

const PINNING = ROWS.reduce((all, [, { begins }]) => all | begins, 0);

export interface Pin {
  readonly reason: PinReason;
  /** Milliseconds since the epoch. */
  readonly since: number;
}

/** What a statement that is done has left. */
export interface Aftermath {
  readonly effects: number;
  readonly asks: number;
  /** It was a statement as text, and no other command. */
  readonly isQuery: boolean;
  readonly hasFailed: boolean;
  readonly isInTransaction: boolean;
}

const ABOUT_TRANSACTIONS = Effect.beginsTransaction | Effect.endsTransaction;

export class Pins {
  readonly #since = new Map<PinReason, number>();

  get isEmpty(): boolean {
    return this.#since.size === 0;
  }

  list(): Pin[] {
    return [...this.#since].map(([reason, since]) => ({ reason, since }));
  }

  add(reason: PinReason, now: number): void {
    if (!this.#since.has(reason)) this.#since.set(reason, now);
  }

  remove(reason: PinReason): void {
    this.#since.delete(reason);
  }

  clear(): void {
    this.#since.clear();
  }

  /** A statement is done: ends what it ends, and begins what it begins. */
  after({ effects, asks, isQuery, hasFailed, isInTransaction }: Aftermath, now: number): void {
    for (const reason of [...this.#since.keys()]) {
      const rule: PinRule = RULES[reason];
      const isEnded = !hasFailed && (effects & (rule.ends ?? 0)) !== 0;
      const isAboutTransactions = isInTransaction || (effects & ABOUT_TRANSACTIONS) !== 0;
      const isUsed = rule.isForTransaction === true && !hasFailed && isAboutTransactions;
      const isUnasked = rule.untilUnasked !== undefined && isQuery && effects === 0 &&
        (asks & rule.untilUnasked) === 0;
      if (isEnded || isUsed || isUnasked) this.#since.delete(reason);
    }
    if (effects === 0) return;
    // A statement that failed may have done a part of what it says.
    const isStrange = (effects & ~(HARMLESS | PINNING)) !== 0;
    if (isStrange || (hasFailed && (effects & Effect.setsUserVariables) !== 0)) {
      this.add("unknown state", now);
    }
    for (const [reason, { begins }] of ROWS) if ((effects & begins) !== 0) this.add(reason, now);
  }
}
