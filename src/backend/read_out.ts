/**
 * Reads what only one server session can tell, before somebody else uses it: values that statements
 * have computed there, and what the last statement has left for who asks about it.
 */
import { SluiceError } from "../errors.ts";
import { Capability } from "../protocol/constants.ts";
import {
  type Column,
  decodeColumn,
  decodeColumnCount,
  decodeTextRow,
} from "../protocol/resultset.ts";
import { reportStatement, transactionReportStatement } from "../state/login_statement.ts";
import type { UnreadValues } from "../state/session_state.ts";
import { readSettled, type Settlement, settlement, settlementOf } from "../state/settlement.ts";
import type { Dialect } from "../state/dialect.ts";
import type { Pins } from "../state/pins.ts";
import {
  applyUnseen,
  countedOf,
  countsQuery,
  unseenLocksQuery,
  unseenQuery,
} from "../state/unseen.ts";
import { applyLock, lockQuestions } from "../state/user_locks.ts";
import { cellNumber, numberText } from "../state/user_variables.ts";
import {
  exchange,
  failureOf,
  type OwnCommand,
  queryCommand,
  type Reply,
} from "./server_exchange.ts";
import type { ServerSession } from "./server_session.ts";

export interface SettleOptions {
  /** Whether LAST_INSERT_ID() is read where it may have changed. */
  readonly insertId: boolean;
}

/** Has every value of `known` told that is not told yet. @throws {SluiceError} */
export async function settle(server: ServerSession, { insertId }: SettleOptions): Promise<void> {
  const { dialect } = server;
  // What was reported late may leave values open in its turn.
  for (let rounds = 0; rounds < MOST_ROUNDS; rounds++) {
    const todo = settlement(server.state.known!, { dialect, insertId });
    if (todo === undefined) return;
    await read(server, todo);
    await dropOwnConditions(server);
  }
}

/** MySQL warns whoever assigns some variables, and that is not for the client to see. */
export async function dropOwnConditions(server: ServerSession): Promise<void> {
  if (server.tracker.warnings > 0) await clearConditions(server);
}

const MOST_ROUNDS = 3;

/** Has what the server has not reported yet told, and leaves the values of nobody unread. */
export async function settlePending(server: ServerSession): Promise<void> {
  await read(server, settlementOf({ variables: [], userVariables: [] }, server.dialect, true));
  await dropOwnConditions(server);
}

/** Has the server report everything again. @throws {SluiceError} */
export async function restoreReports(server: ServerSession): Promise<void> {
  const statement = reportStatement(server.dialect);
  if (statement !== undefined) await ask(server, [queryCommand(server, statement)]);
  server.state.reportsLess = server.state.reportsTransactions = false;
  await dropOwnConditions(server);
}

/** Has the server report what becomes of SET TRANSACTION. @throws {SluiceError} */
export async function reportTransactions(server: ServerSession): Promise<void> {
  const statement = transactionReportStatement(server.dialect);
  if (statement !== undefined) await ask(server, [queryCommand(server, statement)]);
  server.state.reportsTransactions = true;
}

async function read(server: ServerSession, todo: Settlement): Promise<void> {
  if (server.state.reportsLess) await restoreReports(server);
  const commands: OwnCommand[] = [];
  if (todo.set !== undefined) commands.push({ ...queryCommand(server, todo.set), settles: true });
  if (todo.select !== undefined) commands.push(queryCommand(server, todo.select));
  const replies = await exchange(server, commands);
  if (replies.some((reply) => failureOf(reply, server) !== undefined)) {
    await readSingly(server, todo.values);
    // What was refused is no client's.
    return await clearConditions(server);
  }
  if (todo.select !== undefined) readValues(server, todo, replies.at(-1)!);
}

/**
 * One that no session has, and that a statement has failed to set, is in the way of the others. User
 * variables that the server cannot tell of, as OceanBase of geometries, stay unread.
 */
async function readSingly(
  server: ServerSession,
  { variables, userVariables }: UnreadValues,
): Promise<void> {
  for (const variable of variables) {
    const todo = settlementOf({ variables: [variable], userVariables: [] }, server.dialect);
    const sql = todo.set ?? todo.select!;
    const [reply] = await exchange(server, [{ ...queryCommand(server, sql), settles: true }]);
    if (failureOf(reply!, server) !== undefined) server.state.known!.dropVariable(variable[0]);
    else if (todo.set === undefined) readValues(server, todo, reply!);
  }
  for (const variable of userVariables) {
    const todo = settlementOf({ variables: [], userVariables: [variable] }, server.dialect);
    const [reply] = await exchange(server, [queryCommand(server, todo.select!)]);
    if (failureOf(reply!, server) === undefined) readValues(server, todo, reply!);
  }
}

function readValues(server: ServerSession, todo: Settlement, reply: Reply): void {
  const { columns, rows: [row] } = resultOf(reply, server);
  if (row === undefined) throw new TypeError("Expected one row of values, got none");
  readSettled(todo, columns, row, server.dialect);
}

