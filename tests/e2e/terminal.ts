/** A command-line client that believes that a person types: only then does it reconnect by itself. */
import { which } from "../../src/dev/engines/command.ts";
import { eventually } from "../support/eventually.ts";
import type { CommandLine } from "./command_line_client.ts";
import { ToolMissing } from "./driver.ts";

const PROMPT = "typed> ";

/** Rung for errors. */
const BELL = "\u0007";

const NEXT_PROMPT = new RegExp(`^(.*\n)${BELL}?${PROMPT}$`, "s");

export interface TerminalLogin {
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

export class Terminal implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reading: Promise<void>;
  #text = "";
  #taken = 0;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#input = child.stdin.getWriter();
    this.#reading = this.#read(child.stdout);
  }

  /** @throws {ToolMissing} */
  static async start({ command, options }: CommandLine, login: TerminalLogin): Promise<Terminal> {
    const script = await which("script");
    if (script === undefined) {
      throw new ToolMissing("no script on the PATH: install it, in Debian's package bsdutils");
    }
    const client = [
      ...command,
      "--no-defaults",
      ...options,
      "--protocol=TCP",
      "--host=127.0.0.1",
      `--port=${login.port}`,
      `--user=${login.user}`,
      `--prompt=${PROMPT}`,
      // Without reading the names of all tables.
      "--no-auto-rehash",
    ];
    const quoted = client.map((word) => `'${word}'`).join(" ");
    const child = new Deno.Command(script, {
      // No echo of what is typed, no line ends but the client's own.
      args: ["-qfec", `stty -echo -onlcr cols 500; exec ${quoted}`, "/dev/null"],
      env: { MYSQL_PWD: login.password, TERM: "dumb" },
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const terminal = new Terminal(child);
    await terminal.#answer();
    return terminal;
  }

  /** Types a line. @returns what the client prints until it asks for the next one */
  async type(line: string): Promise<string> {
    await this.#input.write(new TextEncoder().encode(`${line}\n`));
    const answer = await this.#answer();
    // Clients with a line editor of their own echo all the same.
    return answer.startsWith(line) ? answer.slice(line.length).trim() : answer;
  }

  async #answer(): Promise<string> {
    const what = "the client asks for a line";
    const answer = await eventually(what, () => {
      return NEXT_PROMPT.exec(this.#text.slice(this.#taken))?.[1];
    }, { within: 30_000 }).catch((cause) => {
      throw new Error(`Cannot see that ${what}, its output:\n${this.#text}`, { cause });
    });
    this.#taken = this.#text.length;
    return answer.replaceAll("\r", "").replaceAll(BELL, "").trim();
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) this.#text += text;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Where the client has ended already, there is nobody to be told.
    await this.#input.write(new TextEncoder().encode("exit\n")).catch(() => {});
    await this.#input.close().catch(() => {});
    await this.#reading;
    await this.#child.status;
  }
}
