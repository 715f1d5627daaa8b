/**
 * Server sessions of one server that are alike (see pool_key.ts), shared by whoever asks: who wants
 * one takes an idle one at once or waits in order, and gives it back.
 */
import type { PoolConfig } from "../config/types.ts";
import { messageOf, SluiceError } from "../errors.ts";
import { type LogFields, logsDebug, logWarning } from "../log.ts";
import { isServerFull, mayHelpElsewhere } from "./failover.ts";
import { IdleSeats } from "./idle_seats.ts";
import type { PoolRequest, WaitOptions } from "./pool_request.ts";
import { PoolSeat, type SeatOwner } from "./pool_seat.ts";
import { Repeats } from "./repeats.ts";
import { Retry } from "./retry.ts";
import type { ServerLogin } from "./server_login.ts";
import type { ServerSession } from "./server_session.ts";
import { tellWait } from "./wait_log.ts";
import { killed, type Waiter, WaitQueue } from "./wait_queue.ts";

export type { PoolRequest, WaitOptions } from "./pool_request.ts";

export type Seat = PoolSeat<ServerSession>;

/** The last part of the life time, over which the ends of sessions of one age are spread. */
const JITTERED = 0.1;

/** Why sessions are closed, for the log. */
const OLD = "its life time was over";
const TOO_MUCH = "the pool had too many";
const STOPPED = "the proxy stops";

/** What a pool asks of the set of pools that share the server with it. */
export interface PoolHome {
  /** Why there are no more sessions; undefined while there are. */
  readonly closed: SluiceError | undefined;
  /** In force now: they may be others at the next look. */
  readonly limits: PoolConfig;
  /** Milliseconds since the epoch. */
  now(): number;
  /** From 0 to 1. */
  random(): number;
  /** Opens a session of any pool's. @throws {SluiceError} */
  open(login: ServerLogin, onOpening: (id: number) => void): Promise<ServerSession>;
  /** A session more or less is open or being opened. */
  count(change: 1 | -1): void;
  /** Who waits may be served in another way than before. */
  serve(): void;
  /** Gives a free session to who waits, here or in another pool. @returns false where nobody does */
  passOn(pool: Pool, seat: Seat): boolean;
  onQueue(pool: Pool, isEmpty: boolean): void;
  onRefusal(pool: Pool): void;
  /** For the log. */
  whereOf(pool: Pool): LogFields;
  /** What there is not enough of. */
  shortageOf(pool: Pool): string;
}

export class Pool implements SeatOwner<ServerSession> {
  /** What operators call the pools of this account: `user#cluster`. */
  readonly name: string;
  readonly waiting: WaitQueue;
  readonly retry = new Retry();
  /** Who has waited in vain. */
  readonly refusals = new Repeats();
  /** When it was made. Milliseconds since the epoch. */
  readonly since: number;
  /** Nothing was left of it: whoever keeps it looks for the one in its place. */
  isDropped = false;
  readonly #home: PoolHome;
  readonly #seats = new Set<Seat>();
  readonly #idle = new IdleSeats();
  #opening = 0;
  #preparing = 0;
  #leaving = 0;
  #lastUsed: number | undefined;
  #login: ServerLogin;

  /** @param login opens sessions that nobody has asked for yet */
  constructor(name: string, login: ServerLogin, home: PoolHome) {
    this.name = name;
    this.#home = home;
    this.#login = { ...login, schema: "" };
    this.since = home.now();
    this.waiting = new WaitQueue((isEmpty) => home.onQueue(this, isEmpty));
  }

  /** Server sessions with those that are being opened, read out or closed: what limits count. */
  get size(): number {
    return this.#seats.size + this.#opening;
  }

  get idle(): number {
    return this.#idle.size;
  }

  get opening(): number {
    return this.#opening;
  }

  get leaving(): number {
    return this.#leaving;
  }

  get seats(): ReadonlySet<Seat> {
    return this.#seats;
  }

  /** When somebody last asked for a session or gave one back. */
  get lastUsed(): number | undefined {
    return this.#lastUsed;
  }

  /** The next one to close where one has to. */
  get oldestIdle(): Seat | undefined {
    return this.#idle.oldest;
  }

  /** How many more its own limit lets it open. */
  get room(): number {
    const { poolMaxConnections } = this.#home.limits;
    return poolMaxConnections === 0 ? Infinity : poolMaxConnections - this.size;
  }

