/** What a client session has of server sessions, whether they are its own or shared. */
import type { ServerSession } from "../backend/server_session.ts";
import type { AssignedVariable } from "../sql/classified.ts";
import type { ServerNeed } from "./server_need.ts";

/** What the statement that was done last may have done to its session. */
export interface DoneStatement {
  /** Bits of `Effect`. */
  readonly effects: number;
  /** Bits of `Ask`. */
  readonly asks: number;
  readonly assigned: readonly AssignedVariable[];
  /** Its text certainly had no other statement beside it. */
  readonly isAlone: boolean;
  /** It was COM_QUERY. */
  readonly isQuery: boolean;
  /** It was COM_STMT_PREPARE, or COM_STMT_CLOSE. */
  readonly isPrepare: boolean;
  readonly isClose: boolean;
}

/** A reason to stay on a server session. */
export interface HoldPin {
  readonly reason: string;
  /** Milliseconds since the epoch. */
  readonly since: number;
}

export interface ServerHold {
  /** The one that it has right now. */
  readonly current: ServerSession | undefined;
  /** The selected schema, wherever it is selected. */
  readonly schema: string;
  readonly isInTransaction: boolean;
  /** Why it cannot be given back, and since when. */
  readonly pins: readonly HoldPin[];
  /** `ss_id` of the one that it has, or else of the one that is being opened for it. */
  readonly ids: number[];
  /** A server session for a command that begins, if one is at hand that is as it must be. */
  takeNow(): ServerSession | undefined;
  /**
   * A server session for the command that waits.
   * @returns undefined where nobody waits for it any more
   * @throws {SluiceError} where none can be had, to who still waits
   */
  open(need?: ServerNeed): Promise<ServerSession | undefined>;
  /** The reply to a statement has reached the client. @returns whether the server session was given back */
  giveBack(statement: DoneStatement): boolean;
  /** The client's session was reset on the server session that it has. */
  forgetState(): void;
  /** The next command asks what servers know of the last one. @returns false where that is lost */
  keepsFacts(): boolean;
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
