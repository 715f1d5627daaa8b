/**
 * Types of parameters in requests to execute prepared statements. Clients send them once and leave
 * them out until they change; a server session that has not seen them, or has seen those of another
 * client since, must be sent them again.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_stmt_execute.html
 * https://mariadb.com/kb/en/com_stmt_bulk_execute/
 */
import { concat, PacketReader } from "../protocol/bytes.ts";
import { bytesOfText } from "../protocol/byte_text.ts";
import { BulkFlag, Capability, ColumnType, Command } from "../protocol/constants.ts";
import { readParameterCount } from "../protocol/prepared.ts";

/** Where the types are in a request, or would be. */
export interface TypesPlace {
  /** Position of the byte (or flag) that says whether there are types. */
  readonly flagAt: number;
  /** The types as they travel; undefined where the request has none. */
  readonly types: Uint8Array | undefined;
  /** Where they begin, or are to be put. */
  readonly at: number;
}

export interface StatementParameters {
  readonly capabilities: number;
  /** Of the statement, as its prepare reply said. */
  readonly parameters: number;
}

/**
 * Undefined where there are no parameters at all.
 * @throws {ProtocolError}
 */
export function placeOfTypes(
  payload: Uint8Array,
  statement: StatementParameters,
): TypesPlace | undefined {
  return payload[0] === Command.MARIADB_STMT_BULK_EXECUTE
    ? placeInBulk(payload, statement)
    : placeInExecute(payload, statement);
}

function placeInExecute(
  payload: Uint8Array,
  statement: StatementParameters,
): TypesPlace | undefined {
  const reader = new PacketReader(payload, "execute request");
  reader.skip(5);
  const flags = reader.u8();
  reader.skip(4);
  const count = readParameterCount(reader, flags, statement);
  if (count === 0) return undefined;
  reader.skip((count + 7) >> 3);
  const flagAt = payload.length - reader.remaining;
  const hasTypes = reader.u8() !== 0;
  const at = payload.length - reader.remaining;
  if (!hasTypes) return { flagAt, at, types: undefined };
  skipTypes(reader, count, (statement.capabilities & Capability.QUERY_ATTRIBUTES) !== 0);
  return { flagAt, at, types: payload.subarray(at, payload.length - reader.remaining) };
}

function placeInBulk(
  payload: Uint8Array,
  { parameters }: StatementParameters,
): TypesPlace | undefined {
  const reader = new PacketReader(payload, "bulk execute request");
  reader.skip(5);
  const flagAt = payload.length - reader.remaining;
  const hasTypes = (reader.u16() & BulkFlag.SEND_TYPES_TO_SERVER) !== 0;
  const at = payload.length - reader.remaining;
  if (parameters === 0) return undefined;
  if (!hasTypes) return { flagAt, at, types: undefined };
  skipTypes(reader, parameters, false);
  return { flagAt, at, types: payload.subarray(at, payload.length - reader.remaining) };
}

function skipTypes(reader: PacketReader, count: number, hasNames: boolean): void {
  for (let index = 0; index < count; index++) {
    reader.skip(2);
    if (hasNames) reader.lenencBytes();
  }
}

/**
 * The types of a statement's own parameters among those of a request, two characters each.
 * @param types one character a byte, as `ClientStatement` has them
 */
export function ownTypes(types: string, { capabilities, parameters }: StatementParameters): string {
  if ((capabilities & Capability.QUERY_ATTRIBUTES) === 0) return types.slice(0, 2 * parameters);
  let own = "";
  for (let at = 0; own.length < 2 * parameters && at + 2 < types.length;) {
    own += types.slice(at, at + 2);
    at += 3 + types.charCodeAt(at + 2);
  }
  return own;
}

/**
 * MySQL takes the types of an expression from the values that its parameters first had.
 * @returns what is known of them then; undefined where the two contradict each other
 */
export function mergedTypes(known: string, types: string): string | undefined {
  if (known === types || known === "") return types;
  let merged = "";
  for (let at = 0; at < types.length; at += 2) {
    const before = known.slice(at, at + 2);
    const now = types.slice(at, at + 2);
    if (before !== now && !isNullType(before) && !isNullType(now)) return undefined;
    merged += isNullType(now) ? before : now;
  }
  return merged;
}

function isNullType(type: string): boolean {
  return type.charCodeAt(0) === ColumnType.NULL;
}

/**
 * The request with types put in, as a request of its own.
 * @param types one character a byte, as `ClientStatement` has them
 */
export function withTypes(
  payload: Uint8Array,
  { flagAt, at }: TypesPlace,
  types: string,
): Uint8Array {
  const request = concat([payload.subarray(0, at), bytesOfText(types), payload.subarray(at)]);
  request[flagAt] = payload[0] === Command.MARIADB_STMT_BULK_EXECUTE
    ? payload[flagAt]! | BulkFlag.SEND_TYPES_TO_SERVER
    : 1;
  return request;
}
