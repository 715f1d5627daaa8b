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
  const { clients, steps, features, sessions } = options;
  return generate({ seed, engine, clients, steps, features, holders: sessions - 1 });
}

/** @returns undefined where nothing differs */
export async function round(
  servers: Servers,
  seed: number,
  options: RoundOptions,
): Promise<Failure | undefined> {
  const all = generateRound(servers.direct.name, seed, options);
  const first = await run(servers, all, options);
  if (first === undefined) return undefined;
  const { steps, finding, attempts } = await shrink(all, first, (some) => {
    const probeEvery = first.isLeak ? some.length : 0;
    return run(servers, some, { ...options, probeEvery });
  });
  return { seed, steps, finding, report: reportOf({ seed, steps, finding, attempts, first }) };
}

/** Steps of a report, where shrinking has come to no end. */
const SHOWN = 60;

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
    scriptOf(steps.slice(-SHOWN)),
    finding.isLeak ? `seen by ${finding.title}` : "the last one differs:",
    `  directly:          ${finding.difference.direct}`,
    `  through the proxy: ${finding.difference.shared}`,
  ].join("\n");
}
