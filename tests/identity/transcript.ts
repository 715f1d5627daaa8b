/** What the script's steps were answered with over one connection. */
import { createHash } from "node:crypto";
import { type Frame, type Mask, maskFor, type MaskName } from "./masks.ts";
import type { Step, Where } from "./step.ts";

/** Packets of a step are kept up to this many bytes; of more, only the digest is. */
const KEPT = 1 << 20;

export interface StepRecord {
  readonly step: Step;
  /** What was left out of the comparison; undefined for nothing. */
  readonly mask: MaskName | undefined;
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
  finish(step: Step, where: Where, failure?: string): StepRecord {
    const mask = this.#applicable(step.mask, where);
    const frames = mask?.apply(this.#frames, where.capabilities) ?? this.#frames;
    const record: StepRecord = {
      step,
      mask: mask && step.mask,
      count: mask === undefined ? this.#count : frames.length,
      frames,
      digest: mask === undefined ? this.#hash.digest("hex") : digestOf(frames),
      isError: this.#last?.[4] === 0xff,
      failure,
    };
    this.records.push(record);
    this.reset();
    return record;
  }

  /** Masks of rows mask nothing where no rows came. */
  #applicable(name: MaskName | undefined, { engine }: Where): Mask | undefined {
    const hasRows = this.#count > 0 && this.#last?.[4] !== 0xff;
    if (!hasRows && (name === "values" || name === "rows")) return undefined;
    return maskFor(name, engine);
  }
}

function digestOf(frames: readonly Frame[]): string {
  const hash = createHash("sha256");
  for (const frame of frames) hash.update(frame);
  return hash.digest("hex");
}
