/**
 * Each rule of `rules.ts` is needed: without it the comparison of shared sessions with private ones
 * finds a difference, and with it, in the same steps, none. Runs on demand only: `SLUICE_RULES=1`
 * for all rules, or the names of some, separated by commas; `SLUICE_ENGINE` names the only server.
 */
import { assertEquals } from "@std/assert";
import { type StartedEngine, startEngine } from "../../src/dev/engines/engine.ts";
import { report } from "../support/report.ts";
import { isAvailable } from "../support/shared_engine.ts";
import { CLASSIC } from "../support/wire_client.ts";
import { generateRound, type RoundOptions } from "./hunt.ts";
import { type Rule, RULES } from "./rules.ts";
import { type Finding, prepareServers, run, type Servers } from "./runner.ts";
import type { Step } from "./steps.ts";

const SEEDS = [1, 2, 3] as const;
const PER_SEED = 1_000;

const ENGINES = ["mariadb", "mysql"] as const;

const chosen = Deno.env.get("SLUICE_RULES")?.split(",") ?? [];

for (const name of ENGINES) {
  const isMeant = chosen.length > 0 && (Deno.env.get("SLUICE_ENGINE") ?? name) === name;
  const ignore = !isMeant || !await isAvailable(name);
  Deno.test({ name: `${name}: the loss of any rule is noticed`, ignore }, async (test) => {
    await using direct: StartedEngine = await startEngine(name);
    await using shared: StartedEngine = await startEngine(name);
    const servers = { direct, shared: [shared] };
    await prepareServers(servers);
    for (const rule of RULES) {
      if (rule.engines?.includes(name) === false) continue;
      if (!chosen.includes("1") && !chosen.includes(rule.name)) continue;
      await test.step(rule.name, () => checkRule(servers, rule));
    }
  });
}

async function checkRule(servers: Servers, rule: Rule): Promise<void> {
  const options = optionsFor(rule);
  const noticed = await withoutRule(rule, () => hunt(servers, options));
  if (noticed === undefined) throw new Error(`Nobody misses the rule "${rule.name}"`);
  const { statements, steps, finding } = noticed;
  report(`${servers.direct.name}: ${rule.name}: ${statements} statements, by ${finding.title}`);
  assertEquals(await run(servers, steps, options), undefined);
}

function optionsFor({ features }: Rule): RoundOptions {
  return {
    clients: 12,
    servers: 1,
    sessions: 3,
    isConcurrent: false,
    steps: PER_SEED,
    features,
    capabilities: CLASSIC,
    mustShare: false,
    probeEvery: 100,
  };
}

async function withoutRule<Result>(rule: Rule, work: () => Promise<Result>): Promise<Result> {
  const undo = rule.switchOff();
  try {
    return await work();
  } finally {
    undo();
  }
}

interface Noticed {
  readonly finding: Finding;
  /** How many it took, over all seeds. */
  readonly statements: number;
  /** Those of the last seed, up to where it was noticed. */
  readonly steps: readonly Step[];
}

async function hunt(servers: Servers, options: RoundOptions): Promise<Noticed | undefined> {
  let before = 0;
  for (const seed of SEEDS) {
    const steps = generateRound(servers.direct.name, seed, options);
    const finding = await run(servers, steps, options);
    if (finding === undefined) {
      before += steps.length;
      continue;
    }
    const count = finding.index + 1;
    return { finding, statements: before + count, steps: steps.slice(0, count) };
  }
  return undefined;
}
