/**
 * Views over the requests of a client. Each starts with the command byte, which the caller has
 * looked at; results hold views of the payload where they hold bytes.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_command_phase.html
 */
import { isNull, readNullBitmap, readValue, writeNullBitmap, writeValue } from "./binary_value.ts";
import { PacketReader, PacketWriter } from "./bytes.ts";
import { Capability, Command } from "./constants.ts";
import { type Parameter, readCount, readParameterType, writeParameterType } from "./prepared.ts";

/** A reader behind the command byte. */
function open(payload: Uint8Array, message: string): PacketReader {
  const reader = new PacketReader(payload, message);
  reader.skip(1);
  return reader;
}

/** COM_QUERY, and COM_STMT_PREPARE, which never has attributes. */
export interface Query {
  /** In the character set of the connection. */
  readonly text: Uint8Array;
  readonly attributes: readonly Parameter[];
}

/**
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query.html
 * @throws {ProtocolError}
 */
export function decodeQuery(payload: Uint8Array, capabilities: number): Query {
  const reader = open(payload, "query");
  if ((capabilities & Capability.QUERY_ATTRIBUTES) === 0) {
    return { text: reader.rest(), attributes: [] };
  }
  const count = readCount(reader);
  const sets = reader.lenencInt();
  if (sets !== 1) reader.fail(`expected one set of attributes, got ${sets}`);
  if (count === 0) return { text: reader.rest(), attributes: [] };
  const nulls = readNullBitmap(reader, count, 0);
  const hasTypes = reader.u8();
  if (hasTypes !== 1) reader.fail(`expected attributes with types, got flag ${hasTypes}`);
  const types = [];
  for (let index = 0; index < count; index++) types.push(readParameterType(reader, true));
  const attributes = types.map((type, index): Parameter => ({
    ...type,
    value: isNull(nulls, index) ? null : readValue(reader, type),
  }));
  return { text: reader.rest(), attributes };
}

export function encodeQuery({ text, attributes }: Query, capabilities: number): Uint8Array {
  const writer = new PacketWriter(text.length + 64).u8(Command.QUERY);
  if ((capabilities & Capability.QUERY_ATTRIBUTES) === 0) return writer.bytes(text).view();
  writer.lenencInt(attributes.length).lenencInt(1);
  if (attributes.length === 0) return writer.bytes(text).view();
  writeNullBitmap(writer, attributes.map(({ value }) => value), 0);
  writer.u8(1);
  for (const attribute of attributes) writeParameterType(writer, attribute, true);
  for (const attribute of attributes) {
    if (attribute.value !== null && attribute.value !== undefined) {
      writeValue(writer, attribute.value, attribute);
    }
  }
  return writer.bytes(text).view();
}

/** The name or text of COM_INIT_DB, COM_CREATE_DB, COM_DROP_DB and COM_STMT_PREPARE. */
export function decodeName(payload: Uint8Array): Uint8Array {
  return open(payload, "request with a name").rest();
}

export function encodeName(command: number, name: Uint8Array): Uint8Array {
  return new PacketWriter(name.length + 1).u8(command).bytes(name).view();
}

/** Thread id of COM_PROCESS_KILL. */
export function decodeProcessKill(payload: Uint8Array): number {
  return open(payload, "kill request").u32();
}

export function encodeProcessKill(threadId: number): Uint8Array {
  return new PacketWriter(5).u8(Command.PROCESS_KILL).u32(threadId).view();
}

/** Option of COM_SET_OPTION: 0 switches multi-statements on, 1 off. */
export function decodeSetOption(payload: Uint8Array): number {
  return open(payload, "set option request").u16();
}

export function encodeSetOption(option: number): Uint8Array {
  return new PacketWriter(3).u8(Command.SET_OPTION).u16(option).view();
}

/** COM_FIELD_LIST. */
export interface FieldList {
  readonly table: string;
  readonly wildcard: string;
}

/** @throws {ProtocolError} */
export function decodeFieldList(payload: Uint8Array): FieldList {
  const reader = open(payload, "field list request");
  return { table: reader.nulText(), wildcard: reader.restText() };
}

export function encodeFieldList({ table, wildcard }: FieldList): Uint8Array {
  return new PacketWriter(64).u8(Command.FIELD_LIST).nulText(table).text(wildcard).view();
}

/** COM_STMT_FETCH. */
export interface Fetch {
  readonly statementId: number;
  readonly rows: number;
}

/** @throws {ProtocolError} */
export function decodeFetch(payload: Uint8Array): Fetch {
  const reader = open(payload, "fetch request");
  return { statementId: reader.u32(), rows: reader.u32() };
}

