/** Columns of the listings. */
import { ColumnFlag, ColumnType } from "../protocol/constants.ts";
import { type Column, makeColumn } from "../protocol/resultset.ts";
import type { Row, RowsAnswer } from "./answer.ts";

export function textColumn(name: string): Column {
  return makeColumn(name);
}

/** 64 bits with sign. */
export function numberColumn(name: string): Column {
  return makeColumn(name, { type: ColumnType.LONGLONG });
}

/** 64 bits without sign. */
export function unsignedColumn(name: string): Column {
  const flags = ColumnFlag.BINARY | ColumnFlag.UNSIGNED;
  return makeColumn(name, { type: ColumnType.LONGLONG, flags });
}

/** 32 bits with sign. */
export function shortNumberColumn(name: string): Column {
  return makeColumn(name, { type: ColumnType.LONG, length: 11 });
}

export function listing(columns: readonly Column[], rows: Iterable<Row>): RowsAnswer {
  return { kind: "rows", columns, rows };
}
