/** A statement of the proxy as the sessions run it. */
import type { SluiceError } from "../errors.ts";
import type { Value } from "../protocol/binary_value.ts";
import type { Column } from "../protocol/resultset.ts";
import type { AdminAnswer } from "./answer.ts";
import type { AdminScope } from "./scope.ts";

export interface AdminStatement {
  /** The words of its row, for logs: `SHOW PROXYSESSION`. */
  readonly name: string;
  /** Number of `?`. */
  readonly parameters: number;
  /** Columns of its result when prepared; empty where it answers OK. */
  readonly columns: readonly Column[];
  /** What `run` is certain to throw: known when it is prepared. */
  readonly refusal?: SluiceError;
  /** @throws {SluiceError} what the caller is told */
  run(scope: AdminScope, parameters: readonly Value[]): Promise<AdminAnswer>;
}