  /** How many wait for whom nothing is on its way. */
  get unserved(): number {
    return Math.max(0, this.waiting.size - this.#opening - this.#preparing);
  }

  // ---- what holders ask for ----

  /**
   * An idle session at once: the one that this holder had last, or else the nearest of the newest;
   * undefined where there is none without anything to wait for.
   */
  tryTake(request: PoolRequest): ServerSession | undefined {
    const seat = this.#idle.find(request);
    if (seat === undefined) return undefined;
    this.#idle.remove(seat);
    return seat.session;
  }

  /**
   * The same, or one that is read out or opened before, or the first that is given back.
   * @throws {SluiceError} pool_exhausted after the time limit, killed where the signal fires, or
   *   what opening one has failed with
   */
  acquire(request: PoolRequest, options: WaitOptions): Promise<ServerSession> {
    const taken = this.tryTake(request);
    if (taken !== undefined) return Promise.resolve(taken);
    if (this.#home.closed !== undefined) return Promise.reject(this.#home.closed);
    if (options.signal.aborted) return Promise.reject(killed());
    const now = this.#lastUsed = this.#home.now();
    const { failure, at } = this.retry;
    if (failure !== undefined && now < at && this.#seats.size === 0 && !options.isPatient) {
      return Promise.reject(failure);
    }
    const session = this.waiting.add(request, options, now);
    if (logsDebug()) tellWait(session, request, () => this.#home.whereOf(this));
    this.#home.serve();
    return session;
  }

  /**
   * Takes a session back whose reply is done. Its `beforeHandOver`, if it has one, runs before
   * anybody but `holder` gets it.
   */
  release(session: ServerSession, holder: object | undefined): void {
    const { seat } = session;
    if (seat?.pool !== this || seat.state !== "taken" || !session.isOpen) return;
    seat.lastHolder = holder;
    this.#settle(seat, this.#lastUsed = this.#home.now());
  }

  // ---- what the set of pools has it do ----

  /** Gives a free session to the first who waits. @returns false where nobody does */
  hand(seat: Seat): boolean {
    const { session, lastHolder } = seat;
    const { first } = this.waiting;
    if (first === undefined) return false;
    if (session.beforeHandOver === undefined || lastHolder === first.request.holder) {
      this.waiting.serve(session);
    } else {
      this.#prepare(seat);
    }
    return true;
  }

  /** Has an idle session read out for who waits. @returns false where there is none */
  prepareHeld(): boolean {
    const seat = this.#idle.oldestHeld;
    if (seat === undefined) return false;
    this.#idle.remove(seat);
    this.#prepare(seat);
    return true;
  }

  /** Whether the last failure, if there was one, lets it try (again). */
  mayOpen(now: number): boolean {
    const { failure, at } = this.retry;
    return failure === undefined || (this.#opening === 0 && now >= at);
  }

  /** Opens a session for the first who has none on its way, or else to have it. */
  open(): void {
    const waiter = this.waiting.firstWithoutOpening;
    if (waiter !== undefined) waiter.hasOpening = true;
    const login = waiter?.request.login ?? this.#login;
    this.#opening++;
    this.#home.count(1);
    this.#home.open(login, (id) => waiter?.options.onOpening?.(id)).then(
      (session) => this.#opened(session, login, waiter),
      (error) => this.#openingFailed(error, waiter),
    );
  }

  /** Closes a free session, after it has been read out where somebody may ask. */
  retire(seat: Seat, reason = "it made room"): void {
    const isResting = seat.state !== "taken";
    if (isResting) this.#idle.remove(seat);
    if (seat.session.beforeHandOver === undefined) return this.#end(seat, reason);
    seat.state = "leaving";
    this.#leaving++;
    readOut(seat).then((outcome) => {
      if (outcome !== "kept" || !seat.session.isOpen) return seat.session.release(reason);
      seat.state = "taken";
      this.#leaving--;
      // Somebody may have waited for its place.
      this.#home.serve();
    }, (error) => this.#abandon(seat, error));
  }

  /** Retires what has been idle or open for too long, or is too much. */
  sweep(now: number, least: number): void {
    const { poolIdleTimeout } = this.#home.limits;
    for (const seat of this.#idle.all()) {
      const isSpare = this.#seats.size - this.#leaving > least;
      const isIdle = poolIdleTimeout > 0 && now - seat.releasedSince >= poolIdleTimeout;
      if (isSpare && isIdle) this.retire(seat, "it was idle for too long");
      else if (this.#isOld(seat, now)) this.retire(seat, OLD);
      else if (this.room < -this.#leaving) this.retire(seat, TOO_MUCH);
    }
  }

  /** Ends the waiting that has come to the time limit; whom a session is opened for may wait on. */
  expire(now: number): void {
    const { poolBlockingTimeout } = this.#home.limits;
    for (;;) {
      const waiter = this.waiting.behind(this.#opening);
      if (waiter === undefined || now - waiter.since < poolBlockingTimeout) return;
      const failure = this.#seats.size === 0 ? this.retry.failure : undefined;
      this.waiting.fail(waiter, failure ?? this.#exhausted(now - waiter.since));
    }
  }

  /** When to look again if nothing happens before; undefined while nobody waits. */
  deadline(now: number): number | undefined {
    const waiter = this.waiting.behind(this.#opening);
    if (waiter === undefined) return undefined;
    const limit = waiter.since + this.#home.limits.poolBlockingTimeout;
    return this.retry.at > now ? Math.min(limit, this.retry.at) : limit;
  }

  /** Closes what is free and ends all waiting. */
  close(error: SluiceError): void {
    this.waiting.failWhere(() => error);
    for (const seat of this.#idle.all()) {
      seat.session.beforeHandOver = undefined;
      this.retire(seat, STOPPED);
    }
  }

  // ---- what becomes of sessions ----

  onEnd(seat: Seat): void {
    this.#seats.delete(seat);
    if (seat.state === "idle" || seat.state === "held") this.#idle.remove(seat);
    if (seat.state === "leaving") this.#leaving--;
    this.#home.count(-1);
    this.#home.serve();
  }

  #opened(session: ServerSession, login: ServerLogin, waiter: Waiter | undefined): void {
    this.#opening--;
    // Who asked first gets it: what was opened for that one may be for this one then.
    waiter?.endOpening();
    this.#login = { ...login, schema: "" };
    this.retry.succeed();
    const now = this.#home.now();
    const jitter = this.#home.random();
    const seat = new PoolSeat<ServerSession>(session, this, { now, jitter });
    this.#seats.add(seat);
    session.seat = seat;
    if (session.isOpen) this.#settle(seat, now);
    else this.onEnd(seat);
    // After a failure it was the only attempt.
    this.#home.serve();
  }

  #openingFailed(error: unknown, waiter: Waiter | undefined): void {
    this.#opening--;
    this.#home.count(-1);
    if (!(error instanceof SluiceError)) throw error;
    waiter?.endOpening();
    const now = this.#home.now();
    if (isServerFull(error) && this.#seats.size > 0) {
      // Those who wait have sessions to wait for.
      this.retry.fail(error, now);
    } else if (mayHelpElsewhere(error)) {
      this.retry.fail(error, now);
      this.waiting.failWhere(({ options }) => options.isPatient ? undefined : error);
    } else if (waiter === undefined) {
      this.retry.fail(error, now);
    } else {
      this.waiting.fail(waiter, error);
    }
    this.#home.serve();
  }

  /** It is free: for who waits, to rest, or to close. */
  #settle(seat: Seat, now: number): void {
    const { session } = seat;
    seat.releasedSince = now;
    // Nobody asks any more for what is there.
    if (this.#home.closed !== undefined) return this.#end(seat, STOPPED);
    // A transaction must not pass to somebody else.
    if (session.isInTransaction) return this.#end(seat, "a transaction was open");
    session.park();
    if (!session.isOpen) return;
    if (this.room < -this.#leaving) return this.retire(seat, TOO_MUCH);
    if (this.#isOld(seat, now)) return this.retire(seat, OLD);
    if (!this.#home.passOn(this, seat)) this.#idle.add(seat);
  }

  #prepare(seat: Seat): void {
    this.#preparing++;
    readOut(seat).then((outcome) => {
      this.#preparing--;
      if (outcome !== "kept" && seat.session.isOpen) this.#settle(seat, this.#home.now());
      else this.#home.serve();
    }, (error) => {
      this.#preparing--;
      this.#abandon(seat, error);
      this.#home.serve();
    });
  }

  /** What its last holder has left there cannot be told. */
  #abandon({ session }: Seat, cause: unknown): void {
    if (session.isOpen) {
      logWarning("server session closed: it cannot be read out", {
        ss_id: session.id,
        server: session.backend.label,
        cause: messageOf(cause),
      });
    }
    session.close();
  }

  #end(seat: Seat, reason: string): void {
    seat.state = "leaving";
    this.#leaving++;
    seat.session.release(reason);
  }

  #isOld(seat: Seat, now: number): boolean {
    const { poolLifeTime } = this.#home.limits;
    return poolLifeTime > 0 &&
      now - seat.openedSince >= poolLifeTime * (1 - JITTERED * seat.jitter);
  }

  #exhausted(waited: number): SluiceError {
    this.refusals.add();
    this.#home.onRefusal(this);
    return new SluiceError(
      "pool_exhausted",
      `Too many connections: waited ${waited} ms for ${this.#home.shortageOf(this)}`,
    );
  }
}

/** Lets the last holder learn from it what only it can tell. */
async function readOut(seat: Seat): Promise<"kept" | void> {
  const { beforeHandOver } = seat.session;
  seat.session.beforeHandOver = undefined;
  seat.lastHolder = undefined;
  return await beforeHandOver?.();
}
