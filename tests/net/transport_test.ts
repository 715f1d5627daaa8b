import { assert, assertEquals, assertRejects } from "@std/assert";
import { Listener } from "../../src/net/listener.ts";
import { closeQuietly, dial, writeAll } from "../../src/net/transport.ts";
import { FakeTransport } from "../fake/transport.ts";
import { eventually } from "../support/eventually.ts";
import { LogRecords } from "../support/log_records.ts";

const LOCAL = { hostname: "127.0.0.1", port: 0 };
const NEVER = new AbortController().signal;

Deno.test("All bytes are written where a write takes a part", async () => {
  const transport = new FakeTransport();
  transport.writeLimit = 7;
  const bytes = Uint8Array.from({ length: 100 }, (_, at) => at);
  await writeAll(transport, bytes);
  assertEquals(transport.written, bytes);
  assertEquals(transport.writes.length, 15);
});

Deno.test("A transport can be closed twice quietly", () => {
  const transport = new FakeTransport();
  closeQuietly(transport);
  closeQuietly(transport);
  assertEquals(transport.isClosed, true);
});

/** Ports of one's own that wait for a keep-alive. https://docs.kernel.org/networking/proc_net_tcp.html */
async function keptAlive(): Promise<number[]> {
  const [, ...rows] = (await Deno.readTextFile("/proc/net/tcp")).trim().split("\n");
  return rows.map((row) => row.trim().split(/\s+/)).flatMap((fields) => {
    const isKeptAlive = fields[5]!.startsWith("02:");
    return isKeptAlive ? [parseInt(fields[1]!.split(":")[1]!, 16)] : [];
  });
}

Deno.test({
  name: "Both ends of a connection ask whether the other one is still there",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    const clients: Deno.TcpConn[] = [];
    const listener = new Listener(LOCAL, (client) => clients.push(client));
    const end = await dial(listener.address, NEVER) as Deno.TcpConn;
    await eventually("the client has arrived", () => clients.length === 1);
    const kept = await keptAlive();
    for (const { localAddr } of [end, clients[0]!]) assert(kept.includes(localAddr.port));
    await listener.close();
    for (const one of [end, clients[0]!]) one.close();
  },
});

Deno.test("The listener hands over clients, and takes no more once closed", async () => {
  const clients: Deno.TcpConn[] = [];
  const listener = new Listener(LOCAL, (client) => clients.push(client));
  const address = listener.address;
  const ends = [await dial(address, NEVER), await dial(address, NEVER)];
  await eventually("both clients have arrived", () => clients.length === 2);
  await listener.close();
  await listener.close();
  await assertRejects(() => dial(address, NEVER), Deno.errors.ConnectionRefused);
  // Those that came stay.
  await writeAll(clients[0]!, Uint8Array.of(1));
  for (const end of [...ends, ...clients]) end.close();
});

Deno.test("Bytes travel between dialed and accepted", async () => {
  const { promise, resolve } = Promise.withResolvers<Deno.TcpConn>();
  const listener = new Listener(LOCAL, resolve);
  using near = await dial(listener.address, NEVER) as Deno.TcpConn;
  using far = await promise;
  await writeAll(near, new TextEncoder().encode("hello"));
  const buffer = new Uint8Array(16);
  assertEquals(await far.read(buffer), 5);
  far.close();
  assertEquals(await near.read(buffer), null);
  await listener.close();
});

Deno.test("A signal ends a dial", async () => {
  const abort = new AbortController();
  abort.abort();
  await assertRejects(() => dial({ hostname: "127.0.0.1", port: 9 }, abort.signal));
});

Deno.test("A client that cannot be taken over costs no other its connection", async () => {
  const log = await LogRecords.take();
  let arrived = 0;
  const listener = new Listener(LOCAL, (client) => {
    client.close();
    if (++arrived === 1) throw new Error("no more room");
  });
  for (let count = 0; count < 3; count++) closeQuietly(await dial(listener.address, NEVER));
  await eventually("all have arrived", () => arrived === 3);
  await listener.close();
  assertEquals(log.of("cannot accept a client").map(({ fields }) => fields.cause), [
    "no more room",
  ]);
});
