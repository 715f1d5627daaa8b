/**
 * Connection attributes: names and values that clients tell of themselves, as pairs of
 * length-encoded texts without their total length.
 * https://dev.mysql.com/doc/refman/9.0/en/performance-schema-connection-attribute-tables.html
 */
import { PacketReader } from "./bytes.ts";

/** What most clients tell of themselves: one for all of them. */
const NONE = new Uint8Array(0);

/**
 * The value of one attribute; undefined where it is not there. What is behind it is not looked at.
 * @param name ASCII: it is compared byte by byte, since every login looks some up
 * @throws {ProtocolError}
 */
export function attributeOf(bytes: Uint8Array, name: string): string | undefined {
  const reader = new PacketReader(bytes, "connection attributes");
  while (reader.remaining > 0) {
    const length = reader.lenencLength();
    const start = reader.offset;
    reader.skip(length);
    if (length === name.length && startsWith(bytes, start, name)) return reader.lenencText();
    reader.skip(reader.lenencLength());
  }
  return undefined;
}

function startsWith(bytes: Uint8Array, start: number, name: string): boolean {
  for (let at = 0; at < name.length; at++) {
    if (bytes[start + at] !== name.charCodeAt(at)) return false;
  }
  return true;
}

/**
 * The attributes that a server may see. Names with two underscores are a talk between OceanBase's
 * drivers, proxies and servers: passed on, they would switch the server to another protocol.
 * @returns a copy @throws {ProtocolError}
 */
export function passedAttributes(bytes: Uint8Array): Uint8Array {
  if (bytes.length === 0) return NONE;
  const passed = bytes.slice();
  const reader = new PacketReader(passed, "connection attributes");
  let end = 0;
  while (reader.remaining > 0) {
    const start = reader.offset;
    const length = reader.lenencLength();
    const isWithheld = length >= 2 && startsWith(passed, reader.offset, "__");
    reader.skip(length);
    reader.skip(reader.lenencLength());
    if (isWithheld) continue;
    if (end < start) passed.copyWithin(end, start, reader.offset);
    end += reader.offset - start;
  }
  if (end === 0) return NONE;
  return end === passed.length ? passed : passed.slice(0, end);
}
