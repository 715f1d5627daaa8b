/**
 * The text of the statement in progress, for lists. It costs nothing in the usual case: as long as
 * the client sends no more, its read buffer still holds the statement.
 */
import { decodeText } from "../protocol/bytes.ts";
import type { ClientInput } from "./client_input.ts";

/** Bytes that are copied of a statement in a buffer that others will use meanwhile. */
const KEPT = 16 * 1024;

const NOTHING = new Uint8Array(0);

export class StatementText {
  #bytes: Uint8Array = NOTHING;
  #start = 0;
  #end = 0;
  /** Bytes that had been read when the statement was noted: with more the buffer has changed. */
  #total = 0;
  /** Set where the bytes are still the input's. */
  #input: ClientInput | undefined;
  #quoted: { readonly text: Uint8Array } | undefined;

  /** Notes the text at [start, end) of the input's bytes. */
  note(input: ClientInput, start: number, end: number): void {
    this.#quoted = undefined;
    if (input.isBorrowed || end < input.end) return this.#copy(input, start, end);
    this.#bytes = input.bytes;
    this.#start = start;
    this.#end = end;
    this.#total = input.total;
    this.#input = input;
  }

  /** The command in progress has no text. */
  forget(): void {
    this.#end = this.#start = 0;
    this.#quoted = undefined;
  }

  /** The command in progress runs a text that is kept elsewhere, and read there when it is wanted. */
  quote(quoted: { readonly text: Uint8Array } | undefined): void {
    this.#quoted = quoted;
  }

  /** At most `limit` characters; undefined where there is none, or none any more. */
  read(limit: number): string | undefined {
    if (this.#quoted !== undefined) return cut(this.#quoted.text.subarray(0, 4 * limit), limit);
    if (this.#end === this.#start) return undefined;
    if (this.#input !== undefined && this.#input.total !== this.#total) return undefined;
    // A character has at most four bytes.
    const end = Math.min(this.#end, this.#start + 4 * limit);
    return cut(this.#bytes.subarray(this.#start, end), limit);
  }

  #copy(input: ClientInput, start: number, end: number): void {
    this.#bytes = input.bytes.slice(start, Math.min(end, start + KEPT));
    this.#start = 0;
    this.#end = this.#bytes.length;
    this.#input = undefined;
  }
}

function cut(bytes: Uint8Array, limit: number): string {
  const text = decodeText(bytes);
  if (text.length <= limit) return text;
  const begin = text.slice(0, limit);
  return /[\ud800-\udbff]$/.test(begin) ? begin.slice(0, -1) : begin;
}
