import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { exchange } from "../../src/backend/server_exchange.ts";
import type { ServerSession } from "../../src/backend/server_session.ts";
import { SluiceError } from "../../src/errors.ts";
import { LoginKey } from "../../src/protocol/auth.ts";
import { concat, encodeText } from "../../src/protocol/bytes.ts";
import { Capability, Command, Status } from "../../src/protocol/constants.ts";
import { commandRow } from "../../src/protocol/replies.ts";
import type { FakePeer } from "../fake/server.ts";
import { eventually } from "../support/eventually.ts";
import { LogRecords } from "../support/log_records.ts";
import { loginOf } from "../support/login_of.ts";
import { type Holder, PoolBench } from "../support/pool_bench.ts";

function numbers({ pool }: Holder): number[] {
  return [pool.size, pool.idle, pool.waiting.size];
}

Deno.test("A session that was given back is there at once, and no other is opened", async () => {
  await using bench = new PoolBench();
  const [first, second] = [bench.holder(), bench.holder()];
  assertStrictEquals(first.tryTake(), undefined);
  const session = await first.take();
  assertEquals(session.info().phase, "in_use");
  assertStrictEquals(second.tryTake(), undefined);
  first.give();
  assertEquals(session.info().phase, "idle");
  assertStrictEquals(second.tryTake(), session);
  assertEquals(await bench.holder().take() === session, false);
  assertEquals(numbers(first), [2, 0, 0]);
  assertEquals(bench.server.connections, 2);
});

Deno.test("Everybody gets the own last session back, as long as nobody else had it", async () => {
  await using bench = new PoolBench();
  const holders = await bench.idle(20);
  const sessions = [...bench.pool().seats].map(({ session }) => session);
  for (const [index, holder] of holders.entries()) {
    holder.distance = (session) => session === sessions[index] ? 1 : 0;
    assertStrictEquals(holder.tryTake(), sessions[index]);
  }
  for (const holder of holders) holder.give();
  const stranger = bench.holder();
  assertStrictEquals(stranger.tryTake(), sessions[19]);
  assertStrictEquals(holders[19]!.tryTake(), sessions[18]);
  stranger.give();
  assertEquals(bench.holder().tryTake(), sessions[19]);
});

Deno.test("Who waits is told of the session that is opened for it, and when that is over", async () => {
  await using bench = new PoolBench();
  const { pool, request } = bench.holder();
  const { signal } = new AbortController();
  const told: number[] = [];
  const options = { signal, isPatient: true, onOpening: (id: number) => told.push(id) };
  const session = await pool.acquire(request, options);
  assertEquals(told, [session.id, 0]);
});

Deno.test("Others get the nearest of the newest, the first that is near enough", async () => {
  await using bench = new PoolBench();
  const idle = (await bench.idle(12)).length;
  const sessions = [...bench.pool().seats].map(({ session }) => session);
  const looked: ServerSession[] = [];
  const stranger = bench.holder();
  const distances = new Map([[sessions[11], 7], [sessions[10], 3], [sessions[9], 3]]);
  stranger.distance = (session) => {
    looked.push(session);
    return distances.get(session) ?? 9;
  };
  assertStrictEquals(stranger.tryTake(), sessions[10]);
  // The oldest ones are not even looked at.
  assertEquals(looked, sessions.slice(4).toReversed());
  stranger.give();
  // Those that are infinitely far are better than none.
  const last = bench.holder();
  last.distance = () => Infinity;
  assertStrictEquals(last.tryTake(), sessions[10]);
  last.give();
  const other = bench.holder();
  distances.set(sessions[9], 0);
  other.distance = stranger.distance;
  looked.length = 0;
  assertStrictEquals(other.tryTake(), sessions[9]);
  assertEquals(looked, [sessions[10], sessions[11], sessions[9]]);
  assertEquals(numbers(other), [idle, idle - 1, 0]);
});

