/**
 * Result sets: column definitions, text and binary rows, and whole answers of the proxy itself.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query_response_text_resultset.html
 * MariaDB's extended metadata: https://mariadb.com/kb/en/result-set-packets/
 */
import { type Value, type ValueType, writeNullBitmap, writeValue } from "./binary_value.ts";
import { encodePrepareHead } from "./prepared.ts";
import { PacketReader, PacketWriter } from "./bytes.ts";
import {
  BINARY_CHARSET,
  Capability,
  ColumnFlag,
  ColumnType,
  Head,
  MariaDbCapability,
  UTF8MB4_GENERAL_CI,
} from "./constants.ts";
import { encodeEof, encodeOk, plainOk } from "./response.ts";
import { toText } from "./text_value.ts";

/** What a connection agreed on: the 32 bits of MySQL and MariaDB's further 32 (0 elsewhere). */
export interface Agreed {
  readonly capabilities: number;
  readonly extendedCapabilities: number;
}

/** One piece of MariaDB's extended metadata: type 0 names a data type, type 1 a format. */
export interface ColumnExtra {
  readonly type: number;
  readonly value: Uint8Array;
}

export interface Column {
  readonly schema: string;
  /** Alias of the table, or the name where it has none. */
  readonly table: string;
  readonly originalTable: string;
  readonly name: string;
  readonly originalName: string;
  /** Empty unless MariaDB's EXTENDED_METADATA is on. */
  readonly extra: readonly ColumnExtra[];
  readonly charset: number;
  /** Greatest length of a text value, in bytes. */
  readonly length: number;
  readonly type: number;
  readonly flags: number;
  readonly decimals: number;
  /** Only in replies to COM_FIELD_LIST: the default value, `null` for NULL. */
  readonly defaultValue?: Uint8Array | null;
}

/** The first packet of a result set. */
export interface ColumnCount {
  readonly count: number;
  /** False where the server leaves the definitions out because the client knows them. */
  readonly metadataFollows: boolean;
}

/**
 * The flag stands behind the count in MySQL (OPTIONAL_RESULTSET_METADATA) and MariaDB
 * (CACHE_METADATA) alike.
 */
function hasMetadataFlag({ capabilities, extendedCapabilities }: Agreed): boolean {
  return (capabilities & Capability.OPTIONAL_RESULTSET_METADATA) !== 0 ||
    (extendedCapabilities & MariaDbCapability.CACHE_METADATA) !== 0;
}

/** @throws {ProtocolError} */
export function decodeColumnCount(payload: Uint8Array, agreed: Agreed): ColumnCount {
  const reader: PacketReader = new PacketReader(payload, "column count");
  const count = reader.lenencInt();
  if (typeof count === "bigint" || count < 1 || count > 0xffff) {
    reader.fail(`expected 1 to 65535 columns, got ${count}`);
  }
  return { count, metadataFollows: !hasMetadataFlag(agreed) || reader.u8() !== 0 };
}

export function encodeColumnCount(head: ColumnCount, agreed: Agreed): Uint8Array {
  const writer = new PacketWriter(4).lenencInt(head.count);
  if (hasMetadataFlag(agreed)) writer.u8(head.metadataFollows ? 1 : 0);
  return writer.view();
}

/** @throws {ProtocolError} */
export function decodeColumn(payload: Uint8Array, { extendedCapabilities }: Agreed): Column {
  const reader = new PacketReader(payload, "column definition");
  reader.lenencBytes(); // the catalog, which is "def" everywhere
  const schema = reader.lenencText();
  const table = reader.lenencText();
  const originalTable = reader.lenencText();
  const name = reader.lenencText();
  const originalName = reader.lenencText();
  const extra: ColumnExtra[] = [];
  if ((extendedCapabilities & MariaDbCapability.EXTENDED_METADATA) !== 0) {
    const pieces = new PacketReader(reader.lenencBytes(), "extended column metadata");
    while (pieces.remaining > 0) extra.push({ type: pieces.u8(), value: pieces.lenencBytes() });
  }
  const fixed = reader.lenencInt();
  if (fixed !== 12) reader.fail(`expected 12 bytes of fixed fields, got ${fixed}`);
  const column = {
    schema,
    table,
    originalTable,
    name,
    originalName,
    extra,
    charset: reader.u16(),
    length: reader.u32(),
    type: reader.u8(),
    flags: reader.u16(),
    decimals: reader.u8(),
  };
  reader.skip(2);
  return reader.remaining === 0 ? column : { ...column, defaultValue: readCell(reader) };
}

export function encodeColumn(column: Column, { extendedCapabilities }: Agreed): Uint8Array {
  const writer = new PacketWriter(64)
    .lenencText("def")
    .lenencText(column.schema)
    .lenencText(column.table)
    .lenencText(column.originalTable)
    .lenencText(column.name)
    .lenencText(column.originalName);
  if ((extendedCapabilities & MariaDbCapability.EXTENDED_METADATA) !== 0) {
    const pieces = new PacketWriter(32);
    for (const { type, value } of column.extra) pieces.u8(type).lenencBytes(value);
    writer.lenencBytes(pieces.view());
  }
  writer
    .lenencInt(12)
    .u16(column.charset)
    .u32(column.length)
    .u8(column.type)
    .u16(column.flags)
    .u8(column.decimals)
    .zeros(2);
  if (column.defaultValue !== undefined) writeCell(writer, column.defaultValue);
  return writer.view();
}

/** NULL is the one byte that starts no length. */
const NULL_CELL = 0xfb;

function readCell(reader: PacketReader): Uint8Array | null {
  if (reader.peek() !== NULL_CELL) return reader.lenencBytes();
  reader.skip(1);
  return null;
}

