/** `SHOW PROXYSESSION ATTRIBUTE | STAT | VARIABLES`: one client session in detail. */
import type { Column } from "../protocol/resultset.ts";
import type { Value } from "../protocol/binary_value.ts";
import type {
  ClientSessionInfo,
  ServerPhase,
  ServerSessionInfo,
  SessionStateInfo,
} from "../session_manager.ts";
import type { AdminAnswer, Row } from "./answer.ts";
import { listing, numberColumn, textColumn } from "./columns.ts";
import { splitEndpoint } from "./endpoint.ts";
import { isLike } from "./like.ts";
import type { Operands } from "./operands.ts";
import { CLIENT_STATES } from "./proxy_sessions.ts";
import { unknownThread } from "./refusals.ts";
import { resolveSession } from "./resolve.ts";
import type { AdminScope } from "./scope.ts";

export const ATTRIBUTE_COLUMNS: readonly Column[] = [
  textColumn("attribute_name"),
  textColumn("value"),
  textColumn("info"),
];

export const STAT_COLUMNS: readonly Column[] = [textColumn("stat_name"), numberColumn("value")];

export const VARIABLE_COLUMNS: readonly Column[] = [
  textColumn("variable_name"),
  textColumn("value"),
  textColumn("info"),
  textColumn("modified_type"),
  textColumn("sys_variable_flag"),
];

/** `SHOW PROXYSESSION ATTRIBUTE [id] [LIKE pattern]` */
export async function showAttributes(scope: AdminScope, operands: Operands): Promise<AdminAnswer> {
  const session = await findSession(scope, operands);
  const rows = [...clientAttributes(session, scope), ...serverAttributes(session)];
  return listing(ATTRIBUTE_COLUMNS, filtered(rows, operands));
}

/** `SHOW PROXYSESSION STAT [id] [LIKE pattern]` */
export async function showStatistics(scope: AdminScope, operands: Operands): Promise<AdminAnswer> {
  const session = await findSession(scope, operands);
  return listing(STAT_COLUMNS, filtered(statistics(session), operands));
}

/** `SHOW PROXYSESSION VARIABLES [ALL] [id] [LIKE pattern]` */
export async function showVariables(scope: AdminScope, operands: Operands): Promise<AdminAnswer> {
  const session = await findSession(scope, operands);
  const info = operands.has("ALL") ? "sys var" : "changed sys var";
  return listing(VARIABLE_COLUMNS, filtered(variables(session, info), operands));
}

interface Session {
  readonly client: ClientSessionInfo;
  /** Undefined where the server sessions are its own. */
  readonly state: SessionStateInfo | undefined;
  /** The one in use or last used first. */
  readonly servers: readonly ServerSessionInfo[];
}

/** @throws {SluiceError} unknown_thread */
async function findSession(scope: AdminScope, operands: Operands): Promise<Session> {
  const { servers } = scope.proxy.manager;
  const id = operands.id() ?? "own";
  const entry = await resolveSession(id, "see", scope);
  if (entry === undefined) throw unknownThread(id === "own" ? scope.caller.id : id);
  const client = entry.info();
  return {
    client,
    state: entry.state?.(),
    servers: client.serverSessionIds.flatMap((serverId) => servers.find(serverId)?.info() ?? []),
  };
}

/** By the name, which comes first in each row. */
function filtered(rows: readonly Row[], operands: Operands): Row[] {
  const pattern = operands.text("pattern");
  return rows.filter(([name]) => isLike(String(name), pattern));
}

function clientAttributes({ client, state, servers }: Session, { proxy }: AdminScope): Row[] {
  const [ip, port] = splitEndpoint(client.peer);
  const isActive = client.phase === "executing" || client.phase === "connecting";
  return [
    ...group("cs common", {
      "proxy_sessid": client.proxySessionId,
      "cs_id": client.id,
      cluster: client.cluster,
      tenant: client.tenant,
      user: client.user,
      "host_ip": ip,
      "host_port": port,
      db: client.schema || null,
      "total_trans_cnt": client.transactions,
      "svr_session_cnt": servers.length,
      active: isActive,
      "read_state": CLIENT_STATES[client.phase],
      tid: proxy.pid,
      pid: proxy.pid,
      "using_ssl": client.isEncrypted,
    }),
    ...group("cs phase", {
      phase: client.phase,
      "phase_since": timestamp(client.phaseSince),
      "waits_for": waitsFor(client),
      command: client.command,
      "in_transaction": client.isInTransaction,
      pins: client.pins.map(({ reason }) => reason).join(", "),
      route: client.route,
      "connected_since": timestamp(client.connectedSince),
    }),
    ...group("cs var version", state === undefined ? {} : { "state_version": state.version }),
    ...group("cs stat", {
      statements: client.statements,
      "bytes_in": client.bytesIn,
      "bytes_out": client.bytesOut,
    }),
  ];
}

