import type { Address } from "../../config/types.ts";
import type { ClientSetup, LoadCommand, LoadReply } from "./load_clients_program.ts";
import type { LoadAccount } from "./load_connection.ts";
import { Program } from "./program.ts";
import { pause } from "./say.ts";

/** Longer than any command takes that ends at all, beside the time that it is told to take. */
const LIMIT_MS = 120_000;

/** A process full of clients of one address; disposing of it closes them all. */
export class LoadClients implements AsyncDisposable {
  #program: Program;
  #waiting: ((line: string) => void)[] = [];

  constructor(address: Address, account: LoadAccount) {
    const file = new URL("./load_clients_program.ts", import.meta.url).href;
    const command = [Deno.execPath(), "run", "-A", "--no-check", file];
    this.#program = new Program(
      "load clients",
      [...command, JSON.stringify({ address, account })],
      {
        input: true,
        onLine: (line) => this.#waiting.shift()?.(line),
      },
    );
  }

  /** Opens clients that then idle. */
  async open(count: number, setup: ClientSetup = {}): Promise<void> {
    await this.#ask({ do: "open", count, setup });
  }

  /** Opens two clients that take turns from then on, in place of those before. */
  async openPair(setups: readonly [ClientSetup, ClientSetup]): Promise<void> {
    await this.#ask({ do: "pair", setups });
  }

  /**
   * The two clients run the statement in turn, without a pause; where they have prepared some, those.
   * @returns how many statements ran, and the milliseconds that took
   */
  async takeTurns(statement: string, ms: number): Promise<{ count: number; ms: number }> {
    return await this.#ask({ do: "turns", statement, ms });
  }

  /** @returns bytes received and the milliseconds that took */
  async stream(statement: string, times: number): Promise<{ bytes: number; ms: number }> {
    return await this.#ask({ do: "stream", statement, times });
  }

  /**
   * Runs the statements in turn in a client of its own, without a pause, each at least once.
   * @param options `rows`: how many each result must have at least
   * @returns by statement: milliseconds from sending it to the last byte of its result
   */
  async time(
    statements: readonly string[],
    options: { readonly ms: number; readonly rows: number },
  ): Promise<readonly (readonly number[])[]> {
    return (await this.#ask({ do: "time", statements, ...options })).times;
  }

  /** Idle clients whose connection did not stay quiet. */
  async lost(): Promise<number> {
    return (await this.#ask({ do: "report" })).lost;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program.stop();
  }

  async #ask(command: LoadCommand): Promise<LoadReply> {
    const line = new Promise<string>((resolve) => this.#waiting.push(resolve));
    await this.#program.send(JSON.stringify(command));
    const stop = new AbortController();
    const limit = LIMIT_MS + ("ms" in command ? command.ms : 0);
    const late = pause(limit, stop.signal).then(() => undefined);
    const died = this.#program.ended.then(() => undefined);
    const text = await Promise.race([line, died, late]);
    stop.abort();
    if (text === undefined) {
      const what = this.#program.alive
        ? `${command.do} did not end within ${limit / 1000} s`
        : `they ended with ${this.#program.tail}`;
      // An answer that came later would be taken for that of the next command.
      this.#program.kill();
      throw new Error(`Cannot run load clients: ${what}`);
    }
    const reply = JSON.parse(text) as LoadReply;
    if (reply.error !== undefined) throw new Error(reply.error);
    return reply;
  }
}
