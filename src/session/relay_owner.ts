/** The relay's view of the session that it works for. */
import type { ServerSession } from "../backend/server_session.ts";
import type { SluiceError } from "../errors.ts";
import type { CommandRow } from "../protocol/replies.ts";
import type { ClientCommand } from "./client_command.ts";
import type { ClientInput } from "./client_input.ts";
import type { ClientTalk } from "./client_talk.ts";
import type { EndReason } from "./end_reason.ts";
import type { Plan } from "./plan.ts";
import type { Loss, LossDecision } from "./server_loss.ts";
import type { ServerNeed } from "./server_need.ts";

/** What the relay leaves to the client session. */
export interface RelayOwner {
  /** Status flags of the session, as the last reply left them. */
  readonly status: number;
  /** Of the command that was planned last. */
  readonly need: ServerNeed | undefined;
  /**
   * A server session for the command that begins, if one is at hand that it can be sent to as it is;
   * acquired for the relay.
   */
  takeServer(): ServerSession | undefined;
  /** Whether the command can be sent there as it is; where not, `needServer` makes it so. */
  isReady(server: ServerSession): boolean;
  /**
   * A command begins that needs a server; the answer comes by `use` or `refuse`.
   * @param isAgain whether a server session was lost under it, so that others may be dead, too
   */
  needServer(isAgain: boolean): void;
  /** Whether a command may run once more where its server session is lost, so that it is kept. */
  readonly keepsCommands: boolean;
  /** The server session is lost: it is the relay's no more. */
  onServerLost(loss: Loss): LossDecision;
  /** Goes on where something must be known before a command that has begun can be planned. */
  readonly settling: Promise<void> | undefined;
  /** A command begins. */
  onCommand(row: CommandRow): void;
  /**
   * What is done in place of sending a command on as it is; undefined where that is what to do.
   * @param input has the command at its start, whole unless it is larger than a buffer
   */
  plan(command: ClientCommand, input: ClientInput): Plan | undefined;
  /**
   * A command has been answered, or needed no answer; or there was none yet.
   * @param hasRun whether some of it has run on the server session
   * @returns false where the session has ended meanwhile
   */
  onIdle(hasRun: boolean): boolean;
  /** COM_CHANGE_USER, whole; the client is the owner's to talk to until `resume`. */
  changeUser(payload: Uint8Array, talk: ClientTalk): void;
  /** Nothing more can be done for this client. `error` has been sent if it could be. */
  end(reason: EndReason, error?: SluiceError): void;
}