Deno.test("A pool has one account and one capability class; state is no part of it", async () => {
  await using bench = new PoolBench();
  const pool = bench.pool();
  const base = Capability.DEPRECATE_EOF;
  const withoutEffect = Capability.ODBC | Capability.CONNECT_WITH_DB | Capability.IGNORE_SIGPIPE;
  for (
    const change of [
      { schema: "shop", maxPacketSize: 7 },
      { attributes: Uint8Array.of(1, 2) },
      { key: LoginKey.fromPassword("secret") },
      { capabilities: { base: base | withoutEffect, extended: 0 } },
    ]
  ) assertStrictEquals(bench.pool(change), pool);
  const others = [
    bench.pool({ user: "ap" }),
    bench.pool({ key: LoginKey.fromPassword("secret2") }),
    bench.pool({ charset: 8 }),
    bench.pool({ capabilities: { base: base | Capability.FOUND_ROWS, extended: 0 } }),
    bench.pool({ capabilities: { base, extended: 4 } }),
  ];
  assertEquals(new Set([pool, ...others]).size, 6);
  assertEquals(others.map(({ name }) => name), ["ap#main", ...Array(4).fill("app#main")]);
});

Deno.test("A session keeps what it was opened with, and tells servers of nobody's attributes", async () => {
  await using bench = new PoolBench();
  const login = loginOf({ schema: "shop", charset: 8, attributes: Uint8Array.of(1, 97, 1, 98) });
  const session = await bench.holder().take(login);
  assertEquals([session.login.schema, session.login.charset], ["shop", 8]);
  const [seen] = bench.server.logins;
  assertEquals([seen?.database, seen?.charset, seen?.attributes.length], ["shop", 8, 0]);
});

Deno.test("A thousand waiting ones are served in the order in which they came", async () => {
  await using bench = new PoolBench({ poolMaxConnections: 5 });
  const served: number[] = [];
  const turns = Array.from({ length: 1000 }, async (_, number) => {
    const holder = bench.holder();
    await holder.take();
    served.push(number);
    // As if it had something to ask.
    await new Promise((resolve) => setTimeout(resolve, 0));
    holder.give();
  });
  assertEquals(numbers(bench.holder()), [5, 0, 1000]);
  await Promise.all(turns);
  assertEquals(served, Array.from({ length: 1000 }, (_, number) => number));
  assertEquals(numbers(bench.holder()), [5, 5, 0]);
  assertEquals(bench.server.connections, 5);
});

Deno.test("Nobody who comes later is served before those who wait", async () => {
  await using bench = new PoolBench({ poolMaxConnections: 1 });
  const first = bench.holder();
  await first.take();
  const second = bench.holder();
  const waiting = second.take();
  first.give();
  // It is the second one's already, although that one has not got to know of it yet.
  assertStrictEquals(first.tryTake(), undefined);
  const again = first.take();
  assertEquals(numbers(first), [1, 0, 1]);
  assertEquals((await waiting).id, [...bench.pool().seats][0]!.session.id);
  second.give();
  await again;
});

Deno.test("Who is killed while waiting leaves at once, and the next one has the place", async () => {
  await using bench = new PoolBench({ poolMaxConnections: 1 });
  const first = bench.holder();
  await first.take();
  const [second, third] = [bench.holder(), bench.holder()];
  const refused = assertRejects(() => second.take(), SluiceError);
  const turn = third.take();
  assertEquals(numbers(first), [1, 0, 2]);
  second.leave();
  assertEquals(numbers(first), [1, 0, 1]);
  assertEquals((await refused).kind, "killed");
  first.give();
  assertStrictEquals(await turn, third.session);
  // And nobody waits who has left before asking.
  assertEquals((await assertRejects(() => second.take(), SluiceError)).kind, "killed");
  assertEquals(numbers(first), [1, 0, 0]);
});

Deno.test("Who leaves while a session is opened for it leaves that to others", async () => {
  await using bench = new PoolBench({ poolMaxConnections: 1 });
  const [first, second] = [bench.holder(), bench.holder()];
  const refused = assertRejects(() => first.take(), SluiceError);
  const turn = second.take();
  first.leave();
  await refused;
  await turn;
  assertEquals(bench.server.connections, 1);
});

