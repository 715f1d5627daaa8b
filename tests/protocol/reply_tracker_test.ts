import { assert, assertEquals } from "@std/assert";
import { concat, decodeText } from "../../src/protocol/bytes.ts";
import { Capability, Command, Status } from "../../src/protocol/constants.ts";
import { type CommandRow, commandRow } from "../../src/protocol/replies.ts";
import { decodeOk, withoutSessionTrack } from "../../src/protocol/response.ts";
import { type Exchange, type Fixture, loadFixtures } from "../support/fixture.ts";
import { chooseSeed, seededRandom } from "../support/random.ts";
import {
  byteWise,
  type Cutter,
  feedExchange,
  randomCuts,
  requestOf,
  whole,
} from "../support/reply_feed.ts";

interface Case {
  readonly name: string;
  readonly fixture: Fixture;
  readonly exchange: Exchange;
  readonly row: CommandRow;
}

/** Every captured exchange of a command that servers take. */
function cases(): Case[] {
  return loadFixtures().flatMap((fixture) =>
    fixture.exchanges.flatMap((exchange): Case[] => {
      const request = requestOf(exchange);
      const row = request && commandRow(request.payload[0]!);
      if (!row || wasCutOff(exchange, row)) return [];
      return [{ name: `${fixture.name}: ${exchange.note}`, fixture, exchange, row }];
    })
  );
}

/** Servers close instead of replying to what comes behind the end of their binlog. */
function wasCutOff({ packets }: Exchange, row: CommandRow): boolean {
  return packets.length === 1 && row.shape !== "none";
}

/** A replica that left: the stream has no end. */
function isOpenEnded({ exchange, row }: Case): boolean {
  const { payload } = exchange.packets.at(-1)!;
  return row.shape === "stream" && payload[0] === 0x00;
}

const seed = chooseSeed();
const random = seededRandom(seed);

const MANNERS: readonly [string, Cutter, number][] = [
  ["whole", whole, 1 << 16],
  ["whole, packets over 24 bytes may pass in parts", whole, 24],
  ["byte by byte", byteWise, 1 << 16],
  ["byte by byte, packets over 24 bytes may pass in parts", byteWise, 24],
  [`cut anywhere, seed ${seed}`, randomCuts(random), 1 << 16],
  [`cut anywhere, packets over 24 bytes may pass in parts, seed ${seed}`, randomCuts(random), 24],
];

for (const [title, cut, wholeUpTo] of MANNERS) {
  Deno.test(`every captured reply ends where the tracker says, ${title}`, () => {
    for (const one of cases()) {
      const { name, fixture: { capabilities, extendedCapabilities }, exchange, row } = one;
      const result = feedExchange(row, exchange.packets, {
        capabilities,
        extendedCapabilities,
        wholeUpTo,
        cut,
      });
      const replies = exchange.packets.filter(({ direction }) => direction === "<");
      const expected = isOpenEnded(one) ? undefined : result.total;
      assertEquals(result.doneAfter, expected, `${name}: done after`);
      assert(
        equal(result.output, concat(replies.map(({ bytes }) => bytes))),
        `${name}: bytes changed`,
      );
    }
  });
}

Deno.test("the tracker knows the status and the error of the last packet", () => {
  for (const one of cases()) {
    const { name, fixture, exchange, row } = one;
    const { payload, direction } = exchange.packets.at(-1)!;
    if (direction === ">" || row.shape === "text" || isOpenEnded(one)) continue;
    const { capabilities, extendedCapabilities } = fixture;
    const { tracker } = feedExchange(row, exchange.packets, {
      capabilities,
      extendedCapabilities,
      cut: whole,
    });
    if (payload[0] === 0xff) {
      assertEquals(tracker.errorCode, payload[1]! | (payload[2]! << 8), name);
    } else if (payload[0] === 0xfe && payload.length < 7) {
      assertEquals(tracker.errorCode, 0, name);
      if (row.shape !== "stream") {
        assertEquals(tracker.status, payload[3]! | (payload[4]! << 8), name);
      }
    } else if (row.shape !== "prepare" && row.shape !== "stream") {
      const status = decodeOk(payload, capabilities).status & ~Status.SESSION_STATE_CHANGED;
      assertEquals(tracker.errorCode, 0, name);
      assertEquals(tracker.status & ~Status.SESSION_STATE_CHANGED, status, name);
    }
  }
});

