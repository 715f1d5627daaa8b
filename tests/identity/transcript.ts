/** What the script's steps were answered with over one connection. */
import { createHash } from "node:crypto";
import { MASKS } from "./masks.ts";
import type { Frame } from "./masks.ts";
import type { Step } from "./step.ts";

/** Packets of a step are kept up to this many bytes; of more, only the digest is. */
const KEPT = 1 << 20;

export interface StepRecord {
  readonly step: Step;
  readonly count: number;
  /** The first packets, masked, headers included. */
  readonly frames: readonly Frame[];
  /** Of all packets, masked where the step has a mask. */
  readonly digest: string;
  /** Whether the last packet is an ERR. */
  readonly isError: boolean;
  /** Why the reply did not come to its end; undefined where it did. */
  readonly failure: string | undefined;
}

/** Takes down the packets of one step after the other. */
export class Recorder {
  readonly records: StepRecord[] = [];
  #hash = createHash("sha256");
  #frames: Frame[] = [];
  #kept = 0;
  #count = 0;
  #last: Frame | undefined;

  /** Of the packets that a wire client sees. */
  readonly packet = (direction: "<" | ">", frame: Frame): void => {
    if (direction === ">") return;
    this.#count++;
    this.#last = frame;
    this.#hash.update(frame);
    this.#kept += frame.length;
    if (this.#kept <= KEPT) this.#frames.push(frame);
  };

  /** Forgets what came outside of steps. */
  reset(): void {
    this.#hash = createHash("sha256");
    this.#frames = [];
    this.#kept = 0;
    this.#count = 0;
    this.#last = undefined;
  }

  /** The step is over, or has failed. */
  finish(step: Step, capabilities: number, failure?: string): StepRecord {
    const frames = this.#masked(step, capabilities);
    const record: StepRecord = {
      step,
      count: step.mask === undefined ? this.#count : frames.length,
      frames,
      digest: step.mask === undefined ? this.#hash.digest("hex") : digestOf(frames),
      isError: this.#last?.[4] === 0xff,
      failure,
    };
    this.records.push(record);
    this.reset();
    return record;
  }

  #masked(step: Step, capabilities: number): Frame[] {
    const frames = this.#frames;
    const hasRows = this.#count > 0 && this.#last?.[4] !== 0xff;
    if (step.mask === undefined) return frames;
    if (!hasRows && (step.mask === "values" || step.mask === "rows")) return frames;
    return MASKS[step.mask].apply(frames, capabilities);
  }
}

function digestOf(frames: readonly Frame[]): string {
  const hash = createHash("sha256");
  for (const frame of frames) hash.update(frame);
  return hash.digest("hex");
}
