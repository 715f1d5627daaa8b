/** SHOW STATUS of a session that has no server: what the proxy counts under MySQL's names. */
import type { AdminScope } from "./scope.ts";

/** Name and value, in the order of names. */
export async function statusVariables(
  { proxy }: AdminScope,
): Promise<readonly (readonly [name: string, value: string])[]> {
  const { ended, clients } = proxy.manager;
  const living = await clients.snapshot();
  const sum = (of: "bytesIn" | "bytesOut" | "statements") =>
    living.reduce((total, info) => total + info[of], ended[of]);
  const running = living.filter(({ phase }) => phase === "executing").length;
  return [
    ["Bytes_received", String(sum("bytesIn"))],
    ["Bytes_sent", String(sum("bytesOut"))],
    ["Connections", String(ended.clients + living.length)],
    ["Questions", String(sum("statements"))],
    ["Ssl_cipher", ""],
    ["Ssl_version", ""],
    ["Threads_connected", String(living.length)],
    ["Threads_running", String(running)],
    ["Uptime", String(Math.floor((Date.now() - proxy.startedAt) / 1000))],
  ];
}