for (const [title, cut] of [["whole", whole], ["byte by byte", byteWise]] as const) {
  Deno.test(`session-track data is reported and taken out, ${title}`, () => {
    let reports = 0;
    for (const { name, fixture, exchange, row } of cases()) {
      const { capabilities, extendedCapabilities } = fixture;
      if ((capabilities & Capability.SESSION_TRACK) === 0) continue;
      const shown = feedExchange(row, exchange.packets, {
        capabilities,
        extendedCapabilities,
        cut,
      });
      const hidden = feedExchange(row, exchange.packets, {
        capabilities,
        extendedCapabilities,
        cut,
        hidesSessionTrack: true,
      });
      assertEquals(hidden.reported, shown.reported, name);
      assertEquals(hidden.doneAfter, shown.doneAfter, name);
      reports += shown.reported.length;
      const [before, after] = [split(shown.output), split(hidden.output)];
      assertEquals(after.length, before.length, name);
      before.forEach((packet, index) => {
        const payload = after[index]!.subarray(4);
        assertEquals(after[index]![3], packet[3], `${name}: sequence number`);
        if (equal(payload, packet.subarray(4))) return;
        assert(equal(payload, withoutSessionTrack(packet.subarray(4))), `${name}: packet ${index}`);
        assertEquals(decodeOk(payload, 0).status & Status.SESSION_STATE_CHANGED, 0, name);
      });
    }
    assert(reports > 100, `${reports} reports`);
  });
}

/**
 * The same statements with session tracking and without: what the tracker makes of the first must
 * be what servers send in the second.
 */
const PAIRS = [
  "mariadb_state",
  "mysql_state",
  "seekdb_state",
  "seekdb_text",
  "seekdb_results",
  "seekdb_infile",
];

for (const pair of PAIRS) {
  Deno.test(`${pair}: hidden session-track data leaves what a plain session gets`, () => {
    const tracked = cases().filter(({ fixture }) => fixture.name === `${pair}_tracked`);
    const plain = cases().filter(({ fixture }) => fixture.name === `${pair}_classic`);
    assertEquals(tracked.length, plain.length);
    assert(tracked.length > 0);
    tracked.forEach(({ fixture, exchange, row, name }, index) => {
      if (exchange.note.endsWith("FROM loaded")) return; // the table grows from session to session
      const { output } = feedExchange(row, exchange.packets, {
        capabilities: fixture.capabilities,
        hidesSessionTrack: true,
        isOceanBase: pair.startsWith("seekdb"),
        cut: whole,
      });
      const expected = plain[index]!.exchange.packets.filter(({ direction }) => direction === "<");
      assertEquals(split(output).map(masked), expected.map(({ bytes }) => masked(bytes)), name);
    });
  });
}

/**
 * A packet without what differs between any two sessions: the last insert id and the counts in the
 * text of an OK; and without the flag for changed state, which MariaDB leaves in the EOF packets of
 * plain sessions.
 */
function masked(packet: Uint8Array): string {
  const isEof = packet[4] === 0xfe && packet.length === 9;
  if (isEof) return `${packet.subarray(0, 8).toHex()} ${packet[8]! & ~0x40}`;
  if (packet[4] !== 0x00 || packet.length < 11) return packet.toHex();
  const { head, affectedRows, status, warnings, info } = decodeOk(packet.subarray(4), 0);
  const text = decodeText(info).replaceAll(/[0-9]+/g, "N");
  return JSON.stringify([packet[3], head, affectedRows, status, warnings, text]);
}

function split(bytes: Uint8Array): Uint8Array[] {
  const packets: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 4 + (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16));
    packets.push(bytes.subarray(at, end));
    at = end;
  }
  return packets;
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

Deno.test("the fixtures have every command that has a reply", () => {
  const seen = new Set(
    cases().map(({ exchange }) => requestOf(exchange)!.payload[0]!),
  );
  const wanted = Object.values(Command).filter((byte) => {
    const row = commandRow(byte);
    return row !== undefined && row.shape !== "tunnel" && byte !== Command.SHUTDOWN;
  });
  assertEquals(wanted.filter((byte) => !seen.has(byte)), []);
});
