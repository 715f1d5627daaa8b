/**
 * Broken messages: decoders and the reply tracker may refuse them with a protocol error and in no
 * other way. `SLUICE_FUZZ` sets how many inputs each gets, `SLUICE_SEED` repeats a run.
 */
import { assert, assertEquals } from "@std/assert";
import { ProtocolError } from "../../src/errors.ts";
import { concat, frame } from "../../src/protocol/bytes.ts";
import type { Greeting } from "../../src/protocol/handshake.ts";
import { Command } from "../../src/protocol/constants.ts";
import { type CommandRow, commandRow } from "../../src/protocol/replies.ts";
import { ReplyTracker } from "../../src/protocol/reply_tracker.ts";
import { CODECS, READERS, WRITTEN_ONLY } from "../support/codecs.ts";
import { type FixturePacket, loadFixtures } from "../support/fixture.ts";
import { Mutator } from "../support/mutate.ts";
import { chooseCount, chooseSeed, seededRandom } from "../support/random.ts";
import { requestOf } from "../support/reply_feed.ts";
import { type Sample, samplesOf } from "../support/samples.ts";

const inputs = chooseCount();
const seed = chooseSeed();
const fixtures = loadFixtures();
const samples: readonly Sample[] = fixtures.flatMap(samplesOf);
const payloads = samples.map(({ payload }) => payload);

/** How a message that went wrong is told: enough to have it again. */
function describe(name: string, bytes: Uint8Array): string {
  return `${name}, SLUICE_SEED=${seed}, input ${bytes.toHex()}`;
}

function mutatorFor(salt: string): Mutator {
  const salted = [...salt].reduce((sum, letter) => Math.imul(sum, 31) + letter.charCodeAt(0), seed);
  return new Mutator(seededRandom(salted), payloads);
}

const decoders = [
  ...Object.entries(CODECS).filter(([kind]) => !WRITTEN_ONLY.has(kind))
    .map(([kind, { decode }]) => [kind, kind, decode] as const),
  ...READERS,
];

for (const [name, kind, decode] of decoders) {
  Deno.test(`${name}: ${inputs} broken messages, seed ${seed}`, () => {
    const own = samples.filter((sample) => sample.kind === kind);
    const mutator = mutatorFor(name);
    const { encode } = CODECS[kind as Sample["kind"]] ?? {};
    let refused = 0;
    for (let count = 0; count < inputs; count++) {
      const sample = mutator.pick(own);
      const broken = mutator.mutate(sample.payload);
      let value: unknown;
      try {
        value = decode(broken, sample);
      } catch (error) {
        if (!(error instanceof ProtocolError)) {
          throw new Error(describe(name, broken), { cause: error });
        }
        refused++;
        continue;
      }
      if (encode && count % 16 === 0 && kind === name) {
        checkAgain(broken, { sample, value, decode, encode });
      }
    }
    assert(refused > 0 || !CHECKED.has(name), `${name} refuses nothing`);
  });
}

/** Decoders that have something to refuse: the others take any bytes. */
const CHECKED: ReadonlySet<string> = new Set(Object.keys(CODECS));

interface Decoded {
  readonly sample: Sample;
  readonly value: unknown;
  readonly decode: (payload: Uint8Array, sample: Sample) => unknown;
  readonly encode: (value: never, sample: Sample) => Uint8Array;
}

/** What was understood is understood again after it has been written. */
function checkAgain(broken: Uint8Array, { sample, value, decode, encode }: Decoded): void {
  const again = encode(value as never, sample);
  // Text that is no UTF-8 changes its length when it is written again.
  if (again.toHex().includes("efbfbd") || hasShortNonce(value)) return;
  assertEquals(decode(again, sample), value, describe(sample.kind, broken));
}

/** A nonce that was cut off is filled up when it is written. */
function hasShortNonce(value: unknown): boolean {
  const { authData } = (value ?? {}) as Partial<Greeting>;
  return authData !== undefined && "serverVersion" in (value as Greeting) && authData.length < 20;
}

interface Reply {
  readonly row: CommandRow;
  readonly capabilities: number;
  readonly extendedCapabilities: number;
  readonly packets: readonly FixturePacket[];
}

const replies: readonly Reply[] = fixtures.flatMap((fixture) =>
  fixture.exchanges.flatMap((exchange): Reply[] => {
    const command = requestOf(exchange)?.payload[0];
    const row = command === undefined ? undefined : commandRow(command);
    const packets = exchange.packets.filter(({ direction }) => direction === "<");
    const length = packets.reduce((sum, { bytes }) => sum + bytes.length, 0);
    return row && packets.length > 0 && length < 4096 ? [{ ...fixture, row, packets }] : [];
  })
);

/** A reply of which one packet is broken, or the bytes as a whole are. */
function breakReply(mutator: Mutator, { packets }: Reply): Uint8Array {
  const parts = packets.map(({ bytes }) => bytes);
  if (mutator.below(3) === 0) return mutator.mutate(concat(parts));
  const at = mutator.below(packets.length);
  const { payload, sequence } = packets[at]!;
  const whole = frame(mutator.mutate(payload), sequence);
  return concat([...parts.slice(0, at), whole, ...parts.slice(at + 1)]);
}

Deno.test(`reply tracker: ${inputs} broken replies, seed ${seed}`, () => {
  const mutator = mutatorFor("tracker");
  let [refused, ended] = [0, 0];
  for (let count = 0; count < inputs; count++) {
    const reply = mutator.pick(replies);
    const broken = breakReply(mutator, reply);
    try {
      if (track(mutator, reply, broken)) ended++;
    } catch (error) {
      if (!(error instanceof ProtocolError)) {
        throw new Error(describe(reply.row.name, broken), { cause: error });
      }
      refused++;
    }
  }
  assert(refused > inputs / 50 && ended > inputs / 50, `${refused} refused, ${ended} ended`);
});

/** Feeds a reply in pieces and checks that no byte is lost. @returns whether the reply ended */
function track(mutator: Mutator, reply: Reply, bytes: Uint8Array): boolean {
  const hidesSessionTrack = mutator.below(4) === 0;
  const tracker = new ReplyTracker({
    ...reply,
    hidesSessionTrack,
    wholeUpTo: mutator.pick([16, 64, 65536]),
    onSessionTrack: () => {},
  });
  // Now and then the command is another one than the reply is for.
  const command = mutator.below(8) === 0 ? mutator.pick(Object.values(Command)) : undefined;
  const row = command === undefined ? undefined : commandRow(command);
  tracker.begin(row ?? reply.row, (reply.packets[0]!.sequence + 255) & 0xff);
  const buffer = new Uint8Array(bytes.length);
  let [walked, end] = [0, 0];
  for (let at = 0; at < bytes.length && !tracker.done;) {
    const size = Math.min(bytes.length - at, 1 + mutator.below(bytes.length));
    buffer.set(bytes.subarray(at, at + size), end);
    at += size;
    end += size;
    const before = walked;
    walked = tracker.feed(buffer, walked, end);
    assert(tracker.end === end || (hidesSessionTrack && tracker.end < end), "end of the bytes");
    end = tracker.end;
    assert(walked >= before && walked <= end, `walked from ${before} to ${walked} of ${end}`);
    if (tracker.clientTurn !== "waits") tracker.resume(tracker.nextSequence + 255);
  }
  return tracker.done;
}
