import { assertEquals, assertStrictEquals } from "@std/assert";
import {
  type ClientEntry,
  type ClientSessionInfo,
  composeClientId,
  type ServerEntry,
  SessionManager,
} from "../src/session_manager.ts";

function client(id: number, onInfo = () => {}): ClientEntry {
  return {
    id,
    info() {
      onInfo();
      return { id } as ClientSessionInfo;
    },
    owner: () => ({ id }) as ClientSessionInfo,
    statementText: () => undefined,
    killQuery: () => Promise.resolve(),
    killServer: () => false,
    kill() {},
    sweep() {},
  };
}

const PARTS = [
  [{ proxyId: 0, isolate: 0, sequence: 1 }, 1],
  [{ proxyId: 0, isolate: 1, sequence: 0 }, 0x8000],
  [{ proxyId: 1, isolate: 0, sequence: 0 }, 0x40000],
  [{ proxyId: 8191, isolate: 7, sequence: 32_767 }, 0x7fffffff],
] as const;

for (const [parts, id] of PARTS) {
  Deno.test(`Id ${id} is composed of its parts`, () => {
    assertEquals(composeClientId(parts), id);
  });
}

Deno.test("Client ids begin at 1, carry proxy and isolate, and go on", () => {
  const manager = new SessionManager({ proxyId: 5, isolate: 2 });
  for (const sequence of [1, 2]) {
    assertEquals(manager.nextClientId(), composeClientId({ proxyId: 5, isolate: 2, sequence }));
  }
});

Deno.test("Client ids in use are passed over, and 0 is never given", () => {
  const manager = new SessionManager({ proxyId: 0, isolate: 0 });
  const taken = new Set<number>();
  for (let count = 0; count < 32_767; count++) {
    const id = manager.nextClientId()!;
    manager.clients.add(client(id));
    taken.add(id);
  }
  assertEquals([taken.size, taken.has(0), Math.max(...taken)], [32_767, false, 32_767]);
  assertEquals(manager.nextClientId(), undefined);
  manager.clients.remove(4711);
  assertEquals(manager.nextClientId(), 4711);
  manager.clients.add(client(4711));
  assertEquals(manager.nextClientId(), undefined);
});

Deno.test("An id that was given back is not the next one given", () => {
  const manager = new SessionManager({ proxyId: 0, isolate: 0 });
  const first = manager.nextClientId()!;
  manager.clients.add(client(first));
  manager.clients.remove(first);
  assertEquals(manager.nextClientId(), first + 1);
});

Deno.test("Server ids begin at 1 and skip those in use", () => {
  const manager = new SessionManager({ proxyId: 0, isolate: 0 });
  manager.servers.add({ ...client(2), info: () => ({}) } as unknown as ServerEntry);
  assertEquals([manager.nextServerId(), manager.nextServerId()], [1, 3]);
});

Deno.test("Entries are found by id until they are removed", () => {
  const { clients } = new SessionManager({ proxyId: 0, isolate: 0 });
  const entry = client(7);
  clients.add(entry);
  assertEquals([clients.size, clients.has(7), clients.has(8)], [1, true, false]);
  assertStrictEquals(clients.find(7), entry);
  assertEquals([...clients.values()], [entry]);
  clients.remove(7);
  clients.remove(7);
  assertEquals([clients.size, clients.find(7)], [0, undefined]);
});

Deno.test("Entries take their turns by id", () => {
  const { clients } = new SessionManager({ proxyId: 0, isolate: 0 });
  for (const id of [0xffff_ffff, 9, 300, 20]) clients.add(client(id));
  clients.remove(9);
  clients.add(client(10));
  assertEquals([...clients.inTurn()].map(({ id }) => id), [10, 20, 300, 0xffff_ffff]);
});

Deno.test("A snapshot lets other work run between its slices", async () => {
  const { clients } = new SessionManager({ proxyId: 0, isolate: 0 });
  let taken = 0;
  let ran = 0;
  for (let id = 1; id <= 1000; id++) clients.add(client(id, work));
  /** 1,000 of these are many slices, however fast the machine is. */
  function work(): void {
    const end = performance.now() + 0.03;
    while (performance.now() < end);
    taken++;
  }
  const seen: number[] = [];
  const timer = setInterval(() => {
    ran++;
    seen.push(taken);
  }, 0);
  const infos = await clients.snapshot();
  clearInterval(timer);
  assertEquals(infos.map(({ id }) => id), Array.from({ length: 1000 }, (_, at) => at + 1));
  assertEquals(ran > 0 && seen.some((count) => count < 1000), true);
});

Deno.test("A snapshot leaves out what ends meanwhile and takes nothing new", async () => {
  const { clients } = new SessionManager({ proxyId: 0, isolate: 0 });
  for (let id = 1; id <= 600; id++) {
    clients.add(client(id, () => {
      if (id !== 256) return;
      clients.remove(600);
      clients.add(client(601));
    }));
  }
  const ids = (await clients.snapshot()).map(({ id }) => id);
  assertEquals([ids.length, ids.includes(600), ids.includes(601)], [599, false, false]);
});
