/** Many holders at many pools of one server, while sessions break and clients leave. */
import { assert, assertEquals } from "@std/assert";
import { SluiceError } from "../../src/errors.ts";
import { eventually } from "../support/eventually.ts";
import { type Holder, PoolBench } from "../support/pool_bench.ts";
import { chooseSeed, seededRandom } from "../support/random.ts";

const HOLDERS = 60;
const TURNS = 25;
const SERVER_MAXIMUM = 7;
const POOL_MAXIMUM = 4;

/** Reasons for which somebody may get no session here. */
const EXPECTED = ["killed", "server_lost", "server_unreachable"];

Deno.test("Whatever happens, limits hold, nobody is forgotten and nothing is left over", async () => {
  const seed = chooseSeed();
  const random = seededRandom(seed);
  const below = (count: number) => Math.floor(random() * count);
  const pause = () => new Promise((resolve) => setTimeout(resolve, below(3)));
  let isAway = false;
  await using bench = new PoolBench({
    poolMaxConnections: POOL_MAXIMUM,
    poolServerMaxConnections: SERVER_MAXIMUM,
    poolMinConnections: 1,
    poolIdleTimeout: 5,
    poolLifeTime: 40,
  }, {
    onConnection: async (peer) => {
      if (isAway) return peer.close();
      await peer.greet();
      await peer.logIn();
      await peer.serve((_, session) => session.ok());
    },
  });
  bench.random = random;
  const held = new Map<number, Holder>();
  const refusals: string[] = [];
  let served = 0;

  async function turn(holder: Holder): Promise<void> {
    const leaving = below(12) === 0 ? setTimeout(() => holder.leave(), below(4)) : undefined;
    try {
      const session = holder.tryTake() ?? await holder.take();
      assertEquals(held.has(session.id), false, "two have the same session");
      held.set(session.id, holder);
      served++;
      if (below(4) > 0) await pause();
      held.delete(session.id);
      if (below(15) === 0) return session.close();
      if (below(3) === 0) {
        const fails = below(10) === 0;
        session.beforeHandOver = async () => {
          await pause();
          if (fails) throw new Error("cannot be read out");
        };
      } else session.beforeHandOver = undefined;
      holder.give();
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error;
      refusals.push(error.kind);
    } finally {
      clearTimeout(leaving);
    }
  }

  const clients = Array.from({ length: HOLDERS }, async (_, number) => {
    for (let at = 0; at < TURNS; at++) {
      const holder = bench.holder(bench.pool({ user: `user${number % 5}` }));
      await turn(holder);
      if (below(5) === 0) await turn(holder);
      if (below(3) === 0) await pause();
    }
  });
  const watch = setInterval(() => {
    assert(bench.pools.total <= SERVER_MAXIMUM, `${bench.pools.total} sessions, seed ${seed}`);
    for (const pool of bench.pools.pools) assert(pool.size <= POOL_MAXIMUM, `seed ${seed}`);
    if (below(20) === 0) bench.server.drop();
    if (below(isAway ? 5 : 60) === 0) isAway = !isAway;
    if (below(5) === 0) bench.sweep();
  }, 2);
  try {
    await Promise.all(clients);
  } finally {
    clearInterval(watch);
    isAway = false;
  }
  assertEquals(refusals.filter((kind) => !EXPECTED.includes(kind)), [], `seed ${seed}`);
  assert(served > HOLDERS * TURNS / 2, `${served} served, seed ${seed}`);

  await eventually(`all that is open is idle, seed ${seed}`, () => {
    let [size, idle] = [0, 0];
    for (const pool of bench.pools.pools) {
      assertEquals([pool.waiting.size, pool.unserved], [0, 0]);
      size += pool.size;
      idle += pool.idle;
    }
    return size === bench.pools.total && idle === size && bench.manager.servers.size === size;
  });
  // Nothing has been lost of what there may be: as many can be had as at the beginning.
  bench.limits = { ...bench.limits, poolMaxConnections: 0 };
  const last = Array.from({ length: SERVER_MAXIMUM }, () => bench.holder());
  for (const holder of last) await holder.take();
  assertEquals([bench.pool().size, bench.pools.total], [SERVER_MAXIMUM, SERVER_MAXIMUM]);
});
