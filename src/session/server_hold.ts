/** What a client session has of server sessions, whether they are its own or shared. */
import type { ServerSession } from "../backend/server_session.ts";
import type { SharingMode } from "../config/types.ts";
import type { Pin } from "../state/pins.ts";
import type { SessionStateInfo } from "../session_manager.ts";
import type { SluiceError } from "../errors.ts";
import type { LastFacts } from "./last_statement.ts";
import type { PlannedCommand } from "./planned_command.ts";

export interface ServerHold {
  readonly sharing: SharingMode;
  /** Whether the server session that it has has run no command yet. */
  readonly isUnused: boolean;
  /** The one that it has right now. */
  readonly current: ServerSession | undefined;
  /** The selected schema, wherever it is selected. */
  readonly schema: string;
  readonly isInTransaction: boolean;
  /** How many the last statement had, as replies to other commands repeat it; of shared ones only. */
  readonly warnings: number | undefined;
  /** That number is none now: the proxy has answered what servers count anew behind. */
  countNoWarnings(): void;
  /** See `ClientEntry`. */
  stateInfo(): SessionStateInfo | undefined;
  /** A system variable of the session, as far as servers have told it. */
  variable(name: string): string | undefined;
  /** Why it cannot be given back, and since when. */
  readonly pins: readonly Pin[];
  /** The same for lists, with what lasts no longer than the command that runs. */
  listPins(command: PlannedCommand | undefined, since: number): readonly Pin[];
  /** Where its last command went, and why there: `db1: hint`; empty before the first. */
  readonly route: string;
  /** The same, or the one that waits for the client because pins are there. */
  readonly bound: ServerSession | undefined;
  /** Where pins are, which has ended while the client did not have it. */
  readonly lostLast: ServerSession | undefined;
  /** `ss_id` of the one that it has, or else of the one that is being opened for it. */
  readonly ids: number[];
  /** Goes on while what the last command has left is read out: the next one is planned behind it. */
  readonly settling: Promise<void> | undefined;
  /** Whether the command can be sent as it is on the server session that it has. */
  isReady(command: PlannedCommand): boolean;
  /** A server session for a command that begins, if one is at hand that it can be sent to as it is. */
  takeNow(command: PlannedCommand): ServerSession | undefined;
  /**
   * A server session for the command that waits; without one, for the login.
   * @param isAgain whether one was lost just now, so that others may be dead, too
   * @returns undefined where nobody waits for it any more
   * @throws {SluiceError} where none can be had, to who still waits
   */
  open(command?: PlannedCommand, isAgain?: boolean): Promise<ServerSession | undefined>;
  /**
   * A command is done.
   * @param command undefined where it has not run on the server session that the client has
   * @returns whether that was given back
   */
  giveBack(command: PlannedCommand | undefined): boolean;
  /**
   * What servers would tell of the last command, where no server can be asked: somebody else has
   * used the server session. Undefined where it can.
   * @param asks bits of `Ask`
   */
  facts(asks: number, command: PlannedCommand): LastFacts | undefined;
  /** The client leaves: nobody waits for the opening any more. */
  abandonOpening(): void;
  /**
   * The command that waits for the opening, if there is one, is not to run.
   * @returns false where `open` fails with the error, as soon as it can
   */
  interruptOpening(error: SluiceError): boolean;
  /** Ends the opening with an error for who waits. @returns false where it is not of this `ss_id` */
  killOpening(id: number, reason: string): boolean;
  /**
   * Has it no more: the client leaves, or somebody has it taken away.
   * @param isExecuting whether a statement runs on it, which is cancelled then
   */
  letGo(isExecuting: boolean): void;
  /** It is lost, with all that was bound to it; another one can be opened. */
  lose(): void;
  /** It is broken: there is nothing to give back. */
  discard(): void;
}
