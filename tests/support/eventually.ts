/** Waiting for a condition instead of sleeping. */

export interface EventuallyOptions {
  /** Milliseconds after which the wait is given up; generous, for machines that are busy. */
  readonly within?: number;
  /** Polls about this often. Milliseconds. */
  readonly every?: number;
}

/**
 * Polls until `check` gives something that is neither undefined, null nor false, and gives that.
 * A check that throws counts as not yet; the last error is the cause when time is up.
 */
export async function eventually<Result>(
  what: string,
  check: () => Result | Promise<Result>,
  { within = 10_000, every = 5 }: EventuallyOptions = {},
): Promise<Exclude<Result, undefined | null | false>> {
  const deadline = performance.now() + within;
  for (;;) {
    let cause: unknown;
    try {
      const result = await check();
      if (result !== undefined && result !== null && result !== false) {
        return result as Exclude<Result, undefined | null | false>;
      }
    } catch (error) {
      cause = error;
    }
    if (performance.now() > deadline) {
      throw new Error(`Cannot see within ${within} ms that ${what}`, { cause });
    }
    await new Promise((resolve) => setTimeout(resolve, every));
  }
}
