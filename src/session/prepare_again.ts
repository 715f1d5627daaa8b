/** Has a server session prepare what a client has prepared on another one. */
import { bringTo } from "../backend/catch_up.ts";
import { settle } from "../backend/read_out.ts";
import { readConditions } from "../backend/read_conditions.ts";
import { exchange, type OwnCommand, type Reply } from "../backend/server_exchange.ts";
import type { ServerSession } from "../backend/server_session.ts";
import { SluiceError } from "../errors.ts";
import { concat, frame } from "../protocol/bytes.ts";
import { encodeStatementRequest } from "../protocol/command.ts";
import { Command } from "../protocol/constants.ts";
import { decodePrepareHead } from "../protocol/prepared.ts";
import { commandRow } from "../protocol/replies.ts";
import { difference } from "../state/difference.ts";
import {
  isBoundToNoSchema,
  stateToPrepareIn,
  type TextInContext,
} from "../state/prepare_context.ts";
import { type ClientStatement, MOST_PREPARED } from "../state/prepared_registry.ts";
import { adopt, SessionState } from "../state/session_state.ts";
import { returnResets } from "../state/track.ts";
import { INSERT_ID } from "../state/variables.ts";
import { refusalIn, UnmetNeed } from "./server_need.ts";

/** ER_MAX_PREPARED_STMT_COUNT_REACHED */
export const TOO_MANY = 1461;

/** The client has as many as any server lets all its clients have, unless it is told otherwise. */
export function tooManyPrepared(): UnmetNeed {
  return new UnmetNeed(
    "too_many_prepared",
    `Can't create more than ${MOST_PREPARED} prepared statements in one session`,
  );
}

const PREPARE_ROW = commandRow(Command.STMT_PREPARE)!;
const CLOSE_ROW = commandRow(Command.STMT_CLOSE)!;

/** COM_STMT_CLOSE of what nobody needs there any more, as packets; undefined where there is none. */
export function closing({ state: { prepared } }: ServerSession): Uint8Array | undefined {
  if (prepared === undefined || prepared.closing === 0) return undefined;
  return concat(
    prepared.takeClosing().map((id) => frame(encodeStatementRequest(Command.STMT_CLOSE, id), 0)),
  );
}

/** Whether all settings are known that a statement would keep that is prepared there now. */
export function tellsSettings({ state: { known } }: ServerSession): boolean {
  if (known?.isPending) return false;
  const unread = known?.unread();
  return unread === undefined || unread.variables.every(([name]) => name === INSERT_ID);
}

/** Reads them: later, when it is prepared elsewhere, nobody may have them any more. */
export async function readSettings(server: ServerSession): Promise<void> {
  await settle(server, { insertId: false });
}

/**
 * @param wanted the state of the session, before and after
 * @throws {UnmetNeed} what the server says of the statement now
 */
export async function prepareAgain(
  server: ServerSession,
  statement: ClientStatement,
  wanted: SessionState,
): Promise<void> {
  const { shared, context } = statement;
  const { text } = shared;
  const reply = await inContextOf(server, { context, text }, {
    wanted,
    prepare: async () => {
      const reply = await prepare(server, text);
      if (refusalIn(reply)?.code !== TOO_MANY) return reply;
      server.state.prepared?.shrink(0);
      return await prepare(server, text);
    },
  });
  const { statementId, parameters } = decodePrepareHead(reply[0]!, server.capabilities.base);
  const prepared = server.state.keepPrepared();
  prepared.add(shared, statementId);
  if (parameters === shared.parameters) return;
  // The client would send other values than the server takes.
  prepared.drop(shared);
  throw new UnmetNeed("server_refused", "Prepared statement needs to be re-prepared", {
    code: 1615,
    sqlState: "HY000",
  });
}

/**
 * Prepares a text in the state in which it was prepared before.
 * @param wanted the state of the session, before and after
 * @throws {UnmetNeed} where that state cannot be had, or the server refuses the text
 */
export async function inContextOf(
  server: ServerSession,
  prepared: TextInContext,
  { wanted, prepare }: { readonly wanted: SessionState; readonly prepare: () => Promise<Reply> },
): Promise<Reply> {
  const { dialect, state } = server;
  const meanwhile = await stateFor(server, prepared, wanted);
  const back = () => bringTo(server, wanted, { keepsUnknown: true });
  try {
    if (meanwhile !== undefined) await bringTo(server, meanwhile, { keepsUnknown: true });
  } catch (error) {
    if (!(error instanceof SluiceError) || !server.isOpen) throw error;
    // It may have come half way.
    state.known!.isPending = true;
    await back();
    // The schema is gone, or the like: the session is in order all the same.
    const { kind, message, code, sqlState } = error;
    throw new UnmetNeed(kind, message, { code, sqlState, cause: error });
  }
  const reply = await prepare();
  const refusal = refusalIn(reply);
  // In a transaction the session stays with the client, and tells of it by itself.
  if (refusal !== undefined && !server.isInTransaction) {
    refusal.conditions = await readConditions(server);
  }
  // What it is about may be in another schema.
  const isReset = returnResets(state.known!, dialect);
  state.known!.isPending ||= isReset;
  if (isReset || meanwhile !== undefined) await back();
  if (refusal !== undefined) throw refusal;
  return reply;
}

/** Undefined where the session can stay as it is. @throws {UnmetNeed} */
async function stateFor(
  server: ServerSession,
  { context, text }: TextInContext,
  wanted: SessionState,
): Promise<SessionState | undefined> {
  const { dialect } = server;
  if (stateToPrepareIn(context, wanted, dialect) === undefined) return undefined;
  await settle(server, { insertId: false });
  // What a statement has failed to set, and no session has, is no change of it any more.
  adopt(wanted, server.state.known!, server.state.known!.insertId);
  const state = stateToPrepareIn(context, wanted, dialect);
  if (state === undefined) return undefined;
  const way = difference(state, server.state.known!, {
    dialect,
    asksInsertId: false,
    keepsUnknown: true,
  });
  if (way === undefined) return undefined;
  if (way.unread !== undefined) {
    throw lost("a setting that it was prepared with is known to nobody any more");
  }
  if (way.again === undefined) return state;
  // No command leaves a schema: where a statement does not name it, none was as good as any other
  // than the client's, out of which servers go to execute it, and back.
  if (isBoundToNoSchema({ context, text })) {
    throw lost("it was prepared without a schema, and the session has one");
  }
  const schema = context.state.schema === "" ? ANY_SCHEMA : wanted.schema;
  const other = { ...context, state: withSchema(context.state, schema) };
  return stateToPrepareIn(other, wanted, dialect);
}

/** Every server has it for everybody, and nobody drops it. */
const ANY_SCHEMA = "information_schema";

function withSchema(state: SessionState, schema: string): SessionState {
  const other = new SessionState();
  other.copySettingsFrom(state);
  other.setSchema(schema);
  return other;
}

function lost(why: string): UnmetNeed {
  return new UnmetNeed(
    "state_lost",
    `Cannot prepare the statement again on another server session: ${why}`,
  );
}

async function prepare(server: ServerSession, text: Uint8Array): Promise<Reply> {
  const closes: OwnCommand[] = (server.state.prepared?.takeClosing() ?? []).map((id) => ({
    row: CLOSE_ROW,
    payload: encodeStatementRequest(Command.STMT_CLOSE, id),
  }));
  const payload = concat([Uint8Array.of(Command.STMT_PREPARE), text]);
  const replies = await exchange(server, [...closes, { row: PREPARE_ROW, payload }]);
  return replies.at(-1)!;
}