Deno.test("Waiting has an end that names the pool, its limit and the time", async () => {
  await using bench = new PoolBench({ poolMaxConnections: 2, poolBlockingTimeout: 30 });
  const [first] = [bench.holder(), await bench.holder().take()];
  await first.take();
  const error = await assertRejects(() => bench.holder().take(), SluiceError);
  assertEquals([error.kind, error.code, error.sqlState], ["pool_exhausted", 1040, "08004"]);
  const { label } = bench.backend;
  const [, waited] = /waited (\d+) ms/.exec(error.message) ?? [];
  assert(Number(waited) >= 30, error.message);
  assertEquals(
    error.message,
    `Too many connections: waited ${waited} ms for one of the 2 server sessions of pool app#main ` +
      `on server ${label}`,
  );
  assertEquals(numbers(first), [2, 0, 0]);
});

Deno.test("Refusals are a warning with pool and limit, once in ten seconds with their number", async () => {
  const log = await LogRecords.take();
  await using bench = new PoolBench({ poolMaxConnections: 1, poolBlockingTimeout: 5 });
  const now = Date.now();
  bench.clock = () => now;
  await bench.holder().take();
  const refuse = async (count: number) => {
    const waits = Array.from({ length: count }, () => bench.holder().take());
    const refused = Promise.all(waits.map((wait) => assertRejects(() => wait, SluiceError)));
    bench.sweep(5);
    await refused;
  };
  const told = () => log.of("pool exhausted").map(({ fields }) => fields.refused);
  await refuse(1);
  await refuse(3);
  await refuse(2);
  assertEquals(told(), [1]);
  bench.sweep(9_989);
  assertEquals(told(), [1]);
  bench.sweep(1);
  assertEquals(told(), [1, 5]);
  bench.sweep(20_000);
  await refuse(1);
  assertEquals(told(), [1, 5, 1]);
  const [line] = log.of("pool exhausted");
  const { label } = bench.backend;
  assertEquals(line!.level, "warning");
  assertEquals([line!.fields.pool, line!.fields.server, line!.fields.limit], [
    "app#main",
    label,
    1,
  ]);
});

Deno.test("Whom a session is opened for may wait for longer than others", async () => {
  const { promise: opened, resolve: open } = Promise.withResolvers<void>();
  await using bench = new PoolBench({ poolMaxConnections: 1, poolBlockingTimeout: 5 }, {
    onConnection: async (peer) => {
      await opened;
      await peer.greet();
      await peer.logIn();
      await peer.serve((_, session) => session.ok());
    },
  });
  const turn = bench.holder().take();
  const error = await assertRejects(() => bench.holder().take(), SluiceError);
  assertEquals(error.kind, "pool_exhausted");
  bench.sweep(1_000);
  open();
  await turn;
});

Deno.test("Who has waited at another server before comes before those who have waited for less", async () => {
  await using bench = new PoolBench({ poolMaxConnections: 1 });
  const first = bench.holder();
  await first.take();
  const served: string[] = [];
  const turns = ([["young", 0], ["old", 2_000], ["middle", 1_000]] as const).map(
    async ([name, age]) => {
      const holder = bench.holder();
      await holder.take(undefined, true, Date.now() - age);
      served.push(name);
      holder.give();
    },
  );
  first.give();
  await Promise.all(turns);
  assertEquals(served, ["old", "middle", "young"]);
});

Deno.test("Nobody waits: no timer runs", async () => {
  const timers = new Set<unknown>();
  const { setTimeout, clearTimeout } = globalThis;
  globalThis.setTimeout = ((...given: Parameters<typeof setTimeout>) => {
    const timer = setTimeout(...given);
    // A while may pass before the time limit is looked at.
    if (given[1]! > 30_000) timers.add(timer);
    return timer;
  }) as typeof setTimeout;
  globalThis.clearTimeout = (timer) => {
    timers.delete(timer);
    clearTimeout(timer);
  };
  try {
    await using bench = new PoolBench({ poolMaxConnections: 1 });
    const [first, second, third] = [bench.holder(), bench.holder(), bench.holder()];
    await first.take();
    const turn = second.take();
    assertEquals(timers.size, 1);
    first.give();
    await turn;
    assertEquals(timers.size, 0);
    const refused = assertRejects(() => third.take(), SluiceError);
    third.leave();
    await refused;
    assertEquals(timers.size, 0);
  } finally {
    Object.assign(globalThis, { setTimeout, clearTimeout });
  }
});

