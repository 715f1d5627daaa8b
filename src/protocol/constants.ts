/** Numbers of the protocol, under the names of its documentation. */

/** https://dev.mysql.com/doc/dev/mysql-server/latest/group__group__cs__capabilities__flags.html */
export const Capability = {
  LONG_PASSWORD: 1,
  FOUND_ROWS: 1 << 1,
  LONG_FLAG: 1 << 2,
  CONNECT_WITH_DB: 1 << 3,
  NO_SCHEMA: 1 << 4,
  COMPRESS: 1 << 5,
  ODBC: 1 << 6,
  LOCAL_FILES: 1 << 7,
  IGNORE_SPACE: 1 << 8,
  PROTOCOL_41: 1 << 9,
  INTERACTIVE: 1 << 10,
  SSL: 1 << 11,
  IGNORE_SIGPIPE: 1 << 12,
  TRANSACTIONS: 1 << 13,
  RESERVED: 1 << 14,
  SECURE_CONNECTION: 1 << 15,
  MULTI_STATEMENTS: 1 << 16,
  MULTI_RESULTS: 1 << 17,
  PS_MULTI_RESULTS: 1 << 18,
  PLUGIN_AUTH: 1 << 19,
  CONNECT_ATTRS: 1 << 20,
  PLUGIN_AUTH_LENENC_CLIENT_DATA: 1 << 21,
  CAN_HANDLE_EXPIRED_PASSWORDS: 1 << 22,
  SESSION_TRACK: 1 << 23,
  DEPRECATE_EOF: 1 << 24,
  OPTIONAL_RESULTSET_METADATA: 1 << 25,
  ZSTD_COMPRESSION: 1 << 26,
  QUERY_ATTRIBUTES: 1 << 27,
  MULTI_FACTOR_AUTHENTICATION: 1 << 28,
  CAPABILITY_EXTENSION: 1 << 29,
  SSL_VERIFY_SERVER_CERT: 1 << 30,
  REMEMBER_OPTIONS: (1 << 31) >>> 0,
} as const;

/**
 * MariaDB's upper 32 bits. They are meaningful only while LONG_PASSWORD (which MariaDB calls
 * CLIENT_MYSQL) is clear. https://mariadb.com/kb/en/connection/#capabilities
 */
export const MariaDbCapability = {
  PROGRESS: 1,
  COM_MULTI: 1 << 1,
  STMT_BULK_OPERATIONS: 1 << 2,
  EXTENDED_METADATA: 1 << 3,
  CACHE_METADATA: 1 << 4,
  BULK_UNIT_RESULTS: 1 << 5,
} as const;

/** https://dev.mysql.com/doc/dev/mysql-server/latest/mysql__com_8h.html (SERVER_STATUS_flags) */
export const Status = {
  IN_TRANS: 1,
  AUTOCOMMIT: 1 << 1,
  MORE_RESULTS_EXISTS: 1 << 3,
  NO_GOOD_INDEX_USED: 1 << 4,
  NO_INDEX_USED: 1 << 5,
  CURSOR_EXISTS: 1 << 6,
  LAST_ROW_SENT: 1 << 7,
  DB_DROPPED: 1 << 8,
  NO_BACKSLASH_ESCAPES: 1 << 9,
  METADATA_CHANGED: 1 << 10,
  QUERY_WAS_SLOW: 1 << 11,
  PS_OUT_PARAMS: 1 << 12,
  IN_TRANS_READONLY: 1 << 13,
  SESSION_STATE_CHANGED: 1 << 14,
  /** MariaDB. */
  ANSI_QUOTES: 1 << 15,
} as const;

/** Those of the session; the others are about one reply. */
export const SESSION_STATUS = Status.IN_TRANS | Status.IN_TRANS_READONLY | Status.AUTOCOMMIT |
  Status.NO_BACKSLASH_ESCAPES | Status.ANSI_QUOTES;

