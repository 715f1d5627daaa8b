/** What a pool keeps of one of its server sessions. */
import type { Link } from "./chain.ts";

/** The pool, as far as its sessions know it. */
export interface SeatOwner<Session> {
  /** Takes the session back from its holder. */
  release(session: Session, holder: object | undefined): void;
  /** Closes a session that nobody has, after it has been read out where somebody may ask. */
  retire(seat: PoolSeat<Session>): void;
  /** The connection is closed, however that came. Told once. */
  onEnd(seat: PoolSeat<Session>): void;
}

/** `idle`: to be taken at once; `held`: to be read out first; `taken`; `leaving`: about to close. */
export type SeatState = "idle" | "held" | "taken" | "leaving";

export class PoolSeat<Session> implements Link<PoolSeat<Session>> {
  readonly session: Session;
  readonly pool: SeatOwner<Session>;
  readonly openedSince: number;
  /** From 0 to 1: where in the last part of the life time this one ends. */
  readonly jitter: number;
  older: PoolSeat<Session> | undefined;
  newer: PoolSeat<Session> | undefined;
  state: SeatState = "taken";
  /** Milliseconds since the epoch. */
  releasedSince: number;
  lastHolder: object | undefined;

  constructor(
    session: Session,
    pool: SeatOwner<Session>,
    { now, jitter }: { readonly now: number; readonly jitter: number },
  ) {
    this.session = session;
    this.pool = pool;
    this.openedSince = this.releasedSince = now;
    this.jitter = jitter;
  }
}