Deno.test("A time limit of 0 lets nobody wait, but everybody open", async () => {
  await using bench = new PoolBench({ poolMaxConnections: 1, poolBlockingTimeout: 0 });
  const first = bench.holder();
  await first.take();
  const error = await assertRejects(() => bench.holder().take(), SluiceError);
  assertEquals(error.kind, "pool_exhausted");
  first.give();
  await bench.holder().take();
});

Deno.test("An idle session that breaks is dropped, and another one opened when needed", async () => {
  await using bench = new PoolBench();
  await bench.idle(3);
  const holder = bench.holder();
  bench.server.drop();
  await eventually("they are gone", () => bench.pool().size === 0);
  assertEquals([numbers(holder), bench.pools.total], [[0, 0, 0], 0]);
  assertStrictEquals(holder.tryTake(), undefined);
  await holder.take();
  assertEquals(numbers(holder), [1, 0, 0]);
});

Deno.test("The place of a session that breaks in use goes to who waits", async () => {
  await using bench = new PoolBench({ poolMaxConnections: 1 });
  const [first, second] = [bench.holder(), bench.holder()];
  await first.take();
  const turn = second.take();
  bench.server.drop();
  await turn;
  assert(first.loss?.includes("Lost connection"));
  first.give();
  assertEquals(numbers(first), [1, 0, 0]);
});

Deno.test("A session with a transaction, or with bytes that nobody has read, goes to nobody", async () => {
  const answer = (sql: string, peer: FakePeer) =>
    peer.ok(sql === "BEGIN" ? Status.IN_TRANS : Status.AUTOCOMMIT);
  await using bench = new PoolBench({}, { onSession: (peer) => peer.serve(answer) });
  const holder = bench.holder();
  const session = await holder.take();
  const payload = concat([Uint8Array.of(Command.QUERY), encodeText("BEGIN")]);
  await exchange(session, [{ row: commandRow(Command.QUERY)!, payload }]);
  holder.give();
  assertEquals([session.isOpen, bench.pool().idle], [false, 0]);
  await eventually("it is closed", () => bench.pool().size === 0);

  const other = await holder.take();
  await other.write(Uint8Array.of(1, 0, 0, 0, Command.PING));
  await eventually("its reply is here", () => other.end > 0);
  holder.give();
  assertEquals([other.isOpen, bench.pool().size], [false, 0]);
});

Deno.test("A session that cannot be opened is told to whom it was for, and the next one tries", async () => {
  await using bench = new PoolBench({ poolMaxConnections: 1 });
  const wrong = loginOf({ key: LoginKey.fromPassword("wrong") });
  const [first, second] = [bench.holder(), bench.holder()];
  const refused = assertRejects(() => first.take(wrong), SluiceError);
  const turn = second.take();
  assertEquals((await refused).code, 1045);
  await turn;
  assertEquals(bench.server.connections, 2);
  assertEquals(numbers(first), [1, 0, 0]);
});

Deno.test("A refusal is told even to one whose session went to another who came before", async () => {
  const gates = [1, 2, 3].map(() => Promise.withResolvers<void>());
  await using bench = new PoolBench({ poolMaxConnections: 2 }, {
    onConnection: async (peer) => {
      await gates[peer.id - 1]!.promise;
      if (peer.id !== 2) return await peer.err(1045, "28000", "Access denied");
      await peer.greet();
      await peer.logIn();
      await peer.serve((_, session) => session.ok());
    },
  });
  const [first, second] = [bench.holder(), bench.holder()];
  const turn = first.take();
  const refused = assertRejects(() => second.take(), SluiceError);
  await eventually("both are being opened", () => bench.server.connections === 2);
  gates[1]!.resolve();
  await turn;
  // What was opened for the first is for the second now, and its refusal tells nothing of that one.
  gates[0]!.resolve();
  await eventually("another one is being opened", () => bench.server.connections === 3);
  gates[2]!.resolve();
  assertEquals((await refused).code, 1045);
});

