/** Ends what runs on a server session that its client has no more use for. */
import type { ServerSession } from "../backend/server_session.ts";
import { messageOf } from "../errors.ts";
import { logWarning } from "../log.ts";

/** Has the running statement cancelled, in the background, and the server session closed. */
export function cancel(server: ServerSession, clientId: number, timeout: number): void {
  server.cancel(timeout).catch((cause) => {
    logWarning("cannot cancel statement", {
      cs_id: clientId,
      server: server.backend.label,
      server_sessid: server.threadId,
      cause: messageOf(cause),
    });
  });
}
