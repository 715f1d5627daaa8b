/** Leaves out what a failure does not need: delta debugging over clients, scenarios and steps. */
import type { Finding } from "./runner.ts";
import type { Step } from "./steps.ts";

/** Runs some steps from a fresh start. */
export type Attempt = (steps: readonly Step[]) => Promise<Finding | undefined>;

export interface Shrunk {
  readonly steps: readonly Step[];
  readonly finding: Finding;
  readonly attempts: number;
}

/** @param steps those of the failed run */
export async function shrink(
  steps: readonly Step[],
  finding: Finding,
  attempt: Attempt,
): Promise<Shrunk> {
  return await new Shrinking(steps, finding, attempt).run();
}

const MOST_ATTEMPTS = 400;

/** Milliseconds; a fault that shows by waiting takes its time in every attempt. */
const LONGEST = 30_000;

class Shrinking {
  readonly #attempt: Attempt;
  readonly #signature: string;
  #steps: readonly Step[];
  #finding: Finding;
  #attempts = 0;
  readonly #until = Date.now() + LONGEST;

  constructor(steps: readonly Step[], finding: Finding, attempt: Attempt) {
    this.#steps = steps.slice(0, finding.index + 1);
    this.#finding = finding;
    this.#signature = finding.difference.signature;
    this.#attempt = attempt;
  }

  async run(): Promise<Shrunk> {
    await this.#reduce(({ client }) => client);
    await this.#reduce(({ group }) => group);
    // A session that is kept because its last step was left out is no fault.
    if (this.#signature !== "kept") await this.#reduce((step) => step);
    return { steps: this.#steps, finding: this.#finding, attempts: this.#attempts };
  }

  /** Leaves out steps, together where they have the same key: halves, quarters and so on. */
  async #reduce(keyOf: (step: Step) => unknown): Promise<void> {
    let size = Infinity;
    for (;;) {
      const keys = [...new Set(this.#steps.map(keyOf))];
      if (keys.length <= 1) return;
      size = Math.min(size, Math.ceil(keys.length / 2));
      let isSmaller = false;
      for (let from = 0; from < keys.length; from += size) {
        if (this.#attempts >= MOST_ATTEMPTS || Date.now() > this.#until) return;
        const without = new Set(keys.slice(from, from + size));
        const rest = this.#steps.filter((step) => !without.has(keyOf(step)));
        isSmaller = await this.#fails(rest) || isSmaller;
      }
      if (size > 1) size = Math.ceil(size / 2);
      else if (!isSmaller) return;
    }
  }

  async #fails(steps: readonly Step[]): Promise<boolean> {
    if (steps.length === 0 || steps.length === this.#steps.length) return false;
    this.#attempts++;
    const finding = await this.#attempt(steps);
    if (finding?.difference.signature !== this.#signature) return false;
    if (finding.title !== this.#finding.title) return false;
    this.#finding = finding;
    this.#steps = steps.slice(0, finding.index + 1);
    return true;
  }
}
