/** Who waits for a server session of a pool, in the order of asking. */
import { SluiceError } from "../errors.ts";
import { Chain, type Link } from "./chain.ts";
import type { PoolRequest, WaitOptions } from "./pool_request.ts";
import type { ServerSession } from "./server_session.ts";

export class Waiter implements Link<Waiter> {
  older: Waiter | undefined;
  newer: Waiter | undefined;
  readonly request: PoolRequest;
  readonly options: WaitOptions;
  /** When it began to wait, here or at another server. Milliseconds since the epoch. */
  readonly since: number;
  readonly session: Promise<ServerSession>;
  isWaiting = true;
  /** A server session is being opened on its behalf. */
  hasOpening = false;
  #resolve!: (session: ServerSession) => void;
  #reject!: (error: SluiceError) => void;
  readonly #onAbort: () => void;

  constructor(
    request: PoolRequest,
    options: WaitOptions,
    more: { readonly since: number; readonly onAbort: (waiter: Waiter) => void },
  ) {
    this.request = request;
    this.options = options;
    this.since = more.since;
    this.session = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#onAbort = () => more.onAbort(this);
    options.signal.addEventListener("abort", this.#onAbort);
  }

  /** The server session that was opened on its behalf is there, or cannot be had. */
  endOpening(): void {
    this.hasOpening = false;
    this.options.onOpening?.(0);
  }

  resolve(session: ServerSession): void {
    this.options.signal.removeEventListener("abort", this.#onAbort);
    this.#resolve(session);
  }

  reject(error: SluiceError): void {
    this.options.signal.removeEventListener("abort", this.#onAbort);
    this.#reject(error);
  }
}

/** What the waiting of somebody ends with who has gone. */
export function killed(): SluiceError {
  return new SluiceError("killed", "The client session has ended");
}

export class WaitQueue {
  readonly #waiters = new Chain<Waiter>();
  readonly #onChange: (isEmpty: boolean) => void;

  /** @param onChange told when the queue becomes empty, and when it no longer is */
  constructor(onChange: (isEmpty: boolean) => void) {
    this.#onChange = onChange;
  }

  get size(): number {
    return this.#waiters.size;
  }

  get first(): Waiter | undefined {
    return this.#waiters.oldest;
  }

  add(request: PoolRequest, options: WaitOptions, now: number): Promise<ServerSession> {
    const waiter = new Waiter(request, options, {
      since: options.since ?? now,
      onAbort: (gone) => this.#fail(gone, killed()),
    });
    // Who comes from another server's queue has waited for longer than some here.
    let older = this.#waiters.newest;
    while (older !== undefined && older.since > waiter.since) older = older.older;
    this.#waiters.addBehind(older, waiter);
    if (this.#waiters.size === 1) this.#onChange(false);
    return waiter.session;
  }

  /** Gives the session to the first one. @returns false where nobody waits */
  serve(session: ServerSession): boolean {
    const first = this.#waiters.oldest;
    if (first === undefined) return false;
    this.#remove(first);
    first.resolve(session);
    return true;
  }

  /** Ends the waiting of this one, if it still waits. */
  fail(waiter: Waiter, error: SluiceError): void {
    if (waiter.isWaiting) this.#fail(waiter, error);
  }

  /** Ends the waiting of all that `errorFor` gives an error for. */
  failWhere(errorFor: (waiter: Waiter) => SluiceError | undefined): void {
    let next: Waiter | undefined;
    for (let waiter = this.#waiters.oldest; waiter !== undefined; waiter = next) {
      next = waiter.newer;
      const error = errorFor(waiter);
      if (error !== undefined) this.#fail(waiter, error);
    }
  }

  /** The first one that no server session is being opened for. */
  get firstWithoutOpening(): Waiter | undefined {
    let waiter = this.#waiters.oldest;
    while (waiter?.hasOpening) waiter = waiter.newer;
    return waiter;
  }

  /** The one with `count` others before it. */
  behind(count: number): Waiter | undefined {
    let waiter = this.#waiters.oldest;
    for (let at = 0; at < count; at++) waiter = waiter?.newer;
    return waiter;
  }

  #fail(waiter: Waiter, error: SluiceError): void {
    this.#remove(waiter);
    waiter.reject(error);
  }

  #remove(waiter: Waiter): void {
    this.#waiters.remove(waiter);
    waiter.isWaiting = false;
    if (this.#waiters.size === 0) this.#onChange(true);
  }
}
