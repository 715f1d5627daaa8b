/** KILL in all its forms. */
import type { ClientEntry } from "../session_manager.ts";
import { type AdminAnswer, OK } from "./answer.ts";
import type { IdOperand, Operands } from "./operands.ts";
import { interrupted, notOwner, unknownQuery, unknownThread } from "./refusals.ts";
import { resolveSession } from "./resolve.ts";
import type { AdminScope } from "./scope.ts";
import { Visibility } from "./visibility.ts";

/**
 * Ends a client session with all that belongs to it, in whatever it is doing.
 * @param id a `cs_id`, or the id that a server gave to one of the session's connections
 * @throws {SluiceError} unknown_thread, not_owner
 */
export async function killConnection(id: IdOperand, scope: AdminScope): Promise<AdminAnswer> {
  const entry = await resolveSession(id, "end", scope);
  if (entry?.id === scope.caller.id) return { kind: "ends_caller" };
  entry?.kill(reasonOf(scope));
  return OK;
}

/** Ends what the session is doing, not the session. @throws {SluiceError} */
async function killQuery(id: IdOperand, scope: AdminScope): Promise<AdminAnswer> {
  const entry = await resolveSession(id, "end", scope);
  // What the caller is doing is this statement.
  if (entry?.id === scope.caller.id) throw interrupted();
  await entry?.killQuery();
  return OK;
}

/** `KILL [HARD|SOFT] [CONNECTION|QUERY] id` */
export function kill(scope: AdminScope, operands: Operands): Promise<AdminAnswer> {
  const id = operands.id()!;
  return operands.has("QUERY") ? killQuery(id, scope) : killConnection(id, scope);
}

/** `KILL PROXYSESSION id [ss_id]` */
export async function killProxySession(
  scope: AdminScope,
  operands: Operands,
): Promise<AdminAnswer> {
  const id = operands.id()!;
  const serverId = operands.integer("ss_id");
  if (serverId === undefined) return await killConnection(id, scope);
  const entry = await resolveSession(id, "end", scope);
  if (entry?.killServer(Number(serverId)) !== true) throw unknownThread(serverId);
  return OK;
}

/**
 * `KILL [HARD|SOFT] [CONNECTION|QUERY] USER user`, as MariaDB has it: all sessions of a user, and
 * none of them where one may not be ended.
 */
export async function killUser(scope: AdminScope, operands: Operands): Promise<AdminAnswer> {
  const { clients } = scope.proxy.manager;
  const user = operands.text("user") ?? "";
  const visibility = new Visibility(scope);
  const victims: ClientEntry[] = [];
  for (const { id } of await clients.snapshot()) {
    const entry = clients.find(id);
    if (entry === undefined || !isOf(entry, user)) continue;
    const access = await visibility.access(entry, "end");
    if (access === "denied") throw notOwner(id);
    if (access === "granted") victims.push(entry);
  }
  const isQuery = operands.has("QUERY");
  const others = victims.filter((entry) => entry.id !== scope.caller.id);
  for (const entry of others) {
    // It may have got another account while the ones before it were ended.
    if (!isOf(entry, user)) continue;
    if (isQuery) await entry.killQuery();
    else entry.kill(reasonOf(scope));
  }
  if (others.length < victims.length) {
    if (isQuery) throw interrupted();
    return { kind: "ends_caller" };
  }
  return { kind: "ok", affectedRows: victims.length };
}

function isOf(entry: ClientEntry, user: string): boolean {
  const owner = entry.owner();
  return owner.isLoggedIn && owner.user === user;
}

/** `KILL [HARD|SOFT] QUERY ID query_id`: servers number queries, the proxy does not. */
export function killQueryById(_scope: AdminScope, operands: Operands): never {
  throw unknownQuery(operands.integer("query_id")!);
}

function reasonOf({ caller }: AdminScope): string {
  return `Killed by session ${caller.id} of ${caller.user}`;
}
