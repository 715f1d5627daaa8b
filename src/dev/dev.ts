/** `deno task dev`: a real database server and the proxy in front of it, until Ctrl-C. */

import { formatAddress } from "../config/address.ts";
import type { Address } from "../config/types.ts";
import { connectLines } from "./connect_lines.ts";
import { openDatabase } from "./dev_database.ts";
import { type DevOptions, HELP, OptionError, parseDevOptions } from "./dev_options.ts";
import { startProxy } from "./dev_proxy.ts";
import { EngineUnavailable } from "./engines/engine.ts";
import { ServerFailed } from "./engines/server_process.ts";

/** Why the environment ends by itself; the message says it all. */
class DevFailed extends Error {
  override readonly name = "DevFailed";
}

/** Reported by their messages; all others are defects and show where they come from. */
const expectedErrors = [OptionError, EngineUnavailable, ServerFailed, DevFailed];

if (import.meta.main) Deno.exit(await main());

async function main(): Promise<number> {
  try {
    const options = parseDevOptions(Deno.args);
    if (options === undefined) say(HELP);
    else await runDev(options);
    return 0;
  } catch (error) {
    if (!expectedErrors.some((kind) => error instanceof kind)) throw error;
    const { message, cause } = error as Error;
    say(cause instanceof Error ? `${message}\n${cause.message}` : message);
    return error instanceof OptionError ? 2 : 1;
  }
}

async function runDev({ listen, database: choice }: DevOptions): Promise<void> {
  requireFree(listen);
  const stop = listenForStop();
  await using database = await openDatabase(choice, say);
  say("Starting sluice");
  await using proxy = await startProxy(listen, database);
  const lines = await connectLines({
    address: proxy.address,
    login: database.login,
    showPassword: database.ownLogin,
    schema: database.schema,
  });
  say(`sluice listens on ${formatAddress(listen)} in front of ${database.name}. Connect with:`);
  say(lines.map((line) => `  ${line}`).join("\n"));
  say("Ctrl-C stops everything and removes the data");
  const problem = await Promise.race([stop.requested(), database.ended, proxy.ended]);
  if (problem !== undefined) throw new DevFailed(problem);
  say("Stopping");
}

/** Asked before minutes of download, not after them. */
function requireFree(listen: Address): void {
  try {
    Deno.listen(listen).close();
  } catch (error) {
    const inUse = error instanceof Deno.errors.AddrInUse;
    throw new DevFailed(
      `Cannot listen on ${formatAddress(listen)}: ${inUse ? "the port is in use" : error}. ` +
        "Choose another address by --listen HOST:PORT",
    );
  }
}

/**
 * Waits for Ctrl-C or SIGTERM. Before anybody waits, in the midst of a download or a start, they end
 * this program at once, and what it started goes with it. Later ones count once: task runners pass
 * a Ctrl-C on that the terminal has delivered already.
 */
function listenForStop(): { requested(): Promise<void> } {
  let request = () => Deno.exit(0) as void;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => request());
  }
  return {
    requested: () => new Promise((resolve) => request = resolve),
  };
}

function say(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text.trimEnd()}\n`));
}
