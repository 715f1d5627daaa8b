/** The proxy as a program of its own: signals, exit codes, memory, and what it writes. */
import { eventually } from "./eventually.ts";
import { configText, type TestConfig } from "./test_proxy.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;

/** How the program is started, without its arguments. */
export function proxyCommand(): readonly string[] {
  const compiled = Deno.env.get("SLUICE_BINARY") ?? "";
  return compiled === "" ? [Deno.execPath(), "run", "-A", MAIN] : [compiled];
}

export interface ProxyProcessOptions {
  readonly env?: Record<string, string>;
  readonly cwd?: string;
  /** The program with what comes before its arguments; {@linkcode proxyCommand} unless given. */
  readonly command?: readonly string[];
}

export interface ProcessEnd {
  readonly code: number;
  readonly signal: string | null;
}

export class ProxyProcess implements AsyncDisposable {
  readonly pid: number;
  /** Fulfilled once it has ended, and all that it wrote is here. */
  readonly ended: Promise<ProcessEnd>;
  /** All of standard error and of standard output until now. */
  stderr = "";
  stdout = "";
  readonly #child: Deno.ChildProcess;
  #folder: string | undefined;
  #hasEnded = false;

  constructor(args: readonly string[], options: ProxyProcessOptions = {}) {
    const [program, ...first] = options.command ?? proxyCommand();
    this.#child = new Deno.Command(program!, {
      args: [...first, ...args],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      env: { NO_COLOR: "1", ...options.env },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    }).spawn();
    this.pid = this.#child.pid;
    this.ended = this.#end();
  }

  /** Starts it with a configuration file and waits until it serves. */
  static async start(
    config: TestConfig,
    options: ProxyProcessOptions = {},
  ): Promise<ProxyProcess> {
    const folder = await Deno.makeTempDir({ prefix: "sluice-test-" });
    const file = `${folder}/sluice.toml`;
    await Deno.writeTextFile(file, configText(config), { mode: 0o600 });
    const proxy = new ProxyProcess(["--config", file], options);
    proxy.#folder = folder;
    try {
      await proxy.port();
      return proxy;
    } catch (error) {
      await proxy[Symbol.asyncDispose]();
      throw new Error(`Cannot start the proxy: ${proxy.stderr}`, { cause: error });
    }
  }

  /** Lines of standard error with this message. */
  lines(message: string): string[] {
    return this.stderr.split("\n").filter((line) =>
      line.includes(`"${message}"`) || line.includes(`=${message} `)
    );
  }

  /** Waits until it serves and gives the port. */
  async port(): Promise<number> {
    const listening = await eventually("the proxy serves", () => {
      if (this.#hasEnded) throw new Error(`The proxy has ended: ${this.stderr}`);
      return /listen"?[=:]"?127\.0\.0\.1:(\d+)/.exec(this.stderr);
    }, { within: 30_000 });
    return Number(listening[1]);
  }

  signal(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** A value of `/proc/PID/status` in bytes: `VmRSS` now, `VmHWM` at its highest. */
  async memory(key: "VmRSS" | "VmHWM"): Promise<number> {
    const status = await Deno.readTextFile(`/proc/${this.pid}/status`);
    return 1024 * Number(new RegExp(`${key}:\\s+(\\d+) kB`).exec(status)![1]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#hasEnded) this.#child.kill("SIGKILL");
    await this.ended;
    if (this.#folder !== undefined) await Deno.remove(this.#folder, { recursive: true });
  }

  async #end(): Promise<ProcessEnd> {
    const [status] = await Promise.all([
      this.#child.status,
      this.#read(this.#child.stderr, (text) => this.stderr += text),
      this.#read(this.#child.stdout, (text) => this.stdout += text),
    ]);
    this.#hasEnded = true;
    return { code: status.code, signal: status.signal };
  }

  async #read(
    stream: ReadableStream<Uint8Array>,
    take: (text: string) => void,
  ): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) take(text);
  }
}
