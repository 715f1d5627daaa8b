/** The command that a client is sending: what it is, how far it has come, and its packet numbers. */
import { SluiceError } from "../errors.ts";
import { BIG } from "../net/buffers.ts";
import { payloadLength } from "../protocol/bytes.ts";
import { Command, ExecuteFlag } from "../protocol/constants.ts";
import type { CommandRow } from "../protocol/replies.ts";
import type { ClientInput } from "./client_input.ts";
import { PacketWalk } from "./packet_walk.ts";

/** Where COM_STMT_EXECUTE has its flags: behind the command byte and the statement's id. */
const EXECUTE_FLAGS = 5;
const ANY_CURSOR = ExecuteFlag.READ_ONLY | ExecuteFlag.FOR_UPDATE | ExecuteFlag.SCROLLABLE;

export class ClientCommand {
  /** Its first byte. */
  code = 0;
  /** Payload of its first packet. */
  length = 0;
  row: CommandRow | undefined;
  mayOpenCursor = false;
  /** Whether a part of it has been taken. */
  isBegun = false;
  readonly #walk = new PacketWalk();

  /** Whether all of it has been taken. */
  get isWhole(): boolean {
    return this.#walk.isComplete;
  }

  /** Number of the packet that the client expects next. */
  get nextSequence(): number {
    return (this.#walk.sequence + 1) & 0xff;
  }

  /** Number of the last packet that was taken. */
  get sequence(): number {
    return this.#walk.sequence;
  }

  /**
   * Looks at the command at the input's start, once it is there whole or fills a buffer.
   * @returns false where more is being read first
   * @throws {SluiceError} where its number is not that of a command
   */
  open(input: ClientInput): boolean {
    if (input.available < 4) {
      input.readMore(4);
      return false;
    }
    const { bytes, start } = input;
    const length = payloadLength(bytes, start);
    const sequence = bytes[start + 3]!;
    if (sequence !== 0) {
      this.#walk.sequence = sequence;
      throw new SluiceError("packets_out_of_order", "Got packets out of order");
    }
    const wanted = Math.min(length + 4, BIG);
    if (input.available < wanted) {
      input.readMore(wanted);
      return false;
    }
    this.code = length === 0 ? Command.SLEEP : bytes[start + 4]!;
    this.length = length;
    this.mayOpenCursor = this.code === Command.STMT_EXECUTE && length > EXECUTE_FLAGS &&
      (bytes[start + 4 + EXECUTE_FLAGS]! & ANY_CURSOR) !== 0;
    this.isBegun = false;
    this.#walk.begin("command", 0);
    return true;
  }

  /** The client sends a file next. @param shift of its packet numbers on their way to the server */
  openFile(sequence: number, shift: number): void {
    this.#walk.begin("file", sequence, shift);
  }

  /**
   * @returns how many bytes at the input's start belong to it
   * @throws {SluiceError} where a packet is out of order
   */
  take({ bytes, start, end }: ClientInput): number {
    this.isBegun = true;
    return this.#walk.take(bytes, start, end);
  }

  /** Number of an ERR behind it, if it is in the input, whole and in order. */
  sequenceBehind(input: ClientInput): number | undefined {
    try {
      this.take(input);
    } catch {
      return undefined;
    }
    return this.isWhole ? this.nextSequence : undefined;
  }
}
