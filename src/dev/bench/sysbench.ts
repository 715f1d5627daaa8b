import type { Address } from "../../config/types.ts";
import { latencyAt, parseHistogram } from "./histogram.ts";
import type { LoadAccount } from "./load_connection.ts";
import { readEndedChildren, readTicks } from "./process_usage.ts";
import { Program } from "./program.ts";
import { pause } from "./say.ts";

/** What each client does, one event after the other. */
export type SysbenchLoad =
  /** One row by its key, in a lasting session. */
  | "pointSelect"
  /** Connect, log in, find one row, quit. */
  | "churn"
  /** 18 reads and writes between BEGIN and COMMIT, in a lasting session. */
  | "readWrite";

export interface SysbenchOptions {
  readonly clients: number;
  readonly seconds: number;
  /** `pointSelect` unless given. */
  readonly load?: SysbenchLoad;
  /** Prepared statements in place of the text protocol. */
  readonly prepares?: boolean;
  /** How much longer than `seconds` the run may take before it counts as stuck. */
  readonly patienceSeconds?: number;
  /** Called when all clients have logged in and the load begins. */
  readonly onStarted?: () => void;
}

export interface SysbenchResult {
  readonly queries: number;
  /** Runs of the script: transactions of `readWrite`. */
  readonly events: number;
  /** Seconds as sysbench took them. */
  readonly seconds: number;
  /** Milliseconds that an event took. */
  readonly p50: number;
  readonly p99: number;
  /** CPU time in µs of sysbench itself from the start of the load on. */
  readonly ownCpu: number;
}

const CHURN_SCRIPT = new URL("./churn.lua", import.meta.url).pathname;
/** Rows of the table that point selects hit. */
const TABLE_SIZE = 10_000;
const PATIENCE_SECONDS = 20;

const SCRIPTS: Readonly<Record<SysbenchLoad, string>> = {
  pointSelect: "oltp_point_select",
  churn: CHURN_SCRIPT,
  readWrite: "oltp_read_write",
};

/** sysbench without TLS, and with the text protocol unless asked otherwise. */
export class Sysbench {
  #path: string;
  #account: LoadAccount;

  constructor(path: string, account: LoadAccount) {
    this.#path = path;
    this.#account = account;
  }

  /** Fills the table. */
  async prepare(address: Address): Promise<void> {
    const words = [SCRIPTS.pointSelect, `--table-size=${TABLE_SIZE}`, "prepare"];
    await this.#execute(address, words, { seconds: 60 });
  }

  async run(address: Address, options: SysbenchOptions): Promise<SysbenchResult> {
    const { load = "pointSelect", prepares = false } = options;
    const { output, ownCpu } = await this.#execute(address, [
      SCRIPTS[load],
      ...(load === "churn" ? [] : [`--table-size=${TABLE_SIZE}`]),
      `--db-ps-mode=${prepares ? "auto" : "disable"}`,
      `--threads=${options.clients}`,
      `--time=${options.seconds}`,
      "run",
    ], options);
    const histogram = parseHistogram(output);
    return {
      ownCpu,
      events: number(output, /total number of events:\s+(\d+)/),
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
  ): Promise<{ output: string; ownCpu: number }> {
    let output = "";
    const endedBefore = await readEndedChildren();
    let loginCpu = Promise.resolve(0);
    const program = new Program("sysbench", [
      this.#path,
      ...words,
      "--db-driver=mysql",
      `--mysql-host=${address.hostname}`,
      `--mysql-port=${address.port}`,
      `--mysql-user=${this.#account.user}`,
      `--mysql-password=${this.#account.password}`,
      `--mysql-db=${this.#account.database}`,
      "--mysql-ssl=off",
      "--histogram=on",
      "--percentile=99",
    ], {
      onLine: (line) => {
        output += `${line}\n`;
        if (line !== "Threads started!") return;
        loginCpu = readTicks(program.pid).catch(() => 0);
        options.onStarted?.();
      },
    });
    const late = Symbol();
    const abandon = new AbortController();
    const { seconds, patienceSeconds = PATIENCE_SECONDS } = options;
    const limit = pause((seconds + patienceSeconds) * 1000, abandon.signal).then(() => late);
    const status = await Promise.race([program.ended, limit]);
    abandon.abort();
    if (typeof status !== "symbol" && status.success) {
      const ended = await readEndedChildren() - endedBefore;
      return { output, ownCpu: Math.max(0, ended - await loginCpu) };
    }
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
