/** `SHOW PROXYSTAT`: counters of the whole process, always up to date. */
import type { Column } from "../protocol/resultset.ts";
import type { ClientSessionInfo } from "../session_manager.ts";
import type { AdminAnswer } from "./answer.ts";
import { listing, numberColumn, textColumn } from "./columns.ts";
import { isLike } from "./like.ts";
import type { Operands } from "./operands.ts";
import type { AdminScope } from "./scope.ts";

export const PROXY_STAT_COLUMNS: readonly Column[] = [
  textColumn("stat_name"),
  numberColumn("value"),
  textColumn("persist_type"),
];

/** `SHOW PROXYSTAT [REFRESH] [LIKE pattern]`: there is nothing to refresh. */
export async function showProxyStatistics(
  scope: AdminScope,
  operands: Operands,
): Promise<AdminAnswer> {
  const pattern = operands.text("pattern");
  const counters = await countAll(scope);
  return listing(
    PROXY_STAT_COLUMNS,
    Object.entries(counters)
      .filter(([name]) => isLike(name, pattern))
      .map(([name, value]) => [name, value, null]),
  );
}

async function countAll({ proxy }: AdminScope): Promise<Readonly<Record<string, number>>> {
  const { manager, startedAt } = proxy;
  const clients = await manager.clients.snapshot();
  const servers = await manager.servers.snapshot();
  const { ended } = manager;
  const sum = (read: (client: ClientSessionInfo) => number) =>
    clients.reduce((total, client) => total + read(client), 0);
  const active = clients.filter(({ phase }) => phase === "executing" || phase === "connecting");
  const completed = ended.statements + sum(({ statements }) => statements);
  const transactions = ended.transactions + sum((client) => client.transactions);
  const totalClients = ended.clients + clients.length;
  const totalServers = ended.servers + servers.length;
  return {
    "current_client_connections": clients.length,
    "current_active_client_connections": active.length,
    "current_client_transactions": clients.filter((client) => client.isInTransaction).length,
    "current_server_connections": servers.length,
    "current_server_transactions": servers.filter((server) => server.isInTransaction).length,
    "total_client_connections": totalClients,
    "total_server_connections": totalServers,
    "total_transaction_count": transactions,
    "client_requests": completed + active.length,
    "client_completed_requests": completed,
    "client_request_total_size": ended.bytesIn + sum(({ bytesIn }) => bytesIn),
    "client_response_total_size": ended.bytesOut + sum(({ bytesOut }) => bytesOut),
    "avg_transactions_per_client_connection": quotient(transactions, totalClients),
    "avg_transactions_per_server_connection": quotient(transactions, totalServers),
    "uptime_seconds": Math.floor((Date.now() - startedAt) / 1000),
  };
}

function quotient(sum: number, count: number): number {
  return count === 0 ? 0 : Math.floor(sum / count);
}
