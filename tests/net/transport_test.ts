import { assertEquals, assertRejects } from "@std/assert";
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
