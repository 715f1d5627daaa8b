/**
 * Every error that the proxy itself raises, and the one table that says what a client is told of it.
 * Codes: https://dev.mysql.com/doc/mysql-errors/9.0/en/server-error-reference.html
 */

/** Where an error was first seen. It is the log field and, later, the metric label. */
export type Side = "client" | "server" | "proxy";

interface ErrorKind {
  readonly code: number;
  readonly sqlState: string;
  readonly side: Side;
}

/**
 * One row a kind: what the client's driver sees as code and SQLSTATE, and whose fault it is. None
 * has a code of 2000 to 2999, which are the client libraries' own: MariaDB's reports a malformed
 * packet in their place. SQLSTATE class 08 tells drivers that it is the connection that failed.
 */
export const ERROR_KINDS = {
  cannot_write: { code: 1026, sqlState: "HY000", side: "proxy" },
  pool_exhausted: { code: 1040, sqlState: "08004", side: "proxy" },
  bad_handshake: { code: 1043, sqlState: "08S01", side: "client" },
  access_denied: { code: 1045, sqlState: "28000", side: "client" },
  unknown_command: { code: 1047, sqlState: "08S01", side: "client" },
  unknown_database: { code: 1049, sqlState: "42000", side: "client" },
  shutdown: { code: 1053, sqlState: "08S01", side: "proxy" },
  syntax: { code: 1064, sqlState: "42000", side: "client" },
  unknown_thread: { code: 1094, sqlState: "HY000", side: "client" },
  not_owner: { code: 1095, sqlState: "HY000", side: "client" },
  server_refused: { code: 1105, sqlState: "HY000", side: "server" },
  internal: { code: 1105, sqlState: "HY000", side: "proxy" },
  packets_out_of_order: { code: 1156, sqlState: "08S01", side: "client" },
  state_lost: { code: 1158, sqlState: "08S01", side: "server" },
  server_lost: { code: 1158, sqlState: "08S01", side: "server" },
  client_lost: { code: 1159, sqlState: "08S01", side: "client" },
  login_timeout: { code: 1159, sqlState: "08S01", side: "client" },
  unknown_variable: { code: 1193, sqlState: "HY000", side: "client" },
  too_many_sessions: { code: 1203, sqlState: "42000", side: "client" },
  not_supported: { code: 1235, sqlState: "0A000", side: "client" },
  old_client: { code: 1251, sqlState: "08004", side: "client" },
  unknown_prepared: { code: 1243, sqlState: "HY000", side: "client" },
  server_auth_plugin: { code: 1251, sqlState: "08004", side: "server" },
  invalid_argument: { code: 1210, sqlState: "HY000", side: "client" },
  killed: { code: 1317, sqlState: "70100", side: "proxy" },
  server_unreachable: { code: 1429, sqlState: "08S01", side: "server" },
  too_many_prepared: { code: 1461, sqlState: "42000", side: "client" },
  server_malformed: { code: 1835, sqlState: "08S01", side: "server" },
  malformed_packet: { code: 1835, sqlState: "HY000", side: "client" },
  unknown_server: { code: 1477, sqlState: "HY000", side: "client" },
  unknown_query: { code: 1957, sqlState: "HY000", side: "client" },
  // From here on OceanBase's own numbers, which operators of its proxy know.
  idle_timeout: { code: 4031, sqlState: "HY000", side: "client" },
  result_too_large: { code: 4024, sqlState: "HY000", side: "proxy" },
  invalid_config: { code: 4147, sqlState: "HY000", side: "client" },
  bad_internal_command: { code: 5010, sqlState: "21000", side: "client" },
  unknown_config: { code: 5099, sqlState: "42000", side: "client" },
  unknown_pool: { code: 8101, sqlState: "HY000", side: "client" },
} as const satisfies Record<string, ErrorKind>;

export type ErrorName = keyof typeof ERROR_KINDS;

/** What replaces the table's code and state: a server's own, passed on as it gave them. */
export interface SluiceErrorOptions extends ErrorOptions {
  readonly code?: number;
  readonly sqlState?: string;
}

/** An error with everything an ERR packet needs; `message` is what the client reads. */
export class SluiceError extends Error {
  override readonly name = "SluiceError";
  readonly kind: ErrorName;
  readonly side: Side;
  readonly code: number;
  readonly sqlState: string;

  constructor(kind: ErrorName, message: string, options: SluiceErrorOptions = {}) {
    super(message, options);
    const row = ERROR_KINDS[kind];
    this.kind = kind;
    this.side = row.side;
    this.code = options.code ?? row.code;
    this.sqlState = options.sqlState ?? row.sqlState;
  }
}

/** Bytes that are no valid message; the only error that decoders and the reply tracker throw. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
}

/** The text of anything that was thrown, for logs and for messages that quote a cause. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What a client is told of a defect. */
export function internalError(cause: unknown): SluiceError {
  return new SluiceError("internal", `Internal error of the proxy: ${messageOf(cause)}`, { cause });
}
