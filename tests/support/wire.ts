/** Packets over a socket, in order and unread, for clients of tests. */
import { concat, frame } from "../../src/protocol/bytes.ts";

/** One packet as it stands on the wire. */
export interface WirePacket {
  readonly sequence: number;
  readonly payload: Uint8Array;
}

/** Gets packets with their headers: `<` from the server, `>` to it. */
export type PacketObserver = (direction: "<" | ">", packet: Uint8Array) => void;

/** The server closed the connection where a packet was due. */
export class WireClosed extends Error {
  override readonly name = "WireClosed";
}

export class Wire {
  readonly connection: Deno.TcpConn;
  /** Number of the next packet to send. */
  sequence = 0;
  readonly #onPacket: PacketObserver | undefined;
  readonly #chunk = new Uint8Array(65536);
  #buffered: Uint8Array = new Uint8Array(0);

  constructor(connection: Deno.TcpConn, onPacket: PacketObserver | undefined) {
    this.connection = connection;
    this.#onPacket = onPacket;
  }

  async write(payload: Uint8Array): Promise<void> {
    const bytes = frame(payload, this.sequence);
    this.sequence += Math.floor(payload.length / 0xffffff) + 1;
    this.#onPacket?.(">", bytes);
    await this.writeRaw(bytes);
  }

  async writeRaw(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.connection.write(bytes.subarray(at));
  }

  /** The next packet, null at the end of the stream. */
  async read(): Promise<WirePacket | null> {
    const header = await this.#take(4);
    if (header === null) return null;
    const payload = await this.#take(header[0]! | (header[1]! << 8) | (header[2]! << 16));
    if (payload === null) throw new WireClosed("Server closed in the middle of a packet");
    this.#onPacket?.("<", concat([header, payload]));
    this.sequence = header[3]! + 1;
    return { sequence: header[3]!, payload };
  }

  async expect(): Promise<WirePacket> {
    const packet = await this.read();
    if (packet === null) throw new WireClosed("Server closed where a packet was due");
    return packet;
  }

  /** Exactly `count` bytes of their own, or null where the stream ended before the first. */
  async #take(count: number): Promise<Uint8Array | null> {
    const taken = new Uint8Array(count);
    let have = 0;
    for (;;) {
      const part = this.#buffered.subarray(0, count - have);
      taken.set(part, have);
      have += part.length;
      this.#buffered = this.#buffered.subarray(part.length);
      if (have === count) return taken;
      const read = await this.connection.read(this.#chunk);
      if (read === null) {
        if (have > 0) throw new WireClosed("Server closed in the middle of a packet");
        return null;
      }
      this.#buffered = this.#chunk.subarray(0, read);
    }
  }

  close(): void {
    try {
      this.connection.close();
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }
}
