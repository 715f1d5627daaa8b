/**
 * Commands that the proxy itself sends on a server session, between those of clients: to bring its
 * state to what the next client expects, and to read what the last one left there.
 */
import { ProtocolError, SluiceError } from "../errors.ts";
import { PLAIN } from "../sql/classified.ts";
import { concat, encodeText, frame, payloadLength } from "../protocol/bytes.ts";
import { encodeQuery } from "../protocol/command.ts";
import { Command, Head } from "../protocol/constants.ts";
import { type CommandRow, commandRow } from "../protocol/replies.ts";
import { decodeErr } from "../protocol/response.ts";
import type { ServerSession, ServerSessionUser } from "./server_session.ts";

export interface OwnCommand {
  readonly row: CommandRow;
  /** From the command byte on. */
  readonly payload: Uint8Array;
  /** See `ReportedCommand`. */
  readonly settles?: true;
  /**
   * The answer to a packet of an authentication exchange, or undefined where the server goes on.
   * @throws {SluiceError}
   * @throws {ProtocolError}
   */
  readonly answer?: (payload: Uint8Array) => Uint8Array | undefined;
}

/** A statement. */
export function queryCommand(server: ServerSession, sql: string): OwnCommand {
  return textCommand(server, encodeText(sql));
}

/** A statement in whatever character set the session has. */
export function textCommand({ capabilities }: ServerSession, text: Uint8Array): OwnCommand {
  const payload = encodeQuery({ text, attributes: [] }, capabilities.base);
  return { row: rowFor(Command.QUERY), payload };
}

/** COM_SET_OPTION. @param several whether texts may have several statements */
export function setOption(several: boolean): OwnCommand {
  const payload = Uint8Array.of(Command.SET_OPTION, several ? 0 : 1, 0);
  return { row: rowFor(Command.SET_OPTION), payload };
}

/** Another command, with its text if it has one. */
export function plainCommand(code: number, text = ""): OwnCommand {
  return { row: rowFor(code), payload: concat([Uint8Array.of(code), encodeText(text)]) };
}

function rowFor(code: number): CommandRow {
  const row = commandRow(code);
  if (row === undefined) throw new TypeError(`Expected a command, got ${code}`);
  return row;
}

/** The payloads of one reply. Where the last one is an ERR, that is what it came to. */
export type Reply = readonly Uint8Array[];

/**
 * Sends the commands in one write and reads their replies. The session is in use by this until it
 * resolves; afterwards it is its caller's to acquire for somebody.
 * @throws {SluiceError} where the server session is lost, or says what is no reply
 */
export function exchange(
  server: ServerSession,
  commands: readonly OwnCommand[],
): Promise<Reply[]> {
  return new Promise((resolve, reject) => {
    const run = new Exchange(server, commands, { resolve, reject });
    server.acquire(run);
    run.begin();
  });
}

/** The ERR that a reply ends with, as an error of the server's; undefined where it succeeded. */
export function failureOf(reply: Reply, server: ServerSession): SluiceError | undefined {
  const last = reply.at(-1);
  if (last?.[0] !== Head.ERR) return undefined;
  const { code, sqlState, message } = decodeErr(last);
  return new SluiceError("server_refused", `Server ${server.backend.label}: ${message}`, {
    code,
    sqlState,
    cause: new Error(message),
  });
}

interface Outcome {
  resolve(replies: Reply[]): void;
  reject(error: SluiceError): void;
}

class Exchange implements ServerSessionUser {
  readonly #server: ServerSession;
  readonly #commands: readonly OwnCommand[];
  readonly #outcome: Outcome;
  readonly #replies: Reply[] = [];
  #parts: Uint8Array[] = [];
  #total = 0;

  constructor(server: ServerSession, commands: readonly OwnCommand[], outcome: Outcome) {
    this.#server = server;
    this.#commands = commands;
    this.#outcome = outcome;
  }

  begin(): void {
    this.#beginReply();
    const bytes = concat(this.#commands.map(({ payload }) => frame(payload, 0)));
    this.#write(bytes);
  }

  onServerBytes(): void {
    try {
      this.#take();
    } catch (error) {
      this.#server.close();
      if (error instanceof SluiceError) return this.#outcome.reject(error);
      if (!(error instanceof ProtocolError)) throw error;
      const message = `Malformed packet from server ${this.#server.backend.label}`;
      this.#outcome.reject(new SluiceError("server_malformed", message, { cause: error }));
    }
  }

  onServerLost(error: SluiceError): void {
    this.#outcome.reject(error);
  }

  #write(bytes: Uint8Array): void {
    const server = this.#server;
    server.write(bytes).then((count) => {
      server.bytesOut += count;
      if (count < bytes.length) this.#write(bytes.subarray(count));
    }, () => {
      // The read that is outstanding says how the connection ended.
      if (server.isOpen && !server.isReading) server.kill("The connection to the server broke");
    });
  }

  #beginReply(): void {
    const { row, settles } = this.#commands[this.#replies.length]!;
    const server = this.#server;
    server.statements++;
    server.tracker.begin(row, 0, false);
    server.state.reports?.begin(settles && { classified: PLAIN, settles });
  }

  #take(): void {
    const server = this.#server;
    const { tracker } = server;
    while (true) {
      server.walked = tracker.feed(server.buffer, server.walked, server.end);
      server.end = tracker.end;
      this.#parts.push(server.buffer.slice(server.moved, server.walked));
      this.#total += server.walked - server.moved;
      server.moved = server.walked;
      if (!tracker.done) {
        this.#answer();
        break;
      }
      this.#replies.push(packetsOf(concat(this.#parts)));
      this.#parts = [];
      if (this.#replies.length === this.#commands.length) {
        server.finishReply(this.#total);
        return this.#outcome.resolve(this.#replies);
      }
      this.#beginReply();
    }
    server.compact();
    if (tracker.needed > server.buffer.length) server.enlarge(tracker.needed);
    else if (server.end === server.buffer.length) server.enlarge();
    server.read();
  }

  /** The server may ask for more before it replies. */
  #answer(): void {
    const { answer } = this.#commands[this.#replies.length]!;
    if (answer === undefined) return;
    const { tracker } = this.#server;
    const asked = packetsOf(concat(this.#parts));
    this.#parts = [];
    for (const payload of asked) {
      const answered = answer(payload);
      if (answered === undefined) continue;
      const sequence = tracker.nextSequence;
      tracker.resume(sequence);
      this.#write(frame(answered, sequence));
    }
  }
}

/** Payloads of packets. Those of 16 MiB stay in pieces: nothing here asks for them. */
function packetsOf(bytes: Uint8Array): Uint8Array[] {
  const payloads: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 4 + payloadLength(bytes, at);
    payloads.push(bytes.subarray(at + 4, end));
    at = end;
  }
  return payloads;
}