export function encodeFetch({ statementId, rows }: Fetch): Uint8Array {
  return new PacketWriter(9).u8(Command.STMT_FETCH).u32(statementId).u32(rows).view();
}

/** COM_STMT_SEND_LONG_DATA: one more piece of a parameter's value. */
export interface LongData {
  readonly statementId: number;
  readonly parameter: number;
  readonly data: Uint8Array;
}

/** @throws {ProtocolError} */
export function decodeLongData(payload: Uint8Array): LongData {
  const reader = open(payload, "long data");
  return { statementId: reader.u32(), parameter: reader.u16(), data: reader.rest() };
}

export function encodeLongData({ statementId, parameter, data }: LongData): Uint8Array {
  return new PacketWriter(data.length + 7)
    .u8(Command.STMT_SEND_LONG_DATA)
    .u32(statementId)
    .u16(parameter)
    .bytes(data)
    .view();
}

/** COM_STMT_CLOSE or COM_STMT_RESET. */
export function encodeStatementRequest(command: number, statementId: number): Uint8Array {
  return new PacketWriter(5).u8(command).u32(statementId).view();
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

/** @throws {ProtocolError} */
export function decodeRegisterReplica(payload: Uint8Array): RegisterReplica {
  const reader = open(payload, "register replica request");
  return {
    serverId: reader.u32(),
    host: reader.lenencText(),
    user: reader.lenencText(),
    password: reader.lenencText(),
    port: reader.u16(),
    rank: reader.u32(),
    primaryId: reader.u32(),
  };
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

/** @throws {ProtocolError} */
export function decodeBinlogDump(payload: Uint8Array): BinlogDump {
  const reader = open(payload, "binlog dump request");
  return {
    position: reader.u32(),
    flags: reader.u16(),
    serverId: reader.u32(),
    file: reader.restText(),
  };
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
export interface BinlogDumpGtid {
  readonly flags: number;
  readonly serverId: number;
  readonly file: string;
  readonly position: number | bigint;
  /** The set of transactions that the replica has, in MySQL's own encoding. */
  readonly gtids: Uint8Array;
}

/** @throws {ProtocolError} */
export function decodeBinlogDumpGtid(payload: Uint8Array): BinlogDumpGtid {
  const reader = open(payload, "binlog dump request");
  return {
    flags: reader.u16(),
    serverId: reader.u32(),
    file: new TextDecoder().decode(reader.bytes(reader.u32())),
    position: reader.u64(),
    gtids: reader.bytes(reader.u32()),
  };
}

export function encodeBinlogDumpGtid(request: BinlogDumpGtid): Uint8Array {
  const file = new TextEncoder().encode(request.file);
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

/** Flags of COM_STMT_BULK_EXECUTE. */
export const BulkFlag = {
  SEND_UNIT_RESULTS: 64,
  SEND_TYPES_TO_SERVER: 128,
} as const;

/** The head of MariaDB's COM_STMT_BULK_EXECUTE, up to its rows of parameters. */
export interface BulkExecuteHead {
  readonly statementId: number;
  readonly flags: number;
  /** Undefined where the request sends none: they are those of the last execution. */
  readonly types: readonly { readonly type: number; readonly unsigned: boolean }[] | undefined;
  readonly rows: Uint8Array;
}

/**
 * https://mariadb.com/kb/en/com_stmt_bulk_execute/
 * @param parameters of the statement, as the prepare reply said
 * @throws {ProtocolError}
 */
export function decodeBulkExecuteHead(payload: Uint8Array, parameters: number): BulkExecuteHead {
  const reader = open(payload, "bulk execute request");
  const statementId = reader.u32();
  const flags = reader.u16();
  if ((flags & BulkFlag.SEND_TYPES_TO_SERVER) === 0) {
    return { statementId, flags, types: undefined, rows: reader.rest() };
  }
  const types = [];
  for (let index = 0; index < parameters; index++) {
    const { type, unsigned } = readParameterType(reader, false);
    types.push({ type, unsigned });
  }
  return { statementId, flags, types, rows: reader.rest() };
}

export function encodeBulkExecuteHead(head: BulkExecuteHead): Uint8Array {
  const writer = new PacketWriter(64)
    .u8(Command.MARIADB_STMT_BULK_EXECUTE)
    .u32(head.statementId)
    .u16(head.flags);
  for (const type of head.types ?? []) writeParameterType(writer, { ...type, name: "" }, false);
  return writer.bytes(head.rows).view();
}
