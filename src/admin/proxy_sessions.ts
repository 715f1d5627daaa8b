/** `SHOW PROXYSESSION`: one row a client session. */
import type { Column } from "../protocol/resultset.ts";
import type { ClientPhase, ClientSessionInfo } from "../session_manager.ts";
import type { AdminAnswer, Row } from "./answer.ts";
import { listing, numberColumn, shortNumberColumn, textColumn, unsignedColumn } from "./columns.ts";
import type { AdminScope } from "./scope.ts";
import { Visibility } from "./visibility.ts";

export const PROXY_SESSION_COLUMNS: readonly Column[] = [
  unsignedColumn("proxy_sessid"),
  numberColumn("Id"),
  textColumn("Cluster"),
  textColumn("Tenant"),
  textColumn("User"),
  textColumn("Host"),
  textColumn("db"),
  numberColumn("trans_count"),
  numberColumn("svr_session_count"),
  textColumn("state"),
  numberColumn("tid"),
  shortNumberColumn("pid"),
  shortNumberColumn("using_ssl"),
];

/** The names that OceanBase's proxy has for what a client session is in. */
export const CLIENT_STATES: Readonly<Record<ClientPhase, string>> = {
  greeting: "MCS_INIT",
  login: "MCS_INIT",
  idle: "MCS_ACTIVE_READER",
  connecting: "MCS_ACTIVE_READER",
  executing: "MCS_ACTIVE_READER",
  closed: "MCS_CLOSED",
};

export async function showProxySessions(scope: AdminScope): Promise<AdminAnswer> {
  const visible = await new Visibility(scope).visible();
  return listing(PROXY_SESSION_COLUMNS, visible.map((info) => row(info, scope)));
}

function row(info: ClientSessionInfo, { proxy }: AdminScope): Row {
  return [
    info.proxySessionId,
    info.id,
    info.cluster,
    info.tenant,
    info.user,
    info.peer,
    info.schema || null,
    info.transactions,
    info.serverSessionIds.length,
    CLIENT_STATES[info.phase],
    // All sessions live on the process' first thread, whose id is that of the process.
    proxy.pid,
    proxy.pid,
    info.isEncrypted ? 1 : 0,
  ];
}
