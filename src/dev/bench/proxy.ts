import type { Address } from "../../config/types.ts";
import { type CpuUse, readMemory, watchCpu } from "./process_usage.ts";
import { Program } from "./program.ts";
import { pause } from "./say.ts";

/** A proxy of the comparison; another one is one more of these in the list of `bench.ts`. */
export interface ProxyKind {
  readonly name: string;
  readonly version: string;
  /** Whether a client that has only logged in costs no server session. */
  readonly loginsWithoutServer: boolean;
  /** The command line; files it needs go to `folder`. */
  command(listen: Address, server: Address, folder: string): Promise<readonly string[]>;
  /** The same where clients share its server sessions; absent where they cannot. */
  shared?(pool: SharedPool): ProxyKind;
}

export interface SharedPool {
  /** Most server sessions. */
  readonly sessions: number;
  /** How long a statement may wait for one. */
  readonly waitSeconds: number;
}

const START_LIMIT_MS = 20_000;

/** The log goes to a file as it would in service, and descriptors are as many as are allowed. */
const LAUNCH = 'ulimit -n "$(ulimit -Hn)"; log=$1; shift; exec "$@" >"$log" 2>&1';

/** A running proxy. */
export class Proxy implements AsyncDisposable {
  readonly kind: ProxyKind;
  readonly address: Address;
  /** Milliseconds from the start to the first greeting. */
  readonly startMs: number;
  #program: Program;
  #pids: readonly number[];

  private constructor(
    kind: ProxyKind,
    address: Address,
    state: { program: Program; pids: readonly number[]; startMs: number },
  ) {
    this.kind = kind;
    this.address = address;
    this.startMs = state.startMs;
    this.#program = state.program;
    this.#pids = state.pids;
  }

  static async start(kind: ProxyKind, server: Address, folder: string): Promise<Proxy> {
    const address = { hostname: "127.0.0.1", port: freePort() };
    const command = await kind.command(address, server, folder);
    const log = `${folder}/${kind.name}-${address.port}.log`;
    const start = performance.now();
    const program = new Program(kind.name, ["sh", "-c", LAUNCH, "sh", log, ...command]);
    try {
      await greeted(address, program);
      const startMs = performance.now() - start;
      return new Proxy(kind, address, { program, pids: await sessionOf(program.pid), startMs });
    } catch (error) {
      await program.stop();
      const output = await Deno.readTextFile(log).catch(() => "");
      throw new Error(`Cannot start ${kind.name}, it wrote: ${output.trim().slice(-2000)}`, {
        cause: error,
      });
    }
  }

  /** Starts a measurement of CPU time; the function returned ends it. */
  watchCpu(): Promise<() => Promise<CpuUse>> {
    return watchCpu(this.#pids);
  }

  /** KiB of resident memory, and the part that is no mapped file. */
  async memory(): Promise<{ resident: number; anonymous: number }> {
    const all = await Promise.all(this.#pids.map(readMemory));
    return all.reduce((sum, one) => ({
      resident: sum.resident + one.resident,
      anonymous: sum.anonymous + one.anonymous,
    }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program.stop(500);
  }
}

/** Waits until a connection to the address is greeted. */
async function greeted(address: Address, program: Program): Promise<void> {
  const deadline = performance.now() + START_LIMIT_MS;
  while (program.alive && performance.now() < deadline) {
    try {
      using connection = await Deno.connect(address);
      if (await connection.read(new Uint8Array(128)) !== null) return;
    } catch {
      // Not listening yet.
    }
    await pause(1);
  }
  throw new Error(program.alive ? "It sent no greeting in time" : "It ended");
}

/** Processes of the session that `leader` leads: a launcher may keep the real program as a child. */
async function sessionOf(leader: number): Promise<number[]> {
  const pids: number[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await Deno.readTextFile(`/proc/${name}/stat`).catch(() => "");
    const session = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[3];
    if (session === String(leader)) pids.push(Number(name));
  }
  return pids;
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
