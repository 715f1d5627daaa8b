/** What two sessions may differ in that do the same, and in what words a difference is told. */
import { ColumnFlag, ColumnType, Head, Status } from "../../src/protocol/constants.ts";
import type { Op } from "./steps.ts";

/** The payloads of a reply, each behind the sequence number of its packet; or why there is none. */
export type Reply = readonly Uint8Array[] | string;

export interface Difference {
  /** The same for the same fault, so that shrinking does not run into another one. */
  readonly signature: string;
  readonly direct: string;
  readonly shared: string;
}

/** Variables of the session itself, and those that the proxy needs to be told of all others. */
const OWN_VARIABLES: ReadonlySet<string> = new Set([
  ...["pseudo_thread_id", "timestamp", "rand_seed1", "rand_seed2", "last_gtid", "statement_id"],
  ...["session_track_schema", "session_track_state_change", "session_track_system_variables"],
  ...[
    "session_track_transaction_info",
    "port",
    "socket",
    "pid_file",
    "report_port",
    "datadir",
    "tmpdir",
  ],
  ...["init_file", "general_log_file", "log_bin_basename", "slow_query_log_file", "innodb_tmpdir"],
  ...[
    "slave_load_tmpdir",
    "replica_load_tmpdir",
    "server_uuid",
    "server_uid",
    "gtid_binlog_pos",
    "hostname",
  ],
  ...["innodb_buffer_pool_load_status", "log_error", "aria_log_dir_path", "debug_sync"],
  ...["relay_log_basename", "relay_log_index", "relay_log_info_file", "log_bin_index", "basedir"],
  ...["mysqlx_port", "mysqlx_socket", "admin_port", "innodb_data_home_dir", "secure_file_priv"],
  ...["log_slow_query_file", "wsrep_data_home_dir", "gtid_executed", "gtid_purged"],
]);

export function compare(op: Op, direct: Reply, shared: Reply): Difference | undefined {
  if (typeof direct !== "string" && typeof shared !== "string") {
    if (isEqual(direct, shared)) return undefined;
    if (isEqual(masked(op, direct), masked(op, shared))) return undefined;
  } else if (direct === shared) return undefined;
  const own = typeof direct === "string" ? direct : masked(op, direct);
  const other = typeof shared === "string" ? shared : masked(op, shared);
  const at = typeof own === "string" || typeof other === "string" ? 0 : firstDifference(own, other);
  return {
    signature: `${kindOf(own, at)} / ${kindOf(other, at)}`,
    direct: tell(own, at),
    shared: tell(other, at),
  };
}

function isEqual(one: readonly Uint8Array[], other: readonly Uint8Array[]): boolean {
  return one.length === other.length && firstDifference(one, other) < 0;
}

function firstDifference(one: readonly Uint8Array[], other: readonly Uint8Array[]): number {
  for (let at = 0; at < Math.max(one.length, other.length); at++) {
    const a = one[at];
    const b = other[at];
    if (a === undefined || b === undefined || a.length !== b.length) return at;
    for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return at;
  }
  return -1;
}

