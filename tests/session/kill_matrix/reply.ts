import { decodeErr } from "../../../src/protocol/response.ts";
import type { FakeClient } from "../../fake/client.ts";

/**
 * Reads one reply to its end.
 * @returns `closed`, `row VALUE` of the last row's first column, or as {@link replyOf}
 */
export async function readReply(client: FakeClient): Promise<string> {
  let row: string | undefined;
  for (;;) {
    const payload = await client.read();
    if (payload === null) return "closed";
    const head = payload[0];
    if (head === 0xff || (head === 0x00 && row === undefined)) return replyOf(payload);
    if (head === 0xfe) return `row ${row}`;
    row = new TextDecoder().decode(payload.subarray(1, 20));
  }
}

/** `OK`, or the code of an ERR with `of the server session` where that is what it says. */
export function replyOf(payload: Uint8Array): string {
  if (payload[0] !== 0xff) return "OK";
  const { code, message } = decodeErr(payload);
  return /server session \d+.* was killed(; the transaction is gone)?$/.test(message)
    ? `${code} of the server session`
    : String(code);
}
