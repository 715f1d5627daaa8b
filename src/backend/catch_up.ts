/** Brings a server session to the state that a client's session must have, before its next command. */
import { SluiceError } from "../errors.ts";
import { logDebug, logsDebug } from "../log.ts";
import { Command } from "../protocol/constants.ts";
import type { Dialect } from "../state/dialect.ts";
import { type CatchUp, difference } from "../state/difference.ts";
import { loginStatement, oceanbaseCollation } from "../state/login_statement.ts";
import { caughtUp, type SessionState, Unread, type UnreadValues } from "../state/session_state.ts";
import { SET_BY_SCHEMA } from "../state/variables.ts";
import { userVariable } from "../state/user_variables.ts";
import { changeUser } from "./change_user.ts";
import { CLEARS_CONDITIONS, dropOwnConditions, restoreReports, settlePending } from "./read_out.ts";
import {
  exchange,
  failureOf,
  type OwnCommand,
  plainCommand,
  queryCommand,
  setOption,
} from "./server_exchange.ts";
import type { ServerSession } from "./server_session.ts";

export interface BringOptions {
  /** The command asks for LAST_INSERT_ID(). */
  readonly asksInsertId?: boolean;
  /** The session is the client's already, with whatever nobody knows of it. */
  readonly keepsUnknown?: boolean;
}

/**
 * The session is free afterwards for who has taken it to acquire.
 * @throws {SluiceError} that names the state, where the server refuses it; then the session is of no
 *   use any more
 */
export async function bringTo(
  server: ServerSession,
  wanted: SessionState,
  { asksInsertId = false, keepsUnknown = false }: BringOptions = {},
): Promise<void> {
  await introduce(server);
  const options = { dialect: server.dialect, asksInsertId, keepsUnknown };
  if (server.state.known!.isPending) await settlePending(server);
  let catchUp = difference(wanted, server.state.known!, options);
  const again = keepsUnknown ? undefined : catchUp?.again;
  if (again !== undefined) {
    await BEGIN_AGAIN[again](server);
    catchUp = difference(wanted, server.state.known!, options);
  }
  if (catchUp !== undefined) {
    await carryOut(server, catchUp);
    caughtUp(server.state.known!, wanted, asksInsertId);
  }
  if (logsDebug() && (again ?? catchUp) !== undefined) tellCatchUp(server, catchUp, again);
}

async function carryOut(server: ServerSession, catchUp: CatchUp): Promise<void> {
  if (catchUp.unread !== undefined) throw new LostValues(catchUp.unread);
  if (catchUp.again !== undefined) {
    throw new SluiceError("state_lost", "The session's state cannot be had on this server session");
  }
  await run(server, commandsOf(server, catchUp));
  await dropOwnConditions(server);
}

/** Which kinds of things were sent: values are nobody's business. */
function tellCatchUp(
  { id, backend }: ServerSession,
  { schema, role, several, count = 0 }: Partial<CatchUp> = {},
  again: CatchUp["again"],
): void {
  logDebug("server session caught up", {
    ss_id: id,
    server: backend.label,
    began: again,
    schema: schema !== undefined || undefined,
    role: role !== undefined || undefined,
    several,
    variables: count || undefined,
  });
}

/** Values that only one server session had, which is gone. */
export class LostValues extends SluiceError {
  readonly values: UnreadValues;

  constructor(values: UnreadValues) {
    const names = [
      ...values.userVariables.map(([name]) => userVariable(name)),
      ...values.variables.map(([name]) => `@@${name}`),
    ];
    super(
      "state_lost",
      `The value of ${names.join(", ")} is lost: it was on a server session that has ended`,
    );
    this.values = values;
  }
}

/** Has a fresh session report what it is like. @throws {SluiceError} */
export async function introduce(server: ServerSession): Promise<void> {
  if (server.state.reportsLess) await restoreReports(server);
  if (server.state.known !== undefined) return;
  const collation = server.dialect === "oceanbase"
    ? oceanbaseCollation(server.loginCharset)
    : undefined;
  server.state.expectLogin({ collation });
  await report(server, loginStatement(server.dialect));
  server.state.freshLogin = server.state.known!.login;
}

/** Selects the schema, which the session may believe to be in. @throws {SluiceError} */
export async function enterSchema(server: ServerSession, schema: string): Promise<void> {
  await run(server, [useSchema(server, schema)]);
  await dropOwnConditions(server);
}

