/**
 * Finds where a reply ends by the shapes that the protocol's documentation gives, in plain code of
 * its own: https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_command_phase.html
 */
import { Command, Status } from "../../src/protocol/constants.ts";
import type { Wire, WirePacket } from "./wire.ts";

/** Content of the file that LOCAL INFILE asks for; an empty one unless given. */
export type FileSource = (name: string) => Iterable<Uint8Array>;

/** What client and server have agreed on. */
interface Dialect {
  readonly capabilities: number;
  readonly extendedCapabilities: number;
}

/** What a message was: its first packet's payload, and how long all its packets are together. */
interface Message {
  readonly head: number;
  readonly length: number;
  readonly payload: Uint8Array;
}

/** One reply, read by the shape that the command's documentation gives it. */
export class ReplyReader {
  readonly #wire: Wire;
  readonly #deprecatesEof: boolean;
  readonly #hasMetadataFlag: boolean;
  readonly #hasPrepareFlag: boolean;
  readonly #onPacket: (packet: WirePacket) => void;
  #opensCursor = false;

  constructor(
    wire: Wire,
    { capabilities, extendedCapabilities }: Dialect,
    onPacket: (packet: WirePacket) => void,
  ) {
    this.#wire = wire;
    this.#onPacket = onPacket;
    this.#deprecatesEof = (capabilities & (1 << 24)) !== 0;
    this.#hasPrepareFlag = (capabilities & (1 << 25)) !== 0;
    this.#hasMetadataFlag = this.#hasPrepareFlag || (extendedCapabilities & (1 << 4)) !== 0;
  }

  /** @param opensCursor whether the command asked for a cursor */
  async read(
    command: number,
    onInfile: FileSource | undefined,
    opensCursor = true,
  ): Promise<void> {
    this.#opensCursor = opensCursor;
    switch (command) {
      case Command.QUIT:
      case Command.STMT_CLOSE:
      case Command.STMT_SEND_LONG_DATA:
        return;
      case Command.QUERY:
      case Command.STMT_EXECUTE:
      case Command.MARIADB_STMT_BULK_EXECUTE:
      case Command.PROCESS_INFO:
        return await this.#results(onInfile);
      case Command.STMT_PREPARE:
        return await this.#prepared();
      case Command.FIELD_LIST:
      case Command.STMT_FETCH:
        await this.#untilEnd();
        return;
      default:
        await this.#message();
    }
  }

  /** Reads all packets of the next message; progress reports before it are passed on. */
  async #message(): Promise<Message> {
    for (;;) {
      const first = await this.#wire.expect();
      this.#onPacket(first);
      const { payload } = first;
      if (payload[0] === 0xff && payload[1] === 0xff && payload[2] === 0xff) continue;
      let length = payload.length;
      for (let last = length; last === 0xffffff;) {
        const more = await this.#wire.expect();
        this.#onPacket(more);
        last = more.payload.length;
        length += last;
      }
      return { head: payload[0] ?? -1, length, payload };
    }
  }

  async #results(onInfile: FileSource | undefined): Promise<void> {
    for (let status: number = Status.MORE_RESULTS_EXISTS; status & Status.MORE_RESULTS_EXISTS;) {
      let first = await this.#message();
      if (first.head === 0xfb) {
        const name = new TextDecoder().decode(first.payload.subarray(1));
        for (const part of onInfile?.(name) ?? []) await this.#wire.write(part);
        await this.#wire.write(new Uint8Array(0));
        first = await this.#message();
      }
      if (first.head === 0xff) return;
      if (first.head === 0x00) status = okStatus(first.payload);
      else if (first.head === 0xfe && first.length < 9) status = eofStatus(first.payload);
      else status = await this.#resultSet(first.payload);
    }
  }

  /** @returns the status after the last row */
  async #resultSet(head: Uint8Array): Promise<number> {
    const [count, next] = lenenc(head, 0);
    const hasDefinitions = !this.#hasMetadataFlag || head[next] === 1;
    for (let index = 0; hasDefinitions && index < count; index++) await this.#message();
    if (!this.#deprecatesEof) {
      const eof = await this.#message();
      if (eof.head === 0xff) return 0;
      const status = eofStatus(eof.payload);
      // MariaDB says so too while a procedure has a cursor open, and then rows and more follow.
      const hasMore = (status & Status.MORE_RESULTS_EXISTS) !== 0;
      if (this.#opensCursor && !hasMore && status & Status.CURSOR_EXISTS) return status;
      // Only the first EOF of OUT parameters says that more follows, and yet an OK follows.
      if (status & Status.PS_OUT_PARAMS) {
        return await this.#untilEnd() | (status & Status.MORE_RESULTS_EXISTS);
      }
    }
    return await this.#untilEnd();
  }

  /** Definitions or rows up to EOF, OK or ERR. @returns its status, 0 for an ERR */
  async #untilEnd(): Promise<number> {
    for (;;) {
      const message = await this.#message();
      if (message.head === 0xff) return 0;
      if (message.head !== 0xfe) continue;
      if (this.#deprecatesEof && message.length < 0xffffff) return okStatus(message.payload);
      if (message.length < 9) return eofStatus(message.payload);
    }
  }

  async #prepared(): Promise<void> {
    const { head, payload } = await this.#message();
    if (head === 0xff) return;
    const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
    const hasDefinitions = !this.#hasPrepareFlag || payload[12] === 1;
    for (const count of [view.getUint16(7, true), view.getUint16(5, true)]) {
      for (let index = 0; hasDefinitions && index < count; index++) await this.#message();
      // The EOF comes even where the definitions before it do not.
      if (count > 0 && !this.#deprecatesEof) await this.#message();
    }
  }
}

/** A length-encoded integer up to 2^24 and where it ends. */
function lenenc(bytes: Uint8Array, at: number): [value: number, end: number] {
  const first = bytes[at]!;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (first < 0xfb) return [first, at + 1];
  if (first === 0xfc) return [view.getUint16(at + 1, true), at + 3];
  if (first === 0xfd) return [view.getUint16(at + 1, true) | (bytes[at + 3]! << 16), at + 4];
  return [Number(view.getBigUint64(at + 1, true)), at + 9];
}

function okStatus(payload: Uint8Array): number {
  const [, afterRows] = lenenc(payload, 1);
  const [, at] = lenenc(payload, afterRows);
  return payload[at]! | (payload[at + 1]! << 8);
}

function eofStatus(payload: Uint8Array): number {
  return payload[3]! | (payload[4]! << 8);
}
