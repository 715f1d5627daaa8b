import { attempt, type BenchRun } from "./bench_run.ts";
import type { ClientSetup } from "./load_clients_program.ts";
import { LoadClients } from "./load_clients.ts";
import { settledMemory } from "./part_idle.ts";
import { interrupted } from "./program.ts";
import { Proxy, type ProxyKind } from "./proxy.ts";
import { pause, say } from "./say.ts";
import { shuffled } from "./statistics.ts";

const CLIENTS = 2000;
const POOL = { sessions: 20, waitSeconds: 10 };

/** Texts as an application has them: the same in all its clients. Values are each client's own. */
const STATE: ClientSetup = {
  statements: [
    `SET ${Array.from({ length: 10 }, (_, at) => `@var_${at} = 'value ${at} of {client}'`).join()}`,
  ],
  prepared: Array.from({ length: 20 }, (_, at) => {
    return `SELECT filler, ${at} AS n FROM bench_points WHERE id = ?`;
  }),
};

const SETUPS = { memory_idle: { statements: ["SELECT 1"] }, memory_state: STATE } as const;

/**
 * The part `sharing-memory`: what the state of a client takes that shares server sessions. Clients
 * with state and clients without have a process each.
 */
export async function runSharingMemory(run: BenchRun): Promise<void> {
  for (let round = 1; round <= run.options.memoryRounds; round++) {
    for (const kind of shuffled(run.kinds)) {
      const shared = kind.shared?.(POOL);
      if (shared === undefined) continue;
      for (const figure of shuffled(["memory_idle", "memory_state"] as const)) {
        say(`Opening ${CLIENTS} clients of ${kind.name} that share server sessions: ${figure}`);
        await attempt(run, `${figure}, ${kind.name}, round ${round}`, async () => {
          const value = await measure(run, shared, SETUPS[figure]);
          run.samples.add(figure, kind.name, { round, value });
        });
      }
      const idle = run.samples.get("memory_idle", kind.name, round) ?? NaN;
      const state = run.samples.get("memory_state", kind.name, round) ?? NaN;
      run.samples.add("memory_beyond", kind.name, { round, value: state - idle });
    }
  }
}

/** @returns KiB per client */
async function measure(run: BenchRun, kind: ProxyKind, setup: ClientSetup): Promise<number> {
  await using proxy = await Proxy.start(kind, run.server, run.folder);
  await using clients = new LoadClients(proxy.address, run.account);
  const base = (await settledMemory(proxy)).resident;
  await clients.open(CLIENTS, setup);
  await settledMemory(proxy);
  // A runtime gives memory back when it has been idle for a while.
  await pause(run.options.idleSeconds * 1000, interrupted);
  const { resident } = await proxy.memory();
  const lost = await clients.lost();
  if (lost > 0) throw new Error(`${lost} clients were disturbed`);
  return (resident - base) / CLIENTS;
}
