/** A temporary folder that goes with this process, and with it a server that works in it. */

/**
 * Runs until its standard input ends, when the folder is given up or this process is gone, even by
 * SIGKILL. Then it kills the process that the last line named, none if that is empty, and removes
 * the folder; a dying server may still write into it.
 */
const reaperScript = `pid=
while read -r line; do pid=$line; done
[ -z "$pid" ] || kill -9 "$pid"
n=0; until rm -rf -- "$1" || [ $n -ge 100 ]; do n=$((n+1)); sleep 0.05; done`;

export class OwnFolder implements AsyncDisposable {
  readonly path: string;
  readonly #reaper: Deno.ChildProcess;
  readonly #orders: WritableStreamDefaultWriter<Uint8Array>;
  #removed?: Promise<void>;

  /** In `parent`, or else in the system's temporary folder. Only this account can read it. */
  constructor(prefix: string, parent?: string) {
    // Without a gap in which a signal could end this process: nobody would remove the folder.
    this.path = Deno.makeTempDirSync({ prefix, ...(parent === undefined ? {} : { dir: parent }) });
    this.#reaper = new Deno.Command("sh", {
      args: ["-c", reaperScript, "reaper", this.path],
      stdin: "piped",
      stdout: "null",
      stderr: "null",
      // In a session of its own, out of reach of a terminal's Ctrl-C.
      detached: true,
    }).spawn();
    this.#orders = this.#reaper.stdin.getWriter();
  }

  /** Names the process that goes with the folder; undefined once it has ended. */
  async setProcess(pid: number | undefined): Promise<void> {
    const line = new TextEncoder().encode(`${pid ?? ""}\n`);
    // Somebody may have killed the reaper; the folder then stays.
    await this.#orders.write(line).catch(() => {});
  }

  /** Harmless when repeated. */
  remove(): Promise<void> {
    this.#removed ??= this.#remove();
    return this.#removed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.remove();
  }

  async #remove(): Promise<void> {
    await this.#orders.close().catch(() => {});
    await this.#reaper.status;
  }
}
