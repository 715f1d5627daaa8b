import { query } from "../engines/query.ts";
import { attempt, type BenchRun, CpuSince, type Target } from "./bench_run.ts";
import { CATCH_UP_LOADS, type CatchUpLoad } from "./catch_up_loads.ts";
import { LoadClients } from "./load_clients.ts";
import { POINT_STATEMENT } from "./loads.ts";
import { say } from "./say.ts";
import { shuffled } from "./statistics.ts";
import { startTarget } from "./targets.ts";

/** Both clients have no other server session than this one. */
const POOL = { sessions: 1, waitSeconds: 3 };

/** Does not depend on the selected schema. */
const STATEMENT = POINT_STATEMENT.replace("bench_points", "sbtest.bench_points");

/** A proxy with one server session, and the clients that take turns on it. */
interface Stage {
  readonly target: Target;
  readonly clients: LoadClients;
}

/**
 * The part `sharing-catch-up`: what it costs to bring a server session from one client's state to
 * another's, by kind of state.
 */
export async function runCatchUp(run: BenchRun): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const stages: Stage[] = [];
  for (const kind of run.kinds) {
    const shared = kind.shared?.(POOL);
    if (shared === undefined) continue;
    const target = await startTarget(run, shared, stack);
    const clients = stack.use(new LoadClients(target.address, run.account));
    const stage = { target, clients };
    stages.push(stage);
    say(`Warming ${target.name} up to catch up`);
    for (const load of CATCH_UP_LOADS) {
      const ms = run.options.warmUpSeconds * 200;
      await attempt(run, `warm-up of ${load.title}, ${target.name}`, () => turn(stage, load, ms));
    }
  }
  for (let round = 1; round <= run.options.rounds; round++) {
    say(`Round ${round} of ${run.options.rounds}: clients that differ`);
    for (const load of shuffled(CATCH_UP_LOADS)) {
      for (const stage of shuffled(stages)) {
        const what = `catch-up, ${load.title}, ${stage.target.name}, round ${round}`;
        await attempt(run, what, () => measure(run, stage, { load, round }));
      }
    }
    for (const { target } of stages) subtract(run, target.name, round);
  }
}

async function turn({ clients }: Stage, load: CatchUpLoad, ms: number): Promise<void> {
  await clients.openPair(load.clients);
  await clients.takeTurns(STATEMENT, ms);
}

async function measure(
  run: BenchRun,
  { target, clients }: Stage,
  { load, round }: { load: CatchUpLoad; round: number },
): Promise<void> {
  const { counter, atLeast, atMost } = load.proof;
  await clients.openPair(load.clients);
  const before = await readCounter(run, counter);
  const cpu = new CpuSince(target);
  await cpu.mark();
  const { count, ms } = await clients.takeTurns(STATEMENT, run.options.seconds * 1000);
  const use = await cpu.end();
  const each = (await readCounter(run, counter) - before) / count;
  if (each < atLeast || each > atMost) {
    const range = `${atLeast} to ${atMost}`;
    throw new Error(
      `The server counted ${each.toFixed(2)} more ${counter} per statement, wanted ${range}`,
    );
  }
  const { samples } = run;
  const key = keyOf(load);
  samples.add(`${key}_time`, target.name, { round, value: ms * 1000 / count });
  if (use !== undefined) samples.addCpu(`${key}_cpu`, target.name, { round, use, per: count });
}

/** What the difference costs, once all loads of a round have run. */
function subtract(run: BenchRun, name: string, round: number): void {
  for (const load of CATCH_UP_LOADS) {
    const base = CATCH_UP_LOADS.find(({ key }) => key === load.beyond);
    if (base === undefined) continue;
    for (const figure of ["time", "cpu"]) {
      const whole = run.samples.get(`${keyOf(load)}_${figure}`, name, round) ?? NaN;
      const without = run.samples.get(`${keyOf(base)}_${figure}`, name, round) ?? NaN;
      run.samples.add(`added_${load.key}_${figure}`, name, { round, value: whole - without });
    }
  }
}

function keyOf({ key }: CatchUpLoad): string {
  return `turns_${key}`;
}

async function readCounter(run: BenchRun, counter: string): Promise<number> {
  const statement = `SHOW GLOBAL STATUS LIKE '${counter}'`;
  const [row] = await query(run.server, run.account, [statement]);
  return Number(row?.["Value"]);
}
