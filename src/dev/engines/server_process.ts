/** A database server as a child process with a folder of its own, from spawn to removed folder. */

import { exists } from "./cache.ts";
import { type Account, query } from "./query.ts";

/** A machine under load starts a server in several times its usual 1 to 4 seconds. */
const startLimit = 90_000;
/** A clean stop that takes longer is finished by SIGKILL: the data is thrown away anyhow. */
const stopLimit = 20_000;
const logTailBytes = 8192;

/**
 * Removes the server and its folder when this process is gone, even by SIGKILL: its standard input
 * then ends. A line on it says that the server has ended (its pid may soon be somebody else's). A folder cannot be removed while a dying server still writes.
 */
const reaperScript = `trap '' INT TERM HUP
pid=$1
while read -r line; do pid=; done
[ -z "$pid" ] || kill -9 "$pid"
n=0; until rm -rf -- "$2" || [ $n -ge 100 ]; do n=$((n+1)); sleep 0.05; done`;

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
  readonly #reaper: Deno.ChildProcess;
  readonly #reaperInput: WritableStreamDefaultWriter<Uint8Array>;
  #ended = false;
  #stopping?: Promise<void>;

  /** Owns `folder` from here on: it is removed with the server. */
  constructor(command: ServerCommand, folder: string) {
    this.#command = command;
    this.#child = new Deno.Command("sh", {
      args: ["-c", launchScript, "launch", command.logFiles[0], ...command.argv],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    this.#reaper = new Deno.Command("sh", {
      args: ["-c", reaperScript, "reaper", String(this.#child.pid), folder],
      stdin: "piped",
      stdout: "null",
      stderr: "null",
    }).spawn();
    this.#reaperInput = this.#reaper.stdin.getWriter();
    this.exited = this.#watch();
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Waits until the account can run a statement. On failure the process and folder are gone. */
  async ready(port: number, account: Account): Promise<void> {
    const deadline = performance.now() + startLimit;
    let problem: unknown;
    while (performance.now() < deadline && !this.#ended) {
      try {
        await query(port, account, ["SELECT 1"]);
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
    const { code } = await this.#child.status;
    this.#ended = true;
    // The reaper may be gone when a terminal has killed the whole group.
    await this.#reaperInput.write(new TextEncoder().encode("ended\n")).catch(() => {});
    return code;
  }

  async #stop(): Promise<void> {
    this.#signal("SIGTERM");
    const limit = setTimeout(() => this.#signal("SIGKILL"), stopLimit);
    await this.exited;
    clearTimeout(limit);
    await this.#reaperInput.close().catch(() => {});
    await this.#reaper.status;
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
  if (!await exists(path)) return "";
  using file = await Deno.open(path);
  const { size } = await file.stat();
  await file.seek(Math.max(0, size - logTailBytes), Deno.SeekMode.Start);
  const text = await new Response(file.readable).text();
  return text.trimEnd().split("\n").slice(-20).join("\n");
}
