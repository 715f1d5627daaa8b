/** A line of the benchmark's table. */
import type { Part } from "./options.ts";

/**
 * A bar that a proxy has to meet: on its value, on its value in the worst round, or on its ratio to
 * the reference proxy.
 */
export type Bar =
  & { readonly of: "value" | "worst" | "ratio" }
  & ({ readonly max: number } | { readonly min: number });

export interface Figure {
  readonly part: Part;
  readonly title: string;
  readonly unit: string;
  readonly digits: number;
  readonly best: "low" | "high";
  readonly bar?: Bar;
}