/** MariaDB keeps them over everything that uses no table. */
export const CLEARS_CONDITIONS: Readonly<Record<Dialect, string>> = {
  mysql: "DO 0",
  mariadb: "SHOW COLLATION LIKE ''",
  oceanbase: "DO 0",
};

/** @throws {SluiceError} */
export async function clearConditions(server: ServerSession): Promise<void> {
  await ask(server, [queryCommand(server, CLEARS_CONDITIONS[server.dialect])]);
  server.state.mayHaveConditions = false;
}

/** FOUND_ROWS(). @throws {SluiceError} */
export async function readFoundRows(server: ServerSession): Promise<bigint> {
  // MySQL warns of the question.
  const [reply] = await ask(server, [
    queryCommand(server, "SELECT FOUND_ROWS()"),
    queryCommand(server, CLEARS_CONDITIONS[server.dialect]),
  ]);
  return numberOf(reply!, server);
}

/** The only value of a reply. */
export function numberOf(reply: Reply, server: ServerSession): bigint {
  const { rows: [row] } = resultOf(reply, server);
  return BigInt(numberText(row?.[0] ?? new Uint8Array(0)));
}

/**
 * Finds out what code of the server has left in the session.
 * @returns whether it can be left: false where that cannot be told, or cannot be moved
 * @throws {SluiceError} where the session is lost
 */
export async function readUnseen(server: ServerSession): Promise<boolean> {
  const { dialect } = server;
  const queries = [unseenLocksQuery(dialect), countsQuery(dialect), unseenQuery(dialect)];
  if (!queries.every((query) => query !== undefined)) return false;
  const replies = await exchange(server, queries.map((query) => queryCommand(server, query)));
  // Accounts need not be allowed to ask.
  if (replies.some((reply) => failureOf(reply, server) !== undefined)) return false;
  const [locks, counts, names] = replies.map((reply) => resultOf(reply, server).rows);
  return cellNumber(locks![0]![0]) === 0 && countedOf(counts!, dialect) === server.state.counted &&
    applyUnseen(server.state.known!, names!, dialect);
}

/** Whether it is known how often they have run, which tells later whether code has run some. */
export function hasCounts({ state, dialect }: ServerSession): boolean {
  return state.counted !== undefined || countsQuery(dialect) === undefined;
}

/** Asks for that. @throws {SluiceError} */
export async function readCounts(server: ServerSession): Promise<void> {
  const [reply] = await ask(server, [queryCommand(server, countsQuery(server.dialect)!)]);
  server.state.counted = countedOf(resultOf(reply!, server).rows, server.dialect);
}

/** Asks the server for the locks, and ends the pins of those that are not there. @throws {SluiceError} */
export async function readLocks(server: ServerSession, pins: Pins): Promise<void> {
  const questions = lockQuestions(pins, server.dialect);
  if (questions.length === 0) return;
  const replies = await exchange(server, questions.map(({ sql }) => queryCommand(server, sql)));
  let isRefused = false;
  for (const [index, reply] of replies.entries()) {
    const failure = failureOf(reply, server);
    isRefused ||= failure !== undefined;
    const answer = failure === undefined
      ? { value: resultOf(reply, server).rows[0]?.[0] }
      : { error: failure.code };
    applyLock(pins, questions[index]!, answer);
  }
  // What was refused is no client's.
  if (isRefused) await clearConditions(server);
}

/** The replies, none of which is an ERR. @throws {SluiceError} */
export async function ask(
  server: ServerSession,
  commands: readonly OwnCommand[],
): Promise<Reply[]> {
  const replies = await exchange(server, commands);
  refuseFailure(replies, server);
  return replies;
}

/** @throws {SluiceError} where one of them is an ERR */
function refuseFailure(replies: readonly Reply[], server: ServerSession): void {
  for (const reply of replies) {
    const failure = failureOf(reply, server);
    if (failure === undefined) continue;
    const { code, sqlState, message } = failure;
    throw new SluiceError("state_lost", `Cannot read the session's state: ${message}`, {
      code,
      sqlState,
      cause: failure,
    });
  }
}

export interface Result {
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly (Uint8Array | null)[])[];
}

/** Of a text result, which is one set of rows. */
export function resultOf(reply: Reply, server: ServerSession): Result {
  const agreed = {
    capabilities: server.capabilities.base,
    extendedCapabilities: server.capabilities.extended,
  };
  const { count, metadataFollows } = decodeColumnCount(reply[0]!, agreed);
  if (!metadataFollows) {
    throw new SluiceError("state_lost", "Cannot read the session's state: it hides the columns");
  }
  const rowsFrom = 1 + count + ((agreed.capabilities & Capability.DEPRECATE_EOF) === 0 ? 1 : 0);
  return {
    columns: reply.slice(1, 1 + count).map((payload) => decodeColumn(payload, agreed)),
    rows: reply.slice(rowsFrom, -1).map((payload) => decodeTextRow(payload, count)),
  };
}