function masked(op: Op, packets: readonly Uint8Array[]): readonly Uint8Array[] {
  const [first] = packets;
  if (first?.[1] === 0xff && op.kind !== "query") {
    // The id of a statement is a part of messages; and what MariaDB calls the row of a CALL
    // depends on what its connection has run before. What the proxy says itself is English.
    const text = latin1.decode(first.subarray(2))
      .replace(
        /Die Anweisung (\(\d+\)) hat keinen .*ffneten Cursor/,
        "The statement $1 has no open cursor",
      )
      .replace(/(has no open cursor)\.$/, "$1")
      .replace(/(handler|statement) \(\d+\)/, "$1 (#)")
      .replace(/(row|Zeile) \d+$/, "$1 #");
    return [Uint8Array.of(first[0]!, 0xff, ...Array.from(text, (one) => one.charCodeAt(0)))];
  }
  if (op.kind === "query" && EXECUTES.test(op.sql) && isRefusal(first)) return [REFUSED];
  if (OWN_OKS.has(op.kind) && first?.length === OK_LENGTH && first[1] === 0) {
    const ok = first.slice();
    ok[4]! &= ~Status.NO_INDEX_USED;
    return [ok];
  }
  if (op.kind === "prepare" && first?.[1] === 0) {
    const head = first.slice();
    head.fill(0, 2, 6);
    return [head, ...packets.slice(1).map(withoutChange)];
  }
  if (op.kind === "query" && op.listsVariables) {
    return packets.filter((packet) => !isOwnVariable(packet))
      .map((packet) => withoutChange(packet).subarray(1));
  }
  if (op.kind === "query" && SHOWS_CONDITIONS.test(op.sql)) {
    return packets.map((packet) => withoutChange(withoutRow(packet)));
  }
  const forgotten = flagsOfBefore(op);
  const isBare = op.kind === "execute" && !op.hasTypes;
  const described = forgotten === 0
    ? packets
    : packets.map((packet) => withoutTypeFlags(packet, forgotten, isBare));
  const isCall = op.kind === "execute" ? op.isCall : op.kind === "query" && CALL.test(op.sql);
  return described.map(withoutRowNumber).map(isCall ? withoutRowCount : withoutChange);
}

/** What the proxy may answer by itself, without a flag that OceanBase has in each of its OKs. */
const OWN_OKS: ReadonlySet<Op["kind"]> = new Set(["resetStatement", "changeUser"]);
const OK_LENGTH = 8;

const EXECUTES = /\bEXECUTE\b/;

const WRONG_ARGUMENTS = 1210;
const READ_ONLY_TRANSACTION = 1792;
const REFUSED = Uint8Array.of(1, Head.ERR);

/**
 * What is wrong with a statement and its values: where it has to be prepared again, and writes,
 * MySQL looks at the transaction before it looks at the values.
 */
function isRefusal(packet: Uint8Array | undefined): boolean {
  if (packet?.[1] !== Head.ERR) return false;
  const code = packet[2]! | (packet[3]! << 8);
  return code === WRONG_ARGUMENTS || code === READ_ONLY_TRANSACTION;
}

const CALL = /\bCALL\b/;
const SHOWS_CONDITIONS = /\bSHOW (WARNINGS|ERRORS)\b/;

/** A row of SHOW WARNINGS without its number of a row, which MariaDB counts on over statements. */
function withoutRow(packet: Uint8Array): Uint8Array {
  const text = latin1.decode(packet);
  if (!/(row|Zeile) \d+$/.test(text)) return packet;
  const level = packet[1]!;
  const message = 3 + level + packet[2 + level]!;
  const copy = Uint8Array.from(text.replace(/\d+$/, "#"), (one) => one.charCodeAt(0));
  copy[message] = 0;
  return copy;
}

/** The same in a value that has the message, whose length is as many digits more or less. */
function withoutRowNumber(packet: Uint8Array): Uint8Array {
  const text = latin1.decode(packet);
  const found = ROW_NUMBER.exec(text);
  if (found === null) return packet;
  const end = found.index + found[0].length;
  const bytes = Uint8Array.from(text.replace(ROW_NUMBER, "$1 #"), (one) => one.charCodeAt(0));
  // Blanks and letters within the text may be as many bytes from its end, too.
  const length = packet.findIndex((byte, at) =>
    at > 0 && byte === end - at - 1 && isCapital(packet[at + 1]!)
  );
  if (length > 0 && length < found.index) bytes[length] = 0;
  return bytes;
}

/** Messages begin with one. */
const isCapital = (byte: number) => byte >= 0x41 && byte <= 0x5a;

const ROW_NUMBER = /(row|Zeile) \d+/;

/**
 * Flags of a column that is a parameter which MariaDB leaves there from an execution before: without
 * types, or with NULL, all of its value's; BINARY also where the connection has another collation.
 */
