/** Which session an id means: the proxy's own id of it, or a server's id of a connection of it. */
import type { ClientEntry } from "../session_manager.ts";
import type { IdOperand } from "./operands.ts";
import { notOwner, unknownThread } from "./refusals.ts";
import type { AdminScope } from "./scope.ts";
import { type Purpose, Visibility } from "./visibility.ts";

/**
 * The session of this id that the caller may see or end. A `cs_id` comes first; where the caller
 * knows of no such session, the id counts as the one that a server gave to a connection.
 * @returns undefined where the session has ended in the meantime
 * @throws {SluiceError} unknown_thread, not_owner
 */
export async function resolveSession(
  id: IdOperand,
  purpose: Purpose,
  scope: AdminScope,
): Promise<ClientEntry | undefined> {
  const { clients } = scope.proxy.manager;
  if (id === "own") return clients.find(scope.caller.id);
  const entry = id <= Number.MAX_SAFE_INTEGER ? clients.find(Number(id)) : undefined;
  if (entry !== undefined) {
    const access = await new Visibility(scope).access(entry, purpose);
    if (access === "granted") return entry;
    if (access === "denied") throw refusal(id, purpose);
  }
  return await findByThread(id, purpose, scope);
}

async function findByThread(
  id: bigint,
  purpose: Purpose,
  scope: AdminScope,
): Promise<ClientEntry | undefined> {
  const { clients, servers } = scope.proxy.manager;
  // 0 stands for "not known yet" of connections that are being opened.
  if (id <= 0n) throw unknownThread(id);
  const connections = new Set<number>();
  await servers.visit((server) => {
    if (BigInt(server.threadId) === id) connections.add(server.id);
  });
  if (connections.size === 0) throw unknownThread(id);
  const visibility = new Visibility(scope);
  const granted: ClientEntry[] = [];
  let isDenied = false;
  for (const info of await clients.snapshot()) {
    if (!info.serverSessionIds.some((serverId) => connections.has(serverId))) continue;
    const entry = clients.find(info.id);
    if (entry === undefined) return undefined;
    const access = await visibility.access(entry, purpose);
    if (access === "granted") granted.push(entry);
    if (access === "denied") isDenied = true;
  }
  if (granted.length > 1) {
    const ids = granted.map((entry) => entry.id).join(", ");
    throw unknownThread(id, `: servers gave it to connections of the sessions ${ids}`);
  }
  if (granted.length === 0) throw isDenied ? refusal(id, purpose) : unknownThread(id);
  return granted[0];
}

/** Who may not see a session is not told that there is one. */
function refusal(id: bigint, purpose: Purpose) {
  return purpose === "see" ? unknownThread(id) : notOwner(id);
}
