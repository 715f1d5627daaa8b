/**
 * What a client has sent and nobody has taken yet, and the one read that is outstanding on it.
 *
 * Unprocessed bytes lie either in the read buffer itself (the usual case: a command is read, taken
 * and gone) or, when more than that must be read meanwhile, in a copy. While a read is outstanding,
 * the read buffer belongs to it: bytes in it may be looked at, and neither moved nor given away.
 *
 * A command that may have to be sent once more is kept where it lies, and not copied: what comes
 * meanwhile is read into another buffer, and the two take turns.
 */
import { messageOf } from "../errors.ts";
import { BIG, giveBig, idleBufferFor, SMALL, takeBig } from "../net/buffers.ts";
import type { Settled, Transport } from "../net/transport.ts";
import { concat } from "../protocol/bytes.ts";

/** Early bytes that are kept for a client that sends ahead; beyond that it is not read. */
const LARGEST_AHEAD = 64 * 1024;

const NOTHING = new Uint8Array(0);

export interface ClientInputUser {
  /** `bytes` of the input has grown. */
  onClientBytes(): void;
  /** The client has ended the connection, or it broke. */
  onClientEnd(reason: string): void;
}

export class ClientInput {
  /** Unprocessed are `bytes[start..end)`. */
  bytes: Uint8Array = NOTHING;
  start = 0;
  end = 0;
  /** All that was ever read here. */
  total = 0;

  readonly #transport: Transport;
  readonly #user: ClientInputUser;
  #small: Uint8Array = new Uint8Array(SMALL);
  #buffer: Uint8Array = this.#small;
  /** As large as the idle buffer, or smaller; made when one is needed. */
  #spare: Uint8Array | undefined;
  /** Kept are `#kept[#keptStart..#keptEnd)`. */
  #kept: Uint8Array = NOTHING;
  #keptStart = 0;
  #keptEnd = 0;
  #isReading = false;
  #isClosed = false;

  constructor(transport: Transport, user: ClientInputUser) {
    this.#transport = transport;
    this.#user = user;
  }

  get available(): number {
    return this.end - this.start;
  }

  /** Whether the bytes lie in a buffer that others use as soon as they are taken. */
  get isBorrowed(): boolean {
    return this.bytes.length === BIG;
  }

