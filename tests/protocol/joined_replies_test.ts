/** Replies that are one of several to a client's command: numbered on, and with more to follow. */
import { assert, assertEquals } from "@std/assert";
import { Status } from "../../src/protocol/constants.ts";
import { commandRow } from "../../src/protocol/replies.ts";
import { decodeOk } from "../../src/protocol/response.ts";
import { decodeEof } from "../support/codec/replies.ts";
import { loadFixtures } from "../support/fixture.ts";
import { byteWise, feedExchange, requestOf, whole } from "../support/reply_feed.ts";

const SHIFT = 250;

/** Packets of 16 MiB do not occur in the fixtures, so every header is a packet's. */
function split(bytes: Uint8Array): Uint8Array[] {
  const packets: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const next = at + 4 + (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16));
    packets.push(bytes.slice(at, next));
    at = next;
  }
  return packets;
}

function statusOf(payload: Uint8Array, capabilities: number): number {
  return payload[0] === 0xfe && payload.length < 7
    ? decodeEof(payload).status
    : decodeOk(payload, capabilities).status;
}

for (const [title, cut] of [["whole", whole], ["byte by byte", byteWise]] as const) {
  Deno.test(`Every captured reply to a query can be one of several, ${title}`, () => {
    let replies = 0;
    for (const { name, capabilities, extendedCapabilities, exchanges } of loadFixtures()) {
      for (const exchange of exchanges) {
        const request = requestOf(exchange);
        const row = request && commandRow(request.payload[0]!);
        // Only statements as text are told apart into several.
        if (row?.name !== "COM_QUERY" || exchange.packets.at(-1)!.direction === ">") continue;
        const options = { capabilities, extendedCapabilities, cut };
        const alone = split(feedExchange(row, exchange.packets, options).output);
        const joined = feedExchange(row, exchange.packets, {
          ...options,
          shift: SHIFT,
          isFollowed: true,
        });
        const packets = split(joined.output);
        const note = `${name}: ${exchange.note}`;
        assertEquals(
          packets.map((packet) => packet[3]),
          alone.map((one) => (one[3]! + SHIFT) & 255),
          note,
        );
        assertEquals(
          packets.slice(0, -1).map((one) => one.slice(4)),
          alone.slice(0, -1).map((one) => one.slice(4)),
          note,
        );
        const [last, lastAlone] = [packets.at(-1)!.subarray(4), alone.at(-1)!.subarray(4)];
        if (last[0] === 0xff) {
          assertEquals(last, lastAlone, note);
          continue;
        }
        replies++;
        assertEquals(
          statusOf(last, capabilities),
          statusOf(lastAlone, capabilities) | Status.MORE_RESULTS_EXISTS,
          note,
        );
        assertEquals(joined.tracker.nextSequence, (packets.at(-1)![3]! + 1) & 255, note);
        assert(joined.tracker.done, note);
      }
    }
    assert(replies > 100, `${replies} replies`);
  });
}
