/**
 * OK, ERR and EOF packets, with session-track data.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_response_packets.html
 */
import { bytesOfText, textOfBytes } from "./byte_text.ts";
import { PacketReader, PacketWriter } from "./bytes.ts";
import { Capability, Head, SessionTrack, Status } from "./constants.ts";

/** One reported change of session state. Values are bytes: names and values may be of any charset. */
export interface TrackEntry {
  readonly type: number;
  readonly data: Uint8Array;
}

export interface OkPacket {
  /** 0x00, or 0xfe where an OK ends a result set. */
  readonly head: number;
  readonly affectedRows: number | bigint;
  readonly lastInsertId: number | bigint;
  readonly status: number;
  readonly warnings: number;
  readonly info: Uint8Array;
  readonly track: readonly TrackEntry[];
}

/** @throws {ProtocolError} */
export function decodeOk(payload: Uint8Array, capabilities: number): OkPacket {
  const reader = new PacketReader(payload, "OK packet");
  const head = reader.u8();
  const affectedRows = reader.lenencInt();
  const lastInsertId = reader.lenencInt();
  const status = reader.u16();
  const warnings = reader.u16();
  let info: Uint8Array = new Uint8Array(0);
  const track: TrackEntry[] = [];
  if ((capabilities & Capability.SESSION_TRACK) === 0) {
    info = reader.rest();
  } else if (reader.remaining > 0) {
    info = reader.lenencBytes();
    if ((status & Status.SESSION_STATE_CHANGED) !== 0 && reader.remaining > 0) {
      const entries = new PacketReader(reader.lenencBytes(), "session-track data");
      while (entries.remaining > 0) {
        track.push({ type: entries.u8(), data: entries.lenencBytes() });
      }
    }
  }
  return { head, affectedRows, lastInsertId, status, warnings, info, track };
}

export function encodeOk(ok: OkPacket, capabilities: number): Uint8Array {
  const writer = new PacketWriter(32)
    .u8(ok.head)
    .lenencInt(ok.affectedRows)
    .lenencInt(ok.lastInsertId)
    .u16(ok.status)
    .u16(ok.warnings);
  if ((capabilities & Capability.SESSION_TRACK) === 0) return writer.bytes(ok.info).view();
  // As servers do: an OK without text and changes ends after the warnings.
  if (ok.info.length > 0 || ok.track.length > 0) writer.lenencBytes(ok.info);
  if (ok.track.length > 0) {
    const entries = new PacketWriter(64);
    for (const entry of ok.track) entries.u8(entry.type).lenencBytes(entry.data);
    writer.lenencBytes(entries.view());
  }
  return writer.view();
}

/** The plain OK of the proxy's own answers. */
export function plainOk(status: number): OkPacket {
  return {
    head: Head.OK,
    affectedRows: 0,
    lastInsertId: 0,
    status,
    warnings: 0,
    info: new Uint8Array(0),
    track: [],
  };
}

/**
 * The same OK as a server sends it to a client without CLIENT_SESSION_TRACK: no track data and no
 * flag for it. The text keeps its length, whatever the documentation says of it; OceanBase has a
 * blank in that place, and in the middle of several results already beside the length.
 */
export function withoutSessionTrack(payload: Uint8Array, isOceanBase = false): Uint8Array {
  const ok = decodeOk(payload, Capability.SESSION_TRACK);
  const status = ok.status & ~Status.SESSION_STATE_CHANGED;
  return encodeOk({ ...ok, status, info: bareText(ok.info, isOceanBase), track: [] }, 0);
}

function bareText(info: Uint8Array, isOceanBase: boolean): Uint8Array {
  if (info.length === 0 || (isOceanBase && info[0] === 0x20)) return info;
  const writer = new PacketWriter(info.length + 9);
  return isOceanBase ? writer.u8(0x20).bytes(info).view() : writer.lenencBytes(info).view();
}

/** An id that no server gives: one that it certainly does not know, with as many digits as any. */
export const NO_STATEMENT = 0x7fff_ffff;

/** An ERR about a statement that is not there, with the client's own id in place of that one. */
export function withStatementId(payload: Uint8Array, id: number): Uint8Array {
  // One character a byte: the words may be in any character set.
  const text = textOfBytes(payload).replace(`(${NO_STATEMENT})`, `(${id})`);
  return bytesOfText(text);
}

/** Name and value of a SYSTEM_VARIABLES entry; OceanBase 1.x puts several into one entry. */
export function decodeTrackedVariables(data: Uint8Array): [name: string, value: string][] {
  const reader = new PacketReader(data, "tracked system variable");
  const pairs: [string, string][] = [];
  while (reader.remaining > 0) pairs.push([reader.lenencText(), reader.lenencText()]);
  return pairs;
}

/** The schema that an OK reports, or undefined where it reports none. */
export function trackedSchema(ok: OkPacket): string | undefined {
  const entry = ok.track.findLast((one) => one.type === SessionTrack.SCHEMA);
  return entry && new PacketReader(entry.data, "tracked schema").lenencText();
}

export interface ErrPacket {
  readonly code: number;
  /** Five characters; servers leave it out before the client has logged in. */
  readonly sqlState: string;
  readonly message: string;
}

/** @throws {ProtocolError} */
export function decodeErr(payload: Uint8Array): ErrPacket {
  const reader = new PacketReader(payload, "ERR packet");
  const head = reader.u8();
  if (head !== Head.ERR) reader.fail(`expected head 0xff, got 0x${head.toString(16)}`);
  const code = reader.u16();
  let sqlState = "HY000";
  if (reader.remaining >= 6 && reader.peek() === 0x23) {
    reader.skip(1);
    sqlState = new TextDecoder().decode(reader.bytes(5));
  }
  return { code, sqlState, message: reader.restText() };
}

export function encodeErr(err: ErrPacket): Uint8Array {
  return new PacketWriter(64)
    .u8(Head.ERR)
    .u16(err.code)
    .u8(0x23)
    .text(err.sqlState)
    .text(err.message)
    .view();
}

export interface EofPacket {
  readonly warnings: number;
  readonly status: number;
}

export function encodeEof(eof: EofPacket): Uint8Array {
  return new PacketWriter(5).u8(Head.EOF).u16(eof.warnings).u16(eof.status).view();
}
