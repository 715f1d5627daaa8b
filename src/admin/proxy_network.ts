/** `SHOW PROXYNET`: the connections of the proxy to both sides, and the thread that serves them. */
import { ColumnFlag, ColumnType } from "../protocol/constants.ts";
import { type Column, makeColumn } from "../protocol/resultset.ts";
import type { ClientSessionInfo, ServerSessionInfo } from "../session_manager.ts";
import type { AdminAnswer, Row } from "./answer.ts";
import { clientTotals } from "./client_totals.ts";
import { listing, numberColumn, shortNumberColumn, textColumn } from "./columns.ts";
import { splitEndpoint } from "./endpoint.ts";
import type { Operands } from "./operands.ts";
import type { AdminScope, ProxyView } from "./scope.ts";

const UNSIGNED = ColumnFlag.BINARY | ColumnFlag.UNSIGNED;

/** The one thread that serves all connections. */
const THREAD = 0;

export const THREAD_COLUMNS: readonly Column[] = [
  "net_thread_id",
  "current_connection_count",
  "current_client_connection_count",
  "global_current_client_connection_count",
  "global_current_connection_count",
  "total_read_bytes",
  "total_write_bytes",
].map(numberColumn);

/** `SHOW PROXYNET THREAD`. The bytes are those of clients. */
export async function showThreads({ proxy }: AdminScope): Promise<AdminAnswer> {
  const { clients, servers } = proxy.manager;
  const { bytesIn, bytesOut } = await clientTotals(proxy.manager);
  const total = clients.size + servers.size;
  return listing(THREAD_COLUMNS, [[
    THREAD,
    total,
    clients.size,
    clients.size,
    total,
    bytesIn,
    bytesOut,
  ]]);
}

export const CONNECTION_COLUMNS: readonly Column[] = [
  numberColumn("thread_id"),
  makeColumn("connect_id", { type: ColumnType.LONG, length: 10, flags: UNSIGNED }),
  textColumn("type"),
  textColumn("src_ip"),
  shortNumberColumn("src_port"),
  textColumn("dst_ip"),
  shortNumberColumn("dst_port"),
  numberColumn("read_ndone"),
  numberColumn("write_ndone"),
  numberColumn("alive_time(sec)"),
  makeColumn("shutdown", { type: ColumnType.TINY, length: 4, flags: ColumnFlag.BINARY }),
  textColumn("comments"),
];

/**
 * `SHOW PROXYNET CONNECTION [thread_id [LIMIT ...]]`: connections of clients by `cs_id`, then those
 * to servers by `ss_id`. -1 rows are all.
 */
export function showConnections({ proxy }: AdminScope, operands: Operands): AdminAnswer {
  const thread = operands.integer("thread_id");
  if (thread !== undefined && thread !== BigInt(THREAD)) return listing(CONNECTION_COLUMNS, []);
  const offset = Math.max(0, Number(operands.integer("offset") ?? 0n));
  const count = Number(operands.integer("rows") ?? -1n);
  const rows = connectionRows(proxy).drop(offset);
  return listing(CONNECTION_COLUMNS, count < 0 ? rows : rows.take(count));
}

function* connectionRows({ manager }: ProxyView): Generator<Row, void, undefined> {
  const now = Date.now();
  for (const client of manager.clients.inTurn()) yield acceptedRow(client.info(), now);
  for (const server of manager.servers.inTurn()) yield connectedRow(server.info(), now);
}

function acceptedRow(client: ClientSessionInfo, now: number): Row {
  return [
    THREAD,
    client.id,
    "accepted",
    ...splitEndpoint(client.peer),
    client.localAddress?.hostname ?? null,
    client.localAddress?.port ?? null,
    client.bytesIn,
    client.bytesOut,
    Math.floor((now - client.connectedSince) / 1000),
    client.phase === "closed" ? 1 : 0,
    client.phase === "closed" ? "closed" : "not closed",
  ];
}

function connectedRow(server: ServerSessionInfo, now: number): Row {
  return [
    THREAD,
    server.id,
    "connected",
    ...splitEndpoint(server.localAddress),
    ...splitEndpoint(server.address),
    server.bytesIn,
    server.bytesOut,
    Math.floor((now - server.openedSince) / 1000),
    server.phase === "closing" || server.phase === "closed" ? 1 : 0,
    server.phase === "closed" ? "closed" : "not closed",
  ];
}
