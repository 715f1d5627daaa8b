/** What a process has used, read from https://docs.kernel.org/filesystems/proc.html. */

/** Clock ticks per second of `/proc/PID/stat`; 100 on every Linux of today. */
const TICKS = 100;

/** CPU time used up to one moment. */
export interface CpuReading {
  /** Nanoseconds on a processor by thread id, exact. */
  readonly threads: ReadonlyMap<string, number>;
  /** Ticks in user mode and in the kernel, of the whole process, ended threads included. */
  readonly userTicks: number;
  readonly systemTicks: number;
}

/** CPU time used between two moments. */
export interface CpuUse {
  readonly micros: number;
  readonly userTicks: number;
  readonly systemTicks: number;
}

/**
 * Starts a measurement of the CPU time of several processes; the function returned ends it.
 * @throws {Deno.errors.NotFound} where one has ended
 */
export async function watchCpu(pids: readonly number[]): Promise<() => Promise<CpuUse>> {
  const before = await Promise.all(pids.map(readCpu));
  return async () => {
    const after = await Promise.all(pids.map(readCpu));
    const uses = before.map((reading, i) => cpuBetween(reading, after[i]!));
    return uses.reduce((sum, use) => ({
      micros: sum.micros + use.micros,
      userTicks: sum.userTicks + use.userTicks,
      systemTicks: sum.systemTicks + use.systemTicks,
    }));
  };
}

/** CPU time in µs of the children of this process that have ended, in steps of 10 ms. */
export async function readEndedChildren(): Promise<number> {
  const fields = statFields(await Deno.readTextFile("/proc/self/stat"));
  return (Number(fields[13]) + Number(fields[14])) * (1e6 / TICKS);
}

/** CPU time in µs that a process has used so far, in steps of 10 ms. */
export async function readTicks(pid: number): Promise<number> {
  const fields = statFields(await Deno.readTextFile(`/proc/${pid}/stat`));
  return (Number(fields[11]) + Number(fields[12])) * (1e6 / TICKS);
}

/** @throws {Deno.errors.NotFound} where the process has ended. */
export async function readCpu(pid: number): Promise<CpuReading> {
  const threads = new Map<string, number>();
  for await (const { name } of Deno.readDir(`/proc/${pid}/task`)) {
    try {
      const text = await Deno.readTextFile(`/proc/${pid}/task/${name}/schedstat`);
      threads.set(name, Number(text.slice(0, text.indexOf(" "))));
    } catch {
      // The thread ended since the folder was listed.
    }
  }
  const fields = statFields(await Deno.readTextFile(`/proc/${pid}/stat`));
  return { threads, userTicks: Number(fields[11]), systemTicks: Number(fields[12]) };
}

/** Fields of `/proc/PID/stat` from the third on: the second may hold blanks and brackets. */
function statFields(text: string): string[] {
  return text.slice(text.lastIndexOf(")") + 2).split(" ");
}

/**
 * CPU time between two readings: the exact growth of every thread alive at the end. A thread that
 * ended in between takes its `schedstat` along; then the growth of the process's ticks, which
 * still counts it but only in steps of 10 ms, is used where it is larger.
 */
export function cpuBetween(before: CpuReading, after: CpuReading): CpuUse {
  let nanos = 0;
  for (const [id, time] of after.threads) nanos += time - (before.threads.get(id) ?? 0);
  const userTicks = after.userTicks - before.userTicks;
  const systemTicks = after.systemTicks - before.systemTicks;
  let micros = nanos / 1000;
  if ([...before.threads.keys()].some((id) => !after.threads.has(id))) {
    micros = Math.max(micros, (userTicks + systemTicks) * (1e6 / TICKS));
  }
  return { micros, userTicks, systemTicks };
}

/** KiB of resident memory: all of it, and the part that is no mapped file. */
export async function readMemory(pid: number): Promise<{ resident: number; anonymous: number }> {
  const text = await Deno.readTextFile(`/proc/${pid}/status`);
  const field = (name: string) => Number(text.match(new RegExp(`^${name}:\\s+(\\d+)`, "m"))?.[1]);
  return { resident: field("VmRSS"), anonymous: field("RssAnon") };
}
