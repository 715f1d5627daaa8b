/** A database server as a child process with a folder of its own, from spawn to removed folder. */

import type { Address } from "../../config/types.ts";
import type { OwnFolder } from "./own_folder.ts";
import { type Account, query } from "./query.ts";

/** A machine under load starts a server in several times its usual 1 to 4 seconds. */
const startLimit = 90_000;
/** A clean stop that takes longer is finished by SIGKILL: the data is thrown away anyhow. */
const stopLimit = 20_000;
const logTailBytes = 8192;

/**
 * Servers count one file descriptor per connection and refuse a \`max_connections\` beyond it. A
 * huge limit is as bad: they size arrays by it.
 */
const launchScript = `ulimit -n 65536 2>/dev/null || ulimit -n "$(ulimit -Hn)"
log=$1; shift
exec "$@" >>"$log" 2>&1`;

export interface ServerCommand {
  /** The server's program and arguments. */
  readonly argv: readonly string[];
  /** The server's standard output and error are appended to the first, in its folder like all. */
  readonly logFiles: readonly [string, ...string[]];
}

/** The server ended or stayed silent before it could be used. */
export class ServerFailed extends Error {
  override readonly name = "ServerFailed";
}

export class ServerProcess {
  readonly exited: Promise<number>;
  readonly #command: ServerCommand;
  readonly #child: Deno.ChildProcess;
  readonly #folder: OwnFolder;
  #ended = false;
  #stopping?: Promise<void>;

  /**
   * Owns `folder` from here on: it is removed with the server. The server runs in a session of its
   * own, out of reach of a terminal's Ctrl-C: who started it says when it stops.
   */
  constructor(command: ServerCommand, folder: OwnFolder) {
    this.#command = command;
    this.#folder = folder;
    this.#child = new Deno.Command("sh", {
      args: ["-c", launchScript, "launch", command.logFiles[0], ...command.argv],
      stdin: "null",
      stdout: "null",
      stderr: "null",
      detached: true,
    }).spawn();
    this.exited = this.#watch();
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Waits until the account can run a statement. On failure the process and folder are gone. */
  async ready(address: Address, account: Account): Promise<void> {
    const deadline = performance.now() + startLimit;
    let problem: unknown;
    while (performance.now() < deadline && !this.#ended) {
      try {
        await query(address, account, ["SELECT 1"]);
        return;
      } catch (error) {
        problem = error;
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const happened = this.#ended
      ? `it ended with exit code ${await this.exited}`
      : `it did not answer in ${startLimit / 1000} s (${problem})`;
    const log = await this.logTail();
    await this.stop();
    const command = this.#command.argv.join(" ");
    throw new ServerFailed(`Cannot start ${command}: ${happened}, its log ends with:\n${log}`);
  }

  async logTail(): Promise<string> {
    const tails = await Promise.all(this.#command.logFiles.map(fileTail));
    return tails.filter((text) => text !== "").join("\n");
  }

  async kill(): Promise<void> {
    this.#signal("SIGKILL");
    await this.exited;
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #watch(): Promise<number> {
    await this.#folder.setProcess(this.pid);
    const { code } = await this.#child.status;
    this.#ended = true;
    // Its pid may soon be somebody else's.
    await this.#folder.setProcess(undefined);
    return code;
  }

  async #stop(): Promise<void> {
    this.#signal("SIGTERM");
    const limit = setTimeout(() => this.#signal("SIGKILL"), stopLimit);
    await this.exited;
    clearTimeout(limit);
    await this.#folder.remove();
  }

  #signal(signal: Deno.Signal): void {
    if (this.#ended) return;
    try {
      this.#child.kill(signal);
    } catch (error) {
      // It has just ended by itself, and the status has not been delivered yet.
      if (!(error instanceof TypeError || error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

async function fileTail(path: string): Promise<string> {
  using file = await openIfThere(path);
  if (file === null) return "";
  const { size } = await file.stat();
  await file.seek(Math.max(0, size - logTailBytes), Deno.SeekMode.Start);
  const text = await new Response(file.readable).text();
  return text.trimEnd().split("\n").slice(-20).join("\n");
}

/** A log is missing before the server's first line, and again when its folder has been removed. */
async function openIfThere(path: string): Promise<Deno.FsFile | null> {
  try {
    return await Deno.open(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
