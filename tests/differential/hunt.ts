/** One round: generated from a seed, run, and shrunk where it fails. */
import type { StartedEngine } from "../../src/dev/engines/engine.ts";
import { generate } from "./generator.ts";
import { type Finding, run, type RunOptions, type Servers } from "./runner.ts";
import { shrink } from "./shrink.ts";
import { scriptOf, type Step } from "./steps.ts";

export interface RoundOptions extends RunOptions {
  readonly clients: number;
  readonly steps: number;
  readonly features: readonly string[];
}

export interface Failure {
  readonly seed: number;
  readonly steps: readonly Step[];
  readonly finding: Finding;
  /** For a person. */
  readonly report: string;
}

export function generateRound(
  engine: StartedEngine["name"],
  seed: number,
  options: RoundOptions,
): Step[] {
  const { clients, steps, features, sessions, servers, isConcurrent } = options;
  const holders = sessions - 1;
  return generate({ seed, engine, clients, steps, features, servers, holders, isConcurrent });
}

/** @returns undefined where nothing differs */
export async function round(
  servers: Servers,
  seed: number,
  options: RoundOptions,
): Promise<Failure | undefined> {
  const all = generateRound(servers.direct.name, seed, options);
  let first = await run(servers, all, options);
  if (first === undefined) return undefined;
  const inOrder = { ...options, isConcurrent: false };
  if (options.isConcurrent) {
    // Only what happens in order can be made to happen again.
    const again = await run(servers, all, inOrder);
    if (again === undefined) return atOnce(seed, all, first);
    first = again;
  }
  const { isLeak } = first;
  const { steps, finding, attempts } = await shrink(all, first, (some) => {
    const probeEvery = isLeak ? some.length : 0;
    return run(servers, some, { ...inOrder, probeEvery });
  });
  return { seed, steps, finding, report: reportOf({ seed, steps, finding, attempts, first }) };
}

/** Steps of a report, where shrinking has come to no end. */
const SHOWN = 60;

function atOnce(seed: number, all: readonly Step[], finding: Finding): Failure {
  const { client } = all[finding.index]!;
  const steps = all.slice(0, finding.index + 1).filter((step) => step.client === client);
  const report = [
    `seed ${seed}, clients at once; not seen in order. The client's own steps:`,
    ...linesOf(steps, finding),
  ].join("\n");
  return { seed, steps, finding, report };
}

function linesOf(steps: readonly Step[], finding: Finding): string[] {
  return [
    scriptOf(steps.slice(-SHOWN), finding.logins),
    finding.isLeak ? `seen by ${finding.title}` : "the last one differs:",
    `  directly:          ${finding.difference.direct}`,
    `  through the proxy: ${finding.difference.shared}`,
  ];
}

function reportOf(
  { seed, steps, finding, attempts, first }: {
    readonly seed: number;
    readonly steps: readonly Step[];
    readonly finding: Finding;
    readonly attempts: number;
    readonly first: Finding;
  },
): string {
  const features = [...new Set(steps.map(({ feature }) => feature))].join(" ");
  return [
    `seed ${seed}, step ${
      first.index + 1
    }; shrunk in ${attempts} runs to ${steps.length} steps of ${features}`,
    ...linesOf(steps, finding),
  ].join("\n");
}
