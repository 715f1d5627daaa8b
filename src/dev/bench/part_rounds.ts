import { attempt, type BenchRun } from "./bench_run.ts";
import { addAddedLatency, churnLoad, type Load, queryLoads, StreamLoad, warmUp } from "./loads.ts";
import { say } from "./say.ts";
import { shuffled } from "./statistics.ts";
import { directTarget, startTarget } from "./targets.ts";

/**
 * The parts `queries`, `churn` and `stream`: in each round every load runs on every target, both
 * in random order, the targets of one load right after each other so that their ratio holds even
 * where the machine's speed drifts.
 */
export async function runRounds(run: BenchRun): Promise<void> {
  const { options, sysbench } = run;
  await using stream = new StreamLoad(run);
  const loads: Load[] = [];
  if (options.parts.has("queries") && sysbench !== undefined) loads.push(...queryLoads(run));
  if (options.parts.has("churn") && sysbench !== undefined) loads.push(churnLoad(run));
  if (options.parts.has("stream")) loads.push(stream);
  if (loads.length === 0) return;
  await using stack = new AsyncDisposableStack();
  const targets = [directTarget(run)];
  for (const kind of run.kinds) targets.push(await startTarget(run, kind, stack));
  for (const target of targets) {
    await attempt(run, `warm-up of ${target.name}`, () => warmUp(run, target));
  }
  for (let round = 1; round <= options.rounds; round++) {
    say(`Round ${round} of ${options.rounds}: ${loads.map((load) => load.name).join(", ")}`);
    for (const load of shuffled(loads)) {
      for (const target of shuffled(targets)) {
        const what = `${load.name}, ${target.name}, round ${round}`;
        await attempt(run, what, () => load.run(target, round));
      }
    }
    addAddedLatency(run, round);
  }
}
