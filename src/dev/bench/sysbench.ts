import type { Address } from "../../config/types.ts";
import { latencyAt, parseHistogram } from "./histogram.ts";
import type { LoadAccount } from "./load_connection.ts";
import { Program } from "./program.ts";
import { pause } from "./say.ts";

export interface SysbenchOptions {
  readonly clients: number;
  readonly seconds: number;
  /** Instead of a query in a lasting session: connect, log in, run one query and quit. */
  readonly churn?: boolean;
  /** Called when all clients have logged in and the load begins. */
  readonly onStarted?: () => void;
}

export interface SysbenchResult {
  readonly queries: number;
  /** Seconds as sysbench took them. */
  readonly seconds: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

const CHURN_SCRIPT = new URL("./churn.lua", import.meta.url).pathname;
/** Rows of the table that point selects hit. */
const TABLE_SIZE = 10_000;
/** How much longer than asked for a run may take before it counts as stuck. */
const PATIENCE_MS = 20_000;

/** sysbench's `oltp_point_select` in the text protocol, without TLS. */
export class Sysbench {
  #path: string;
  #account: LoadAccount;

  constructor(path: string, account: LoadAccount) {
    this.#path = path;
    this.#account = account;
  }

  /** Fills the table. */
  async prepare(address: Address): Promise<void> {
    await this.#execute(address, [`--table-size=${TABLE_SIZE}`, "prepare"], { seconds: 60 });
  }

  async run(address: Address, options: SysbenchOptions): Promise<SysbenchResult> {
    const output = await this.#execute(address, [
      ...(options.churn === true ? [] : [`--table-size=${TABLE_SIZE}`]),
      `--threads=${options.clients}`,
      `--time=${options.seconds}`,
      "run",
    ], options);
    const histogram = parseHistogram(output);
    return {
      queries: number(output, /queries performed:[^]*?total:\s+(\d+)/),
      seconds: number(output, /total time:\s+([\d.]+)s/),
      p50: latencyAt(histogram, 0.5),
      p99: latencyAt(histogram, 0.99),
    };
  }

  async #execute(
    address: Address,
    words: string[],
    options: Omit<SysbenchOptions, "clients">,
  ): Promise<string> {
    let output = "";
    const program = new Program("sysbench", [
      this.#path,
      options.churn === true ? CHURN_SCRIPT : "oltp_point_select",
      "--db-driver=mysql",
      `--mysql-host=${address.hostname}`,
      `--mysql-port=${address.port}`,
      `--mysql-user=${this.#account.user}`,
      `--mysql-password=${this.#account.password}`,
      `--mysql-db=${this.#account.database}`,
      "--mysql-ssl=off",
      "--db-ps-mode=disable",
      "--histogram=on",
      "--percentile=99",
      ...words,
    ], {
      onLine: (line) => {
        output += `${line}\n`;
        if (line === "Threads started!") options.onStarted?.();
      },
    });
    const late = Symbol();
    const abandon = new AbortController();
    const limit = pause(options.seconds * 1000 + PATIENCE_MS, abandon.signal).then(() => late);
    const status = await Promise.race([program.ended, limit]);
    abandon.abort();
    if (typeof status !== "symbol" && status.success) return output;
    program.kill();
    await program.ended;
    const what = typeof status === "symbol" ? "it did not end in time" : reason(program.tail);
    throw new Error(`Cannot run sysbench ${words.join(" ")}: ${what}`);
  }
}

function reason(output: string): string {
  return output.split("\n").find((line) => line.startsWith("FATAL:")) ?? output;
}

function number(output: string, pattern: RegExp): number {
  const match = output.match(pattern);
  if (match === null) throw new Error(`Cannot read what sysbench printed: no ${pattern}`);
  return Number(match[1]);
}
