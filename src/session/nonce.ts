/** Nonces of logins: 20 random bytes that are no NUL and no `$`, as MySQL makes them. */
import { NONCE_LENGTH } from "../protocol/auth.ts";

/** Random bytes are fetched for this many nonces at once. */
const BATCH = 64;

const pool = new Uint8Array(NONCE_LENGTH * BATCH);
let used = pool.length;

export function makeNonce(): Uint8Array {
  if (used === pool.length) {
    crypto.getRandomValues(pool);
    used = 0;
  }
  const nonce = pool.slice(used, used + NONCE_LENGTH);
  used += NONCE_LENGTH;
  for (let at = 0; at < NONCE_LENGTH; at++) {
    const byte = nonce[at]! & 0x7f;
    nonce[at] = byte === 0 || byte === 0x24 ? byte + 1 : byte;
  }
  return nonce;
}
