/** What a client session has of server sessions, whether they are its own or shared. */
import type { ServerSession } from "../backend/server_session.ts";

export interface ServerHold {
  /** The one that it has right now. */
  readonly current: ServerSession | undefined;
  /** The selected schema, wherever it is selected. */
  readonly schema: string;
  readonly isInTransaction: boolean;
  /** `ss_id` of the one that it has, or else of the one that is being opened for it. */
  readonly ids: number[];
  /** A server session for a command that begins, if one is at hand that is as it must be. */
  takeNow(): ServerSession | undefined;
  /**
   * A server session for the command that waits.
   * @returns undefined where nobody waits for it any more
   * @throws {SluiceError} where none can be had, to who still waits
   */
  open(): Promise<ServerSession | undefined>;
  /** A reply has reached the client whole. @returns whether the server session was given back */
  giveBack(): boolean;
  /** Nobody waits for the opening any more. */
  abandonOpening(): void;
  /** Ends the opening with an error for who waits. @returns false where it is not of this `ss_id` */
  killOpening(id: number, reason: string): boolean;
  /**
   * Has it no more: the client leaves, or somebody has it taken away.
   * @param isExecuting whether a statement runs on it, which is cancelled then
   */
  letGo(isExecuting: boolean): void;
  /** It is broken: there is nothing to give back. */
  discard(): void;
}
