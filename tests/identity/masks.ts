/**
 * The one table of what is not compared, and why. Everything else of every packet is, its sequence
 * number included.
 */
import type { EngineName } from "../../src/dev/engines/engine.ts";
import { Capability, Status } from "../../src/protocol/constants.ts";

/** A packet of a reply with its header. */
export type Frame = Uint8Array;

export interface Mask {
  /** What differs between two sessions that run the same statements. */
  readonly reason: string;
  /** Engines that need it; all unless given. */
  readonly engines?: readonly EngineName[];
  readonly apply: (frames: readonly Frame[], capabilities: number) => Frame[];
}

export const MASKS = {
  values: {
    reason: "values of the session itself: thread ids, ports, transferred bytes, times of day",
    apply: (frames, capabilities) => mapRows(frames, capabilities, headOnly),
  },
  rows: {
    reason: "rows about other sessions or the whole server, as many as there are at the moment",
    apply: dropRows,
  },
  own: {
    reason: "what the proxy answers itself, of its own sessions: lists, KILL and CONNECTION_ID()",
    apply: () => [],
  },
  text: {
    reason: "COM_STATISTICS: one text of uptime and counters of the whole server",
    apply: (frames) => frames.map(headOnly),
  },
  statement: {
    reason: "ids of prepared statements: MariaDB counts them on from a session that has ended",
    engines: ["mariadb"],
    apply: withoutStatementId,
  },
  unreported: {
    reason: "MariaDB, clients without session tracking that switch its variables on: EOF packets " +
      "keep the flag of changes that no OK has reported, and to the proxy one has",
    engines: ["mariadb"],
    apply: (frames, capabilities) =>
      (capabilities & Capability.SESSION_TRACK) !== 0 ? [...frames] : frames.map(withoutChange),
  },
  digits: {
    reason: "ids of threads and of prepared statements in messages",
    apply: (frames) => frames.map(withoutDigits),
  },
  login: {
    reason:
      "COM_CHANGE_USER: nonces are random, and the proxy authenticates clients itself, by the " +
      "plugin of its own choice, before it logs in on the server; of its answer only the kind counts",
    apply: (frames) => frames.slice(-1).map(errOrHead),
  },
} as const satisfies Record<string, Mask>;

export type MaskName = keyof typeof MASKS;

/** The mask of that name, if the engine needs it. */
export function maskFor(name: MaskName | undefined, engine: EngineName): Mask | undefined {
  const mask: Mask | undefined = name && MASKS[name];
  return mask?.engines?.includes(engine) === false ? undefined : mask;
}

/** Of a refusal, which is the proxy's own, the error code too. */
function errOrHead(frame: Frame): Frame {
  return frame.slice(4, frame[4] === 0xff ? 7 : 5);
}

function headOnly(frame: Frame): Frame {
  return frame.slice(3, 4);
}

function withoutStatementId(frames: readonly Frame[]): Frame[] {
  return frames.map((frame, index) =>
    index > 0 || frame[4] !== 0x00
      ? frame
      : Uint8Array.from([...frame.subarray(0, 5), ...frame.subarray(9)])
  );
}

function withoutChange(frame: Frame): Frame {
  if (frame.length !== 9 || frame[4] !== 0xfe) return frame;
  const copy = frame.slice();
  copy[8]! &= ~(Status.SESSION_STATE_CHANGED >> 8);
  return copy;
}

/** Header of three bytes less, since a thread id may be longer than another. */
function withoutDigits(frame: Frame): Frame {
  const text = new TextDecoder("latin1").decode(frame.subarray(3)).replaceAll(/\d+/g, "#");
  return Uint8Array.from(text, (letter) => letter.codePointAt(0)!);
}

/** Where the rows of a reply with one result set begin. */
function firstRow(frames: readonly Frame[], capabilities: number): number {
  const head = frames[0]!;
  const hasDefinitions = head.length === 5 || head[5] === 1;
  const definitions = hasDefinitions ? head[4]! : 0;
  return 1 + definitions + ((capabilities & Capability.DEPRECATE_EOF) !== 0 ? 0 : 1);
}

function mapRows(
  frames: readonly Frame[],
  capabilities: number,
  change: (frame: Frame) => Frame,
): Frame[] {
  const from = firstRow(frames, capabilities);
  return frames.map((frame, index) =>
    index >= from && index < frames.length - 1 ? change(frame) : frame
  );
}

/** The last packet loses its header: its number counts the rows. */
function dropRows(frames: readonly Frame[], capabilities: number): Frame[] {
  const from = firstRow(frames, capabilities);
  return [...frames.slice(0, from), ...frames.slice(-1).map((frame) => frame.slice(4))];
}
