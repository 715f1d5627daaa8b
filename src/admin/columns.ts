/** Columns of the listings, and rows that are built in slices between which traffic goes on. */
import { ColumnFlag, ColumnType } from "../protocol/constants.ts";
import { type Column, makeColumn } from "../protocol/resultset.ts";
import { visitInSlices } from "../session_manager.ts";
import type { AdminAnswer, Row } from "./answer.ts";

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

export function listing(columns: readonly Column[], rows: readonly Row[]): AdminAnswer {
  return { kind: "rows", columns, rows };
}

/** One row an item. */
export async function rowsOf<Item>(
  items: readonly Item[],
  build: (item: Item) => Row,
): Promise<Row[]> {
  const rows: Row[] = [];
  await visitInSlices(items, (item) => rows.push(build(item)));
  return rows;
}
