import { assert, assertEquals, assertRejects } from "@std/assert";
import { SluiceError } from "../../src/errors.ts";
import { eventually } from "../support/eventually.ts";
import { type Holder, PoolBench } from "../support/pool_bench.ts";

async function takeAll(holders: readonly Holder[]): Promise<void> {
  for (const holder of holders) await holder.take();
}

function crowd(bench: PoolBench, user: string, count: number): Holder[] {
  const pool = bench.pool({ user });
  return Array.from({ length: count }, () => bench.holder(pool));
}

Deno.test("A server has no more sessions than it may, over all its pools", async () => {
  await using bench = new PoolBench({ poolServerMaxConnections: 3, poolBlockingTimeout: 20 });
  await takeAll([...crowd(bench, "a", 2), ...crowd(bench, "b", 1)]);
  const [late] = crowd(bench, "c", 1);
  const error = await assertRejects(() => late!.take(), SluiceError);
  assertEquals(error.kind, "pool_exhausted");
  assertEquals(
    error.message.replace(/\d+ ms/, "N ms"),
    "Too many connections: waited N ms for one of the 3 server sessions that all pools of server " +
      `${bench.backend.label} may have, for pool c#main`,
  );
  assertEquals([bench.pools.total, bench.server.connections], [3, 3]);
});

Deno.test("The server's own limit stands above that of all servers", async () => {
  await using bench = new PoolBench({ poolServerMaxConnections: 1 });
  bench.backend.use({ ...bench.backend.config, maxConnections: 2 });
  await takeAll(crowd(bench, "a", 2));
  assertEquals(bench.pools.maximum, 2);
  bench.backend.use({ ...bench.backend.config, maxConnections: 0 });
  await takeAll(crowd(bench, "a", 1));
});

Deno.test("What is idle in another pool makes room, the longest idle first", async () => {
  await using bench = new PoolBench({ poolServerMaxConnections: 3 });
  await bench.idle(1, bench.pool({ user: "a" }));
  bench.later += 1;
  await bench.idle(2, bench.pool({ user: "b" }));
  bench.later += 1;
  await takeAll(crowd(bench, "c", 1));
  assertEquals([bench.pool({ user: "a" }).size, bench.pool({ user: "b" }).size], [0, 2]);
  await takeAll(crowd(bench, "c", 2));
  assertEquals([bench.pools.total, bench.pool({ user: "b" }).size], [3, 0]);
  // Never more at a time than may be: each was opened after another had been closed.
  assert(bench.server.open <= 3);
});

Deno.test("No more is closed than is waited for", async () => {
  await using bench = new PoolBench({ poolServerMaxConnections: 4 });
  await bench.idle(4, bench.pool({ user: "a" }));
  await takeAll(crowd(bench, "b", 1));
  assertEquals([bench.pool({ user: "a" }).idle, bench.pool({ user: "b" }).size], [3, 1]);
  await Promise.all(crowd(bench, "b", 2).map((holder) => holder.take()));
  assertEquals([bench.pool({ user: "a" }).idle, bench.pool({ user: "b" }).size], [1, 3]);
});

Deno.test("A pool whose clients never stop does not starve another one", async () => {
  await using bench = new PoolBench({ poolServerMaxConnections: 2 });
  let isOver = false;
  const busy = crowd(bench, "busy", 20).map(async (holder) => {
    while (!isOver) {
      await holder.take();
      await new Promise((resolve) => setTimeout(resolve, 0));
      holder.give();
    }
  });
  const rare = crowd(bench, "rare", 3);
  for (const holder of rare) {
    await holder.take();
    holder.give();
  }
  isOver = true;
  await Promise.all(busy);
  assert(bench.pools.total <= 2);
});

Deno.test("Two busy pools share the server without logging in all the time", async () => {
  await using bench = new PoolBench({ poolServerMaxConnections: 4 });
  const counts = new Map<string, number>();
  // One millisecond a turn, however long that takes here.
  let time = Date.now();
  bench.clock = () => time;
  const turns = ["a", "b"].flatMap((user) =>
    crowd(bench, user, 40).map(async (holder) => {
      for (let at = 0; at < 20; at++) {
        await holder.take();
        time++;
        counts.set(user, (counts.get(user) ?? 0) + 1);
        await new Promise((resolve) => setTimeout(resolve, 0));
        holder.give();
      }
    })
  );
  await Promise.all(turns);
  assertEquals([...counts.values()], [800, 800]);
  // By age alone nearly each of the 1,600 turns would be a login.
  assert(bench.server.connections < 60, `${bench.server.connections} logins`);
});

Deno.test("Of those that wait at two pools the longer waiting one has what becomes free", async () => {
  await using bench = new PoolBench({ poolServerMaxConnections: 1 });
  const [first] = crowd(bench, "a", 1);
  await first!.take();
  const served: string[] = [];
  const [b, a] = [crowd(bench, "b", 1)[0]!, crowd(bench, "a", 1)[0]!];
  const wait = async (name: string, holder: Holder) => {
    await holder.take();
    served.push(name);
    holder.give();
  };
  const turns = [wait("b", b)];
  bench.later += 1_000;
  turns.push(wait("a", a));
  first!.give();
  await Promise.all(turns);
  assertEquals(served, ["b", "a"]);
});

Deno.test("A place that is given up while waiting for room leaves nothing behind", async () => {
  await using bench = new PoolBench({ poolServerMaxConnections: 1 });
  const [first] = crowd(bench, "a", 1);
  await first!.take();
  const [second] = crowd(bench, "b", 1);
  const refused = assertRejects(() => second!.take(), SluiceError);
  second!.leave();
  await refused;
  first!.give();
  assertEquals([bench.pool({ user: "a" }).idle, bench.pools.total], [1, 1]);
  // The one that makes room is on its way out when nobody wants it any more.
  const third = crowd(bench, "b", 1)[0]!;
  const gone = assertRejects(() => third.take(), SluiceError);
  assertEquals(bench.pool({ user: "a" }).leaving, 1);
  third.leave();
  await gone;
  await eventually("it is closed", () => bench.pools.total === 0);
});
