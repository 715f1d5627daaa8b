/**
 * Session-track data of OK packets, applied to the known state of the server session that sent it.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_ok_packet.html
 */
import { PacketReader } from "../protocol/bytes.ts";
import { SessionTrack } from "../protocol/constants.ts";
import { decodeTrackedVariables, type OkPacket } from "../protocol/response.ts";
import type { Dialect } from "./dialect.ts";
import { type SessionState, type StateValue, textOf, Unread } from "./session_state.ts";
import { CONNECTION, hiddenCollations, INSERT_ID, rowOf, SET_BY_SCHEMA } from "./variables.ts";

/** What an OK has reported beside values of variables; bits. */
export const Tracked = {
  SCHEMA: 1,
  /** Something of the session changed, be there a report of its own or none. */
  STATE: 1 << 1,
  TRANSACTION: 1 << 2,
  /** The session changed what is reported to it: the login statement must run again. */
  TRACKING: 1 << 3,
  /** A variable for the next statement was set: insert_id, rand_seed1, gtid_next … */
  ONCE: 1 << 4,
} as const;

export interface TrackOptions {
  readonly dialect: Dialect;
  /**
   * The report may be of values that do not last: reports in the middle of a procedure's results,
   * and everything from statements that set variables for their own time (SET STATEMENT).
   */
  readonly isPassing?: boolean;
  /**
   * The statement's text, which tells what reports do not: the collation of SET NAMES, and SET
   * CHARACTER SET from it. Without it the collation is left to be read.
   */
  readonly statement?: string | undefined;
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
  let schema: string | undefined;
  const variables: [string, string][] = [];
  for (const { type, data } of ok.track) {
    switch (type) {
      case SessionTrack.SYSTEM_VARIABLES:
        for (const pair of decodeTrackedVariables(data)) variables.push(pair);
        break;
      case SessionTrack.SCHEMA:
        schema = new PacketReader(data, "tracked schema").lenencText();
        seen |= Tracked.SCHEMA;
        break;
      case SessionTrack.STATE_CHANGE:
        seen |= Tracked.STATE;
        break;
      case SessionTrack.TRANSACTION_CHARACTERISTICS:
        seen |= Tracked.TRANSACTION;
        break;
      default:
    }
  }
  if (schema !== undefined) applySchema(known, schema, variables, options);
  if (variables.length > 0) {
    const hasSchema = (seen & Tracked.SCHEMA) !== 0;
    seen |= applyVariables(known, variables, { ...options, hasSchema });
  }
  if (options.settles === true) known.isPending = false;
  return seen;
}

function applySchema(
  known: SessionState,
  schema: string,
  variables: readonly (readonly [string, string])[],
  { dialect }: TrackOptions,
): void {
  // What a routine's own schema was, for as long as it ran, is told as if it had been left.
  const isReturn = schema === "" && known.schema === "";
  const setsServer = () => variables.some(([name]) => name === COLLATION_SERVER);
  if (isReturn && !returnResets(known, dialect) && !setsServer()) return;
  enterSchema(known, schema, dialect);
}

/** What counts where no schema is selected, as it was when that began. */
const COLLATION_SERVER = "collation_server";

/**
 * Whether going to another schema and back, as servers do to load routines and to run them, leaves
 * another collation than was there before: they take the schema's own, or without a schema the
 * server's as it is set then.
 */
export function returnResets({ schema, variables }: SessionState, dialect: Dialect): boolean {
  if (dialect === "oceanbase") return false;
  return variables.has(SET_BY_SCHEMA) || (schema === "" && variables.has(COLLATION_SERVER));
}

/** Selects a schema, with what that sets. */
export function enterSchema(known: SessionState, schema: string, dialect: Dialect): void {
  known.setSchema(schema);
  known.dropVariable(SET_BY_SCHEMA);
  // Without a schema, collation_server as it was at that moment counts.
  if (schema === "" && dialect !== "oceanbase") known.setVariable(SET_BY_SCHEMA, new Unread());
}