  /** What is kept; undefined where nothing is. A view: valid until `release`. */
  get kept(): Uint8Array | undefined {
    if (this.#kept === NOTHING) return undefined;
    return this.#kept.subarray(this.#keptStart, this.#keptEnd);
  }

  /** Bytes up to here have been taken. Whoever took them no longer looks at them. */
  consume(count: number): void {
    this.start += count;
    if (this.start < this.end) return;
    this.start = this.end = 0;
    this.bytes = NOTHING;
  }

  /** The first `count` bytes stay as they are, also when they have been taken, until `release`. */
  keep(count: number): void {
    this.#kept = this.bytes;
    this.#keptStart = this.start;
    this.#keptEnd = this.start + count;
  }

  /** Keeps on only what is in a buffer of its own. */
  releaseBorrowed(): void {
    if (this.#kept.length === BIG) this.release();
  }

  /** Nobody needs any more what is kept. */
  release(): void {
    const kept = this.#kept;
    if (kept === NOTHING) return;
    this.#kept = NOTHING;
    if (kept !== this.bytes && kept !== this.#buffer) giveBig(kept);
  }

  /** What is kept becomes the first unprocessed bytes again, and is kept no more. */
  restore(): void {
    const kept = this.#kept;
    this.#kept = NOTHING;
    const isThere = this.bytes === kept && this.start === this.#keptStart;
    if (isThere) return;
    if (this.available === 0) {
      this.bytes = kept;
      this.start = this.#keptStart;
      this.end = this.#keptEnd;
    } else if (this.bytes === kept && this.start === this.#keptEnd) {
      this.start = this.#keptStart;
    } else {
      this.bytes = concat([
        kept.subarray(this.#keptStart, this.#keptEnd),
        this.bytes.subarray(this.start, this.end),
      ]);
      this.start = 0;
      this.end = this.bytes.length;
    }
  }

  /**
   * Reads on behind the unprocessed bytes, which are the begin of something: nothing may be
   * consumed until the next `onClientBytes`. Nothing is kept any more.
   * @param wanted bytes that shall become available, if they fit a big buffer
   */
  readMore(wanted: number): void {
    if (this.#isReading || this.#isClosed) return;
    this.release();
    const count = this.available;
    if (Math.min(wanted, BIG) > this.#buffer.length) this.#useBuffer(takeBig());
    else if (this.bytes !== this.#buffer) this.#useBuffer(this.#buffer);
    else if (this.start > 0) this.#buffer.copyWithin(0, this.start, this.end);
    this.bytes = this.#buffer;
    this.start = 0;
    this.end = count;
    this.#read(count === 0 ? this.#buffer : this.#buffer.subarray(count));
  }

  /** Reads what comes next, so that a client that leaves is noticed; what is there stays usable. */
  readAhead(): void {
    if (this.#isReading || this.#isClosed) return;
    const count = this.available;
    if (count > LARGEST_AHEAD) return;
    if (this.#kept === this.#buffer) this.#changeBuffer();
    if (count > 0 && this.bytes === this.#buffer) {
      this.bytes = this.#buffer.slice(this.start, this.end);
      this.start = 0;
      this.end = count;
    }
    if (this.#buffer !== this.#small) {
      giveBig(this.#buffer);
      this.#buffer = this.#small;
    }
    this.#read(this.#buffer);
  }

  /** A message of `total` bytes has been taken: the idle buffer follows what the client sends. */
  adapt(total: number): void {
    const next = idleBufferFor(this.#small, total);
    if (next === this.#small || this.#isReading || this.bytes === this.#small) return;
    if (this.#buffer === this.#small) this.#buffer = next;
    this.#small = next;
  }

  /** No more calls of the user. The transport is its owner's to close. */
  close(): void {
    // A write to a server may still go on out of the buffer: the collector has it afterwards.
    this.#isClosed = true;
  }

  /** The read buffer is left to what is kept in it. */
  #changeBuffer(): void {
    const old = this.#small;
    if (this.#buffer === old) {
      this.#small = this.#spare?.length === old.length ? this.#spare : new Uint8Array(old.length);
      this.#spare = old;
    }
    this.#buffer = this.#small;
  }

  /** Copies the unprocessed bytes into a buffer, which becomes the read buffer. */
  #useBuffer(buffer: Uint8Array): void {
    if (this.available > 0) buffer.set(this.bytes.subarray(this.start, this.end));
    if (buffer !== this.#buffer) giveBig(this.#buffer);
    this.#buffer = buffer;
  }

  #read(into: Uint8Array): void {
    this.#isReading = true;
    this.#transport.read(into).then(this.#onSettled, this.#onSettled);
  }

  readonly #onSettled: Settled = (outcome) => {
    this.#isReading = false;
    if (this.#isClosed) return;
    if (typeof outcome === "number") return this.#onRead(outcome);
    this.#user.onClientEnd(
      outcome === null ? "client closed the connection" : messageOf(outcome),
    );
  };

  #onRead(count: number): void {
    this.total += count;
    if (this.bytes === this.#buffer) {
      this.end += count;
    } else if (this.start === this.end) {
      this.bytes = this.#buffer;
      this.start = 0;
      this.end = count;
    } else {
      this.#append(count);
    }
    this.#user.onClientBytes();
  }

  /** What has been read belongs behind bytes that lie in a copy. */
  #append(count: number): void {
    const joined = new Uint8Array(this.available + count);
    joined.set(this.bytes.subarray(this.start, this.end));
    joined.set(this.#buffer.subarray(0, count), this.available);
    this.bytes = joined;
    this.start = 0;
    this.end = joined.length;
  }
}
