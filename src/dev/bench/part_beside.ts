import { attempt, type BenchRun, CpuSince, type Target } from "./bench_run.ts";
import { LoadClients } from "./load_clients.ts";
import { warmUp } from "./loads.ts";
import type { ProxyKind } from "./proxy.ts";
import { say } from "./say.ts";
import { shuffled } from "./statistics.ts";
import { startTarget } from "./targets.ts";

const IDLE_CLIENTS = 1000;
const BUSY_CLIENTS = 16;

interface Pair {
  readonly kind: ProxyKind;
  readonly first: Target;
  readonly second: Target;
}

/**
 * The part `beside`: two processes of each proxy under the same load, one of them with idle
 * sessions. Halfway they change roles, so that a difference between the two cancels out.
 */
export async function runBeside(run: BenchRun): Promise<void> {
  if (run.sysbench === undefined) return;
  await using stack = new AsyncDisposableStack();
  const pairs: Pair[] = [];
  for (const kind of run.kinds) {
    const pair = {
      kind,
      first: await startTarget(run, kind, stack),
      second: await startTarget(run, kind, stack),
    };
    await warmUp(run, pair.first);
    await warmUp(run, pair.second);
    pairs.push(pair);
  }
  const half = Math.ceil(run.options.rounds / 2);
  await runHalf(run, pairs, { from: 1, to: half, idle: "first" });
  await runHalf(run, pairs, { from: half + 1, to: run.options.rounds, idle: "second" });
}

async function runHalf(
  run: BenchRun,
  pairs: readonly Pair[],
  half: { from: number; to: number; idle: "first" | "second" },
): Promise<void> {
  if (half.from > half.to) return;
  await using stack = new AsyncDisposableStack();
  const watched: { kind: ProxyKind; clients: LoadClients }[] = [];
  for (const pair of pairs) {
    const clients = stack.use(new LoadClients(pair[half.idle].address, run.account));
    watched.push({ kind: pair.kind, clients });
    await clients.open(IDLE_CLIENTS, { statements: ["SELECT 1"] });
  }
  for (let round = half.from; round <= half.to; round++) {
    say(`Round ${round} of ${run.options.rounds}: beside ${IDLE_CLIENTS} idle sessions`);
    for (const pair of shuffled(pairs)) {
      for (const which of shuffled(["first", "second"] as const)) {
        const figure = which === half.idle ? "beside" : "beside_none";
        await attempt(run, `${figure}, ${pair.kind.name}, round ${round}`, () => {
          return measure(run, pair[which], { figure, round });
        });
      }
      addRatio(run, pair.kind.name, round);
    }
  }
  for (const { kind, clients } of watched) {
    const lost = await clients.lost();
    if (lost > 0) run.failures.push(`${lost} of the idle sessions beside the load, ${kind.name}`);
  }
}

async function measure(
  run: BenchRun,
  target: Target,
  { figure, round }: { figure: string; round: number },
): Promise<void> {
  const cpu = new CpuSince(target);
  const result = await run.sysbench!.run(target.address, {
    clients: BUSY_CLIENTS,
    seconds: run.options.seconds,
    onStarted: () => cpu.mark(),
  });
  const use = await cpu.end();
  if (use === undefined) return;
  run.samples.addCpu(figure, target.name, { round, use, per: result.queries });
}

function addRatio(run: BenchRun, name: string, round: number): void {
  const beside = run.samples.get("beside", name, round);
  const none = run.samples.get("beside_none", name, round);
  if (beside === undefined || none === undefined) return;
  run.samples.add("beside_ratio", name, { round, value: beside / none });
}
