/** The part of starting a server that is the same for every engine. */

import { OwnFolder } from "./own_folder.ts";
import { type Account, query } from "./query.ts";
import { type ServerCommand, ServerFailed, ServerProcess } from "./server_process.ts";
import type { EngineName, StartedEngine, StartOptions } from "./types.ts";

/** What differs between the engines. */
export interface ServerPlan {
  readonly name: EngineName;
  /** Folder that the server's own folder is made in; the system's temporary one unless given. */
  readonly parent?: string;
  /** Fills the new folder and says what to run. */
  prepare(folder: string, port: number): Promise<ServerCommand>;
  /** The administrator. */
  readonly admin: Account;
  /** For servers that cannot be told before they listen: who runs what to make `admin` work. */
  readonly first?: { readonly account: Account; readonly statements: readonly string[] };
}

/**
 * Starts a server and waits until its administrator can work. Between looking for a free port and
 * listening on it another program may take it: then another port is tried, unless the caller
 * insists on one.
 */
export async function startServer(plan: ServerPlan, options: StartOptions): Promise<StartedEngine> {
  for (let attempt = 1;; attempt++) {
    const port = options.port ?? freePort();
    try {
      // Else a foreign server on this port would be taken for the new one.
      if (await isListening(port)) {
        throw new ServerFailed(`Cannot start ${plan.name}: port ${port} is in use`);
      }
      return await startOnPort(plan, port);
    } catch (error) {
      const again = error instanceof ServerFailed && options.port === undefined && attempt < 3;
      if (!again || !await isListening(port)) throw error;
    }
  }
}

async function startOnPort(plan: ServerPlan, port: number): Promise<StartedEngine> {
  const folder = new OwnFolder(`sluice-${plan.name}-`, plan.parent);
  let server: ServerProcess;
  try {
    server = new ServerProcess(await plan.prepare(folder.path, port), folder);
  } catch (error) {
    await folder.remove();
    throw error;
  }
  try {
    const address = { hostname: "127.0.0.1", port };
    await server.ready(address, plan.first?.account ?? plan.admin);
    if (plan.first) await query(address, plan.first.account, plan.first.statements);
    const rows = await query(address, plan.admin, ["SELECT VERSION() AS version"]);
    return startedEngine(plan, { server, port, version: String(rows[0]!.version) });
  } catch (error) {
    await server.stop();
    throw error;
  }
}

function startedEngine(
  plan: ServerPlan,
  { server, port, version }: { server: ServerProcess; port: number; version: string },
): StartedEngine {
  return {
    name: plan.name,
    version,
    hostname: "127.0.0.1",
    port,
    pid: server.pid,
    admin: plan.admin,
    exited: server.exited,
    logTail: () => server.logTail(),
    kill: () => server.kill(),
    stop: () => server.stop(),
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

/** A port that nothing listened on a moment ago. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function isListening(port: number): Promise<boolean> {
  try {
    using _connection = await Deno.connect({ hostname: "127.0.0.1", port });
    return true;
  } catch {
    return false;
  }
}
