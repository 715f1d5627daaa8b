import { type BenchRun, CpuSince, DIRECT, type Target } from "./bench_run.ts";
import { CLIENT_COUNTS } from "./figures.ts";
import { LoadClients } from "./load_clients.ts";

/** A short load that runs in every round on every target. */
export interface Load {
  readonly name: string;
  run(target: Target, round: number): Promise<void>;
}

/** Clients of the connect and quit load. */
export const CHURN_CLIENTS = 8;

/** 20 MB of 1,000-byte rows, five times. */
const STREAM_STATEMENT = "SELECT filler FROM bench_rows";
const STREAM_TIMES = 5;
const STREAM_MB = 100;

/** SQL that makes the table of `STREAM_STATEMENT`; needs MariaDB's sequence tables. */
export const STREAM_TABLE = [
  "CREATE TABLE bench_rows (filler VARCHAR(1000) CHARACTER SET ascii NOT NULL)",
  // 997 bytes and a length of 3: packets of 1,000 bytes.
  "INSERT INTO bench_rows SELECT REPEAT('x', 997) FROM seq_1_to_20000",
];

/** Finds one row by its key. */
export const POINT_STATEMENT = "SELECT filler FROM bench_points WHERE id = 5000";

/** SQL that makes the table of `POINT_STATEMENT`. */
export const POINT_TABLE = [
  "CREATE TABLE bench_points (id INT PRIMARY KEY, filler CHAR(100) NOT NULL)",
  "INSERT INTO bench_points SELECT seq, REPEAT('x', 100) FROM seq_1_to_10000",
];

/**
 * Fills the server's caches and lets the proxy compile its hot code before anything counts. The code
 * of logins takes longest: it still got cheaper after 10,000 of them.
 */
export async function warmUp(run: BenchRun, target: Target): Promise<void> {
  const seconds = run.options.warmUpSeconds;
  await run.sysbench?.run(target.address, { clients: 16, seconds });
  await run.sysbench?.run(target.address, { clients: CHURN_CLIENTS, seconds, load: "churn" });
}

/** Point selects by a number of clients, each in one lasting session. */
export function queryLoads(run: BenchRun): Load[] {
  return CLIENT_COUNTS.map((clients) => ({
    name: `${clients} clients`,
    async run(target, round) {
      const cpu = new CpuSince(target);
      const seconds = run.options.seconds;
      const result = await run.sysbench!.run(target.address, {
        clients,
        seconds,
        onStarted: () => cpu.mark(),
      });
      const use = await cpu.end();
      const { name } = target;
      run.samples.add(`rate_${clients}`, name, { round, value: result.queries / result.seconds });
      run.samples.add(`p50_${clients}`, name, { round, value: result.p50 });
      run.samples.add(`p99_${clients}`, name, { round, value: result.p99 });
      if (use !== undefined) {
        run.samples.addCpu(`cpu_${clients}`, name, { round, use, per: result.queries });
      }
    },
  }));
}

/**
 * Latency that each proxy adds to a direct query, once all targets of a round have run. Taken from
 * the mean: where two of three programs share a core, a query takes a third of the time, so that
 * the median jumps between two values while the mean follows their share.
 */
export function addAddedLatency(run: BenchRun, round: number): void {
  const mean = (name: string) => 1e6 / (run.samples.get("rate_1", name, round) ?? NaN);
  for (const { name } of run.kinds) {
    run.samples.add("added_latency", name, { round, value: mean(name) - mean(DIRECT) });
  }
}

/** Connect, login, one query, quit. */
export function churnLoad(run: BenchRun): Load {
  return {
    name: "connect and quit",
    async run(target, round) {
      const cpu = new CpuSince(target);
      const result = await run.sysbench!.run(target.address, {
        clients: CHURN_CLIENTS,
        seconds: run.options.seconds,
        load: "churn",
        onStarted: () => cpu.mark(),
      });
      const use = await cpu.end();
      const rate = result.queries / result.seconds;
      run.samples.add("churn_rate", target.name, { round, value: rate });
      if (use !== undefined) {
        run.samples.addCpu("churn_cpu", target.name, { round, use, per: result.queries });
      }
    },
  };
}

/** One client reads large results and throws them away. */
export class StreamLoad implements Load, AsyncDisposable {
  readonly name = "streaming";
  #run: BenchRun;
  #clients = new Map<string, LoadClients>();

  constructor(run: BenchRun) {
    this.#run = run;
  }

  async run(target: Target, round: number): Promise<void> {
    let clients = this.#clients.get(target.name);
    if (clients === undefined) {
      clients = new LoadClients(target.address, this.#run.account);
      this.#clients.set(target.name, clients);
      await clients.stream(STREAM_STATEMENT, STREAM_TIMES);
    }
    const cpu = new CpuSince(target);
    await cpu.mark();
    const { bytes, ms } = await clients.stream(STREAM_STATEMENT, STREAM_TIMES);
    const use = await cpu.end();
    if (bytes < STREAM_MB * 1e6) throw new Error(`Only ${bytes} bytes arrived`);
    const { samples } = this.#run;
    samples.add("stream_rate", target.name, { round, value: bytes / 1000 / ms });
    const per = 1000 * bytes / (STREAM_MB * 1e6); // CPU µs to ms
    if (use !== undefined) samples.addCpu("stream_cpu", target.name, { round, use, per });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const clients of this.#clients.values()) await clients[Symbol.asyncDispose]();
  }
}
