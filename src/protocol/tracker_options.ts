/** What a reply tracker is made with, and what it lets the client do. */
import type { OkPacket } from "./response.ts";

/** What the client may send while the reply is not done. */
export type ClientTurn =
  /** Nothing; what comes early waits. */
  | "waits"
  /** The file of LOCAL INFILE, packets up to an empty one. */
  | "sends_file"
  /** Anything, at any time: authentication data, acknowledgements of a stream. */
  | "talks";

export interface TrackerOptions {
  /** What the connection to the server agreed on. */
  readonly capabilities: number;
  readonly extendedCapabilities: number;
  /** Whether session-track data is taken out of what goes to the client, who did not ask for it. */
  readonly hidesSessionTrack: boolean;
  /** Whether the server is of the OceanBase family, which writes what is left in its own way. */
  readonly isOceanBase?: boolean;
  /** Packets up to this many bytes, header included, are passed whole. */
  readonly wholeUpTo: number;
  /** Called with each OK that reports changes of session state. The value is not kept. */
  readonly onSessionTrack: (ok: OkPacket) => void;
}