/** Has a session that its client has reset report what it is like then. @throws {SluiceError} */
export async function introduceReset(server: ServerSession): Promise<void> {
  const { known: before } = server.state;
  server.state.forgetPrepared();
  server.state.expectLogin({ isReset: true });
  await report(server, loginStatement(server.dialect));
  const known = server.state.known!;
  keepWhatStays(known, before);
  // It is in the schema still, and has another collation than that: which one is to be read.
  if (known.schema !== "") known.setVariable(SET_BY_SCHEMA, new Unread());
}

/** Whether the server answers. The session is closed where it does not. */
export async function isAlive(server: ServerSession): Promise<boolean> {
  try {
    const [reply] = await exchange(server, [plainCommand(Command.PING)]);
    if (failureOf(reply!, server) === undefined) return true;
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
  }
  server.close();
  return false;
}

/**
 * Takes away the warnings that are there: MySQL has one for each name that it does not know, and
 * MariaDB, behind a login, those of an older connection of the thread.
 */
const CLEARS_WARNINGS: Readonly<Record<Dialect, string>> = {
  mysql: "SET SESSION autocommit=@@SESSION.autocommit",
  mariadb: CLEARS_CONDITIONS.mariadb,
  oceanbase: "SET SESSION autocommit=@@SESSION.autocommit",
};

async function report(server: ServerSession, statement: string): Promise<void> {
  const clearing = CLEARS_WARNINGS[server.dialect];
  await run(server, [queryCommand(server, statement), queryCommand(server, clearing)]);
  if (server.state.known === undefined) {
    throw new SluiceError(
      "server_malformed",
      `Server ${server.backend.label} does not report the state of its sessions`,
    );
  }
}

async function reset(server: ServerSession): Promise<void> {
  const collation = server.state.known?.login.get("collation_connection");
  const { known: before } = server.state;
  // What the reset itself reports is not yet what the session is like.
  server.state.known = undefined;
  await run(server, [plainCommand(Command.RESET_CONNECTION)]);
  server.state.forgetPrepared();
  server.state.expectLogin({ collation, isReset: true });
  await report(server, loginStatement(server.dialect, collation));
  keepWhatStays(server.state.known!, before);
}

/** No reset changes it. */
function keepWhatStays(known: SessionState, before: SessionState | undefined): void {
  known.setRole(before?.role ?? "");
  known.setSeveral(before?.several);
}

async function logInAgain(server: ServerSession): Promise<void> {
  const several = server.state.known?.several;
  server.state.known = undefined;
  await run(server, [changeUser(server)]);
  server.onLoggedInAgain();
  await introduce(server);
  server.state.known!.setSeveral(several);
}

const BEGIN_AGAIN = { reset, login: logInAgain } as const;

async function run(server: ServerSession, commands: readonly OwnCommand[]): Promise<void> {
  const replies = await exchange(server, commands);
  for (const reply of replies) {
    const failure = failureOf(reply, server);
    if (failure === undefined) continue;
    const { code, sqlState } = failure;
    const options = { code, sqlState, cause: failure };
    // What concerns the client's own schema reads as it would on a direct connection, and on every
    // other server session.
    const isOwn = code === 1049 || code === 1044;
    if (isOwn) throw new SluiceError("unknown_database", textOf(failure), options);
    const message = `Cannot set up the session: ${failure.message}`;
    throw new SluiceError("state_lost", message, options);
  }
}

function commandsOf(
  server: ServerSession,
  { schema, role, several, set }: CatchUp,
): OwnCommand[] {
  const commands: OwnCommand[] = [];
  if (schema !== undefined) commands.push(useSchema(server, schema));
  if (role !== undefined) commands.push(queryCommand(server, role));
  if (several !== undefined) commands.push(setOption(several));
  if (set !== undefined) commands.push(queryCommand(server, set));
  return commands;
}

/** What OceanBase says of COM_INIT_DB leaves out the names that its login and USE have. */
function useSchema(server: ServerSession, schema: string): OwnCommand {
  return server.dialect === "oceanbase"
    ? queryCommand(server, `USE \`${schema.replaceAll("`", "``")}\``)
    : plainCommand(Command.INIT_DB, schema);
}

/** A server's own words, without what names the server. */
function textOf({ cause, message }: SluiceError): string {
  return cause instanceof Error ? cause.message : message;
}
