/**
 * Session-track data of OK packets, applied to the known state of the server session that sent it.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_ok_packet.html
 */
import { PacketReader } from "../protocol/bytes.ts";
import { SessionTrack } from "../protocol/constants.ts";
import { decodeTrackedVariables, type OkPacket } from "../protocol/response.ts";
import type { Dialect } from "./dialect.ts";
import { type SessionState, Unread } from "./session_state.ts";
import { rowOf, SET_BY_SCHEMA } from "./variables.ts";

/** What an OK has reported; bits. */
export const Tracked = {
  SCHEMA: 1,
  VARIABLES: 1 << 1,
  /** Something of the session changed; alone, it is something that has no report of its own. */
  STATE: 1 << 2,
  TRANSACTION: 1 << 3,
  /** The session changed what is reported to it: the login statement must run again. */
  TRACKING: 1 << 4,
  /** A variable for the next statement was set: insert_id, rand_seed1, gtid_next … */
  ONCE: 1 << 5,
} as const;

export interface TrackOptions {
  readonly dialect: Dialect;
  /**
   * The report may be of values that do not last: reports in the middle of a procedure's results,
   * and everything from statements that set variables for their own time (SET STATEMENT).
   */
  readonly isPassing?: boolean;
  /** The OK answers `settlement.set`: what it reports was there before. */
  readonly settles?: boolean;
}

/**
 * Applies a report.
 * @returns bits of {@link Tracked}
 * @throws {ProtocolError}
 */
export function applyTrack(known: SessionState, ok: OkPacket, options: TrackOptions): number {
  let seen = 0;
  const variables: [string, string][] = [];
  for (const { type, data } of ok.track) {
    switch (type) {
      case SessionTrack.SYSTEM_VARIABLES:
        for (const pair of decodeTrackedVariables(data)) variables.push(pair);
        break;
      case SessionTrack.SCHEMA:
        known.setSchema(new PacketReader(data, "tracked schema").lenencText());
        known.dropVariable(SET_BY_SCHEMA);
        seen |= Tracked.SCHEMA;
        break;
      case SessionTrack.STATE_CHANGE:
        seen |= Tracked.STATE;
        break;
      case SessionTrack.TRANSACTION_CHARACTERISTICS:
      case SessionTrack.TRANSACTION_STATE:
        seen |= Tracked.TRANSACTION;
        break;
      default:
    }
  }
  if (variables.length > 0) seen |= applyVariables(known, variables, options);
  if (options.settles === true) known.isPending = false;
  return seen;
}

function applyVariables(
  known: SessionState,
  reported: readonly (readonly [string, string])[],
  options: TrackOptions,
): number {
  const { dialect } = options;
  const names = new Set(reported.map(([name]) => name.toLowerCase()));
  let seen = 0;
  for (const [reportedName, text] of reported) {
    const row = rowOf(reportedName.toLowerCase(), dialect);
    const name = row.sameAs ?? reportedName.toLowerCase();
    switch (row.report ?? "value") {
      case "nothing":
        continue;
      case "tracking":
        seen |= Tracked.TRACKING;
        continue;
      case "once":
        seen |= Tracked.ONCE;
        continue;
      case "clock":
        applyClock(known, name, text, options);
        break;
      case "value":
        // OceanBase's own, which come unasked.
        if (dialect === "oceanbase" && name.startsWith("_")) continue;
        if (row.partOf !== undefined) leaveOpen(known, row.partOf, names);
        else keep(known, name, text, options);
        if (row.changes !== undefined) leaveOpen(known, row.changes, names);
    }
    seen |= Tracked.VARIABLES;
  }
  return seen;
}

function keep(
  known: SessionState,
  name: string,
  text: string,
  { isPassing, settles }: TrackOptions,
): void {
  if (isPassing === true) return known.setVariable(name, new Unread());
  const old = known.variables.get(name);
  if (settles !== true || !(old instanceof Unread)) return known.setVariable(name, text);
  // Every state that has the value gets to know it, not only this one.
  old.text ??= text;
}

/** Unless the report has the variable itself. */
function leaveOpen(known: SessionState, name: string, reported: ReadonlySet<string>): void {
  if (!reported.has(name)) known.setVariable(name, new Unread());
}

function applyClock(known: SessionState, name: string, text: string, options: TrackOptions): void {
  if (Number(text) === 0) known.dropVariable(name);
  else if (options.settles !== true) known.setVariable(name, new Unread(text));
}

/** The part of a tracked transaction that decides about pins. */
export interface TrackedTransaction {
  /** Eight characters such as `T_______` and `_______L`; undefined where it was not reported. */
  readonly state: string | undefined;
  /** Statements that would begin the same transaction; undefined where they were not reported. */
  readonly characteristics: string | undefined;
}

/** https://dev.mysql.com/doc/refman/9.0/en/session-state-tracking.html */
export function trackedTransaction(ok: OkPacket): TrackedTransaction {
  const text = (wanted: number) => {
    const entry = ok.track.findLast(({ type }) => type === wanted);
    return entry && new PacketReader(entry.data, "tracked transaction").lenencText();
  };
  return {
    state: text(SessionTrack.TRANSACTION_STATE),
    characteristics: text(SessionTrack.TRANSACTION_CHARACTERISTICS),
  };
}
