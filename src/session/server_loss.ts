/** What is made of a server session that is lost: for the client, and of what was on it. */
import type { ServerSession } from "../backend/server_session.ts";
import type { SluiceError } from "../errors.ts";
import { logWarning } from "../log.ts";
import { Command } from "../protocol/constants.ts";
import type { PinInfo } from "../session_manager.ts";
import { UNKNOWN_NATURE } from "./command_nature.ts";
import type { CommandForecast } from "./command_forecast.ts";
import type { EndReason } from "./end_reason.ts";
import { lossError, OUTCOMES, type Stage, stateOf } from "./loss.ts";
import { isFarewell, lost } from "./server_errors.ts";
import type { ServerHold } from "./server_hold.ts";

/** A server session was lost under a client session. */
export interface Loss {
  /** How it was noticed. */
  readonly error: SluiceError;
  /** The ERR that the server has sent, where that is all that it has sent. */
  readonly farewell: SluiceError | undefined;
  readonly stage: Stage;
  /** The command from its first byte on, where that is still there. */
  readonly payload: Uint8Array | undefined;
  /** The command was lost with another server session before. */
  readonly isSecondRun: boolean;
}

/**
 * - `again`: the command is to run once more
 * - `lives`: the client's session goes on; where it must know, it is told in answer to what it asks
 *   next
 */
export type LossDecision = "again" | "lives" | LossAnswer;

export interface LossAnswer {
  readonly error: SluiceError;
  /** Why the client's session ends with it, where it does. */
  readonly ends: EndReason | undefined;
}

export interface LosingSession {
  readonly id: number;
  readonly hold: ServerHold;
  readonly planned: CommandForecast | undefined;
}

/** Where a command asks for them, they bind it to its server session as pins do. */
const FACTS: PinInfo = {
  reason: "counts and warnings of the last statement",
  since: 0,
  cause: "",
  things: [],
};

const LONG_DATA: PinInfo = { ...FACTS, reason: "long_data" };

/** Does what the table of losses says: the hold has let go of the server session afterwards. */
export function judge(loss: Loss, { id, hold, planned }: LosingSession): LossDecision {
  const { farewell, stage, payload, isSecondRun } = loss;
  const { isInTransaction } = hold;
  const { isRead, mayCommit, asksFacts } = planned?.natureOf(payload) ?? UNKNOWN_NATURE;
  const pins: PinInfo[] = [...hold.pins];
  if (asksFacts) pins.push(FACTS);
  // The pin begins behind the command.
  const isLongData = planned?.command === Command.STMT_SEND_LONG_DATA;
  if (isLongData && !pins.some(({ reason }) => reason === LONG_DATA.reason)) pins.push(LONG_DATA);
  const isPinned = pins.some(isOtherPin);
  const situation = { stage, isUnused: hold.isUnused, isInTransaction, isPinned, isRead };
  const state = stateOf(situation);
  const outcome = OUTCOMES[hold.sharing]["server session lost"][state];
  if (outcome === "ends") return { error: farewell ?? loss.error, ends: "server_lost" };
  const error = errorOf(loss, hold);
  // Neither what an operator has ended nor what a server has refused is for another server.
  const mayRun = payload !== undefined && !isSecondRun && error.kind !== "killed" &&
    (farewell === undefined || isFarewell(farewell.code));
  const isAgain = outcome === "run elsewhere" && mayRun;
  const mayHaveCommitted = isInTransaction && mayCommit;
  const told = { ...situation, error, pins, mayHaveCommitted, isSecondRun };
  logWarning("server session lost", {
    cs_id: id,
    ss_id: hold.current?.id,
    server: hold.current?.backend.label,
    state,
    outcome: outcome === "run elsewhere" && !isAgain ? "told" : outcome,
    cause: error.message,
  });
  hold.lose();
  if (isAgain) return "again";
  return outcome === "replaced" ? "lives" : { error: lossError(told), ends: undefined };
}

/** The server's last words are the reason where they are about its session. */
function errorOf({ error, farewell }: Loss, { current }: ServerHold): SluiceError {
  if (farewell === undefined || current === undefined) return error;
  return isFarewell(farewell.code) ? lost(current, farewell.message) : farewell;
}

/** The server session that binds the client was lost before the command could go to it. */
export function lossOnTheWay(error: SluiceError, losing: LosingSession): SluiceError {
  const loss = { error, farewell: undefined, payload: undefined, isSecondRun: false };
  const decision = judge({ ...loss, stage: "unsent" }, losing);
  return typeof decision === "string" ? error : decision.error;
}

/** The server session was lost where it was waiting for the client, with what pins it there. */
export function lossOfLast(last: ServerSession, { id, hold }: LosingSession): SluiceError {
  const { pins } = hold;
  const situation = { stage: "none", isUnused: false, isInTransaction: false } as const;
  const command = { isRead: false, mayHaveCommitted: false, isSecondRun: false };
  const error = lost(last, "it has ended while nobody used it");
  logWarning("server session lost", {
    cs_id: id,
    ss_id: last.id,
    server: last.backend.label,
    state: stateOf({ ...situation, ...command, isPinned: true }),
    outcome: "told",
    cause: error.message,
  });
  hold.lose();
  return lossError({ ...situation, ...command, isPinned: true, error, pins });
}

/** What an operator's end of a server session takes along; undefined where that is nothing. */
export function toldOfKill(error: SluiceError, { hold }: LosingSession): SluiceError | undefined {
  const { isInTransaction, pins } = hold;
  const isPinned = pins.some(isOtherPin);
  if (!isInTransaction && !isPinned) return undefined;
  const situation = { stage: "none", isUnused: false, isInTransaction, isPinned } as const;
  const command = { isRead: false, mayHaveCommitted: false, isSecondRun: false };
  return lossError({ ...situation, ...command, error, pins });
}

function isOtherPin({ reason }: PinInfo): boolean {
  return reason !== "transaction";
}
