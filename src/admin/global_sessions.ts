/** `GLOBALSESSION`: the server sessions of the pools, which clients share. */
import type { Pool, Seat } from "../backend/pool.ts";
import type { ServerSession } from "../backend/server_session.ts";
import type { ServerPools } from "../backend/server_pools.ts";
import type { PoolConfig } from "../config/types.ts";
import type { Column } from "../protocol/resultset.ts";
import type { SessionManager } from "../session_manager.ts";
import type { AdminAnswer, Row } from "./answer.ts";
import { listing, numberColumn, textColumn } from "./columns.ts";
import { isLike } from "./like.ts";
import type { Operands } from "./operands.ts";
import { unknownPool, unknownPooled, wrongPool } from "./refusals.ts";
import type { AdminScope } from "./scope.ts";

export const GLOBAL_SESSION_COLUMNS: readonly Column[] = [
  textColumn("dbkey_name"),
  numberColumn("max_client_count"),
  numberColumn("min_client_count"),
  numberColumn("live_client_count"),
  numberColumn("idle_timeout"),
  numberColumn("block_timeout"),
  numberColumn("need_prefill"),
  numberColumn("idle_client_count"),
  numberColumn("waiting_client_count"),
  numberColumn("longest_wait"),
];

export const GLOBAL_ATTRIBUTE_COLUMNS: readonly Column[] = [
  textColumn("dbkey_name"),
  textColumn("server_ip"),
  textColumn("local_ip"),
  textColumn("auth_user"),
  numberColumn("total_count"),
  numberColumn("free_count"),
  textColumn("session_state"),
  numberColumn("session_id"),
  textColumn("create_time"),
  textColumn("last_release_time"),
];

/** The pools of one account on the servers of a cluster. */
interface PoolGroup {
  readonly name: string;
  readonly servers: readonly { readonly server: ServerPools; readonly pools: readonly Pool[] }[];
}

/** `SHOW GLOBALSESSION [LIKE pattern]`: one row an account and cluster. */
export function showGlobalSessions({ proxy }: AdminScope, operands: Operands): AdminAnswer {
  const pattern = operands.text("pattern");
  const groups = groupsOf({ proxy }).filter(({ name }) => isLike(name, pattern));
  const limits = proxy.config.current.proxy;
  const now = Date.now();
  return listing(GLOBAL_SESSION_COLUMNS, groups.map((group) => groupRow(group, limits, now)));
}

/** `SHOW GLOBALSESSION ATTRIBUTE {ALL|LIKE pattern|dbkey}`: one row a server session. */
export function showGlobalAttributes({ proxy }: AdminScope, operands: Operands): AdminAnswer {
  const key = operands.text("dbkey");
  const pattern = operands.text("pattern");
  const groups = groupsOf({ proxy }).filter(({ name }) =>
    key === undefined ? isLike(name, pattern) : name === key
  );
  if (key !== undefined && groups.length === 0) throw wrongPool(key);
  const rows = groups.flatMap(({ name, servers }) =>
    servers.flatMap(({ server, pools }) => {
      const seats = pools.flatMap((pool) => [...pool.seats]);
      const free = seats.filter(isFree).length;
      const counts = { total: seats.length, free };
      return seats.map((seat) => ({ name, server, seat, counts }));
    })
  );
  return listing(GLOBAL_ATTRIBUTE_COLUMNS, rows.values().map(seatRow));
}

/** `KILL GLOBALSESSION dbkey [ss_id]`: in use or not. */
export function killGlobalSession({ proxy, caller }: AdminScope, operands: Operands): AdminAnswer {
  const key = operands.text("dbkey") ?? "";
  const id = operands.integer("ss_id");
  const clusters = proxy.clusters.filter(({ pools }) => pools.named(key).length > 0);
  if (clusters.length === 0) throw unknownPool(key);
  const number = id === undefined ? undefined : Number(id);
  const sessions = clusters.flatMap(({ pools }) => pools.sessions(key, number));
  if (id !== undefined && sessions.length === 0) throw unknownPooled(id);
  const reason = `Killed by session ${caller.id} of ${caller.user}`;
  for (const session of sessions) {
    takeFromClient(session, proxy.manager);
    if (session.isOpen) session.kill(reason);
  }
  return { kind: "ok", affectedRows: sessions.length };
}

/** Who has it has what runs there cancelled, and is told what is lost with it. */
function takeFromClient({ id }: ServerSession, { clients }: SessionManager): void {
  for (const client of clients.values()) if (client.killServer(id)) return;
}

/** By cluster, then in the order in which their first pools came. */
function groupsOf({ proxy }: Pick<AdminScope, "proxy">): PoolGroup[] {
  return proxy.clusters.flatMap(({ pools }) => {
    const servers = [...pools.servers].map((server) => ({
      server,
      byName: Map.groupBy(server.pools, ({ name }) => name),
    }));
    const names = new Set(servers.flatMap(({ byName }) => [...byName.keys()]));
    return [...names].map((name) => ({
      name,
      servers: servers.flatMap(({ server, byName }) => {
        const pools = byName.get(name);
        return pools === undefined ? [] : [{ server, pools }];
      }),
    }));
  });
}

function groupRow({ name, servers }: PoolGroup, limits: PoolConfig, now: number): Row {
  const pools = servers.flatMap((server) => server.pools);
  const sum = (read: (pool: Pool) => number) =>
    pools.reduce((total, pool) => total + read(pool), 0);
  const since = Math.min(...pools.map(({ waiting }) => waiting.first?.since ?? now));
  return [
    name,
    limits.poolMaxConnections,
    limits.poolMinConnections,
    sum(({ size }) => size),
    limits.poolIdleTimeout,
    limits.poolBlockingTimeout,
    limits.poolPrefill ? 1 : 0,
    sum(({ idle }) => idle),
    sum(({ waiting }) => waiting.size),
    now - since,
  ];
}

interface PooledSession {
  readonly name: string;
  readonly server: ServerPools;
  readonly seat: Seat;
  /** Of this name and server. */
  readonly counts: { readonly total: number; readonly free: number };
}

function seatRow({ name, server, seat, counts }: PooledSession): Row {
  const { id, localAddress, user } = seat.session.info();
  return [
    name,
    server.backend.address,
    localAddress || null,
    user,
    counts.total,
    counts.free,
    STATES[seat.state],
    id,
    timestamp(seat.openedSince),
    isFree(seat) ? timestamp(seat.releasedSince) : null,
  ];
}

function isFree({ state }: Seat): boolean {
  return state === "idle" || state === "held";
}

/** The names that OceanBase's proxy has for what a server session is in. */
const STATES: Readonly<Record<Seat["state"], string>> = {
  idle: "MSS_KA_SHARED",
  held: "MSS_KA_SHARED",
  taken: "MSS_ACTIVE",
  leaving: "MSS_INVALID",
};

function timestamp(time: number): string {
  return new Date(time).toISOString();
}
