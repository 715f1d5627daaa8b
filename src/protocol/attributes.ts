/**
 * Connection attributes: names and values that clients tell of themselves.
 * https://dev.mysql.com/doc/refman/9.0/en/performance-schema-connection-attribute-tables.html
 */
import { PacketReader, PacketWriter } from "./bytes.ts";

const UNDERSCORE = 0x5f;

/** What most clients tell of themselves: one for all of them. */
const NONE = new Uint8Array(0);

/** @param bytes pairs of length-encoded texts, without their total length. @throws {ProtocolError} */
export function decodeAttributes(bytes: Uint8Array): [name: string, value: string][] {
  const reader = new PacketReader(bytes, "connection attributes");
  const pairs: [string, string][] = [];
  while (reader.remaining > 0) pairs.push([reader.lenencText(), reader.lenencText()]);
  return pairs;
}

export function encodeAttributes(pairs: readonly (readonly [string, string])[]): Uint8Array {
  const writer = new PacketWriter();
  for (const [name, value] of pairs) writer.lenencText(name).lenencText(value);
  return writer.view().slice();
}

/** The value of one attribute; undefined where it is not there. @throws as {@link decodeAttributes} */
export function attributeOf(bytes: Uint8Array, name: string): string | undefined {
  return decodeAttributes(bytes).find(([one]) => one === name)?.[1];
}

/**
 * The attributes that a server may see. Names with two underscores are a talk between OceanBase's
 * drivers, proxies and servers: passed on, they would switch the server to another protocol.
 * @returns a copy
 */
export function passedAttributes(bytes: Uint8Array): Uint8Array {
  const reader = new PacketReader(bytes, "connection attributes");
  const writer = new PacketWriter(bytes.length);
  while (reader.remaining > 0) {
    const name = reader.lenencBytes();
    const value = reader.lenencBytes();
    if (name[0] === UNDERSCORE && name[1] === UNDERSCORE) continue;
    writer.lenencBytes(name).lenencBytes(value);
  }
  return writer.length === 0 ? NONE : writer.view();
}
