/** What a command needs of a server session that is in its client's state already. */
import { bringTo } from "../backend/catch_up.ts";
import { hasCounts, readCounts, reportTransactions, restoreReports } from "../backend/read_out.ts";
import type { ServerSession } from "../backend/server_session.ts";
import type { Classified } from "../sql/classified.ts";
import { Ask, Effect } from "../sql/effects.ts";
import type { ClientState } from "./client_state.ts";
import { LAST_FACTS } from "./fact_answers.ts";
import type { PlannedCommand } from "./planned_command.ts";

/** Whether the command can be sent as it is. */
export function isSetUp(
  server: ServerSession,
  { classified, need }: PlannedCommand,
  state: ClientState,
): boolean {
  return !needsReports(server, classified) && !needsTransactionReports(server, classified) &&
    !needsCounts(server, classified, state) && !needsLocks(classified, state) &&
    need?.isMet(server) !== false && (!mayAskInsertId(classified) || state.hasInsertId(server));
}

/** Makes it so. @throws {SluiceError} */
export async function setUp(
  server: ServerSession,
  { classified, need }: PlannedCommand,
  state: ClientState,
): Promise<void> {
  if (needsReports(server, classified)) await restoreReports(server);
  if (needsTransactionReports(server, classified)) await reportTransactions(server);
  if (needsCounts(server, classified, state)) await readCounts(server);
  if (needsLocks(classified, state)) await state.readLocks(server);
  const asksInsertId = mayAskInsertId(classified) && !state.hasInsertId(server);
  if (!asksInsertId && need?.isMet(server) !== false) return;
  // What is told late is the client's, and to be brought back with the rest.
  await state.hearLateReports(server);
  if (asksInsertId) {
    state.supposeInsertId();
    await bringTo(server, state.wanted!, { asksInsertId: true, keepsUnknown: true });
  }
  if (need?.isMet(server) === false) await need.meet(server, state.wanted!);
}

/** What only reads, and asks for what the last statement has left, can do without. */
function needsReports({ state }: ServerSession, { effects, asks }: Classified): boolean {
  const isUnreported = (effects & ~Effect.setsUserVariables) === 0 && (asks & LAST_FACTS) !== 0;
  return state.reportsLess && effects !== 0 && !isUnreported;
}

function needsTransactionReports(
  { state: { reportsTransactions }, isInTransaction }: ServerSession,
  { effects }: Classified,
): boolean {
  // In a transaction it is refused, or for the one behind the next. Routines may run it, too.
  return !reportsTransactions && !isInTransaction &&
    (effects & (Effect.setsNextTransaction | Effect.calls)) !== 0;
}

/** What code of the server makes shows by them; without, the client stays for longer. */
function needsCounts(
  server: ServerSession,
  { effects }: Classified,
  state: ClientState,
): boolean {
  return (effects & Effect.calls) !== 0 && !hasCounts(server) &&
    !state.lastStatement.hasFactsOn(server);
}

/** Locks that the session does not have may be in the way of one more name. */
function needsLocks({ effects, asks }: Classified, state: ClientState): boolean {
  return (effects & Effect.getsLock) !== 0 && (asks & LAST_FACTS) === 0 && state.hasManyLocks;
}

/** Routines may. */
function mayAskInsertId({ asks, effects }: Classified): boolean {
  return (asks & Ask.lastInsertId) !== 0 || (effects & Effect.calls) !== 0;
}
