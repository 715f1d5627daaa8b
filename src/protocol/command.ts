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

/** Thread id of COM_PROCESS_KILL. */
export function decodeProcessKill(payload: Uint8Array): number {
  return open(payload, "kill request").u32();
}

/** Option of COM_SET_OPTION: 0 switches multi-statements on, 1 off. */
export function decodeSetOption(payload: Uint8Array): number {
  return open(payload, "set option request").u16();
}

/** COM_STMT_CLOSE or COM_STMT_RESET. */
export function encodeStatementRequest(command: number, statementId: number): Uint8Array {
  return new PacketWriter(5).u8(command).u32(statementId).view();
}
