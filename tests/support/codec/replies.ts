/** What tests read and write of replies beyond what the proxy does itself. */
import {
  isNull,
  readNullBitmap,
  readValue,
  type Value,
} from "../../../src/protocol/binary_value.ts";
import { PacketReader, PacketWriter } from "../../../src/protocol/bytes.ts";
import { ColumnFlag, Head } from "../../../src/protocol/constants.ts";
import type { EofPacket } from "../../../src/protocol/response.ts";
import {
  type Agreed,
  type Column,
  encodeResultEnd,
  encodeResultHead,
  type ResultHead,
  writeRow,
} from "../../../src/protocol/resultset.ts";

/** @throws {ProtocolError} */
export function decodeEof(payload: Uint8Array): EofPacket {
  const reader = new PacketReader(payload, "EOF packet");
  expectHead(reader, Head.EOF);
  return { warnings: reader.u16(), status: reader.u16() };
}

function expectHead(reader: PacketReader, expected: number): void {
  const head = reader.u8();
  if (head !== expected) reader.fail(`expected head ${expected}, got ${head}`);
}

/** The bitmap of a binary row starts with two bits that stand for its first byte. */
const ROW_BITMAP_OFFSET = 2;

/** @throws {ProtocolError} */
export function decodeBinaryRow(
  payload: Uint8Array,
  columns: readonly Pick<Column, "type" | "flags">[],
): Value[] {
  const reader = new PacketReader(payload, "binary row");
  expectHead(reader, Head.OK);
  const nulls = readNullBitmap(reader, columns.length, ROW_BITMAP_OFFSET);
  const row = columns.map(({ type, flags }, index) => {
    if (isNull(nulls, index + ROW_BITMAP_OFFSET)) return null;
    return readValue(reader, { type, unsigned: (flags & ColumnFlag.UNSIGNED) !== 0 });
  });
  if (reader.remaining > 0) reader.fail(`expected ${columns.length} values and no more`);
  return row;
}

/** The payload of one row. */
export function encodeRow(
  row: readonly Value[],
  form: { readonly columns: readonly Column[]; readonly binary: boolean },
): Uint8Array {
  const writer = new PacketWriter(128);
  writeRow(writer, row, form);
  return writer.view();
}

/** A whole result set as values; every row has a value for each column. */
export interface ResultSet extends ResultHead {
  readonly rows: Iterable<readonly Value[]>;
}

/** Who reads the result set, and whether a prepared statement asked for it. */
export interface ResultForm extends Agreed {
  readonly binary: boolean;
}

/** The payloads of a result set as the proxy makes them. */
export function encodeResultSet(result: ResultSet, form: ResultForm): Uint8Array[] {
  const { columns, rows } = result;
  const { binary } = form;
  return [
    ...encodeResultHead(result, form),
    ...Array.from(rows, (row) => encodeRow(row, { columns, binary })),
    encodeResultEnd(result, form),
  ];
}
