/** Feeds replies to the tracker as a relay does: a buffer that grows, and what passes leaves it. */
import { concat } from "../../src/protocol/bytes.ts";
import { Command, ExecuteFlag } from "../../src/protocol/constants.ts";
import type { CommandRow } from "../../src/protocol/replies.ts";
import { ReplyTracker, type TrackerOptions } from "../../src/protocol/reply_tracker.ts";
import type { OkPacket } from "../../src/protocol/response.ts";
import type { Exchange, FixturePacket } from "./fixture.ts";

const ANY_CURSOR = ExecuteFlag.READ_ONLY | ExecuteFlag.FOR_UPDATE | ExecuteFlag.SCROLLABLE;

/** Sizes of the pieces that a reply of `total` bytes arrives in. */
export type Cutter = (total: number) => readonly number[];

export const whole: Cutter = (total) => [total];
export const byteWise: Cutter = (total) => new Array<number>(total).fill(1);

/** Pieces of any size, mostly small ones. */
export function randomCuts(random: () => number): Cutter {
  return (total) => {
    const sizes: number[] = [];
    for (let left = total; left > 0;) {
      const size = Math.min(left, 1 + Math.floor(random() * random() * 64));
      sizes.push(size);
      left -= size;
    }
    return sizes;
  };
}

export interface FeedResult {
  /** What went to the client. */
  readonly output: Uint8Array;
  readonly tracker: ReplyTracker;
  /** How many of the reply's bytes had arrived when the tracker said done; undefined if never. */
  readonly doneAfter: number | undefined;
  readonly total: number;
  readonly reported: readonly OkPacket[];
}

export function trackerFor(
  options: Partial<TrackerOptions>,
  reported: OkPacket[] = [],
): ReplyTracker {
  return new ReplyTracker({
    capabilities: 0,
    extendedCapabilities: 0,
    hidesSessionTrack: false,
    wholeUpTo: 1 << 16,
    // What is reported are views of a buffer that the tracker changes afterwards.
    onSessionTrack: (ok) => reported.push(structuredClone(ok)),
    ...options,
  });
}

export interface FeedOptions extends Partial<TrackerOptions> {
  readonly cut: Cutter;
  /** How much further the client's packet numbers are than the server's. */
  readonly shift?: number;
  /** Whether another reply comes behind it. */
  readonly isFollowed?: boolean;
}

/**
 * Replays the reply of one exchange. Packets of the client in between (files, answers to
 * authentication) are told to the tracker where they stand.
 */
export function feedExchange(
  row: CommandRow,
  packets: readonly FixturePacket[],
  { cut, shift = 0, isFollowed = false, ...options }: FeedOptions,
): FeedResult {
  const reported: OkPacket[] = [];
  const tracker = trackerFor(options, reported);
  tracker.begin(row, packets[0]!.sequence, asksForCursor(packets[0]!.payload));
  tracker.join(tracker.nextSequence + shift, isFollowed);
  const feed = new Feed(tracker);
  for (const run of runsOf(packets.slice(1))) {
    if (run[0]!.direction === ">") {
      tracker.resume(run.at(-1)!.sequence + shift);
      continue;
    }
    const bytes = concat(run.map((packet) => packet.bytes));
    let at = 0;
    for (const size of cut(bytes.length)) {
      feed.add(bytes.subarray(at, at + size));
      at += size;
    }
  }
  return {
    output: concat(feed.output),
    tracker,
    doneAfter: feed.doneAfter,
    total: feed.arrived,
    reported,
  };
}

/** Whether a request is an execution with a cursor. */
export function asksForCursor(request: Uint8Array): boolean {
  return request[0] === Command.STMT_EXECUTE && (request[5]! & ANY_CURSOR) !== 0;
}

/** The buffer in front of a tracker. */
export class Feed {
  readonly output: Uint8Array[] = [];
  doneAfter: number | undefined;
  /** Bytes that have arrived. */
  arrived = 0;
  readonly #tracker: ReplyTracker;
  #held: Uint8Array = new Uint8Array(0);

  constructor(tracker: ReplyTracker) {
    this.#tracker = tracker;
    if (tracker.done) this.doneAfter = 0;
  }

  /** Bytes that the tracker has not let pass. */
  get held(): number {
    return this.#held.length;
  }

  add(bytes: Uint8Array): void {
    const tracker = this.#tracker;
    this.arrived += bytes.length;
    const buffer = concat([this.#held, bytes]);
    const passed = tracker.feed(buffer, 0, buffer.length);
    this.output.push(buffer.slice(0, passed));
    this.#held = buffer.slice(passed, tracker.end);
    if (tracker.done && this.doneAfter === undefined) this.doneAfter = this.arrived;
  }
}

/** Packets in groups of one direction. */
function runsOf(packets: readonly FixturePacket[]): FixturePacket[][] {
  const runs: FixturePacket[][] = [];
  for (const packet of packets) {
    if (runs.at(-1)?.[0]?.direction === packet.direction) runs.at(-1)!.push(packet);
    else runs.push([packet]);
  }
  return runs;
}

/** The request that an exchange begins with, undefined for a login. */
export function requestOf({ packets }: Exchange): FixturePacket | undefined {
  const first = packets[0]!;
  return first.direction === ">" && first.payload.length > 0 ? first : undefined;
}
