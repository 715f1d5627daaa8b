/** Child programs that run to their end: installers, unpackers, version questions. */

import { CommandFailed, type Progress } from "./types.ts";

/** Lines of output that an error message repeats. */
const tailLines = 15;

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Record<string, string>;
  readonly input?: string;
  /** Gets every line that the program writes. */
  readonly onLine?: Progress;
}

/** Folders with server programs that the PATH of ordinary users lacks. */
const extraFolders = ["/usr/local/sbin", "/usr/sbin", "/sbin", "/opt/homebrew/bin"];

/** Full path of a program on the PATH or in the usual folders for servers. */
export async function which(program: string): Promise<string | undefined> {
  const folders = (Deno.env.get("PATH") ?? "").split(":").concat(extraFolders);
  for (const folder of folders.filter((name) => name !== "")) {
    const path = `${folder}/${program}`;
    const info = await Deno.stat(path).catch(() => undefined);
    if (info?.isFile && ((info.mode ?? 0) & 0o111) !== 0) return path;
  }
  return undefined;
}

/** Runs a program to its end and gives its standard output; a failure throws `CommandFailed`. */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<string> {
  const [program, ...args] = argv;
  const child = new Deno.Command(program!, {
    args,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.env === undefined ? {} : { env: options.env }),
    stdin: options.input === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  if (options.input !== undefined) {
    const writer = child.stdin.getWriter();
    // A program that ends without reading breaks the pipe; its exit code tells the story better.
    await writer.write(new TextEncoder().encode(options.input)).catch(() => {});
    await writer.close().catch(() => {});
  }
  const tail: string[] = [];
  function keep(line: string) {
    tail.push(line);
    if (tail.length > tailLines) tail.shift();
    options.onLine?.(line);
  }
  const [output, , status] = await Promise.all([
    readLines(child.stdout, keep),
    readLines(child.stderr, keep),
    child.status,
  ]);
  if (status.success) return output;
  throw new CommandFailed(
    `Cannot run ${argv.join(" ")}: exit code ${status.code}, last output:\n${tail.join("\n")}`,
  );
}

/** Whether a program runs and succeeds; one that cannot be started counts as no. */
export async function succeeds(argv: readonly string[]): Promise<boolean> {
  try {
    await run(argv);
    return true;
  } catch {
    return false;
  }
}

export function isRoot(): boolean {
  return Deno.build.os !== "windows" && Deno.uid() === 0;
}

/** Passes on at most one text a second: installers write hundreds of lines in that time. */
export function atMostEachSecond(onProgress: Progress): Progress {
  let last = -Infinity;
  return (text) => {
    const now = performance.now();
    if (now - last < 1000 || text.trim() === "") return;
    last = now;
    onProgress(text);
  };
}

async function readLines(
  stream: ReadableStream<Uint8Array>,
  onLine: Progress,
): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let rest = "";
  for await (const chunk of stream) {
    const piece = decoder.decode(chunk, { stream: true });
    text += piece;
    const lines = (rest + piece).split(/\r?\n/);
    rest = lines.pop()!;
    lines.forEach(onLine);
  }
  if (rest !== "") onLine(rest);
  return text;
}
