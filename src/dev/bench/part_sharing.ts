import { attempt, type BenchRun, CpuSince, type Target } from "./bench_run.ts";
import { CHURN_CLIENTS, warmUp } from "./loads.ts";
import type { Part } from "./options.ts";
import { say } from "./say.ts";
import { PRIVATE, SHARED } from "./sharing_figures.ts";
import { shuffled } from "./statistics.ts";
import type { SysbenchLoad } from "./sysbench.ts";
import { directTarget, startTarget } from "./targets.ts";

interface SharingLoad {
  /** What the keys of its figures begin with. */
  readonly key: string;
  readonly part: Part;
  readonly clients: number;
  readonly load: SysbenchLoad;
}

const LOADS: readonly SharingLoad[] = [
  { key: "queries", part: "sharing-queries", clients: 16, load: "pointSelect" },
  { key: "churn", part: "sharing-churn", clients: CHURN_CLIENTS, load: "churn" },
];

/** More than the clients of each load: what sharing costs where nobody waits. */
const POOL = { sessions: 20, waitSeconds: 10 };

/** A target, and the figures that it has a value in. */
interface Contender {
  readonly target: Target;
  readonly figures: readonly string[];
}

/**
 * The parts `sharing-queries` and `sharing-churn`: each proxy with shared server sessions, and beside
 * it with private ones in a process of its own, in the same rounds.
 */
export async function runSharing(run: BenchRun): Promise<void> {
  const loads = LOADS.filter(({ part }) => run.options.parts.has(part));
  if (loads.length === 0 || run.sysbench === undefined) return;
  await using stack = new AsyncDisposableStack();
  const both = [SHARED, PRIVATE];
  const contenders: Contender[] = [{ target: directTarget(run), figures: both }];
  for (const kind of run.kinds) {
    const target = await startTarget(run, kind, stack);
    const shared = kind.shared?.(POOL);
    contenders.push({ target, figures: shared === undefined ? both : [PRIVATE] });
    if (shared === undefined) continue;
    contenders.push({ target: await startTarget(run, shared, stack), figures: [SHARED] });
  }
  for (const { target } of contenders) {
    await attempt(run, `warm-up of ${target.name}`, () => warmUp(run, target));
  }
  for (let round = 1; round <= run.options.rounds; round++) {
    const names = loads.map(({ key }) => key).join(", ");
    say(`Round ${round} of ${run.options.rounds}: ${names} with shared server sessions`);
    for (const load of shuffled(loads)) {
      for (const contender of shuffled(contenders)) {
        const { target, figures } = contender;
        const what = `${load.part}, ${target.name}, ${figures.join(" and ")}, round ${round}`;
        await attempt(run, what, () => measure(run, contender, { load, round }));
      }
    }
  }
}

async function measure(
  run: BenchRun,
  { target, figures }: Contender,
  { load, round }: { load: SharingLoad; round: number },
): Promise<void> {
  const cpu = new CpuSince(target);
  const { queries, seconds } = await run.sysbench!.run(target.address, {
    clients: load.clients,
    seconds: run.options.seconds,
    load: load.load,
    onStarted: () => cpu.mark(),
  });
  const use = await cpu.end();
  for (const figure of figures) {
    const key = `${load.key}_${figure}`;
    run.samples.add(`${key}_rate`, target.name, { round, value: queries / seconds });
    if (use !== undefined) {
      run.samples.addCpu(`${key}_cpu`, target.name, { round, use, per: queries });
    }
  }
}
