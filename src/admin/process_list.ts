/**
 * `SHOW [FULL] PROCESSLIST` and COM_PROCESS_INFO: client sessions in MySQL's columns and words.
 * https://dev.mysql.com/doc/refman/9.0/en/show-processlist.html
 */
import type { Cluster } from "../backend/cluster.ts";
import { ColumnFlag, ColumnType } from "../protocol/constants.ts";
import { type Column, makeColumn } from "../protocol/resultset.ts";
import type { ClientSessionInfo } from "../session_manager.ts";
import type { AdminAnswer, Row } from "./answer.ts";
import { listing } from "./columns.ts";
import { readCondition } from "./condition.ts";
import type { Operands } from "./operands.ts";
import type { AdminScope } from "./scope.ts";
import { Visibility } from "./visibility.ts";

/** Lengths in bytes, types and flags are those of MySQL. */
function text(name: string, length: number, flags = 0): Column {
  return makeColumn(name, { length, flags });
}

const NUMBER = ColumnFlag.NOT_NULL | ColumnFlag.BINARY;

const COLUMNS: readonly Column[] = [
  makeColumn("Id", { type: ColumnType.LONGLONG, length: 22, flags: NUMBER }),
  text("User", 128, ColumnFlag.NOT_NULL),
  text("Host", 1020, ColumnFlag.NOT_NULL),
  text("db", 256),
  text("Command", 64, ColumnFlag.NOT_NULL),
  makeColumn("Time", { type: ColumnType.LONG, length: 8, flags: NUMBER }),
  text("State", 120),
];

/** Characters of Info without FULL. */
const INFO_LENGTH = 100;

const SHORT_COLUMNS = [...COLUMNS, text("Info", 4 * INFO_LENGTH)];
const FULL_COLUMNS = [
  ...COLUMNS,
  makeColumn("Info", { type: ColumnType.LONG_BLOB, length: 0xffff_ffff }),
];

/** MySQL's names of commands in its own list. */
const COMMAND_NAMES: Readonly<Record<string, string>> = {
  COM_QUIT: "Quit",
  COM_INIT_DB: "Init DB",
  COM_QUERY: "Query",
  COM_FIELD_LIST: "Field List",
  COM_CREATE_DB: "Create DB",
  COM_DROP_DB: "Drop DB",
  COM_REFRESH: "Refresh",
  COM_SHUTDOWN: "Shutdown",
  COM_STATISTICS: "Statistics",
  COM_PROCESS_INFO: "Processlist",
  COM_PROCESS_KILL: "Kill",
  COM_DEBUG: "Debug",
  COM_PING: "Ping",
  COM_CHANGE_USER: "Change user",
  COM_BINLOG_DUMP: "Binlog Dump",
  COM_REGISTER_REPLICA: "Register Replica",
  COM_STMT_PREPARE: "Prepare",
  COM_STMT_EXECUTE: "Execute",
  COM_STMT_SEND_LONG_DATA: "Long Data",
  COM_STMT_CLOSE: "Close stmt",
  COM_STMT_RESET: "Reset stmt",
  COM_SET_OPTION: "Set option",
  COM_STMT_FETCH: "Fetch",
  COM_BINLOG_DUMP_GTID: "Binlog Dump GTID",
  COM_RESET_CONNECTION: "Reset Connection",
  COM_CLONE: "Clone",
  COM_SUBSCRIBE_GROUP_REPLICATION_STREAM: "Group Replication Data Stream subscription",
  COM_STMT_BULK_EXECUTE: "Execute",
};

/** What MySQL's list calls a command. */
export function commandName(command: string): string {
  return COMMAND_NAMES[command] ?? command;
}

export function processListColumns(operands: Operands): readonly Column[] {
  return operands.has("FULL") ? FULL_COLUMNS : SHORT_COLUMNS;
}

/** COM_PROCESS_INFO: `SHOW PROCESSLIST`. */
export function processList(scope: AdminScope): Promise<AdminAnswer> {
  return listProcesses(scope, { columns: SHORT_COLUMNS, limit: INFO_LENGTH });
}

/** `SHOW [FULL] PROCESSLIST [WHERE condition]` */
export async function showProcessList(
  scope: AdminScope,
  operands: Operands,
): Promise<AdminAnswer> {
  const columns = processListColumns(operands);
  const limit = operands.has("FULL") ? Number.MAX_SAFE_INTEGER : INFO_LENGTH;
  return await listProcesses(scope, { columns, limit, operands });
}

interface ListOptions {
  readonly columns: readonly Column[];
  /** Characters of Info. */
  readonly limit: number;
  /** With the condition, if there is one. */
  readonly operands?: Operands;
}

async function listProcesses(scope: AdminScope, options: ListOptions): Promise<AdminAnswer> {
  const { columns, limit, operands } = options;
  const { clients } = scope.proxy.manager;
  const isWanted = operands === undefined ? undefined : readCondition(operands, columns);
  const now = Date.now();
  const visible = await new Visibility(scope).visible();
  const queues = poolsWithQueues(scope.proxy.clusters);
  const rows = visible.map((info) => {
    const isAtWork = info.phase === "executing" || info.phase === "connecting";
    const statement = isAtWork ? clients.find(info.id)?.statementText(limit) : undefined;
    return processRow(info, statement ?? null, { now, queues });
  });
  return listing(columns, isWanted === undefined ? rows : rows.filter(isWanted));
}

/** Names of the pools that somebody waits for. */
function poolsWithQueues(clusters: readonly Cluster[]): ReadonlySet<string> {
  const pools = clusters.flatMap((cluster) => [...cluster.pools.servers])
    .flatMap((server) => [...server.pools]);
  return new Set(pools.filter(({ waiting }) => waiting.size > 0).map(({ name }) => name));
}

interface Moment {
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly queues: ReadonlySet<string>;
}

function processRow(
  info: ClientSessionInfo,
  statement: string | null,
  { now, queues }: Moment,
): Row {
  const time = Math.max(0, Math.floor((now - info.phaseSince) / 1000));
  if (!info.isLoggedIn) {
    const user = "unauthenticated user";
    return [info.id, user, info.peer, null, "Connect", time, "login", null];
  }
  const [command, state] = activityOf(info, queues);
  return [info.id, info.user, info.peer, info.schema || null, command, time, state, statement];
}

/** Command and State. */
function activityOf(
  info: ClientSessionInfo,
  queues: ReadonlySet<string>,
): readonly [command: string, state: string] {
  switch (info.phase) {
    case "idle":
      return ["Sleep", ""];
    case "connecting":
      return [commandName(info.command), waitingState(info, queues)];
    case "executing":
      return [
        commandName(info.command),
        info.isBlockedByClient ? "Sending to client" : "executing",
      ];
    case "closed":
      return ["Quit", "closing"];
    case "greeting":
    case "login":
      // A session that has an account already gets another one.
      return ["Change user", "login"];
  }
}

/** It has none, and is not about to have one, where it waits in a queue. */
function waitingState(
  { user, cluster, serverSessionIds }: ClientSessionInfo,
  queues: ReadonlySet<string>,
): string {
  const state = "waiting for a server session";
  const pool = `${user}#${cluster}`;
  return serverSessionIds.length === 0 && queues.has(pool) ? `${state} of pool ${pool}` : state;
}
