/**
 * Ends a wait for a server session. A client waits for each of its transactions where sessions are
 * scarce, and an `AbortController` costs more than the rest of the wait.
 */

/** As much of an `AbortSignal` as waiting needs. */
export interface WaitSignal {
  readonly aborted: boolean;
  addEventListener(type: "abort", listener: () => void): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/** The signal and what fires it in one; nobody else listens while one waits. */
export class WaitAbort implements WaitSignal {
  aborted = false;
  #listener: (() => void) | undefined;

  abort(): void {
    this.aborted = true;
    const listener = this.#listener;
    this.#listener = undefined;
    listener?.();
  }

  addEventListener(_type: "abort", listener: () => void): void {
    this.#listener = listener;
  }

  removeEventListener(_type: "abort", listener: () => void): void {
    if (this.#listener === listener) this.#listener = undefined;
  }
}