function applyVariables(
  known: SessionState,
  reported: readonly (readonly [string, string])[],
  options: TrackOptions & { readonly hasSchema: boolean },
): number {
  const { dialect, hasSchema, statement } = options;
  const names = new Set(reported.map(([name]) => name.toLowerCase()));
  let seen = 0;
  for (const [reportedName, text] of reported) {
    const row = rowOf(reportedName.toLowerCase(), dialect);
    const name = row.sameAs ?? reportedName.toLowerCase();
    switch (row.report ?? "value") {
      case "nothing":
        break;
      case "tracking":
        seen |= Tracked.TRACKING;
        break;
      case "once":
        seen |= Tracked.ONCE;
        break;
      case "clock":
        applyClock(known, name, text, options);
        break;
      case "value":
        // OceanBase's own, which come unasked.
        if (dialect === "oceanbase" && name.startsWith("_")) continue;
        // The change of schema has set it; one that MariaDB tells late has not.
        if (name === SET_BY_SCHEMA && hasSchema && statement === undefined) continue;
        if (row.partOf !== undefined) leaveOpen(known, row.partOf, names);
        else keep(known, name, text, options);
        if (row.changes !== undefined) leaveOpen(known, row.changes, names);
    }
  }
  if (dialect !== "oceanbase") followCollations(known, new Map(reported), options);
  return seen;
}

/**
 * SET NAMES gives character sets the connection's collation, everything else their own. So a report
 * of one together with the connection's, and without its collation, is that of SET NAMES, unless it
 * is that of SET CHARACTER SET.
 */
function followCollations(
  known: SessionState,
  reported: ReadonlyMap<string, string>,
  { dialect, isPassing, statement = "" }: TrackOptions,
): void {
  const charset = reported.get("character_set_connection");
  const isNames = isPassing !== true && charset !== undefined && !reported.has(CONNECTION) &&
    !CHARACTER_SET.test(statement);
  const given = isNames ? NAMES.exec(statement)?.[1] : undefined;
  if (given !== undefined) known.setVariable(CONNECTION, given.toLowerCase());
  for (const [name, collation] of hiddenCollations(dialect)) {
    const set = reported.get(name);
    if (set !== undefined) {
      const isGiven = isNames && set === charset;
      known.setVariable(collation, isGiven ? known.variable(CONNECTION) ?? "" : "");
    } else if (isUnread(known.variable(collation))) {
      // What would have told it has changed.
      if (charset !== undefined || reported.has(CONNECTION)) known.setVariable(collation, "");
    }
  }
}

const NAMES = /^\s*set\s+names\s+['"]?\w+['"]?\s+collate\s+['"]?(\w+)['"]?\s*(?:;\s*)?$/i;
const CHARACTER_SET = /^\s*set\s+char/i;

function isUnread(value: StateValue | undefined): boolean {
  return value !== undefined && textOf(value) === undefined;
}

function keep(
  known: SessionState,
  name: string,
  text: string,
  { isPassing, settles }: TrackOptions,
): void {
  if (name === INSERT_ID) {
    known.insertId = text;
    return;
  }
  if (isPassing === true) return known.setVariable(name, new Unread());
  const old = known.variables.get(name);
  const isOpen = old instanceof Unread && old.text === undefined;
  if (settles !== true || !isOpen) return known.setVariable(name, text);
  // Every state that has the value gets to know it, not only this one.
  old.text = text;
}

/** Unless the report has the variable itself. */
function leaveOpen(known: SessionState, name: string, reported: ReadonlySet<string>): void {
  if (!reported.has(name)) known.setVariable(name, new Unread());
}

function applyClock(known: SessionState, name: string, text: string, options: TrackOptions): void {
  if (Number(text) === 0) known.dropVariable(name);
  else if (options.settles !== true) known.setVariable(name, new Unread(text));
}

/** A variable that binds its session to the server session, or no longer does. */
export interface SpecialVariable {
  readonly name: string;
  /** It was given the value that it has by itself. */
  readonly isOver: boolean;
}

const ORDINARY: ReadonlyMap<string, string> = new Map([
  ["gtid_next", "AUTOMATIC"],
  ["gtid_seq_no", "0"],
  ["system_versioning_asof", "DEFAULT"],
]);

/** Those that make {@link applyTrack} say ONCE. */
export function specialVariables(ok: OkPacket, dialect: Dialect): SpecialVariable[] {
  return ok.track.filter(({ type }) => type === SessionTrack.SYSTEM_VARIABLES)
    .flatMap(({ data }) => decodeTrackedVariables(data))
    .filter(([name]) => rowOf(name, dialect).report === "once")
    .map(([name, text]) => ({ name, isOver: ORDINARY.get(name) === text }));
}

/**
 * Statements that would begin the same transaction; undefined where they were not reported.
 * https://dev.mysql.com/doc/refman/9.0/en/session-state-tracking.html
 */
export function trackedCharacteristics(ok: OkPacket): string | undefined {
  const entry = ok.track.findLast(({ type }) => type === SessionTrack.TRANSACTION_CHARACTERISTICS);
  return entry && new PacketReader(entry.data, "tracked transaction").lenencText();
}
