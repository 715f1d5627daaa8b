/**
 * Prepared statements: the head of a prepare reply, execute requests, statement ids.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_command_phase_ps.html
 */
import { ProtocolError } from "../errors.ts";
import { isNull, readNullBitmap, readValue, type Value, type ValueType } from "./binary_value.ts";
import { PacketReader, PacketWriter } from "./bytes.ts";
import { Capability, ExecuteFlag, Head } from "./constants.ts";

/** The first packet of the reply to COM_STMT_PREPARE. */
export interface PrepareHead {
  readonly statementId: number;
  readonly columns: number;
  readonly parameters: number;
  readonly warnings: number;
  /** False where the server leaves out the definitions of parameters and columns. */
  readonly metadataFollows: boolean;
}

/**
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_stmt_prepare.html
 * MariaDB's CACHE_METADATA changes nothing here: it always sends the definitions. Without
 * DEPRECATE_EOF the EOF packets come even where MySQL leaves out the definitions before them.
 * @throws {ProtocolError}
 */
export function decodePrepareHead(payload: Uint8Array, capabilities: number): PrepareHead {
  const reader = new PacketReader(payload, "prepare reply");
  const head = reader.u8();
  if (head !== Head.OK) reader.fail(`expected head 0x00, got 0x${head.toString(16)}`);
  const statementId = reader.u32();
  const columns = reader.u16();
  const parameters = reader.u16();
  reader.skip(1);
  const warnings = reader.remaining > 0 ? reader.u16() : 0; // servers of MySQL 4.1 end before it
  const isOptional = (capabilities & Capability.OPTIONAL_RESULTSET_METADATA) !== 0;
  const metadataFollows = !isOptional || reader.remaining === 0 || reader.u8() !== 0;
  return { statementId, columns, parameters, warnings, metadataFollows };
}

export function encodePrepareHead(head: PrepareHead, capabilities: number): Uint8Array {
  const writer = new PacketWriter(13)
    .u8(Head.OK)
    .u32(head.statementId)
    .u16(head.columns)
    .u16(head.parameters)
    .u8(0)
    .u16(head.warnings);
  if ((capabilities & Capability.OPTIONAL_RESULTSET_METADATA) !== 0) {
    writer.u8(head.metadataFollows ? 1 : 0);
  }
  return writer.view();
}

/** Every COM_STMT_ request but COM_STMT_PREPARE has the id right behind the command byte. */
const STATEMENT_ID = 1;

function statementIdView(payload: Uint8Array): DataView {
  if (payload.length < STATEMENT_ID + 4) {
    throw new ProtocolError(
      `Cannot parse statement request: expected at least 5 bytes, got ${payload.length}`,
    );
  }
  return new DataView(payload.buffer, payload.byteOffset + STATEMENT_ID, 4);
}

/**
 * The id in a request about a prepared statement. MariaDB's clients may send 0xffffffff: the
 * statement that was prepared last.
 * @throws {ProtocolError}
 */
export function readStatementId(payload: Uint8Array): number {
  return statementIdView(payload).getUint32(0, true);
}

/**
 * Replaces the id in the request's own bytes.
 * @throws {ProtocolError}
 */
export function rewriteStatementId(payload: Uint8Array, statementId: number): void {
  statementIdView(payload).setUint32(0, statementId, true);
}

/** A parameter of a statement, or an attribute of a query. */
export interface Parameter extends ValueType {
  /** Empty for the parameters of a statement; attributes have one. */
  readonly name: string;
  /** `undefined` where COM_STMT_SEND_LONG_DATA has brought the value before. */
  readonly value: Value | undefined;
}

/** Type and name as they stand before the values. */
export interface ParameterType extends ValueType {
  readonly name: string;
}

/** Bit 15 of a parameter's type. */
const UNSIGNED_TYPE = 0x8000;