function flagsOfBefore(op: Op): number {
  if (op.kind === "execute") {
    return op.hasTypes ? ColumnFlag.BINARY : ColumnFlag.BINARY | ColumnFlag.UNSIGNED;
  }
  const isByName = op.kind === "query" && EXECUTES.test(op.sql);
  return isByName ? ColumnFlag.BINARY | ColumnFlag.UNSIGNED : 0;
}

/**
 * The description of a column without those, and without the length of a decimal parameter, of which
 * `1 / 3` has one less than the same value written out.
 * @param isBare executed without types: then a parameter has the character set of the execution
 *   before, too, and its length in that
 */
function withoutTypeFlags(packet: Uint8Array, flags: number, isBare: boolean): Uint8Array {
  const isColumn = packet.length > 18 && packet[1] === 3 && packet.at(-13) === 0x0c;
  if (!isColumn) return packet;
  const copy = packet.slice();
  copy[copy.length - 5]! &= ~flags;
  const isParameter = copy.at(-14) === 0 && copy.at(-15) === QUESTION_MARK;
  if (isBare && isParameter) copy.fill(0, copy.length - 12, copy.length - 6);
  if (copy.at(-6) === ColumnType.NEWDECIMAL) copy.fill(0, copy.length - 10, copy.length - 6);
  return copy;
}

const QUESTION_MARK = 0x3f;

/** MySQL repeats the rows that its connection's last statement has changed, if the CALL does not. */
function withoutRowCount(packet: Uint8Array): Uint8Array {
  if (packet.length !== 8 || packet[1] !== 0) return withoutChange(packet);
  const copy = packet.slice();
  copy[2] = 0;
  return copy;
}

/**
 * The end of rows without two flags. MariaDB, to clients without session tracking, keeps that of
 * changes that no OK has reported, and to the proxy one has. Of tables that have changed since a
 * statement was prepared, a server knows nothing that prepares it now.
 */
function withoutChange(packet: Uint8Array): Uint8Array {
  if ((packet.length !== 6 && packet.length !== 8) || packet[1] !== 0xfe) return packet;
  const copy = packet.slice();
  copy[5]! &= ~((Status.SESSION_STATE_CHANGED | Status.METADATA_CHANGED) >> 8);
  return copy;
}

function isOwnVariable(packet: Uint8Array): boolean {
  return OWN_VARIABLES.has(latin1.decode(packet.subarray(2, 2 + packet[1]!)));
}

const latin1 = new TextDecoder("latin1");

function kindOf(packets: readonly Uint8Array[] | string, at: number): string {
  if (typeof packets === "string") return packets.replaceAll(/\d+/g, "#");
  const packet = packets[at];
  if (packet === undefined) return "nothing";
  return packet[1] === 0xff
    ? `ERR ${packet[2]! | (packet[3]! << 8)}`
    : `packet ${packet[1] === 0 ? "OK" : ""}`;
}

const SHOWN = 160;

function tell(packets: readonly Uint8Array[] | string, at: number): string {
  if (typeof packets === "string") return packets;
  const packet = packets[at];
  const place = `packet ${at + 1} of ${packets.length}`;
  if (packet === undefined) return `no ${place}`;
  if (packet[1] === 0xff) {
    const code = packet[2]! | (packet[3]! << 8);
    return `ERR ${code} ${new TextDecoder().decode(packet.subarray(4))}`;
  }
  const text = latin1.decode(packet.subarray(1, SHOWN)).replaceAll(/[^\x20-\x7e]/g, ".");
  return `${place}: ${packet.subarray(0, SHOWN).toHex()} ${JSON.stringify(text)}`;
}

const TOO_MANY_CONNECTIONS = 1040;

/** No server session was to be had: some have turned out to be kept that nobody took for it. */
export function isExhausted(reply: Reply | undefined): boolean {
  if (reply === undefined || typeof reply === "string") return false;
  const [packet] = reply;
  const [, head, low, high] = packet!;
  return head === Head.ERR && (low! | (high! << 8)) === TOO_MANY_CONNECTIONS;
}
