/** What goes on for a while has a line of the log this often. Milliseconds. */
const TOLD_EVERY = 10_000;

/** Counts what happens too often for a line of the log each time. The first has one at once. */
export class Repeats {
  #count = 0;
  #toldAt = -Infinity;

  add(): void {
    this.#count++;
  }

  /** How often it has happened since the last line, where the next one is due; else 0. */
  due(now: number): number {
    if (this.#count === 0 || now - this.#toldAt < TOLD_EVERY) return 0;
    const count = this.#count;
    this.#count = 0;
    this.#toldAt = now;
    return count;
  }

  /** What has no line yet does not matter any more. */
  forget(): void {
    this.#count = 0;
  }
}
