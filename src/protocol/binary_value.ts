/**
 * Values of the binary protocol: columns of binary rows, statement parameters, query attributes.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_binary_resultset.html
 */
import { encodeText, type PacketReader, type PacketWriter } from "./bytes.ts";
import { ColumnType } from "./constants.ts";

/** DATE, DATETIME and TIMESTAMP, as the server's zone has them; MySQL's zero dates fit too. */
export interface DateTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly microsecond: number;
}

/** TIME: a signed span of up to 34 days, not a time of day. */
export interface TimeSpan {
  readonly negative: boolean;
  readonly days: number;
  readonly hours: number;
  readonly minutes: number;
  readonly seconds: number;
  readonly microseconds: number;
}

/**
 * One value. Decoding gives 64-bit integers as `number` while safe and `bigint` beyond, DECIMAL as
 * `string`, and everything else that is text or bytes as a `Uint8Array` view of the packet, since
 * only the session knows its character set. Encoding takes text as `string` too.
 */
export type Value = null | number | bigint | string | Uint8Array | DateTime | TimeSpan;

type Form =
  | "null"
  | "int8"
  | "int16"
  | "int32"
  | "int64"
  | "float"
  | "double"
  | "date"
  | "time"
  | "decimal"
  | "bytes";

/** How each column type travels; a type that is not here never comes over the wire. */
const FORMS: Readonly<Record<number, Form>> = {
  [ColumnType.DECIMAL]: "decimal",
  [ColumnType.TINY]: "int8",
  [ColumnType.SHORT]: "int16",
  [ColumnType.LONG]: "int32",
  [ColumnType.FLOAT]: "float",
  [ColumnType.DOUBLE]: "double",
  [ColumnType.NULL]: "null",
  [ColumnType.TIMESTAMP]: "date",
  [ColumnType.LONGLONG]: "int64",
  [ColumnType.INT24]: "int32",
  [ColumnType.DATE]: "date",
  [ColumnType.TIME]: "time",
  [ColumnType.DATETIME]: "date",
  [ColumnType.YEAR]: "int16",
  [ColumnType.NEWDATE]: "date",
  [ColumnType.VARCHAR]: "bytes",
  [ColumnType.BIT]: "bytes",
  [ColumnType.TIMESTAMP2]: "date",
  [ColumnType.DATETIME2]: "date",
  [ColumnType.TIME2]: "time",
  [ColumnType.VECTOR]: "bytes",
  [ColumnType.BOOL]: "int8",
  [ColumnType.JSON]: "bytes",
  [ColumnType.NEWDECIMAL]: "decimal",
  [ColumnType.ENUM]: "bytes",
  [ColumnType.SET]: "bytes",
  [ColumnType.TINY_BLOB]: "bytes",
  [ColumnType.MEDIUM_BLOB]: "bytes",
  [ColumnType.LONG_BLOB]: "bytes",
  [ColumnType.BLOB]: "bytes",
  [ColumnType.VAR_STRING]: "bytes",
  [ColumnType.STRING]: "bytes",
  [ColumnType.GEOMETRY]: "bytes",
};

/** What decides the wire form of a value that is not NULL. */
export interface ValueType {
  readonly type: number;
  readonly unsigned: boolean;
}

/** @throws {ProtocolError} by `reader`, also for a type that never travels */
export function readValue(reader: PacketReader, { type, unsigned }: ValueType): Value {
  switch (FORMS[type]) {
    case "null":
      return null;
    case "int8":
      return unsigned ? reader.u8() : reader.i8();
    case "int16":
      return unsigned ? reader.u16() : reader.i16();
    case "int32":
      return unsigned ? reader.u32() : reader.i32();
    case "int64":
      return safeInteger(unsigned ? reader.u64() : reader.i64());
    case "float":
      return reader.f32();
    case "double":
      return reader.f64();
    case "date":
      return readDateTime(reader);
    case "time":
      return readTimeSpan(reader);
    case "decimal":
      return reader.lenencText();
    case "bytes":
      return reader.lenencBytes();
    default:
      return reader.fail(`expected a known column type, got ${type}`);
  }
}

