/** What the harness knows of a driver: how its program is made ready and what a run of it reports. */

import type { Job } from "./spec.ts";

/** One line of a program's output. */
export interface CaseReport {
  readonly case: string;
  readonly ok: boolean;
  /** What was seen, or why the case failed. */
  readonly detail: string;
  /** Why the driver cannot have the case at all. */
  readonly skip?: string;
}

/** A program that is ready to run. */
export type Program = (job: Job) => Promise<CaseReport[]>;

export interface Driver {
  /** With its version. */
  readonly name: string;
  /** Whether without TLS it sends the password encrypted by RSA when caching_sha2_password asks. */
  readonly hasFullLogin: boolean;
  /** Installs what the program needs; throws `ToolMissing` where that is impossible. */
  prepare(onProgress: (text: string) => void): Promise<Program>;
}

/** The toolchain of a driver is absent or cannot install it; the message says what to do. */
export class ToolMissing extends Error {
  override readonly name = "ToolMissing";
}
