import { attempt, type BenchRun } from "./bench_run.ts";
import { IDLE_LOADS, type IdleLoad } from "./figures.ts";
import { LoadClients } from "./load_clients.ts";
import { interrupted } from "./program.ts";
import { Proxy, type ProxyKind } from "./proxy.ts";
import { pause, say } from "./say.ts";
import { shuffled } from "./statistics.ts";

const SETTLE_STEP_MS = 500;
const SETTLE_LIMIT_MS = 8000;

/** The part `start`: time to the first greeting and the memory of a process without clients. */
export async function runStart(run: BenchRun): Promise<void> {
  say("Starting each proxy several times");
  for (let round = 1; round <= run.options.rounds; round++) {
    for (const kind of shuffled(run.kinds)) {
      await attempt(run, `start of ${kind.name}`, async () => {
        await using proxy = await Proxy.start(kind, run.server, run.folder);
        run.samples.add("start", kind.name, { round, value: proxy.startMs });
        const { resident, anonymous } = await settledMemory(proxy);
        run.samples.add("base", kind.name, { round, value: resident / 1024 });
        run.samples.add("base_anonymous", kind.name, { round, value: anonymous / 1024 });
      });
    }
  }
}

/** The part `idle`: memory per idle client and CPU time while nothing happens. */
export async function runIdle(run: BenchRun): Promise<void> {
  for (let round = 1; round <= run.options.memoryRounds; round++) {
    for (const load of IDLE_LOADS) {
      for (const kind of shuffled(run.kinds)) {
        // A relay that knows no protocol opens a server session for every client.
        if (!load.withServer && !kind.loginsWithoutServer) continue;
        say(`Opening ${load.many} idle clients of ${kind.name}: ${load.title}`);
        const what = `${load.many} clients, ${kind.name}, ${load.title}`;
        await attempt(run, what, () => measure(run, kind, { load, round }));
      }
    }
  }
}

async function measure(
  run: BenchRun,
  kind: ProxyKind,
  { load, round }: { load: IdleLoad; round: number },
): Promise<void> {
  await using proxy = await Proxy.start(kind, run.server, run.folder);
  const account = load.withServer ? run.account : { ...run.account, database: "" };
  await using clients = new LoadClients(proxy.address, account);
  const setup = load.withServer ? { statements: ["SELECT 1"] } : {};
  const base = (await settledMemory(proxy)).resident;
  await clients.open(load.few, setup);
  const few = (await settledMemory(proxy)).resident;
  await clients.open(load.many - load.few, setup);
  const many = (await settledMemory(proxy)).resident;
  const seconds = run.options.idleSeconds;
  const stop = await proxy.watchCpu();
  await pause(seconds * 1000, interrupted);
  const use = await stop();
  // Again, since a runtime gives memory back when it has been idle for a while.
  const rested = (await proxy.memory()).resident;
  const lost = await clients.lost();
  if (lost > 0) throw new Error(`${lost} clients were disturbed`);
  const { key } = load;
  const add = (name: string, value: number) => {
    run.samples.add(`${key}_${name}`, kind.name, { round, value });
  };
  add(String(load.few), (few - base) / load.few);
  add(String(load.many), (rested - base) / load.many);
  add("further", (many - few) / (load.many - load.few));
  add("cpu", use.micros / (seconds * 1e6) * 100);
}

/** Memory once it has stopped changing. */
export async function settledMemory(
  proxy: Proxy,
): Promise<{ resident: number; anonymous: number }> {
  const deadline = performance.now() + SETTLE_LIMIT_MS;
  for (let last = await proxy.memory();;) {
    await pause(SETTLE_STEP_MS, interrupted);
    const now = await proxy.memory();
    if (now.resident === last.resident || performance.now() > deadline) return now;
    last = now;
  }
}
