/**
 * Reading and writing the protocol's basic types. Nothing else indexes message bytes, except the
 * packet walk of the reply tracker.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_data_types.html
 */
import { ProtocolError } from "../errors.ts";

const decoder = new TextDecoder();
const encoder = new TextEncoder();
const EMPTY = new Uint8Array(0);

/** Up to this length ASCII is converted here: calling into the runtime costs more than a loop. */
const SHORT = 64;

/** UTF-8 text of bytes; invalid sequences become U+FFFD, since names are only shown and compared. */
export function decodeText(bytes: Uint8Array): string {
  if (bytes.length > SHORT) return decoder.decode(bytes);
  for (let at = 0; at < bytes.length; at++) {
    if (bytes[at]! >= 0x80) return decoder.decode(bytes);
  }
  // All of them at once: a text that grows leaves a piece behind for each character.
  return Reflect.apply(String.fromCharCode, undefined, bytes);
}

/** UTF-8 bytes of text. */
export function encodeText(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Length of a packet's payload out of its header at `offset`; the caller has checked the bounds. */
export function payloadLength(bytes: Uint8Array, offset: number): number {
  return bytes[offset]! | (bytes[offset + 1]! << 8) | (bytes[offset + 2]! << 16);
}

function floatView(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * A cursor over one message's payload. Every read checks its bounds first and throws
 * {@link ProtocolError} naming the message, the offset, what was wanted and what was there.
 * `bytes` results are views into the payload: copy what outlives it.
 */
export class PacketReader {
  readonly #bytes: Uint8Array;
  readonly #message: string;
  #offset = 0;

  constructor(bytes: Uint8Array, message: string) {
    this.#bytes = bytes;
    this.#message = message;
  }

  /** Of the next byte. */
  get offset(): number {
    return this.#offset;
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  fail(problem: string): never {
    throw new ProtocolError(
      `Cannot parse ${this.#message}: ${problem} at offset ${this.#offset} of ${this.#bytes.length}`,
    );
  }

  #take(count: number): number {
    if (count > this.remaining) {
      this.fail(`expected ${count} more bytes, got ${this.remaining}`);
    }
    const at = this.#offset;
    this.#offset = at + count;
    return at;
  }

  /** The next byte without consuming it. */
  peek(): number {
    if (this.remaining < 1) this.fail("expected 1 more byte, got 0");
    return this.#bytes[this.#offset]!;
  }

  u8(): number {
    return this.#bytes[this.#take(1)]!;
  }

  u16(): number {
    const at = this.#take(2);
    return this.#bytes[at]! | (this.#bytes[at + 1]! << 8);
  }

  u24(): number {
    return payloadLength(this.#bytes, this.#take(3));
  }

  u32(): number {
    const at = this.#take(4);
    return (payloadLength(this.#bytes, at) | (this.#bytes[at + 3]! << 24)) >>> 0;
  }

  u64(): bigint {
    const low = this.u32();
    return (BigInt(this.u32()) << 32n) | BigInt(low);
  }

  i8(): number {
    return this.u8() << 24 >> 24;
  }

  i16(): number {
    return this.u16() << 16 >> 16;
  }

  i32(): number {
    return this.u32() | 0;
  }

  i64(): bigint {
    return BigInt.asIntN(64, this.u64());
  }

  f32(): number {
    return floatView(this.bytes(4)).getFloat32(0, true);
  }

  f64(): number {
    return floatView(this.bytes(8)).getFloat64(0, true);
  }

  /** A length-encoded integer; 8-byte ones beyond 2^53 are `bigint`. */
  lenencInt(): number | bigint {
    const first = this.u8();
    if (first < 0xfb) return first;
    switch (first) {
      case 0xfc:
        return this.u16();
      case 0xfd:
        return this.u24();
      case 0xfe: {
        const value = this.u64();
        return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
      }
      default:
        return this.fail(`expected a length-encoded integer, got byte 0x${first.toString(16)}`);
    }
  }

  /** A length-encoded integer that counts something inside this message. */
  lenencLength(): number {
    const value = this.lenencInt();
    if (typeof value === "bigint" || value > this.remaining) {
      this.fail(`expected at most ${this.remaining} as a length, got ${value}`);
    }
    return value;
  }

  bytes(count: number): Uint8Array {
    const at = this.#take(count);
    return this.#bytes.subarray(at, at + count);
  }

  lenencBytes(): Uint8Array {
    return this.bytes(this.lenencLength());
  }

  lenencText(): string {
    return decodeText(this.lenencBytes());
  }

  /** Bytes up to a NUL, which is consumed. */
  nulBytes(): Uint8Array {
    const end = this.#bytes.indexOf(0, this.#offset);
    if (end < 0) this.fail("expected a NUL that ends a text");
    const view = this.#bytes.subarray(this.#offset, end);
    this.#offset = end + 1;
    return view;
  }

  nulText(): string {
    return decodeText(this.nulBytes());
  }

  rest(): Uint8Array {
    return this.bytes(this.remaining);
  }

  restText(): string {
    return decodeText(this.rest());
  }

  skip(count: number): void {
    this.#take(count);
  }
}

const MINUS = 0x2d;
const ZERO = 0x30;

/** A growing buffer that a message is appended to; mirrors {@link PacketReader}. */
export class PacketWriter {
  #bytes: Uint8Array;
  #length = 0;

  constructor(capacity = 128) {
    this.#bytes = capacity === 0 ? EMPTY : new Uint8Array(capacity);
  }

  #reserve(count: number): number {
    const at = this.#length;
    const wanted = at + count;
    if (wanted > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(wanted, 2 * this.#bytes.length, 64));
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    this.#length = wanted;
    return at;
  }

  u8(value: number): this {
    const at = this.#reserve(1);
    this.#bytes[at] = value;
    return this;
  }

  u16(value: number): this {
    const at = this.#reserve(2);
    this.#bytes[at] = value;
    this.#bytes[at + 1] = value >>> 8;
    return this;
  }

  u24(value: number): this {
    return this.u16(value).u8(value >>> 16);
  }

  u32(value: number): this {
    return this.u16(value).u16(value >>> 16);
  }

  u64(value: number | bigint): this {
    const big = BigInt(value);
    return this.u32(Number(big & 0xffffffffn)).u32(Number((big >> 32n) & 0xffffffffn));
  }

  f32(value: number): this {
    const at = this.#reserve(4);
    floatView(this.#bytes).setFloat32(at, value, true);
    return this;
  }

  f64(value: number): this {
    const at = this.#reserve(8);
    floatView(this.#bytes).setFloat64(at, value, true);
    return this;
  }

  lenencInt(value: number | bigint): this {
    if (value < 0xfb) return this.u8(Number(value));
    if (value <= 0xffff) return this.u8(0xfc).u16(Number(value));
    if (value <= 0xffffff) return this.u8(0xfd).u24(Number(value));
    return this.u8(0xfe).u64(value);
  }

  bytes(value: Uint8Array): this {
    const at = this.#reserve(value.length);
    this.#bytes.set(value, at);
    return this;
  }

  text(value: string): this {
    const start = this.#length;
    if (value.length <= SHORT && this.#ascii(value)) return this;
    this.#length = start;
    return this.bytes(encodeText(value));
  }

  nulText(value: string): this {
    return this.text(value).u8(0);
  }

  lenencBytes(value: Uint8Array): this {
    return this.lenencInt(value.length).bytes(value);
  }

  lenencText(value: string): this {
    const start = this.#length;
    if (value.length <= SHORT && this.u8(value.length).#ascii(value)) return this;
    this.#length = start;
    return this.lenencBytes(encodeText(value));
  }

  /**
   * A whole number as text. It needs no string: those of numbers are cached, so that they outlive
   * whatever they are made for.
   */
  lenencDigits(value: number): this {
    const sign = value < 0 ? 1 : 0;
    let left = Math.abs(value);
    let length = sign + 1;
    for (let limit = 10; left >= limit; limit *= 10) length++;
    const start = this.#reserve(1 + length);
    const bytes = this.#bytes;
    bytes[start] = length;
    if (sign !== 0) bytes[start + 1] = MINUS;
    for (let at = start + length; at > start + sign; at--) {
      const digit = left % 10;
      bytes[at] = ZERO + digit;
      left = (left - digit) / 10;
    }
    return this;
  }

  /** Appends characters as bytes. @returns false where one is not ASCII: what was written is void */
  #ascii(value: string): boolean {
    const start = this.#reserve(value.length);
    const bytes = this.#bytes;
    for (let index = 0, at = start; index < value.length; index++, at++) {
      const code = value.charCodeAt(index);
      if (code >= 0x80) return false;
      bytes[at] = code;
    }
    return true;
  }

  zeros(count: number): this {
    const at = this.#reserve(count);
    this.#bytes.fill(0, at, at + count);
    return this;
  }

  /**
   * Makes a packet with this number of the 4 bytes at `start` and what was written behind them, or
   * several packets of a message that one cannot hold.
   * @returns number of the next packet
   */
  endPacket(start: number, sequence: number): number {
    const length = this.#length - start - 4;
    if (length >= MAX_PAYLOAD) {
      const payload = this.#bytes.slice(start + 4, this.#length);
      this.#length = start;
      this.bytes(frame(payload, sequence));
      return sequence + packetCount([payload]);
    }
    const bytes = this.#bytes;
    bytes[start] = length;
    bytes[start + 1] = length >>> 8;
    bytes[start + 2] = length >>> 16;
    bytes[start + 3] = sequence;
    return sequence + 1;
  }

  /** Begins anew, over what was written. */
  clear(): this {
    this.#length = 0;
    return this;
  }

  /** What was written; a view that the next write may detach. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }
}

/** The largest payload of one packet; a message that fills it goes on in the next packet. */
export const MAX_PAYLOAD = 0xffffff;

/** How many packets messages take. */
export function packetCount(payloads: readonly Uint8Array[]): number {
  return payloads.reduce((sum, { length }) => sum + Math.floor(length / MAX_PAYLOAD) + 1, 0);
}

/**
 * Frames a message's payload as one or more packets, the first with `sequence`.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_packets.html
 */
export function frame(payload: Uint8Array, sequence: number): Uint8Array {
  const { length } = payload;
  if (length >= MAX_PAYLOAD) return frameAll([payload], sequence);
  const packet = new Uint8Array(4 + length);
  packet[0] = length;
  packet[1] = length >>> 8;
  packet[2] = length >>> 16;
  packet[3] = sequence;
  packet.set(payload, 4);
  return packet;
}

/** Frames messages that follow each other. */
export function frameAll(payloads: readonly Uint8Array[], sequence: number): Uint8Array {
  const content = payloads.reduce((sum, { length }) => sum + length, 0);
  const packets = new Uint8Array(content + 4 * packetCount(payloads));
  let next = sequence;
  let to = 0;
  for (const payload of payloads) {
    for (let at = 0, length = MAX_PAYLOAD; length === MAX_PAYLOAD; at += length) {
      length = Math.min(payload.length - at, MAX_PAYLOAD);
      packets[to++] = length;
      packets[to++] = length >>> 8;
      packets[to++] = length >>> 16;
      packets[to++] = next++;
      const isWhole = length === payload.length;
      packets.set(isWhole ? payload : payload.subarray(at, at + length), to);
      to += length;
    }
  }
  return packets;
}

/** Joins byte arrays into one of its own. */
export function concat(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const joined = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
