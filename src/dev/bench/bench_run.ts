import type { Address } from "../../config/types.ts";
import type { LoadAccount } from "./load_connection.ts";
import type { BenchOptions } from "./options.ts";
import type { CpuUse } from "./process_usage.ts";
import { interrupted } from "./program.ts";
import type { Proxy, ProxyKind } from "./proxy.ts";
import type { Samples } from "./samples.ts";
import { say } from "./say.ts";
import type { Sysbench } from "./sysbench.ts";

/** What every part of the benchmark works with. */
export interface BenchRun {
  readonly options: BenchOptions;
  readonly server: Address;
  readonly serverPid: number;
  readonly account: LoadAccount;
  /** For the proxies' files. */
  readonly folder: string;
  readonly kinds: readonly ProxyKind[];
  /** Undefined where it is missing: parts that need it are left out. */
  readonly sysbench: Sysbench | undefined;
  readonly samples: Samples;
  /** Loads that failed; they end up in the report. */
  readonly failures: string[];
}

/** Something to load: the server itself or a proxy before it. */
export interface Target {
  readonly name: string;
  readonly address: Address;
  readonly proxy: Proxy | undefined;
}

export const DIRECT = "direct";

/** Names of the report's columns. */
export function targetNames(run: Pick<BenchRun, "kinds">): string[] {
  return [DIRECT, ...run.kinds.map((kind) => kind.name)];
}

/** Runs one load; a failure goes into the report and the run goes on, unless interrupted. */
export async function attempt(
  run: BenchRun,
  what: string,
  load: () => Promise<void>,
): Promise<void> {
  try {
    await load();
  } catch (error) {
    interrupted.throwIfAborted();
    const failure = `${what}: ${error instanceof Error ? error.message : error}`;
    say(failure);
    run.failures.push(failure);
  }
}

/** Measures a target's proxy from the moment that a load calls `mark`. */
export class CpuSince {
  #proxy: Proxy | undefined;
  #end: Promise<() => Promise<CpuUse>> | undefined;

  constructor(target: Target) {
    this.#proxy = target.proxy;
  }

  /** Resolves when the first reading is taken. */
  async mark(): Promise<void> {
    this.#end = this.#proxy?.watchCpu();
    await this.#end;
  }

  /** Undefined where there is no proxy. */
  async end(): Promise<CpuUse | undefined> {
    return await (await this.#end)?.();
  }
}
