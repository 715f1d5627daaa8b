/**
 * Bytes as text of one character a byte. Small byte arrays cost some 200 bytes each beside what
 * they hold; what is kept for every statement of every client is kept so instead. Texts are
 * compared and hashed by the runtime, too.
 */

/** Characters that are made at once. */
const SLICE = 4_096;

export function textOfBytes(bytes: Uint8Array): string {
  if (bytes.length <= SLICE) return String.fromCharCode(...bytes);
  let text = "";
  for (let at = 0; at < bytes.length; at += SLICE) {
    text += String.fromCharCode(...bytes.subarray(at, at + SLICE));
  }
  return text;
}

/** @param start the first character that counts */
export function bytesOfText(text: string, start = 0): Uint8Array {
  const bytes = new Uint8Array(text.length - start);
  for (let at = 0; at < bytes.length; at++) bytes[at] = text.charCodeAt(start + at);
  return bytes;
}

/** Whether the text is that of the bytes. */
export function isTextOf(text: string, bytes: Uint8Array): boolean {
  if (text.length !== bytes.length) return false;
  for (let at = 0; at < bytes.length; at++) {
    if (text.charCodeAt(at) !== bytes[at]) return false;
  }
  return true;
}
