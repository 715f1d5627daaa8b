/** What a command needs of its server session beside the state of the client's session. */
import type { Conditions } from "../backend/read_conditions.ts";
import type { Reply } from "../backend/server_exchange.ts";
import type { ServerSession } from "../backend/server_session.ts";
import type { SessionState } from "../state/session_state.ts";
import { SluiceError } from "../errors.ts";
import { Head } from "../protocol/constants.ts";
import { decodeErr } from "../protocol/response.ts";
import type { ClientInput } from "./client_input.ts";

/**
 * Made for one command, whose server session is not chosen yet. In this order: `isMet`, if that says
 * no `meet`, then `onSend` unless the command has a plan, `onSent`, and `onDone`. Where the command
 * comes to no server, or not to its end, some of them are left out.
 */
export interface ServerNeed {
  /** Begin of the text that the command runs by a name; undefined where it runs none. */
  readonly runs?: string | undefined;
  /** Its statements hide from the server session what the client's last statement has left there. */
  readonly hidesFacts?: true;
  /** It keeps account of what its statements change in the session, which effects do not tell. */
  readonly tellsChanges?: boolean;
  /** Whether the command can go there as it is. */
  isMet(server: ServerSession): boolean;
  /**
   * Makes it so. The session is free to acquire, and in the client's state before and after.
   * @throws {UnmetNeed} what the client is told, where the session is in order all the same
   * @throws {SluiceError} where the session is of no use any more
   */
  meet(server: ServerSession, wanted: SessionState): Promise<void>;
  /**
   * The command's first bytes are about to be written; they lie at the input's start and may be
   * changed in place.
   * @returns what is written in place of all that the input has of the command, if anything
   */
  onSend(server: ServerSession, input: ClientInput): Uint8Array | undefined;
  /** The command has been written; what the server has read of a reply comes behind this. */
  onSent(server: ServerSession): void;
  /** It has been sent, and the reply has reached the client, or there is none. */
  onDone(server: ServerSession): void;
}

/** What a command needs is not to be had, anywhere: the client is told why. */
export class UnmetNeed extends SluiceError {
  /** Where a server has refused it, what that has left for who asks, and is taken away there. */
  conditions: Conditions | undefined;
}

/** What a server says of a statement that the client has sent, in its words; undefined for no ERR. */
export function refusalIn(reply: Reply): UnmetNeed | undefined {
  const [head] = reply;
  if (head![0] !== Head.ERR) return undefined;
  const { code, sqlState, message } = decodeErr(head!);
  return new UnmetNeed("server_refused", message, { code, sqlState });
}
