/** A real server that crashes and comes back on its port, with its data. Needs Linux. */
import type { StartedEngine } from "../../src/dev/engines/engine.ts";
import { query } from "../../src/dev/engines/query.ts";
import { eventually } from "./eventually.ts";

export class Restartable implements AsyncDisposable {
  readonly #engine: StartedEngine;
  readonly #command: readonly string[];
  #child: Deno.ChildProcess | undefined;

  /** The engine stays its owner's, who stops it after this is disposed of. */
  constructor(engine: StartedEngine) {
    this.#engine = engine;
    const root = Deno.readLinkSync(`/proc/${engine.pid}/root`);
    const command = Deno.readTextFileSync(`/proc/${engine.pid}/cmdline`).split("\0").slice(0, -1);
    // What the first start has prepared is there.
    const own = command.filter((text) => !text.startsWith("--init-file="));
    this.#command = root === "/" ? own : ["chroot", root, ...own];
  }

  /** As power that fails: nothing is closed or written any more. */
  async crash(): Promise<void> {
    if (this.#child === undefined) return await this.#engine.kill();
    this.#child.kill("SIGKILL");
    await this.#child.status;
    this.#child = undefined;
  }

  /** Starts it again after a crash; it may not have got far yet. */
  begin(): void {
    const [program, ...args] = this.#command;
    this.#child = new Deno.Command(program!, {
      args,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
  }

  /** The same, and waits until it takes statements. */
  async start(): Promise<void> {
    this.begin();
    const { port, admin } = this.#engine;
    await eventually("the server is back", () => query(port, admin, ["SELECT 1"]), {
      within: 90_000,
      every: 50,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child !== undefined) await this.crash();
  }
}
