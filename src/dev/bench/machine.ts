/** What a reader needs to place the figures; nothing that names the machine. */
export interface Machine {
  readonly cores: number;
  readonly processor: string;
  readonly memoryGib: number;
  readonly kernel: string;
  /** Load average of the last minute when the run began. */
  readonly loadAverage: number;
}

export async function describeMachine(): Promise<Machine> {
  const model = (await Deno.readTextFile("/proc/cpuinfo")).match(/^model name\s*:\s*(.*)$/m);
  return {
    cores: navigator.hardwareConcurrency,
    processor: model?.[1]?.trim() ?? Deno.build.arch,
    memoryGib: Math.round(Deno.systemMemoryInfo().total / 2 ** 30),
    // Only the number: what follows it may name the place where the kernel was built.
    kernel: Deno.osRelease().split("-")[0]!,
    loadAverage: Deno.loadavg()[0]!,
  };
}
