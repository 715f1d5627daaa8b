/** The limit of what a listing may take. */
import { SluiceError } from "../errors.ts";
import type { Value } from "../protocol/binary_value.ts";
import type { Row } from "./answer.ts";

/** Bytes of a value that is no text. */
const FIXED = 8;

/**
 * The rows, as far as they keep the limit.
 * @param limit bytes; texts count with the least that they can take
 * @throws {SluiceError} result_too_large, in place of the row that is too much
 */
export function* limited(rows: Iterable<Row>, limit: number): Generator<Row, void, undefined> {
  let size = 0;
  for (const row of rows) {
    for (const value of row) size += sizeOf(value);
    if (size > limit) throw new SluiceError("result_too_large", "Buffer not enough");
    yield row;
  }
}

function sizeOf(value: Value): number {
  return typeof value === "string" || value instanceof Uint8Array ? value.length : FIXED;
}
