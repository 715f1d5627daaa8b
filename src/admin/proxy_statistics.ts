/** `SHOW PROXYSTAT`: counters of the whole process, always up to date. */
import type { Column } from "../protocol/resultset.ts";
import type { AdminAnswer } from "./answer.ts";
import { clientTotals } from "./client_totals.ts";
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
  const clients = await clientTotals(manager);
  let servers = 0;
  let serverTransactions = 0;
  await manager.servers.visit(({ isInTransaction }) => {
    servers++;
    if (isInTransaction) serverTransactions++;
  });
  const active = clients.executing + clients.connecting;
  const { statements: completed, transactions } = clients;
  const totalClients = manager.ended.clients + clients.living;
  const totalServers = manager.ended.servers + servers;
  return {
    "current_client_connections": clients.living,
    "current_active_client_connections": active,
    "current_client_transactions": clients.inTransaction,
    "current_server_connections": servers,
    "current_server_transactions": serverTransactions,
    "total_client_connections": totalClients,
    "total_server_connections": totalServers,
    "total_transaction_count": transactions,
    "client_requests": completed + active,
    "client_completed_requests": completed,
    "client_request_total_size": clients.bytesIn,
    "client_response_total_size": clients.bytesOut,
    "avg_transactions_per_client_connection": quotient(transactions, totalClients),
    "avg_transactions_per_server_connection": quotient(transactions, totalServers),
    "uptime_seconds": Math.floor((Date.now() - startedAt) / 1000),
  };
}

function quotient(sum: number, count: number): number {
  return count === 0 ? 0 : Math.floor(sum / count);
}
