/** What those who want a server session of a pool say. */
import type { ServerLogin } from "./server_login.ts";
import type { ServerSession } from "./server_session.ts";
import type { WaitSignal } from "./wait_abort.ts";

/** Made once by whoever takes sessions again and again: the fast path makes nothing of its own. */
export interface PoolRequest {
  /** Who asks: gets the session back that it had last, as long as nobody else had it. */
  readonly holder: object;
  /** The `cs_id` of who asks, for the log. */
  readonly clientId?: number;
  /** What a new session is opened with; its attributes do not count. */
  readonly login: ServerLogin;
  /** How much has to be done before the session is as wanted: 0 for nothing. */
  distance(session: ServerSession): number;
}

export interface WaitOptions {
  /** Ends the waiting, and with it the place in the queue. */
  readonly signal: WaitSignal;
  /** Told the `ss_id` of each server session that is opened for this. */
  readonly onOpening?: (id: number) => void;
  /** When the waiting began, if not now. Milliseconds since the epoch. */
  readonly since?: number;
  /**
   * Whether to wait for a server that cannot be reached, up to the same time limit; false fails, for
   * those who have another server to ask.
   */
  readonly isPatient: boolean;
}
