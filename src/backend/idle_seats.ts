/** The sessions of a pool that nobody has at the moment. */
import { Chain } from "./chain.ts";
import type { PoolRequest } from "./pool_request.ts";
import type { PoolSeat } from "./pool_seat.ts";
import type { ServerSession } from "./server_session.ts";

type Seat = PoolSeat<ServerSession>;

/** The newest ones, which are looked at for the nearest state. */
const CANDIDATES = 8;

export class IdleSeats {
  readonly #idle = new Chain<Seat>();
  /** Those that something is to be read out of before anybody but their last holder has them. */
  readonly #held = new Chain<Seat>();
  readonly #lastOf = new Map<object, Seat>();

  get size(): number {
    return this.#idle.size + this.#held.size;
  }

  /** The one that was given back first, of those that nothing is to be read out of if there is one. */
  get oldest(): Seat | undefined {
    return this.#idle.oldest ?? this.#held.oldest;
  }

  get oldestHeld(): Seat | undefined {
    return this.#held.oldest;
  }

  /** A copy, the oldest first: they may be taken out meanwhile. */
  all(): Seat[] {
    const seats: Seat[] = [];
    for (const chain of [this.#idle, this.#held]) {
      for (let seat = chain.oldest; seat !== undefined; seat = seat.newer) seats.push(seat);
    }
    return seats;
  }

  add(seat: Seat): void {
    seat.state = seat.session.beforeHandOver === undefined ? "idle" : "held";
    (seat.state === "idle" ? this.#idle : this.#held).add(seat);
    if (seat.lastHolder !== undefined) this.#lastOf.set(seat.lastHolder, seat);
  }

  /** It must be in here. */
  remove(seat: Seat): void {
    (seat.state === "idle" ? this.#idle : this.#held).remove(seat);
    seat.state = "taken";
    const { lastHolder } = seat;
    if (lastHolder === undefined || this.#lastOf.get(lastHolder) !== seat) return;
    this.#lastOf.delete(lastHolder);
  }

  /** What this holder had last, or else the nearest of the newest. It stays in here. */
  find(request: PoolRequest): Seat | undefined {
    return this.#lastOf.get(request.holder) ?? this.#nearest(request) ?? this.#freed();
  }

  #nearest(request: PoolRequest): Seat | undefined {
    let nearest: Seat | undefined;
    let least = Infinity;
    let seat = this.#idle.newest;
    for (let looked = 0; seat !== undefined && looked < CANDIDATES; looked++) {
      const distance = request.distance(seat.session);
      if (distance === 0) return seat;
      // Even what is infinitely far is better than none.
      if (nearest === undefined || distance < least) {
        nearest = seat;
        least = distance;
      }
      seat = seat.older;
    }
    return nearest;
  }

  /** Whoever held it may have lost interest meanwhile. */
  #freed(): Seat | undefined {
    let seat = this.#held.newest;
    for (let looked = 0; seat !== undefined && looked < CANDIDATES; looked++) {
      if (seat.session.beforeHandOver === undefined) return seat;
      seat = seat.older;
    }
    return undefined;
  }
}
