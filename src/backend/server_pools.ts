/**
 * All pools of one server: they share its hard maximum, and no pool's waiters starve behind the
 * sessions of another.
 */
import type { PoolConfig } from "../config/types.ts";
import { SluiceError } from "../errors.ts";
import { type LogFields, logWarning } from "../log.ts";
import type { Backend } from "./backend.ts";
import { Pool, type PoolHome, type Seat } from "./pool.ts";
import { poolKey } from "./pool_key.ts";
import type { ServerLogin } from "./server_login.ts";
import type { ServerSession } from "./server_session.ts";

/**
 * By how much longer somebody must have waited at another pool for a session to be closed for that
 * one's sake while there are others to use it, and how often that may be at most. Without it, two
 * busy pools would do nothing but log in. Milliseconds.
 */
const CLEARLY_LONGER = 50;

/** A pool that nobody has used for this long keeps none open. */
const UNUSED_AFTER = 86_400_000;

const NO_ATTRIBUTES = new Uint8Array(0);

export interface ServerPoolsOptions {
  /** What operators call the cluster. */
  readonly cluster: string;
  /** In force now. */
  readonly limits: PoolConfig;
  readonly now?: () => number;
  readonly random?: () => number;
  /** Opens a session. @throws {SluiceError} */
  open(backend: Backend, asked: Opening): Promise<ServerSession>;
}

/** One server session that a pool wants. */
export interface Opening {
  readonly login: ServerLogin;
  readonly signal: AbortSignal;
  readonly onOpening: (id: number) => void;
  /** The server has sessions of pools: that it takes no more is no reason to leave it. */
  readonly isInUse: boolean;
}

export class ServerPools implements PoolHome {
  readonly backend: Backend;
  readonly #options: ServerPoolsOptions;
  readonly #pools = new Map<string, Pool>();
  readonly #waiting = new Set<Pool>();
  readonly #abort = new AbortController();
  #total = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerAt = Infinity;
  /** When a session was last closed for the sake of another pool. */
  #switched = 0;
  #closed: SluiceError | undefined;

  constructor(backend: Backend, options: ServerPoolsOptions) {
    this.backend = backend;
    this.#options = options;
  }

  get limits(): PoolConfig {
    return this.#options.limits;
  }

  get pools(): IterableIterator<Pool> {
    return this.#pools.values();
  }

  /** Server sessions of all pools, with those that are being opened or closed. */
  get total(): number {
    return this.#total;
  }

  /** The most that there may be; 0 for any number. */
  get maximum(): number {
    return this.backend.config.maxConnections ?? this.limits.poolServerMaxConnections;
  }

  /** The pool of sessions with this login; whoever keeps it asks again when it `isDropped`. */
  pool(login: ServerLogin): Pool {
    const key = poolKey(login);
    let pool = this.#pools.get(key);
    if (pool === undefined) {
      pool = new Pool(`${login.user}#${this.#options.cluster}`, login, this);
      this.#pools.set(key, pool);
      if (this.limits.poolPrefill) this.#fill(pool, this.now());
    }
    return pool;
  }