/** https://dev.mysql.com/doc/dev/mysql-server/latest/my__command_8h.html and MariaDB's own two. */
export const Command = {
  SLEEP: 0x00,
  QUIT: 0x01,
  INIT_DB: 0x02,
  QUERY: 0x03,
  FIELD_LIST: 0x04,
  CREATE_DB: 0x05,
  DROP_DB: 0x06,
  REFRESH: 0x07,
  SHUTDOWN: 0x08,
  STATISTICS: 0x09,
  PROCESS_INFO: 0x0a,
  CONNECT: 0x0b,
  PROCESS_KILL: 0x0c,
  DEBUG: 0x0d,
  PING: 0x0e,
  TIME: 0x0f,
  DELAYED_INSERT: 0x10,
  CHANGE_USER: 0x11,
  BINLOG_DUMP: 0x12,
  TABLE_DUMP: 0x13,
  CONNECT_OUT: 0x14,
  REGISTER_REPLICA: 0x15,
  STMT_PREPARE: 0x16,
  STMT_EXECUTE: 0x17,
  STMT_SEND_LONG_DATA: 0x18,
  STMT_CLOSE: 0x19,
  STMT_RESET: 0x1a,
  SET_OPTION: 0x1b,
  STMT_FETCH: 0x1c,
  DAEMON: 0x1d,
  BINLOG_DUMP_GTID: 0x1e,
  RESET_CONNECTION: 0x1f,
  CLONE: 0x20,
  SUBSCRIBE_GROUP_REPLICATION_STREAM: 0x21,
  MARIADB_STMT_BULK_EXECUTE: 0xfa,
} as const;

/** Session-track entry types; MariaDB calls 3, 4 and 5 alike. */
export const SessionTrack = {
  SYSTEM_VARIABLES: 0,
  SCHEMA: 1,
  STATE_CHANGE: 2,
  GTIDS: 3,
  TRANSACTION_CHARACTERISTICS: 4,
  TRANSACTION_STATE: 5,
} as const;

/** First bytes that tell packets apart. */
export const Head = {
  OK: 0x00,
  MORE_DATA: 0x01,
  LOCAL_INFILE: 0xfb,
  EOF: 0xfe,
  ERR: 0xff,
} as const;

/** utf8mb4_general_ci: known to every server and client the proxy meets. */
export const UTF8MB4_GENERAL_CI = 45;

/** https://dev.mysql.com/doc/dev/mysql-server/latest/field__types_8h.html */
export const ColumnType = {
  DECIMAL: 0,
  TINY: 1,
  SHORT: 2,
  LONG: 3,
  FLOAT: 4,
  DOUBLE: 5,
  NULL: 6,
  TIMESTAMP: 7,
  LONGLONG: 8,
  INT24: 9,
  DATE: 10,
  TIME: 11,
  DATETIME: 12,
  YEAR: 13,
  NEWDATE: 14,
  VARCHAR: 15,
  BIT: 16,
  TIMESTAMP2: 17,
  DATETIME2: 18,
  TIME2: 19,
  TYPED_ARRAY: 20,
  VECTOR: 242,
  INVALID: 243,
  BOOL: 244,
  JSON: 245,
  NEWDECIMAL: 246,
  ENUM: 247,
  SET: 248,
  TINY_BLOB: 249,
  MEDIUM_BLOB: 250,
  LONG_BLOB: 251,
  BLOB: 252,
  VAR_STRING: 253,
  STRING: 254,
  GEOMETRY: 255,
} as const;

/** https://dev.mysql.com/doc/dev/mysql-server/latest/group__group__cs__column__definition__flags.html */
export const ColumnFlag = {
  NOT_NULL: 1,
  PRI_KEY: 1 << 1,
  UNIQUE_KEY: 1 << 2,
  MULTIPLE_KEY: 1 << 3,
  BLOB: 1 << 4,
  UNSIGNED: 1 << 5,
  ZEROFILL: 1 << 6,
  BINARY: 1 << 7,
  ENUM: 1 << 8,
  AUTO_INCREMENT: 1 << 9,
  TIMESTAMP: 1 << 10,
  SET: 1 << 11,
  NO_DEFAULT_VALUE: 1 << 12,
  ON_UPDATE_NOW: 1 << 13,
  NUM: 1 << 15,
} as const;

/** Flags of COM_STMT_EXECUTE. */
export const ExecuteFlag = {
  READ_ONLY: 1,
  FOR_UPDATE: 1 << 1,
  SCROLLABLE: 1 << 2,
  PARAMETER_COUNT_AVAILABLE: 1 << 3,
} as const;

/** Flags of MariaDB's COM_STMT_BULK_EXECUTE. */
export const BulkFlag = {
  SEND_UNIT_RESULTS: 64,
  SEND_TYPES_TO_SERVER: 128,
} as const;

/** Character set of bytes that are no text. */
export const BINARY_CHARSET = 63;