/** Mirrors {@link readValue} for any value but NULL, which has a bit in a bitmap instead. */
export function writeValue(writer: PacketWriter, value: Value, { type }: ValueType): void {
  switch (FORMS[type]) {
    case "null":
      break;
    case "int8":
      writer.u8(Number(value));
      break;
    case "int16":
      writer.u16(Number(value));
      break;
    case "int32":
      writer.u32(Number(value));
      break;
    case "int64":
      writer.u64(integerOf(value));
      break;
    case "float":
      writer.f32(Number(value));
      break;
    case "double":
      writer.f64(Number(value));
      break;
    case "date":
      writeDateTime(writer, value as DateTime);
      break;
    case "time":
      writeTimeSpan(writer, value as TimeSpan);
      break;
    default:
      writer.lenencBytes(value instanceof Uint8Array ? value : encodeText(String(value)));
  }
}

function safeInteger(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function integerOf(value: Value): number | bigint {
  return typeof value === "bigint" ? value : Number(value);
}

/** 0, 4, 7 or 11 bytes follow the length: trailing parts that are zero are left out. */
function readDateTime(reader: PacketReader): DateTime {
  const length = reader.u8();
  if (length !== 0 && length !== 4 && length !== 7 && length !== 11) {
    reader.fail(`expected a date of 0, 4, 7 or 11 bytes, got ${length}`);
  }
  return {
    year: length >= 4 ? reader.u16() : 0,
    month: length >= 4 ? reader.u8() : 0,
    day: length >= 4 ? reader.u8() : 0,
    hour: length >= 7 ? reader.u8() : 0,
    minute: length >= 7 ? reader.u8() : 0,
    second: length >= 7 ? reader.u8() : 0,
    microsecond: length === 11 ? reader.u32() : 0,
  };
}

function writeDateTime(writer: PacketWriter, value: DateTime): void {
  const { year, month, day, hour, minute, second, microsecond } = value;
  let length = 0;
  if (microsecond !== 0) length = 11;
  else if (hour !== 0 || minute !== 0 || second !== 0) length = 7;
  else if (year !== 0 || month !== 0 || day !== 0) length = 4;
  writer.u8(length);
  if (length >= 4) writer.u16(year).u8(month).u8(day);
  if (length >= 7) writer.u8(hour).u8(minute).u8(second);
  if (length === 11) writer.u32(microsecond);
}

/** 0, 8 or 12 bytes follow the length. */
function readTimeSpan(reader: PacketReader): TimeSpan {
  const length = reader.u8();
  if (length !== 0 && length !== 8 && length !== 12) {
    reader.fail(`expected a time of 0, 8 or 12 bytes, got ${length}`);
  }
  return {
    negative: length >= 8 && reader.u8() !== 0,
    days: length >= 8 ? reader.u32() : 0,
    hours: length >= 8 ? reader.u8() : 0,
    minutes: length >= 8 ? reader.u8() : 0,
    seconds: length >= 8 ? reader.u8() : 0,
    microseconds: length === 12 ? reader.u32() : 0,
  };
}

function writeTimeSpan(writer: PacketWriter, value: TimeSpan): void {
  const { negative, days, hours, minutes, seconds, microseconds } = value;
  let length = 0;
  if (microseconds !== 0) length = 12;
  else if (negative || days !== 0 || hours !== 0 || minutes !== 0 || seconds !== 0) length = 8;
  writer.u8(length);
  if (length >= 8) writer.u8(negative ? 1 : 0).u32(days).u8(hours).u8(minutes).u8(seconds);
  if (length === 12) writer.u32(microseconds);
}

/** Reads a bitmap that has `offset` unused bits before the bit of the first value. */
export function readNullBitmap(reader: PacketReader, count: number, offset: number): Uint8Array {
  return reader.bytes((count + offset + 7) >> 3);
}

export function isNull(bitmap: Uint8Array, index: number): boolean {
  return ((bitmap[index >> 3] ?? 0) & (1 << (index & 7))) !== 0;
}

export function writeNullBitmap(
  writer: PacketWriter,
  values: readonly unknown[],
  offset: number,
): void {
  const bitmap = new Uint8Array((values.length + offset + 7) >> 3);
  values.forEach((value, index) => {
    const bit = index + offset;
    if (value === null) bitmap[bit >> 3] = (bitmap[bit >> 3] ?? 0) | (1 << (bit & 7));
  });
  writer.bytes(bitmap);
}