/** Whose turn it is. */
function waitsFor({ phase, isBlockedByClient }: ClientSessionInfo): string {
  switch (phase) {
    case "greeting":
    case "login":
    case "idle":
      return "client";
    case "connecting":
      return "server session";
    case "executing":
      return isBlockedByClient ? "client" : "server";
    case "closed":
      return "";
  }
}

function serverAttributes({ client, servers }: Session): Row[] {
  const isActive = client.phase === "executing" || client.phase === "connecting";
  return servers.flatMap((server, index) => {
    const [ip, port] = splitEndpoint(server.address);
    const first = isActive ? "curr used ss" : "last used ss";
    return group(index === 0 ? first : `ss pool [${index - 1}]`, {
      "server_ip": ip,
      "server_port": port,
      "server_name": server.server,
      "server_sessid": server.threadId,
      "ss_id": server.id,
      state: serverState(server.phase, isActive && index === 0),
      phase: server.phase,
      user: server.user,
      db: server.schema || null,
      "in_transaction": server.isInTransaction,
      ...(server.stateVersion === undefined ? {} : { "state_version": server.stateVersion }),
      "opened_since": timestamp(server.openedSince),
      local_address: server.localAddress,
      statements: server.statements,
      "bytes_in": server.bytesIn,
      "bytes_out": server.bytesOut,
    });
  });
}

/** The names that OceanBase's proxy has for what a server session is in. */
function serverState(phase: ServerPhase, isExecuting: boolean): string {
  switch (phase) {
    case "connecting":
      return "MSS_INIT";
    case "in_use":
      return isExecuting ? "MSS_ACTIVE" : "MSS_KA_CLIENT_SLAVE";
    case "idle":
      return "MSS_KA_SHARED";
    case "closing":
    case "closed":
      return "MSS_INVALID";
  }
}

function group(info: string, values: Readonly<Record<string, Value | boolean>>): Row[] {
  return Object.entries(values).map(([name, value]) => [
    name,
    value === null ? null : String(value),
    info,
  ]);
}

function timestamp(time: number): string {
  return new Date(time).toISOString();
}

function statistics({ client, servers }: Session): Row[] {
  const sum = (read: (server: ServerSessionInfo) => number) =>
    servers.reduce((total, server) => total + read(server), 0);
  const now = Date.now();
  const isActive = client.phase === "executing" || client.phase === "connecting";
  return Object.entries({
    "total_transaction_count": client.transactions,
    "client_requests": client.statements + (isActive ? 1 : 0),
    "client_completed_requests": client.statements,
    "client_request_total_size": client.bytesIn,
    "client_response_total_size": client.bytesOut,
    "server_requests": sum(({ statements }) => statements),
    "server_request_total_size": sum(({ bytesOut }) => bytesOut),
    "server_response_total_size": sum(({ bytesIn }) => bytesIn),
    "connected_ms": now - client.connectedSince,
    "phase_ms": now - client.phaseSince,
  });
}

/** Variables that most programs change often. */
const HOT: ReadonlySet<string> = new Set(["autocommit"]);

/** Servers report changes only, so that these are all values that the proxy knows of. */
function variables({ state, servers }: Session, info: string): Row[] {
  const known = state?.variables ??
    new Map(servers.toReversed().flatMap((server) => [...server.variables]));
  const system = [...known].sort(byName).map(([name, value]): Row => [
    name,
    value === undefined ? null : literalOf(value),
    info,
    `${HOT.has(name) ? "hot" : "cold"} modified vars`,
    " && session_scope",
  ]);
  const own = [...state?.userVariables ?? []].filter(([, value]) => value !== "").sort(byName);
  return [
    ...system,
    ...own.map(([name, value]): Row => [name, value ?? null, "user var", "cold modified vars", ""]),
  ];
}

function byName([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number {
  return one < other ? -1 : 1;
}

function literalOf(value: string): string {
  return /^-?\d+(?:\.\d+)?$/.test(value) ? value : `'${value.replaceAll("'", "''")}'`;
}
