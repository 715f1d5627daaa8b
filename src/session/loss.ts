/**
 * What becomes of a client session when something fails around it: one table of faults and states,
 * and the words for what clients are told.
 *
 * The proxy looks up the row "server session lost" alone. The other rows are what tests hold it to:
 * "server unreachable" comes of how server sessions are opened, in `backend/shared_servers.ts` and
 * `backend/cluster.ts`, and "client disappears" of how holds let go of them. Tests walk every cell
 * that can be.
 */
import { LostConnection } from "../backend/lost_connection.ts";
import type { SharingMode } from "../config/types.ts";
import { SluiceError } from "../errors.ts";
import type { PinInfo } from "../session_manager.ts";

/** What may fail. Changes of primaries are not told apart from servers that are lost. */
export const FAULTS = [
  "server session lost",
  "server unreachable",
  "client disappears",
] as const;

export type Fault = typeof FAULTS[number];

/** What a client session and its command have come to, as far as it matters to losses. */
export const STATES = [
  /** No command runs, and the server session has run none yet. */
  "unused",
  /** No command runs, and nothing pins the client to a server session. */
  "idle",
  /** A command has not reached the server whole. */
  "unsent",
  /** A read in autocommit waits for its reply. */
  "read unanswered",
  /** Its reply has begun. */
  "read answered",
  /** What may have changed data has been sent, in autocommit. */
  "write sent",
  /** Whatever runs in it, or nothing. */
  "in transaction",
  /** Whatever runs, or nothing. */
  "pinned otherwise",
  /** A part of a packet of the reply has reached the client: nothing can be said to it. */
  "inside a packet",
] as const;

export type State = typeof STATES[number];

export type Outcome =
  /** The next command takes another server session, in the client's state: nobody notices. */
  | "replaced"
  /** It runs on another server session, once: the client sees delay. */
  | "run elsewhere"
  /** Other servers are tried; where all fail, the client gets the error of the last one. */
  | "next server"
  /** The client gets an error, at once or for its next command, and its session lives on. */
  | "told"
  /** The client's session ends, after an error where one can be sent. */
  | "ends"
  /** The server session goes back to its pool. */
  | "given back"
  /** The running statement is cancelled, and the server session closed. */
  | "cancelled"
  /** The server session is closed, and with it ends what it had. */
  | "closed"
  /** There is a server session already, or there is none yet. */
  | "cannot happen";

type Row = Readonly<Record<State, Outcome>>;

const CLIENT_DISAPPEARS: Row = {
  "unused": "given back",
  "idle": "given back",
  "unsent": "cancelled",
  "read unanswered": "cancelled",
  "read answered": "cancelled",
  "write sent": "cancelled",
  // What runs there is cancelled, too.
  "in transaction": "closed",
  "pinned otherwise": "closed",
  "inside a packet": "cancelled",
};

const SERVER_UNREACHABLE: Row = {
  "unused": "cannot happen",
  "idle": "cannot happen",
  "unsent": "next server",
  "read unanswered": "cannot happen",
  "read answered": "cannot happen",
  "write sent": "cannot happen",
  "in transaction": "cannot happen",
  "pinned otherwise": "cannot happen",
  "inside a packet": "cannot happen",
};

/** By `sharing`: with private server sessions nobody knows what they had beside the schema. */
export const OUTCOMES: Readonly<Record<SharingMode, Readonly<Record<Fault, Row>>>> = {
  transaction: {
    "server session lost": {
      "unused": "replaced",
      "idle": "replaced",
      "unsent": "run elsewhere",
      "read unanswered": "run elsewhere",
      "read answered": "told",
      "write sent": "told",
      "in transaction": "told",
      "pinned otherwise": "told",
      "inside a packet": "ends",
    },
    "server unreachable": SERVER_UNREACHABLE,
    "client disappears": CLIENT_DISAPPEARS,
  },
  session: {
    "server session lost": {
      "unused": "replaced",
      "idle": "ends",
      "unsent": "ends",
      "read unanswered": "ends",
      "read answered": "ends",
      "write sent": "ends",
      "in transaction": "ends",
      "pinned otherwise": "ends",
      "inside a packet": "ends",
    },
    "server unreachable": SERVER_UNREACHABLE,
    "client disappears": {
      ...CLIENT_DISAPPEARS,
      // Nobody else has a use for them.
      "unused": "closed",
      "idle": "closed",
    },
  },
};

/** How far the command has come that the server session is lost under. */
export type Stage =
  /** None runs. */
  | "none"
  /** The server cannot have read all of it. */
  | "unsent"
  | "sent"
  /** Some of its reply has reached the client, and ends at the end of a packet, or does not. */
  | "answered"
  | "inside a packet";

export interface Situation {
  readonly stage: Stage;
  /** Whether the server session has run no command yet. */
  readonly isUnused: boolean;
  readonly isInTransaction: boolean;
  /** By anything but a transaction. */
  readonly isPinned: boolean;
  /** Whether the command certainly changes nothing. */
  readonly isRead: boolean;
}

export function stateOf(situation: Situation): State {
  const { stage, isUnused, isInTransaction, isPinned, isRead } = situation;
  if (stage === "inside a packet") return stage;
  if (stage === "none" && isUnused) return "unused";
  if (isInTransaction) return "in transaction";
  if (isPinned) return "pinned otherwise";
  if (stage === "none") return "idle";
  if (stage === "unsent") return "unsent";
  if (!isRead) return "write sent";
  return stage === "sent" ? "read unanswered" : "read answered";
}

export interface Told extends Situation {
  /** What is known of the loss. */
  readonly error: SluiceError;
  readonly pins: readonly PinInfo[];
  /** Whether the command may have committed its transaction before its server session was lost. */
  readonly mayHaveCommitted: boolean;
  readonly isSecondRun: boolean;
}

/** What the client is told where its session lives on. */
export function lossError(told: Told): SluiceError {
  const { error, stage } = told;
  const reason = stage === "none" && error instanceof LostConnection
    ? error.messageAt("between statements")
    : error.message;
  const { kind, code, sqlState } = error;
  return new SluiceError(kind, [reason, ...consequences(told)].join("; "), {
    code,
    sqlState,
    cause: error,
  });
}

function* consequences(told: Told): Generator<string> {
  const { stage, isInTransaction, isRead, mayHaveCommitted, isSecondRun } = told;
  if (isInTransaction) yield "the transaction is gone";
  const things = told.pins.filter(({ reason }) => reason !== "transaction").map(nameOf);
  if (things.length > 0) yield `lost with the server session: ${things.join(", ")}`;
  if (stage === "unsent") yield "the statement was not run";
  else if (stage === "answered") yield "the result is incomplete";
  if (stage !== "sent" && stage !== "answered") return;
  if (mayHaveCommitted) yield "it is not known whether the transaction was committed";
  else if (!isRead && !isInTransaction) yield "it is not known whether the statement was done";
  else if (isSecondRun) yield "the statement was run twice";
}

/** Names that a message has room for: there may be thousands of temporary tables. */
const MOST_NAMED = 20;

/** `temporary table test.t, test.u` */
function nameOf({ reason, things }: PinInfo): string {
  const words = reason.replaceAll("_", " ");
  const named = things.filter((thing) => thing !== "");
  if (named.length === 0) return words;
  const left = named.length - MOST_NAMED;
  const rest = left > 0 ? ` and ${left} more` : "";
  return `${words} ${named.slice(0, MOST_NAMED).join(", ")}${rest}`;
}
