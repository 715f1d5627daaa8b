/**
 * The one table of commands: what each is called and what its reply looks like.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_command_phase.html
 * https://mariadb.com/kb/en/2-text-protocol/ and /3-binary-protocol-prepared-statements/
 */
import { Command } from "./constants.ts";

/**
 * - `none`: the server says nothing
 * - `status`: one OK, ERR or EOF
 * - `text`: one packet of text, or ERR
 * - `results`: OK, ERR, LOCAL INFILE or result sets, as often as MORE_RESULTS_EXISTS says
 * - `columns`: column definitions up to EOF or OK
 * - `prepare`: statement head, parameters, columns
 * - `rows`: rows up to EOF or OK
 * - `auth`: an authentication exchange, then OK or ERR
 * - `stream`: events until EOF, ERR or the close of either side, while the client may talk too
 * - `tunnel`: no more packets of this protocol in either direction
 */
export type ReplyShape =
  | "none"
  | "status"
  | "text"
  | "results"
  | "columns"
  | "prepare"
  | "rows"
  | "auth"
  | "stream"
  | "tunnel";

export interface CommandRow {
  readonly name: string;
  readonly shape: ReplyShape;
}

const ROWS: readonly [number, string, ReplyShape][] = [
  [Command.QUIT, "COM_QUIT", "none"],
  [Command.INIT_DB, "COM_INIT_DB", "status"],
  [Command.QUERY, "COM_QUERY", "results"],
  [Command.FIELD_LIST, "COM_FIELD_LIST", "columns"],
  [Command.CREATE_DB, "COM_CREATE_DB", "status"],
  [Command.DROP_DB, "COM_DROP_DB", "status"],
  [Command.REFRESH, "COM_REFRESH", "status"],
  [Command.SHUTDOWN, "COM_SHUTDOWN", "status"],
  [Command.STATISTICS, "COM_STATISTICS", "text"],
  [Command.PROCESS_INFO, "COM_PROCESS_INFO", "results"],
  [Command.PROCESS_KILL, "COM_PROCESS_KILL", "status"],
  [Command.DEBUG, "COM_DEBUG", "status"],
  [Command.PING, "COM_PING", "status"],
  [Command.CHANGE_USER, "COM_CHANGE_USER", "auth"],
  [Command.BINLOG_DUMP, "COM_BINLOG_DUMP", "stream"],
  [Command.REGISTER_REPLICA, "COM_REGISTER_REPLICA", "status"],
  [Command.STMT_PREPARE, "COM_STMT_PREPARE", "prepare"],
  [Command.STMT_EXECUTE, "COM_STMT_EXECUTE", "results"],
  [Command.STMT_SEND_LONG_DATA, "COM_STMT_SEND_LONG_DATA", "none"],
  [Command.STMT_CLOSE, "COM_STMT_CLOSE", "none"],
  [Command.STMT_RESET, "COM_STMT_RESET", "status"],
  [Command.SET_OPTION, "COM_SET_OPTION", "status"],
  [Command.STMT_FETCH, "COM_STMT_FETCH", "rows"],
  [Command.BINLOG_DUMP_GTID, "COM_BINLOG_DUMP_GTID", "stream"],
  [Command.RESET_CONNECTION, "COM_RESET_CONNECTION", "status"],
  [Command.CLONE, "COM_CLONE", "tunnel"],
  [
    Command.SUBSCRIBE_GROUP_REPLICATION_STREAM,
    "COM_SUBSCRIBE_GROUP_REPLICATION_STREAM",
    "tunnel",
  ],
  [Command.MARIADB_STMT_BULK_EXECUTE, "COM_STMT_BULK_EXECUTE", "results"],
];

const BY_BYTE: (CommandRow | undefined)[] = new Array(256).fill(undefined);
for (const [byte, name, shape] of ROWS) BY_BYTE[byte] = { name, shape };

/**
 * The row of a command byte; undefined for bytes that no server takes from a client. That includes
 * the ones that servers only use inside (COM_SLEEP, COM_CONNECT, COM_TIME, COM_DELAYED_INSERT,
 * COM_CONNECT_OUT, COM_DAEMON) and COM_TABLE_DUMP, which no server in use has any more.
 */
export function commandRow(byte: number): CommandRow | undefined {
  return BY_BYTE[byte];
}