Deno.test("A server that takes no more has those wait that have something to wait for", async () => {
  let isFull = false;
  await using bench = new PoolBench({ poolMaxConnections: 9 }, {
    onConnection: async (peer) => {
      if (isFull) return await peer.err(1040, "08004", "Too many connections");
      await peer.greet();
      await peer.logIn();
      await peer.serve((_, session) => session.ok());
    },
  });
  const [first, second] = [bench.holder(), bench.holder()];
  await first.take();
  isFull = true;
  const turn = second.take(undefined, false);
  await eventually("it was tried", () => bench.pool().retry.failure !== undefined);
  assertEquals(numbers(first), [1, 0, 1]);
  first.give();
  assertStrictEquals(await turn, second.session);
  second.session?.kill("of no use");
  // Now there is nothing to wait for.
  const error = await assertRejects(() => bench.holder().take(undefined, false), SluiceError);
  assertEquals(error.code, 1040);
});

Deno.test("A server that is away for a while loses nobody who can wait", async () => {
  let isAway = false;
  await using bench = new PoolBench({ poolMaxConnections: 4 }, {
    onConnection: async (peer) => {
      if (isAway) return peer.close();
      await peer.greet();
      await peer.logIn();
      await peer.serve((_, session) => session.ok());
    },
  });
  const served: number[] = [];
  const busy = await Promise.all([1, 2, 3, 4].map(async () => {
    const holder = bench.holder();
    await holder.take();
    return holder;
  }));
  const turns = Array.from({ length: 1000 }, async (_, number) => {
    const holder = bench.holder();
    await holder.take();
    served.push(number);
    holder.give();
  });
  isAway = true;
  bench.server.drop();
  await eventually("opening has failed", () => bench.pool().retry.failure !== undefined);
  assertEquals(busy.map(({ loss }) => loss !== undefined), [true, true, true, true]);
  assertEquals(bench.pool().waiting.size, 1000);
  isAway = false;
  await Promise.all(turns);
  assertEquals(served, Array.from({ length: 1000 }, (_, number) => number));
  await eventually("there are as many as before", () => bench.pool().idle === 4);
});

Deno.test("When the server is back, sessions are opened for all who wait", async () => {
  let isAway = true;
  await using bench = new PoolBench({ poolMaxConnections: 4 }, {
    onConnection: async (peer) => {
      if (isAway) return peer.close();
      await peer.greet();
      await peer.logIn();
      await peer.serve((_, session) => session.ok());
    },
  });
  const turns = [1, 2, 3, 4].map(() => bench.holder().take());
  await eventually("opening has failed", () => bench.pool().retry.failure !== undefined);
  isAway = false;
  assertEquals(new Set(await Promise.all(turns)).size, 4);
});

Deno.test("Who has another server to ask does not wait for one that is away", async () => {
  await using bench = new PoolBench({}, { onConnection: (peer) => Promise.resolve(peer.close()) });
  const errors = await Promise.all(
    [1, 2, 3].map(() => assertRejects(() => bench.holder().take(undefined, false), SluiceError)),
  );
  const kinds = errors.map(({ kind }: SluiceError) => kind);
  assertEquals(kinds, Array(3).fill("server_unreachable"));
  const tried = bench.server.connections;
  // And for a moment it is not even tried again.
  await assertRejects(() => bench.holder().take(undefined, false), SluiceError);
  assertEquals(bench.server.connections, tried);
  // Who waits in vain is told what is wrong, not that there are too many.
  bench.limits = { ...bench.limits, poolBlockingTimeout: 1 };
  const error = await assertRejects(() => bench.holder().take(), SluiceError);
  assertEquals(error.kind, "server_unreachable");
});

Deno.test("Closing ends all waiting and what is free, and takes nothing back", async () => {
  await using bench = new PoolBench({ poolMaxConnections: 2 });
  const holder = bench.holder();
  await holder.take();
  await bench.idle(1);
  const other = bench.holder();
  await other.take();
  const waiting = assertRejects(() => bench.holder().take(), SluiceError);
  bench.pools.close();
  assertEquals((await waiting).kind, "shutdown");
  assertEquals((await assertRejects(() => bench.holder().take(), SluiceError)).kind, "shutdown");
  for (const one of [holder, other]) one.give();
  await eventually("they are closed", () => bench.pools.total === 0);
});
