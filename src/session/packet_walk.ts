/**
 * Finds the end of a message that a client sends, packet by packet, in bytes that arrive anyhow.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_packets.html
 */
import { SluiceError } from "../errors.ts";
import { MAX_PAYLOAD, payloadLength } from "../protocol/bytes.ts";

/**
 * - `command`: one message, in as many packets as 16 MiB pieces make
 * - `file`: the packets of LOCAL INFILE up to an empty one
 */
export type MessageKind = "command" | "file";

export class PacketWalk {
  /** Number of the last packet whose header was seen. */
  sequence = 0;
  isComplete = false;
  #kind: MessageKind = "command";
  /** Bytes of the current packet that are still to come, header excluded. */
  #left = 0;
  /** Whether the current packet is followed by more of its message. */
  #continues = false;
  /** Whether the current packet is a full one, which the next one completes, be it empty. */
  #isFull = false;
  #shift = 0;

  /**
   * @param sequence number of the message's first packet
   * @param shift is added to the numbers, in the bytes, once they have been checked
   */
  begin(kind: MessageKind, sequence: number, shift = 0): void {
    this.#shift = shift;
    this.#kind = kind;
    this.#left = 0;
    this.#continues = true;
    this.#isFull = false;
    this.isComplete = false;
    this.sequence = (sequence - 1) & 0xff;
  }

  /**
   * @returns how many of the bytes belong to the message; less than all where it is complete or
   *   where the next header is not whole yet
   * @throws {SluiceError} where a packet has another number than its turn
   */
  take(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    while (true) {
      const part = Math.min(this.#left, end - at);
      this.#left -= part;
      at += part;
      if (this.#left > 0) break;
      if (!this.#continues) {
        this.isComplete = true;
        break;
      }
      if (end - at < 4) break;
      const length = payloadLength(bytes, at);
      this.#expect(bytes[at + 3]!);
      if (this.#shift !== 0) bytes[at + 3] = (this.sequence + this.#shift) & 0xff;
      // Only a piece of less than 16 MiB ends a message; a file is messages up to an empty one.
      const completes = this.#isFull;
      this.#isFull = length === MAX_PAYLOAD;
      this.#continues = this.#kind === "command" ? this.#isFull : length > 0 || completes;
      this.#left = length;
      at += 4;
    }
    return at - start;
  }

  #expect(sequence: number): void {
    const expected = (this.sequence + 1) & 0xff;
    if (sequence !== expected) {
      throw new SluiceError("packets_out_of_order", "Got packets out of order");
    }
    this.sequence = sequence;
  }
}
