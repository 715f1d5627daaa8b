/** The login of a server session's own account once more, with COM_CHANGE_USER. */
import { ClientAuth } from "../protocol/auth.ts";
import { Command } from "../protocol/constants.ts";
import { encodeChangeUser } from "../protocol/handshake.ts";
import { commandRow } from "../protocol/replies.ts";
import type { OwnCommand } from "./server_exchange.ts";
import type { ServerSession } from "./server_session.ts";

/**
 * Behind it the session has no schema, and the roles of its login: no reset leads back to those. It
 * names no plugin, so that the server asks with that of the account, and sends what the proof is
 * made of: nothing has to be kept of the first login.
 */
export function changeUser({ login, capabilities }: ServerSession): OwnCommand {
  const auth = new ClientAuth(login.key);
  return {
    row: commandRow(Command.CHANGE_USER)!,
    payload: encodeChangeUser({
      user: login.user,
      authResponse: new Uint8Array(0),
      database: "",
      charset: login.charset,
      authPlugin: "",
      attributes: login.attributes,
    }, capabilities.base),
    answer: (payload) => auth.next(payload),
  };
}
