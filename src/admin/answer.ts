/** What a statement of the proxy is answered with. */
import type { Value } from "../protocol/binary_value.ts";
import type { Column } from "../protocol/resultset.ts";

export type Row = readonly Value[];

/** The rows may be made one by one as they are read, so they are read once. */
export interface RowsAnswer {
  readonly kind: "rows";
  readonly columns: readonly Column[];
  readonly rows: Iterable<Row>;
}

export type AdminAnswer =
  | { readonly kind: "ok"; readonly affectedRows?: number; readonly message?: string }
  | RowsAnswer
  /** The caller has ended itself: ERR 1317 (70100) goes out, then the connection closes. */
  | { readonly kind: "ends_caller" };

export const OK: AdminAnswer = { kind: "ok" };
