/** The compiled executable, made when it is missing or old, and one running proxy. */

import { assertEquals } from "@std/assert";
import { withLock } from "../../src/dev/engines/cache.ts";
import { run } from "../../src/dev/engines/command.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
/** The compiled file. */
export const EXECUTABLE: string = `${ROOT}sluice`;

/** Longest time from the start of the executable to its listening. */
const START_LIMIT = 30_000;

/** Compiles `./sluice` unless it is newer than all that goes into it; other files' tests wait. */
export async function compileProxy(onProgress: (text: string) => void): Promise<void> {
  await withLock("compile", () => compileWhereOld(onProgress));
}

async function compileWhereOld(onProgress: (text: string) => void): Promise<void> {
  const built = await Deno.stat(EXECUTABLE).then((info) => info.mtime!, () => new Date(0));
  const changed = await newest(["main.ts", "deno.json", "deno.lock", "src"].map((n) => ROOT + n));
  if (built > changed) return;
  onProgress("Compiling ./sluice");
  await run([Deno.execPath(), "task", "compile"], { cwd: ROOT });
}

async function newest(paths: string[]): Promise<Date> {
  let latest = new Date(0);
  for (const path of paths) {
    const info = await Deno.stat(path);
    // Developer tools are not compiled in.
    if (info.isDirectory && !path.endsWith("/src/dev")) {
      const inside: string[] = [];
      for await (const { name } of Deno.readDir(path)) inside.push(`${path}/${name}`);
      const below = await newest(inside);
      if (below > latest) latest = below;
    } else if (info.isFile && info.mtime! > latest) {
      latest = info.mtime!;
    }
  }
  return latest;
}

/** `./sluice` in an empty folder, with nothing in its environment. */
export class RunningProxy {
  readonly port: number;
  readonly #child: Deno.ChildProcess;
  readonly #folder: string;
  readonly #log: ProxyLog;

  private constructor(child: Deno.ChildProcess, folder: string, { log, port }: Started) {
    this.#child = child;
    this.#folder = folder;
    this.#log = log;
    this.port = port;
  }

  /** `config` is TOML that listens on port 0 of 127.0.0.1. */
  static async start(config: string): Promise<RunningProxy> {
    const folder = await Deno.makeTempDir({ prefix: "sluice-e2e-proxy-" });
    await Deno.mkdir(`${folder}/empty`);
    await Deno.writeTextFile(`${folder}/sluice.toml`, config, { mode: 0o600 });
    const child = new Deno.Command(EXECUTABLE, {
      args: ["--config", `${folder}/sluice.toml`],
      cwd: `${folder}/empty`,
      clearEnv: true,
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const log = new ProxyLog(child.stderr);
    const line = await log.wait(/ msg=started .*/, START_LIMIT);
    if (line === undefined) {
      child.kill("SIGKILL");
      await child.status;
      await Deno.remove(folder, { recursive: true });
      throw new Error(`Cannot start ${EXECUTABLE}, its log:\n${log.text}`);
    }
    const port = Number(/ listen=127\.0\.0\.1:(\d+)/.exec(line)![1]);
    return new RunningProxy(child, folder, { log, port });
  }

  /** Lines of its log about defects of its own. */
  get defects(): string[] {
    return this.#log.text.split("\n").filter((line) => line.includes(" level=error "));
  }

  /** SIGTERM; it must end well and leave nothing in its folder. */
  async stop(): Promise<void> {
    this.#child.kill("SIGTERM");
    const { code, signal } = await this.#child.status;
    await this.#log.ended;
    const left = [...Deno.readDirSync(`${this.#folder}/empty`)].map(({ name }) => name);
    await Deno.remove(this.#folder, { recursive: true });
    assertEquals({ code, signal, left }, { code: 0, signal: null, left: [] }, this.#log.text);
  }
}

interface Started {
  readonly log: ProxyLog;
  readonly port: number;
}

/** Standard error of a proxy, read all the time. */
class ProxyLog {
  text = "";
  readonly ended: Promise<void>;
  #wake = () => {};

  constructor(stream: ReadableStream<Uint8Array>) {
    this.ended = this.#read(stream);
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      this.text += text;
      this.#wake();
    }
  }

  /** What matches, or nothing once the stream or the time (milliseconds) is over. */
  async wait(pattern: RegExp, limit: number): Promise<string | undefined> {
    let isOver = false;
    const over = () => {
      isOver = true;
      this.#wake();
    };
    const timer = setTimeout(over, limit);
    this.ended.then(over);
    while (true) {
      const found = pattern.exec(this.text);
      if (found !== null || isOver) {
        clearTimeout(timer);
        return found?.[0];
      }
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }
}
