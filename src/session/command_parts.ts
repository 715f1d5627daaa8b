/** Parts of the plans of commands: statements for a server, and refusals of statements. */
import { SluiceError } from "../errors.ts";
import { concat } from "../protocol/bytes.ts";
import type { CommandRow } from "../protocol/replies.ts";
import type { Range } from "../sql/tokens.ts";
import type { SendPart } from "./plan.ts";

const SEMICOLON = Uint8Array.of(0x3b);

/** A command's payload, in the client's input. */
export interface Payload {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly row: CommandRow;
}

/** Statements for a server, with the command's own byte and attributes before them. */
export function sendPart(payload: Payload, at: number, texts: readonly Uint8Array[]): SendPart {
  const pieces: Uint8Array[] = [payload.bytes.slice(payload.start, at)];
  texts.forEach((text, index) => {
    if (index > 0) pieces.push(SEMICOLON);
    pieces.push(text);
  });
  return { kind: "send", row: payload.row, payload: concat(pieces) };
}

/** What a server says of a second statement where only one is allowed. */
export function syntaxError(bytes: Uint8Array, { start, end }: Range): SluiceError {
  const near = new TextDecoder().decode(bytes.subarray(start, Math.min(end, start + 80)));
  return new SluiceError(
    "syntax",
    "You have an error in your SQL syntax; several statements in one text are not switched on " +
      `near '${near}'`,
  );
}
