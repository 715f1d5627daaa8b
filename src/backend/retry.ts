/** When to try again to open a server session, after that has failed. */
import type { SluiceError } from "../errors.ts";

const FIRST_DELAY = 50;
const LONGEST_DELAY = 1_000;

export class Retry {
  #failure: SluiceError | undefined;
  #delay = 0;
  #at = 0;

  /** Of the last attempt; undefined where that succeeded. */
  get failure(): SluiceError | undefined {
    return this.#failure;
  }

  /** Milliseconds since the epoch; in the past where nothing stands against it. */
  get at(): number {
    return this.#at;
  }

  fail(error: SluiceError, now: number): void {
    this.#failure = error;
    // Attempts that were made together count as one.
    if (now < this.#at) return;
    this.#delay = Math.min(LONGEST_DELAY, 2 * this.#delay || FIRST_DELAY);
    this.#at = now + this.#delay;
  }

  succeed(): void {
    this.#failure = undefined;
    this.#delay = this.#at = 0;
  }
}