function writeCell(writer: PacketWriter, cell: Uint8Array | null): void {
  if (cell === null) writer.u8(NULL_CELL);
  else writer.lenencBytes(cell);
}

/**
 * A text row's values as views of the packet.
 * @throws {ProtocolError}
 */
export function decodeTextRow(payload: Uint8Array, columns: number): (Uint8Array | null)[] {
  const reader = new PacketReader(payload, "text row");
  const row: (Uint8Array | null)[] = [];
  for (let index = 0; index < columns; index++) row.push(readCell(reader));
  if (reader.remaining > 0) reader.fail(`expected ${columns} values and no more`);
  return row;
}

/** @param row values as they travel */
export function encodeTextRow(row: readonly (Uint8Array | null)[]): Uint8Array {
  const writer = new PacketWriter(128);
  for (const cell of row) writeCell(writer, cell);
  return writer.view();
}

/** The part of a column that decides how its values travel. */
type ColumnForm = Pick<Column, "type" | "flags">;

function valueType({ type, flags }: ColumnForm): ValueType {
  return { type, unsigned: (flags & ColumnFlag.UNSIGNED) !== 0 };
}

/** The bitmap of a binary row starts with two bits that stand for its first byte. */
const ROW_BITMAP_OFFSET = 2;

function writeBinaryRow(
  writer: PacketWriter,
  row: readonly Value[],
  columns: readonly ColumnForm[],
): void {
  writer.u8(Head.OK);
  writeNullBitmap(writer, row, ROW_BITMAP_OFFSET);
  columns.forEach((column, index) => {
    const value = row[index] ?? null;
    if (value !== null) writeValue(writer, value, valueType(column));
  });
}

/** A column of the proxy's own answers: text in utf8mb4 unless `type` is one of numbers. */
export function makeColumn(name: string, options: Partial<Column> = {}): Column {
  const type = options.type ?? ColumnType.VAR_STRING;
  const isText = type >= ColumnType.JSON && type !== ColumnType.NEWDECIMAL;
  return {
    schema: "",
    table: "",
    originalTable: "",
    name,
    originalName: name,
    extra: [],
    charset: isText ? UTF8MB4_GENERAL_CI : BINARY_CHARSET,
    length: isText ? 1024 : 21,
    type,
    flags: isText ? 0 : ColumnFlag.BINARY,
    decimals: isText ? 31 : 0,
    ...options,
  };
}

/** What stands around the rows of a result set. */
export interface ResultHead {
  readonly columns: readonly Column[];
  /** Status flags of the session, for the packets that end definitions and rows. */
  readonly status: number;
  readonly warnings: number;
}

/**
 * The payloads before the rows, in the client's dialect. Definitions are always sent, which every
 * client with optional or cached metadata accepts.
 */
export function encodeResultHead(
  { columns, status, warnings }: ResultHead,
  form: Agreed,
): Uint8Array[] {
  const packets = [encodeColumnCount({ count: columns.length, metadataFollows: true }, form)];
  for (const column of columns) packets.push(encodeColumn(column, form));
  if (!hasNoEof(form)) packets.push(encodeEof({ warnings, status }));
  return packets;
}

/** Appends the payload of one row. */
export function writeRow(
  writer: PacketWriter,
  row: readonly Value[],
  { columns, binary }: { readonly columns: readonly Column[]; readonly binary: boolean },
): void {
  if (binary) writeBinaryRow(writer, row, columns);
  else writePrintedRow(writer, row, columns);
}

/** The payload behind the rows. */
export function encodeResultEnd(
  { status, warnings }: Omit<ResultHead, "columns">,
  form: Agreed,
): Uint8Array {
  return hasNoEof(form)
    ? encodeOk({ ...plainOk(status), head: Head.EOF, warnings }, form.capabilities)
    : encodeEof({ warnings, status });
}

function hasNoEof({ capabilities }: Agreed): boolean {
  return (capabilities & Capability.DEPRECATE_EOF) !== 0;
}

/** A prepared statement of the proxy's own: what its prepare reply says. */
export interface PreparedStatement {
  readonly statementId: number;
  readonly parameters: number;
  /** Of its result; empty where it answers OK. */
  readonly columns: readonly Column[];
  readonly status: number;
}

/** The payloads of a prepare reply in the client's dialect, with all definitions. */
export function encodePrepareReply(prepared: PreparedStatement, agreed: Agreed): Uint8Array[] {
  const { statementId, parameters, columns, status } = prepared;
  const head = {
    statementId,
    parameters,
    columns: columns.length,
    warnings: 0,
    metadataFollows: true,
  };
  const parameter = encodeColumn(makeColumn("?"), agreed);
  const groups = [
    new Array<Uint8Array>(parameters).fill(parameter),
    columns.map((column) => encodeColumn(column, agreed)),
  ];
  const packets = [encodePrepareHead(head, agreed.capabilities)];
  for (const definitions of groups) {
    packets.push(...definitions);
    if (definitions.length > 0 && !hasNoEof(agreed)) {
      packets.push(encodeEof({ warnings: 0, status }));
    }
  }
  return packets;
}

/** Whether the value prints as its digits. */
function isWhole(value: Value): value is number {
  return Number.isSafeInteger(value) && !Object.is(value, -0);
}

/** A text row of values in the print of their columns. */
function writePrintedRow(
  writer: PacketWriter,
  row: readonly Value[],
  columns: readonly Column[],
): void {
  row.forEach((value, index) => {
    if (value === null || value instanceof Uint8Array) return writeCell(writer, value);
    if (typeof value === "string") return writer.lenencText(value);
    if (isWhole(value)) return writer.lenencDigits(value);
    const { type = ColumnType.VAR_STRING, decimals } = columns[index] ?? {};
    writer.lenencText(toText(value, type, decimals));
  });
}
