/** Whole packets in both directions, for the phases in which they are few and small. */
import { ProtocolError } from "../errors.ts";

export interface PacketPort {
  /** Number of the next packet in either direction. */
  sequence: number;
  /**
   * The next packet's payload, a view that is valid until the next read.
   * @throws {StreamEnded} {@link OutOfOrder}, {@link ProtocolError} where it is too large
   */
  read(): Promise<Uint8Array>;
  /** Sends one message as the next packet. */
  write(payload: Uint8Array): Promise<void>;
  /** Sends packets that carry their headers already. */
  writeFrames(bytes: Uint8Array): Promise<void>;
}

/** The peer ended the stream between packets or inside one. */
export class StreamEnded extends Error {
  override readonly name = "StreamEnded";
}

/** A packet had another number than its turn. */
export class OutOfOrder extends ProtocolError {}

/** Checks a packet's header against what the phase expects. */
export function checkHeader(
  header: { readonly length: number; readonly sequence: number },
  expected: { readonly limit: number; readonly sequence: number },
): void {
  if (header.sequence !== expected.sequence) {
    throw new OutOfOrder(
      `Cannot read packet: expected number ${expected.sequence}, got ${header.sequence}`,
    );
  }
  if (header.length > expected.limit) {
    throw new ProtocolError(
      `Cannot read packet: expected at most ${expected.limit} bytes, got ${header.length}`,
    );
  }
}
