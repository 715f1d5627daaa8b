import { assertEquals } from "@std/assert";
import { eventually } from "../support/eventually.ts";
import { PoolBench } from "../support/pool_bench.ts";

const MINUTE = 60_000;
const DAY = 86_400_000;

async function open(bench: PoolBench, count: number): Promise<void> {
  await eventually(`${count} are open`, () => {
    const pool = bench.pool();
    return pool.size === count && pool.opening === 0 && bench.server.open === count;
  });
}

Deno.test("What is idle for too long is closed, down to the least", async () => {
  await using bench = new PoolBench({ poolIdleTimeout: MINUTE, poolMinConnections: 2 });
  const holders = await bench.idle(5);
  bench.sweep(MINUTE / 2);
  assertEquals(bench.pool().idle, 5);
  const newest = [...bench.pool().seats].slice(3).map(({ session }) => session);
  holders[4]!.tryTake();
  holders[4]!.give();
  bench.sweep(MINUTE / 2);
  await open(bench, 2);
  assertEquals([...bench.pool().seats].map(({ session }) => session), newest);
});

Deno.test("0 for the idle time and the life time means any", async () => {
  await using bench = new PoolBench();
  await bench.idle(2);
  bench.sweep(DAY / 2);
  assertEquals(bench.pool().idle, 2);
});

Deno.test("A session's life ends when it is free, and not all at the same time", async () => {
  await using bench = new PoolBench({ poolLifeTime: 10 * MINUTE });
  const [first, second] = [bench.holder(), bench.holder()];
  await first.take();
  bench.random = () => 0.5;
  await second.take();
  first.give();
  bench.sweep(9.4 * MINUTE);
  assertEquals(bench.pool().size, 2);
  // The second one's ends half a minute before its time, and it is in use.
  bench.sweep(0.1 * MINUTE);
  assertEquals([bench.pool().leaving, bench.pool().idle], [0, 1]);
  second.give();
  await open(bench, 1);
  bench.sweep(0.5 * MINUTE);
  await open(bench, 0);
});

Deno.test("The least is opened again in the background once the pool is in use", async () => {
  await using bench = new PoolBench({ poolMinConnections: 3 });
  const pool = bench.pool();
  bench.sweep(0);
  assertEquals(pool.size, 0);
  await bench.idle(1);
  bench.sweep(0);
  await open(bench, 3);
  bench.server.drop();
  await open(bench, 0);
  bench.sweep(0);
  await open(bench, 3);
  assertEquals(bench.pool().idle, 3);
  // Nobody has used it for long: it is not kept for ever.
  bench.limits = { ...bench.limits, poolIdleTimeout: MINUTE };
  bench.sweep(DAY);
  await open(bench, 0);
  bench.sweep(0);
  assertEquals([...bench.pools.pools].length, 0);
});

Deno.test("A pool that is filled before opens its least at once, without anybody's schema", async () => {
  await using bench = new PoolBench({ poolMinConnections: 2, poolPrefill: true });
  bench.pool({ schema: "shop" });
  await open(bench, 2);
  assertEquals(bench.server.logins.map(({ database }) => database), ["", ""]);
});

Deno.test("The least is no more than the most, of the pool and of the server", async () => {
  await using bench = new PoolBench({
    poolMinConnections: 4,
    poolMaxConnections: 3,
    poolServerMaxConnections: 5,
    poolPrefill: true,
  });
  bench.pool();
  await open(bench, 3);
  bench.pool({ user: "other" });
  await eventually("the server has as many as it may", () => bench.server.open === 5);
  bench.sweep(0);
  assertEquals(bench.pools.total, 5);
});

Deno.test("The least is tried again with growing pauses while the server is away", async () => {
  let isAway = true;
  await using bench = new PoolBench({ poolMinConnections: 2, poolPrefill: true }, {
    onConnection: async (peer) => {
      if (isAway) return peer.close();
      await peer.greet();
      await peer.logIn();
      await peer.serve((_, session) => session.ok());
    },
  });
  const time = Date.now();
  bench.clock = () => time;
  const pool = bench.pool();
  const pauses: number[] = [];
  for (let at = 0; at < 7; at++) {
    await eventually("an attempt has failed", () => pool.opening === 0);
    const pause = pool.retry.at - bench.clock() - bench.later;
    pauses.push(pause);
    bench.sweep(pause - 1);
    assertEquals(pool.opening, 0);
    bench.sweep(1);
    assertEquals(pool.opening, 1);
  }
  assertEquals(pauses, [50, 100, 200, 400, 800, 1_000, 1_000]);
  isAway = false;
  await eventually("the attempt is over", () => pool.opening === 0);
  bench.sweep(1_000);
  await eventually("the first is there", () => pool.opening === 0 && pool.size > 0);
  bench.sweep(0);
  await open(bench, 2);
});

Deno.test("A limit that is lowered closes what is too much when it is free", async () => {
  await using bench = new PoolBench();
  const busy = bench.holder();
  await busy.take();
  await bench.idle(4);
  bench.limits = { ...bench.limits, poolMaxConnections: 3 };
  bench.sweep(0);
  await open(bench, 3);
  bench.limits = { ...bench.limits, poolServerMaxConnections: 1 };
  bench.sweep(0);
  await open(bench, 1);
  // Who waits gets what a limit that is raised allows.
  const turn = bench.holder().take();
  assertEquals(bench.pool().waiting.size, 1);
  bench.limits = { ...bench.limits, poolServerMaxConnections: 2 };
  bench.sweep(0);
  await turn;
  // Both are in use: the first one back is too much.
  bench.limits = { ...bench.limits, poolServerMaxConnections: 1 };
  busy.give();
  await open(bench, 1);
});

Deno.test("A pool that nobody uses is forgotten, and there again when it is asked for", async () => {
  await using bench = new PoolBench({ poolIdleTimeout: MINUTE });
  await bench.idle(1);
  const pool = bench.pool();
  bench.sweep(MINUTE);
  await open(bench, 0);
  bench.sweep(0);
  assertEquals([pool.isDropped, [...bench.pools.pools].length], [true, 0]);
  assertEquals(bench.pool() === pool, false);
});
