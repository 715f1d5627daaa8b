/** Changes of packets where they lie, on their way from a server to a client. */
import { payloadLength } from "./bytes.ts";

/**
 * Puts another payload in the place of a longer one and moves what follows up.
 * @param place of the packet's header, and where the bytes in the buffer end
 * @returns how many bytes that has saved
 */
export function shortenPacket(
  bytes: Uint8Array,
  { at, end }: { readonly at: number; readonly end: number },
  shorter: Uint8Array,
): number {
  const length = payloadLength(bytes, at);
  bytes[at] = shorter.length;
  bytes[at + 1] = shorter.length >>> 8;
  bytes[at + 2] = shorter.length >>> 16;
  bytes.set(shorter, at + 4);
  bytes.copyWithin(at + 4 + shorter.length, at + 4 + length, end);
  return length - shorter.length;
}
