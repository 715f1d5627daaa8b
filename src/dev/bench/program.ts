import { pause } from "./say.ts";

export interface ProgramOptions {
  /** Gets each line of standard output. */
  readonly onLine?: (line: string) => void;
  /** Whether standard input stays open for `send`. */
  readonly input?: boolean;
  readonly env?: Record<string, string>;
}

const KEPT_OUTPUT = 4096;

/** Every program still running, so that an interrupted run leaves none behind. */
const running = new Set<Program>();
const interruption = new AbortController();

/** Aborted when the run is interrupted; from then on no program starts. */
export const interrupted: AbortSignal = interruption.signal;

/**
 * A program of the comparison, in a session of its own: the scheduler shares the processor out by
 * session first, so programs that share one with the load are not comparable.
 */
export class Program implements AsyncDisposable {
  readonly name: string;
  readonly pid: number;
  /** Resolves when the program has ended and its output is read. */
  readonly ended: Promise<Deno.CommandStatus>;
  #child: Deno.ChildProcess;
  #input: WritableStreamDefaultWriter<Uint8Array> | undefined;
  #tail = "";
  #alive = true;

  /** @throws {Deno.errors.NotFound} where the program does not exist. */
  constructor(name: string, command: readonly string[], options: ProgramOptions = {}) {
    interrupted.throwIfAborted();
    this.name = name;
    this.#child = new Deno.Command(command[0]!, {
      args: command.slice(1),
      detached: true, // setsid: the child leads a session of its own
      stdin: options.input === true ? "piped" : "null",
      stdout: "piped",
      stderr: "piped",
      env: options.env ?? {},
    }).spawn();
    this.pid = this.#child.pid;
    if (options.input === true) this.#input = this.#child.stdin.getWriter();
    running.add(this);
    this.ended = this.#watch(options.onLine);
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** Last output, for error messages. */
  get tail(): string {
    return this.#tail.trim();
  }

  /** Sends a line to standard input. */
  async send(line: string): Promise<void> {
    await this.#input?.write(new TextEncoder().encode(`${line}\n`));
  }

  /** Asks the program to end and ends it by force after `patience` milliseconds. */
  async stop(patience = 3000): Promise<void> {
    if (this.#alive) {
      this.#signal("SIGTERM");
      await Promise.race([this.ended, pause(patience)]);
      if (this.#alive) this.#signal("SIGKILL");
    }
    await this.ended;
  }

  /** Ends the program at once. */
  kill(): void {
    if (this.#alive) this.#signal("SIGKILL");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #signal(signal: Deno.Signal): void {
    try {
      this.#child.kill(signal);
    } catch {
      // It ended in between.
    }
  }

  async #watch(onLine: ((line: string) => void) | undefined): Promise<Deno.CommandStatus> {
    const [status] = await Promise.all([
      this.#child.status,
      this.#read(this.#child.stdout, onLine),
      this.#read(this.#child.stderr, undefined),
    ]);
    this.#alive = false;
    running.delete(this);
    this.#input?.abort().catch(() => {});
    return status;
  }

  async #read(stream: ReadableStream<Uint8Array>, onLine?: (line: string) => void): Promise<void> {
    let rest = "";
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      this.#tail = (this.#tail + text).slice(-KEPT_OUTPUT);
      if (onLine === undefined) continue;
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      for (const line of lines) onLine(line);
    }
  }
}

/** Ends every program at once and lets no further one start. */
export function interrupt(): void {
  interruption.abort();
  for (const program of running) program.kill();
}
