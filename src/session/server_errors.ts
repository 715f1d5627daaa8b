/** What clients are told of servers that end or misbehave; each text names the server. */
import { LostConnection } from "../backend/lost_connection.ts";
import type { ServerSession } from "../backend/server_session.ts";
import { SluiceError } from "../errors.ts";
import { payloadLength } from "../protocol/bytes.ts";
import { Head } from "../protocol/constants.ts";
import { decodeErr } from "../protocol/response.ts";

/** The ERR with which a server ends a session, if that is what its buffer holds. */
export function farewellOf(server: ServerSession): SluiceError | undefined {
  const { buffer, walked, end } = server;
  if (end - walked < 7 || buffer[walked + 4] !== Head.ERR) return undefined;
  if (end !== walked + 4 + payloadLength(buffer, walked)) return undefined;
  const { code, sqlState, message } = decodeErr(buffer.subarray(walked + 4, end));
  return new SluiceError("server_lost", message, { code, sqlState });
}

/** Errors with which servers end a session, whatever the client has asked last. */
const FAREWELLS: ReadonlySet<number> = new Set([
  1053, // the server shuts down
  1927, // MariaDB: the connection was killed
  3169, // MySQL: the session was killed
  4031, // MySQL: the client was silent for too long
]);

export function isFarewell(code: number): boolean {
  return FAREWELLS.has(code);
}

/** The text of the ERR that the reply in the buffer ends with. */
export function lastErrorOf({ buffer, moved, walked }: ServerSession): string {
  let at = moved;
  for (let next = at; next < walked; next += 4 + payloadLength(buffer, next)) at = next;
  return decodeErr(buffer.subarray(at + 4, walked)).message;
}

/** The connection ended while a reply was awaited. */
export function lost(server: ServerSession, reason: string): SluiceError {
  return new LostConnection(server.backend.label, reason);
}

/** What the server sent is no reply. */
export function malformed(server: ServerSession, problem: string): SluiceError {
  return new SluiceError(
    "server_malformed",
    `Malformed packet from server ${server.backend.label}: ${problem}`,
  );
}