  /** About once a second. */
  sweep(now: number): void {
    for (const [key, pool] of this.#pools) {
      const least = this.#leastOf(pool, now);
      pool.sweep(now, least);
      this.onRefusal(pool);
      this.#fill(pool, now);
      if (least > 0 || pool.size > 0 || pool.waiting.size > 0) continue;
      pool.isDropped = true;
      this.#pools.delete(key);
    }
    while (this.#surplus > 0 && this.#makeRoom());
    this.#look(now);
    this.backend.sweep(now);
  }

  /** Ends all waiting and closes what is free; what is in use closes when it is given back. */
  close(): void {
    this.#closed ??= new SluiceError("shutdown", "Server shutdown in progress");
    this.#abort.abort();
    for (const pool of this.#pools.values()) pool.close(this.#closed);
  }

  // ---- what the pools ask for ----

  get closed(): SluiceError | undefined {
    return this.#closed;
  }

  now(): number {
    return this.#options.now?.() ?? Date.now();
  }

  random(): number {
    return this.#options.random?.() ?? Math.random();
  }

  open(login: ServerLogin, onOpening: (id: number) => void): Promise<ServerSession> {
    return this.#options.open(this.backend, {
      login: { ...login, attributes: NO_ATTRIBUTES },
      signal: this.#abort.signal,
      onOpening,
      isInUse: [...this.#pools.values()].some((pool) => pool.seats.size > 0),
    });
  }

  count(change: 1 | -1): void {
    this.#total += change;
  }

  onQueue(pool: Pool, isEmpty: boolean): void {
    if (!isEmpty) {
      this.#waiting.add(pool);
      return;
    }
    this.#waiting.delete(pool);
    if (this.#waiting.size === 0) this.#setTimer(Infinity, 0);
  }

  whereOf({ name, waiting }: Pool): LogFields {
    return { pool: name, server: this.backend.label, waiting: waiting.size };
  }

  onRefusal(pool: Pool): void {
    const refused = pool.refusals.due(this.now());
    if (refused === 0) return;
    const isServerFull = pool.room > 0 && this.#isFull;
    logWarning("pool exhausted", {
      ...this.whereOf(pool),
      limit: isServerFull ? this.maximum : this.limits.poolMaxConnections,
      refused,
      cause: `no time was left to wait for ${this.shortageOf(pool)}`,
    });
  }

  passOn(pool: Pool, seat: Seat): boolean {
    if (this.#waiting.size === 0 && this.#surplus <= 0) return false;
    if (this.#surplus > 0 || (this.#isFull && this.#isWantedElsewhere(pool))) {
      pool.retire(seat);
      return true;
    }
    return pool.hand(seat);
  }

  serve(): void {
    if (this.#waiting.size === 0 || this.#closed !== undefined) return;
    const now = this.now();
    // What is about to close makes room for who has waited longest.
    let promised = this.#leaving;
    for (const pool of this.#byAge()) {
      let unserved = pool.unserved;
      while (unserved > 0 && pool.prepareHeld()) unserved--;
      for (let room = pool.room; unserved > 0 && room > 0 && pool.mayOpen(now); unserved--) {
        if (!this.#isFull) pool.open();
        else if (promised > 0) promised--;
        else if (!this.#makeRoom(pool)) break;
        room--;
      }
    }
    this.#arm(now);
  }

  shortageOf(pool: Pool): string {
    const { poolMaxConnections } = this.limits;
    const name = `pool ${pool.name} on server ${this.backend.label}`;
    const { failure } = pool.retry;
    if (failure !== undefined) return `a server session of ${name}: ${failure.message}`;
    if (pool.room > 0 && this.#isFull) {
      return `one of the ${this.maximum} server sessions that all pools of server ` +
        `${this.backend.label} may have, for pool ${pool.name}`;
    }
    return `one of the ${poolMaxConnections} server sessions of ${name}`;
  }

  // ---- shares of the server ----

  get #isFull(): boolean {
    return this.maximum > 0 && this.#total >= this.maximum;
  }

  /** How many more there are than there may be, since that was changed. */
  get #surplus(): number {
    const surplus = this.maximum === 0 ? 0 : this.#total - this.maximum;
    return surplus > 0 ? surplus - this.#leaving : 0;
  }

  get #leaving(): number {
    let leaving = 0;
    for (const pool of this.#pools.values()) leaving += pool.leaving;
    return leaving;
  }

  /** The pools with waiting clients, the longest waiting first. */
  #byAge(): Pool[] {
    return [...this.#waiting].sort((left, right) => ageOrder(left, right));
  }

  /** Whether the room that a free session takes is for somebody who waits elsewhere. */
  #isWantedElsewhere(pool: Pool): boolean {
    const now = this.now();
    const own = pool.waiting.first;
    const leaving = this.#leaving;
    if (own !== undefined && (leaving > 0 || now - this.#switched < CLEARLY_LONGER)) return false;
    let wanted = -leaving;
    for (const other of this.#waiting) {
      if (other === pool || other.room <= 0 || !other.mayOpen(now)) continue;
      const margin = other.size === 0 ? 0 : CLEARLY_LONGER;
      if (own !== undefined && other.waiting.first!.since >= own.since - margin) continue;
      wanted += Math.min(other.unserved, other.room);
    }
    if (wanted > 0 && own !== undefined) this.#switched = now;
    return wanted > 0;
  }

  /** Has the session closed that is idle for longest in other pools than this. */
  #makeRoom(pool?: Pool): boolean {
    let owner: Pool | undefined;
    let since = Infinity;
    for (const other of this.#pools.values()) {
      const seat = other === pool ? undefined : other.oldestIdle;
      if (seat === undefined || seat.releasedSince >= since) continue;
      [owner, since] = [other, seat.releasedSince];
    }
    owner?.retire(owner.oldestIdle!);
    return owner !== undefined;
  }

  #leastOf(pool: Pool, now: number): number {
    const { poolMinConnections, poolMaxConnections, poolPrefill } = this.limits;
    if (pool.lastUsed === undefined && !poolPrefill) return 0;
    if (now - (pool.lastUsed ?? pool.since) >= UNUSED_AFTER) return 0;
    return Math.min(poolMinConnections, poolMaxConnections || Infinity);
  }

  /** Opens what the least lacks. */
  #fill(pool: Pool, now: number): void {
    let lack = this.#leastOf(pool, now) - (pool.size - pool.leaving);
    for (; lack > 0 && pool.room > 0 && !this.#isFull && pool.mayOpen(now); lack--) pool.open();
  }

  // ---- time limits of who waits ----

  #look(now = this.now()): void {
    for (const pool of [...this.#waiting]) pool.expire(now);
    this.serve();
  }

  #arm(now: number): void {
    let next = Infinity;
    for (const pool of this.#waiting) next = Math.min(next, pool.deadline(now) ?? Infinity);
    // A timer that comes too early looks and finds nothing.
    if (next < this.#timerAt) this.#setTimer(next, now);
  }

  #setTimer(at: number, now: number): void {
    clearTimeout(this.#timer);
    this.#timerAt = at;
    this.#timer = at === Infinity ? undefined : setTimeout(() => {
      this.#timerAt = Infinity;
      this.#look();
    }, Math.max(1, at - now));
  }
}

function ageOrder(left: Pool, right: Pool): number {
  return (left.waiting.first?.since ?? Infinity) - (right.waiting.first?.since ?? Infinity);
}
