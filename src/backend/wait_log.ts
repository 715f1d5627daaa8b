/** Lines of the log for those who wait for a server session of a pool. */
import { messageOf } from "../errors.ts";
import { logDebug, type LogFields } from "../log.ts";
import type { PoolRequest } from "./pool_request.ts";
import type { ServerSession } from "./server_session.ts";

/** @param where the pool, as it is when it is asked for */
export function tellWait(
  session: Promise<ServerSession>,
  { clientId }: PoolRequest,
  where: () => LogFields,
): void {
  const since = Date.now();
  const tell = (what: string, fields: LogFields) =>
    logDebug(what, { cs_id: clientId, ...where(), ...fields });
  tell("wait begun", {});
  session.then(
    ({ id }) => tell("wait served", { ss_id: id, duration_ms: Date.now() - since }),
    (error) => tell("wait ended", { duration_ms: Date.now() - since, cause: messageOf(error) }),
  );
}
