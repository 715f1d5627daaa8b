/** A storm over a proxy, and what there is before it and after it. */
import { assert, assertEquals } from "@std/assert";
import { eventually } from "../eventually.ts";
import type { ProxyProcess } from "../proxy_process.ts";
import { chooseSeed, seededRandom } from "../random.ts";
import { report } from "../report.ts";
import type { SharedEngine } from "../shared_engine.ts";
import { WireClient } from "../wire_client.ts";
import { Storm } from "./storm.ts";
import { columnOf } from "./storm_session.ts";

const CLIENTS = 200;

/** @throws where anything is left of it, or anybody saw what they must not */
export async function weather(
  proxy: ProxyProcess,
  { admin }: SharedEngine,
  kills: number,
): Promise<void> {
  const port = await proxy.port();
  const seed = chooseSeed();
  const [{ Value: threads }] = await admin(THREADS) as [{ Value: string }];
  const sockets = await countSockets(proxy.pid);
  const memory = await proxy.memory("VmRSS");
  const storm = new Storm({
    port,
    kills,
    clients: CLIENTS,
    random: seededRandom(seed),
    limit: 120_000 + 50 * kills,
  });
  const begun = performance.now();
  try {
    await storm.run();
  } catch (error) {
    throw new Error(`The storm of SLUICE_SEED=${seed} failed`, { cause: error });
  } finally {
    storm.tell();
  }
  const seconds = (performance.now() - begun) / 1000;

  await eventually("the proxy has no session", async () => {
    const [clients, servers] = await sessions(port);
    // The one that asks.
    return clients === 1 && servers === 0;
  });
  await eventually("no socket is left", async () => await countSockets(proxy.pid) === sockets);
  await eventually("the server has the threads of before", async () => {
    const [row] = await admin(THREADS) as [{ Value: string }];
    return row.Value === threads;
  });
  // A commit counts once, or not at all where nobody was told of it.
  const [{ total }] = await admin("SELECT SUM(n) AS total FROM test.storm") as [{ total: string }];
  const { committed, uncertain } = storm;
  const isRight = committed <= Number(total) && Number(total) <= committed + uncertain;
  assert(isRight, `${total} commits, ${committed} were answered, ${uncertain} were not`);
  const defects = proxy.stderr.split("\n").filter((line) =>
    line.includes(" level=error ") || line.includes('"cannot cancel statement"')
  );
  assertEquals(defects, []);
  const after = await proxy.memory("VmRSS");
  const peak = await proxy.memory("VmHWM");
  report(
    `${seconds.toFixed(1)} s; memory of the proxy ${megabytes(memory)} before, ` +
      `${megabytes(peak)} at its highest, ${megabytes(after)} after`,
  );
}

const THREADS = "SHOW GLOBAL STATUS LIKE 'Threads_connected'";

async function countSockets(pid: number): Promise<number> {
  let count = 0;
  for await (const { name } of Deno.readDir(`/proc/${pid}/fd`)) {
    const target = await Deno.readLink(`/proc/${pid}/fd/${name}`).catch(() => "");
    if (target.startsWith("socket:")) count++;
  }
  return count;
}

/** Client and server sessions that the proxy counts. */
async function sessions(port: number): Promise<number[]> {
  const login = { user: "root@proxysys", password: "secret" };
  const client = await WireClient.connect({ port, ...login });
  const value = async (name: string) =>
    Number(columnOf(await client.run(`SHOW PROXYSTAT LIKE 'current_${name}_connections'`), 1)[0]);
  const counts = [await value("client"), await value("server")];
  await client.quit();
  return counts;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}
