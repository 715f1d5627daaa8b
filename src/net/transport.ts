/**
 * The byte stream under every session. `Deno.TcpConn` is one as it stands, so plain TCP costs no
 * wrapper; TLS and compression will be further ones.
 */
import type { Address } from "../config/types.ts";

export interface Transport {
  /** Resolves to null at the peer's end of stream; rejects when closed meanwhile. */
  read(buffer: Uint8Array): Promise<number | null>;
  /** May write a part only. The bytes must stay as they are until it resolves. */
  write(bytes: Uint8Array): Promise<number>;
  /** This end, where it is known. */
  readonly localAddr?: Address;
  /** Throws when closed already: see {@link closeQuietly}. */
  close(): void;
}

/**
 * Takes a count, or what a read or write was rejected with: a callback of a connection for both
 * outcomes, made once, since memory per connection counts.
 */
export type Settled = (outcome: unknown) => void;

/** Connects over TCP. @throws what `Deno.connect` throws, also when the signal fires */
export async function dial(address: Address, signal: AbortSignal): Promise<Transport> {
  const connection = await Deno.connect({ ...address, signal });
  setOptions(connection);
  return connection;
}

/**
 * Small packets go out at once, and a connection whose other end is gone without a word breaks after
 * the time that the system has for that: nothing else ends a wait for its answer.
 */
export function setOptions(connection: Deno.TcpConn): void {
  connection.setNoDelay(true);
  connection.setKeepAlive(true);
}

/** Writes all of the bytes; nearly always the first write takes them. */
export function writeAll(transport: Transport, bytes: Uint8Array): Promise<void> {
  return transport.write(bytes).then((count) => {
    if (count < bytes.length) return writeAll(transport, bytes.subarray(count));
  });
}

/** Closes a transport that may have been closed by its other user or by the peer. */
export function closeQuietly(transport: Transport): void {
  try {
    transport.close();
  } catch {
    return;
  }
}
