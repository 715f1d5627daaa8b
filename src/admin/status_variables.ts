/** SHOW STATUS of a session that has no server: what the proxy counts under MySQL's names. */
import { clientTotals } from "./client_totals.ts";
import type { AdminScope } from "./scope.ts";

/** Name and value, in the order of names. */
export async function statusVariables(
  { proxy }: AdminScope,
): Promise<readonly (readonly [name: string, value: string])[]> {
  const { manager, startedAt } = proxy;
  const { living, executing, statements, bytesIn, bytesOut } = await clientTotals(manager);
  return [
    ["Bytes_received", String(bytesIn)],
    ["Bytes_sent", String(bytesOut)],
    ["Connections", String(manager.ended.clients + living)],
    ["Questions", String(statements)],
    ["Ssl_cipher", ""],
    ["Ssl_version", ""],
    ["Threads_connected", String(living)],
    ["Threads_running", String(executing)],
    ["Uptime", String(Math.floor((Date.now() - startedAt) / 1000))],
  ];
}
