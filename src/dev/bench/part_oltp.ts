import { attempt, type BenchRun, type Target } from "./bench_run.ts";
import { type CpuUse, watchCpu } from "./process_usage.ts";
import { say } from "./say.ts";
import { OLTP, OLTP_LOADS, type OltpLoad } from "./sharing_figures.ts";
import { shuffled } from "./statistics.ts";
import { directTarget, startTarget } from "./targets.ts";

/** A thousand clients wait for their turn longer than others. */
const POOL = { sessions: OLTP.sessions, waitSeconds: 30 };
/** The transactions that have begun are brought to their end behind the time of a run. */
const PATIENCE_SECONDS = 60;

/** Who does the transactions, and by how many clients. */
interface Contender {
  readonly target: Target;
  readonly clients: number;
}

/**
 * The part `sharing-oltp`: many clients over few shared server sessions against as few clients with
 * connections of their own, direct and by a relay.
 */
export async function runOltp(run: BenchRun): Promise<void> {
  if (run.sysbench === undefined) return;
  await using stack = new AsyncDisposableStack();
  const contenders: Contender[] = [{ target: directTarget(run), clients: OLTP.sessions }];
  for (const kind of run.kinds) {
    const shared = kind.shared?.(POOL);
    const target = await startTarget(run, shared ?? kind, stack);
    contenders.push({ target, clients: shared === undefined ? OLTP.sessions : OLTP.clients });
  }
  // Each run is long, so a third of the rounds will do.
  const rounds = Math.ceil(run.options.rounds / 3);
  for (let round = 0; round <= rounds; round++) {
    say(round === 0 ? "Warming up by transactions" : `Round ${round} of ${rounds}: transactions`);
    for (const load of shuffled(OLTP_LOADS)) {
      for (const contender of shuffled(contenders)) {
        const { name } = contender.target;
        const what = `transactions, ${load.title}, ${name}, round ${round}`;
        await attempt(run, what, () => measure(run, contender, { load, round }));
      }
    }
    if (round > 0) addRatios(run, contenders, round);
  }
}

/** Round 0 is to warm up. */
async function measure(
  run: BenchRun,
  { target, clients }: Contender,
  { load, round }: { load: OltpLoad; round: number },
): Promise<void> {
  let proxyUse: Promise<() => Promise<CpuUse>> | undefined;
  let serverUse: Promise<() => Promise<CpuUse>> | undefined;
  const { events, seconds, ownCpu } = await run.sysbench!.run(target.address, {
    clients,
    seconds: round === 0 ? run.options.warmUpSeconds : run.options.oltpSeconds,
    load: "readWrite",
    prepares: load.prepares,
    patienceSeconds: PATIENCE_SECONDS,
    onStarted: () => {
      proxyUse = target.proxy?.watchCpu();
      serverUse = watchCpu([run.serverPid]);
    },
  });
  const proxy = await (await proxyUse)?.();
  const server = await (await serverUse)?.();
  if (round === 0 || server === undefined) return;
  const { samples } = run;
  const { name } = target;
  const add = (figure: string, value: number) => {
    samples.add(`${load.key}_${figure}`, name, { round, value });
  };
  add("rate", events / seconds);
  if (proxy !== undefined) {
    samples.addCpu(`${load.key}_cpu`, name, { round, use: proxy, per: events });
  }
  samples.addCpu(`${load.key}_cpu_server`, name, { round, use: server, per: events });
  add("cpu_load", ownCpu / events);
  const busy = (proxy?.micros ?? 0) + server.micros + ownCpu;
  add("busy", busy / (seconds * 1e6 * navigator.hardwareConcurrency) * 100);
}

function addRatios(run: BenchRun, contenders: readonly Contender[], round: number): void {
  const [direct, ...others] = contenders.map(({ target }) => target.name);
  for (const { key } of OLTP_LOADS) {
    const base = run.samples.get(`${key}_rate`, direct!, round) ?? NaN;
    for (const name of others) {
      const rate = run.samples.get(`${key}_rate`, name, round) ?? NaN;
      run.samples.add(`${key}_ratio`, name, { round, value: rate / base });
    }
  }
}
