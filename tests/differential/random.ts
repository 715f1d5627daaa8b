/** Choices of a generator that can be had again from their seed. */
import { seededRandom } from "../support/random.ts";

export class Random {
  readonly #next: () => number;

  constructor(seed: number) {
    this.#next = seededRandom(seed);
  }

  /** From 0 to below `limit`. */
  int(limit: number): number {
    return Math.floor(this.#next() * limit);
  }

  chance(probability: number): boolean {
    return this.#next() < probability;
  }

  pick<T>(of: readonly T[]): T {
    return of[this.int(of.length)]!;
  }

  /** At least one, in any order. */
  some<T>(of: readonly T[], most: number): T[] {
    return Array.from({ length: 1 + this.int(most) }, () => this.pick(of));
  }
}