export function readParameterType(reader: PacketReader, hasName: boolean): ParameterType {
  const bits = reader.u16();
  return {
    type: bits & 0xff,
    unsigned: (bits & UNSIGNED_TYPE) !== 0,
    name: hasName ? reader.lenencText() : "",
  };
}

export function writeParameterType(
  writer: PacketWriter,
  { type, unsigned, name }: ParameterType,
  hasName: boolean,
): void {
  writer.u16(type | (unsigned ? UNSIGNED_TYPE : 0));
  if (hasName) writer.lenencText(name);
}

/** COM_STMT_EXECUTE. */
export interface Execute {
  readonly statementId: number;
  /** Of {@link ExecuteFlag}: the kind of cursor, and whether a parameter count follows. */
  readonly flags: number;
  readonly iterations: number;
  /** Whether the request carries types. False: they are those of the statement's last execution. */
  readonly hasTypes: boolean;
  readonly parameters: readonly Parameter[];
}

/** What an execute request does not say itself. */
export interface ExecuteContext {
  readonly capabilities: number;
  /** Of the statement, as the prepare reply said. */
  readonly parameters: number;
  /** Types of the statement's last execution, for a request without. */
  readonly types?: readonly ParameterType[];
  /** Indices of parameters that COM_STMT_SEND_LONG_DATA has brought since. */
  readonly longData?: ReadonlySet<number>;
}

/**
 * How many parameters an execute request has. MySQL 9.7 reads a count even without the flag where
 * the statement has parameters of its own.
 * @param reader behind the head of the request
 */
export function readParameterCount(
  reader: PacketReader,
  flags: number,
  { capabilities, parameters }: ExecuteContext,
): number {
  const hasCount = hasNames(capabilities) &&
    (parameters > 0 || (flags & ExecuteFlag.PARAMETER_COUNT_AVAILABLE) !== 0);
  return hasCount ? readCount(reader) : parameters;
}

/**
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_stmt_execute.html
 * @throws {ProtocolError}
 */
export function decodeExecute(payload: Uint8Array, context: ExecuteContext): Execute {
  const { capabilities, longData } = context;
  const reader = new PacketReader(payload, "execute request");
  reader.skip(1);
  const head = { statementId: reader.u32(), flags: reader.u8(), iterations: reader.u32() };
  const count = readParameterCount(reader, head.flags, context);
  if (count < context.parameters) {
    reader.fail(`expected at least ${context.parameters} parameters, got ${count}`);
  }
  if (count === 0) return { ...head, hasTypes: false, parameters: [] };
  const nulls = readNullBitmap(reader, count, 0);
  const hasTypes = reader.u8() !== 0;
  const types: ParameterType[] = [];
  for (let index = 0; index < count; index++) {
    if (hasTypes) types.push(readParameterType(reader, hasNames(capabilities)));
    else types.push(context.types?.[index] ?? reader.fail("expected the types of the parameters"));
  }
  const parameters = types.map((type, index): Parameter => ({
    ...type,
    value: readParameter(reader, type, {
      isNull: isNull(nulls, index),
      isLong: longData?.has(index) === true,
    }),
  }));
  if (reader.remaining > 0) reader.fail(`expected ${count} values and no more`);
  return { ...head, hasTypes, parameters };
}

/** Names stand behind the types whether or not the request has attributes. */
function hasNames(capabilities: number): boolean {
  return (capabilities & Capability.QUERY_ATTRIBUTES) !== 0;
}

function readParameter(
  reader: PacketReader,
  type: ParameterType,
  { isNull, isLong }: { isNull: boolean; isLong: boolean },
): Value | undefined {
  if (isLong) return undefined;
  return isNull ? null : readValue(reader, type);
}

/** A count that must fit the message: each parameter has at least one bit in it. */
export function readCount(reader: PacketReader): number {
  const count = reader.lenencInt();
  if (typeof count === "bigint" || count > 8 * reader.remaining) {
    reader.fail(`expected a count of parameters that fits, got ${count}`);
  }
  return count;
}
