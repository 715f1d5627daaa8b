/**
 * Requests that clients send and the proxy passes on or takes apart: it never makes them itself.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_command_phase.html
 */
import { writeNullBitmap, writeValue } from "../../../src/protocol/binary_value.ts";
import { encodeText, PacketWriter } from "../../../src/protocol/bytes.ts";
import { Capability, Command, ExecuteFlag } from "../../../src/protocol/constants.ts";
import { type Execute, writeParameterType } from "../../../src/protocol/prepared.ts";

/** COM_INIT_DB, COM_CREATE_DB, COM_DROP_DB and COM_STMT_PREPARE. */
export function encodeName(command: number, name: Uint8Array): Uint8Array {
  return new PacketWriter(name.length + 1).u8(command).bytes(name).view();
}

export function encodeProcessKill(threadId: number): Uint8Array {
  return new PacketWriter(5).u8(Command.PROCESS_KILL).u32(threadId).view();
}

/** @param option 0 switches multi-statements on, 1 off */
export function encodeSetOption(option: number): Uint8Array {
  return new PacketWriter(3).u8(Command.SET_OPTION).u16(option).view();
}

export function encodeFieldList(
  { table, wildcard }: { readonly table: string; readonly wildcard: string },
): Uint8Array {
  return new PacketWriter(64).u8(Command.FIELD_LIST).nulText(table).text(wildcard).view();
}

/** https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_stmt_execute.html */
export function encodeExecute(request: Execute, capabilities: number): Uint8Array {
  const { statementId, flags, iterations, hasTypes, parameters } = request;
  const writer = new PacketWriter(64)
    .u8(Command.STMT_EXECUTE)
    .u32(statementId)
    .u8(flags)
    .u32(iterations);
  const hasAttributes = (capabilities & Capability.QUERY_ATTRIBUTES) !== 0;
  const isCounted = parameters.length > 0 || (flags & ExecuteFlag.PARAMETER_COUNT_AVAILABLE) !== 0;
  if (hasAttributes && isCounted) writer.lenencInt(parameters.length);
  if (parameters.length === 0) return writer.view();
  writeNullBitmap(writer, parameters.map(({ value }) => value), 0);
  writer.u8(hasTypes ? 1 : 0);
  if (hasTypes) {
    for (const parameter of parameters) writeParameterType(writer, parameter, hasAttributes);
  }
  for (const parameter of parameters) {
    const { value } = parameter;
    if (value !== null && value !== undefined) writeValue(writer, value, parameter);
  }
  return writer.view();
}

export function encodeFetch(
  { statementId, rows }: { readonly statementId: number; readonly rows: number },
): Uint8Array {
  return new PacketWriter(9).u8(Command.STMT_FETCH).u32(statementId).u32(rows).view();
}

/** COM_STMT_SEND_LONG_DATA: one more piece of a parameter's value. */
export interface LongData {
  readonly statementId: number;
  readonly parameter: number;
  readonly data: Uint8Array;
}

export function encodeLongData({ statementId, parameter, data }: LongData): Uint8Array {
  return new PacketWriter(data.length + 7)
    .u8(Command.STMT_SEND_LONG_DATA)
    .u32(statementId)
    .u16(parameter)
    .bytes(data)
    .view();
}

/** MariaDB's COM_STMT_BULK_EXECUTE. */
export interface BulkExecute {
  readonly statementId: number;
  /** Of `BulkFlag`. */
  readonly flags: number;
  /** Undefined where the request sends none: they are those of the last execution. */
  readonly types: readonly { readonly type: number; readonly unsigned: boolean }[] | undefined;
  /** As they travel. */
  readonly rows: Uint8Array;
}

/** https://mariadb.com/kb/en/com_stmt_bulk_execute/ */
export function encodeBulkExecute(request: BulkExecute): Uint8Array {
  const writer = new PacketWriter(64)
    .u8(Command.MARIADB_STMT_BULK_EXECUTE)
    .u32(request.statementId)
    .u16(request.flags);
  for (const type of request.types ?? []) writeParameterType(writer, { ...type, name: "" }, false);
  return writer.bytes(request.rows).view();
}

/** COM_REGISTER_REPLICA. */
export interface RegisterReplica {
  readonly serverId: number;
  readonly host: string;
  readonly user: string;
  readonly password: string;
  readonly port: number;
  readonly rank: number;
  readonly primaryId: number;
}

export function encodeRegisterReplica(request: RegisterReplica): Uint8Array {
  return new PacketWriter(64)
    .u8(Command.REGISTER_REPLICA)
    .u32(request.serverId)
    .lenencText(request.host)
    .lenencText(request.user)
    .lenencText(request.password)
    .u16(request.port)
    .u32(request.rank)
    .u32(request.primaryId)
    .view();
}

/** COM_BINLOG_DUMP. */
export interface BinlogDump {
  readonly position: number;
  /** Bit 0: end with EOF instead of waiting for further events. */
  readonly flags: number;
  readonly serverId: number;
  /** Empty: the first file there is. */
  readonly file: string;
}

export function encodeBinlogDump(request: BinlogDump): Uint8Array {
  return new PacketWriter(64)
    .u8(Command.BINLOG_DUMP)
    .u32(request.position)
    .u16(request.flags)
    .u32(request.serverId)
    .text(request.file)
    .view();
}

/** COM_BINLOG_DUMP_GTID, which MariaDB does not have. */
export interface BinlogDumpGtid extends Omit<BinlogDump, "position"> {
  readonly position: number | bigint;
  /** The set of transactions that the replica has, in MySQL's own encoding. */
  readonly gtids: Uint8Array;
}

export function encodeBinlogDumpGtid(request: BinlogDumpGtid): Uint8Array {
  const file = encodeText(request.file);
  return new PacketWriter(128)
    .u8(Command.BINLOG_DUMP_GTID)
    .u16(request.flags)
    .u32(request.serverId)
    .u32(file.length)
    .bytes(file)
    .u64(request.position)
    .u32(request.gtids.length)
    .bytes(request.gtids)
    .view();
}

/** Connection attributes, without their total length. */
export function encodeAttributes(pairs: readonly (readonly [string, string])[]): Uint8Array {
  const writer = new PacketWriter();
  for (const [name, value] of pairs) writer.lenencText(name).lenencText(value);
  return writer.view().slice();
}
