import { assert, assertEquals } from "@std/assert";
import { exchange } from "../../src/backend/server_exchange.ts";
import type { ServerSession } from "../../src/backend/server_session.ts";
import { concat, encodeText } from "../../src/protocol/bytes.ts";
import { Command, Status } from "../../src/protocol/constants.ts";
import { commandRow } from "../../src/protocol/replies.ts";
import { eventually } from "../support/eventually.ts";
import { type Holder, PoolBench } from "../support/pool_bench.ts";

function readOut(session: ServerSession): Promise<unknown> {
  const payload = concat([Uint8Array.of(Command.QUERY), encodeText("SHOW WARNINGS")]);
  return exchange(session, [{ row: commandRow(Command.QUERY)!, payload }]);
}

/** Takes a session and gives it back with something to be read out of it. */
async function hold(holder: Holder, then?: (session: ServerSession) => Promise<void>) {
  const session = await holder.take();
  giveToRead(holder, then);
  return session;
}

/** Gives the session back that it has, with something to be read out of it. */
function giveToRead(holder: Holder, then?: (session: ServerSession) => Promise<void>): void {
  const session = holder.session!;
  session.beforeHandOver = async () => {
    await readOut(session);
    await then?.(session);
  };
  holder.give();
}

Deno.test("Nobody but its last holder gets a session before that has been read out", async () => {
  await using bench = new PoolBench();
  const [first, second] = [bench.holder(), bench.holder()];
  const session = await hold(first);
  assertEquals(second.tryTake(), undefined);
  assertEquals(first.tryTake(), session);
  assertEquals(bench.server.queries, []);
  session.beforeHandOver = undefined;
  first.give();
  await hold(first);
  assertEquals(await second.take(), session);
  assertEquals(bench.server.queries, ["SHOW WARNINGS"]);
  assertEquals([session.beforeHandOver, session.info().phase], [undefined, "in_use"]);
  assertEquals(bench.server.connections, 1);
  // It is the second one's now.
  second.give();
  bench.pool().tryTake(second.request);
  assertEquals(first.tryTake(), undefined);
});

Deno.test("A session that is given back unused is not taken for the one before", async () => {
  await using bench = new PoolBench();
  const holder = bench.holder();
  const unused = await bench.holder().take();
  const session = await hold(holder);
  unused.giveBack(undefined);
  assertEquals(holder.tryTake(), session);
});

Deno.test("A session that is retired is nobody's at once", async () => {
  await using bench = new PoolBench();
  const session = await hold(bench.holder());
  session.beforeHandOver = undefined;
  session.retire();
  const other = bench.holder();
  assertEquals([session.isOpen, other.tryTake()], [false, undefined]);
  assertEquals(await other.take() === session, false);
});

Deno.test("Sessions with nothing to be read out are taken first, of held ones the oldest", async () => {
  await using bench = new PoolBench();
  const [free, oldest, newest] = [bench.holder(), bench.holder(), bench.holder()];
  const sessions = await Promise.all([free, oldest, newest].map((holder) => holder.take()));
  free.give();
  for (const [index, holder] of [oldest, newest].entries()) {
    sessions[index + 1]!.beforeHandOver = () => Promise.resolve();
    holder.give();
  }
  const [first, second] = [bench.holder(), bench.holder()];
  assertEquals(first.tryTake(), sessions[0]);
  assertEquals(await second.take(), sessions[1]);
  assertEquals(newest.tryTake(), sessions[2]);
});

Deno.test("What its holder no longer wants to know is not read out", async () => {
  await using bench = new PoolBench();
  const session = await hold(bench.holder());
  session.beforeHandOver = undefined;
  assertEquals(bench.holder().tryTake(), session);
});

Deno.test("A session that cannot be read out is closed and another one taken", async () => {
  await using bench = new PoolBench({ poolMaxConnections: 1 });
  const session = await hold(bench.holder(), () => Promise.reject(new Error("no such thing")));
  const other = await bench.holder().take();
  assertEquals([session.isOpen, other === session], [false, false]);
  assertEquals(bench.pool().size, 1);
  other.kill("done with");
});

Deno.test("A session that breaks while it is read out loses nobody who waits", async () => {
  await using bench = new PoolBench({ poolMaxConnections: 1 }, {
    onSession: (peer) =>
      peer.serve((_, session) => peer.id === 1 ? Promise.resolve(session.close()) : session.ok()),
  });
  await hold(bench.holder());
  await bench.holder().take();
  assertEquals([bench.pool().size, bench.pool().unserved, bench.server.connections], [1, 0, 2]);
});

Deno.test("Who waits gets a session straight from its holder, after it has been read out", async () => {
  await using bench = new PoolBench({ poolMaxConnections: 1 });
  const [first, second] = [bench.holder(), bench.holder()];
  const session = await first.take();
  const turn = second.take();
  session.beforeHandOver = async () => {
    await readOut(session);
  };
  first.give();
  assertEquals(bench.pool().idle, 0);
  assertEquals(await turn, session);
  assertEquals(bench.server.queries, ["SHOW WARNINGS"]);
});

Deno.test("Its own holder need not have it read out, even if it had to wait", async () => {
  await using bench = new PoolBench({ poolMaxConnections: 1 });
  const first = bench.holder();
  const session = await first.take();
  session.beforeHandOver = () => Promise.reject(new Error("not to be run"));
  const turn = first.take();
  session.giveBack(first);
  assertEquals(await turn, session);
  assert(session.beforeHandOver !== undefined);
});

Deno.test("A session is read out before it is closed for being idle, or for others' sake", async () => {
  await using bench = new PoolBench({ poolIdleTimeout: 60_000, poolServerMaxConnections: 1 });
  await hold(bench.holder());
  bench.sweep(60_000);
  await eventually("it is closed", () => bench.pools.total === 0);
  assertEquals(bench.server.queries, ["SHOW WARNINGS"]);
  await hold(bench.holder());
  await bench.holder(bench.pool({ user: "other" })).take();
  assertEquals(bench.server.queries, ["SHOW WARNINGS", "SHOW WARNINGS"]);
});

Deno.test("A session that is given back too old, or is too much, is read out before it is closed", async () => {
  await using bench = new PoolBench({ poolLifeTime: 60_000 });
  const [first, second] = [bench.holder(), bench.holder()];
  await first.take();
  bench.later += 60_000;
  giveToRead(first);
  await eventually("it is closed", () => bench.pools.total === 0);
  assertEquals(bench.server.queries, ["SHOW WARNINGS"]);
  await Promise.all([first.take(), second.take()]);
  bench.limits = { ...bench.limits, poolMaxConnections: 1 };
  giveToRead(first);
  assertEquals([bench.pool().leaving, bench.pool().idle], [1, 0]);
  giveToRead(second);
  assertEquals([bench.pool().leaving, bench.pool().idle], [1, 1]);
  await eventually("it is closed", () => bench.pools.total === 1);
  assertEquals(bench.server.queries, ["SHOW WARNINGS", "SHOW WARNINGS"]);
});

Deno.test("A session that is given back too old and cannot be read out is its holder's again", async () => {
  await using bench = new PoolBench({ poolLifeTime: 60_000, poolMaxConnections: 1 });
  const [holder, other] = [bench.holder(), bench.holder()];
  const session = await holder.take();
  const turn = other.take();
  bench.later += 60_000;
  let kept = 0;
  session.beforeHandOver = () => Promise.resolve(kept++ === 0 ? "kept" : undefined);
  holder.give();
  await eventually("it is kept", () => kept === 1 && bench.pool().leaving === 0);
  assertEquals([session.isOpen, bench.pool().size, bench.pool().idle], [true, 1, 0]);
  session.giveBack(holder);
  assertEquals(await turn === session, false);
  assertEquals([session.isOpen, bench.server.connections], [false, 2]);
});

Deno.test("A session that is given back in a transaction, or at the end, is not read out", async () => {
  await using bench = new PoolBench({}, {
    onSession: (peer) => peer.serve((_, session) => session.ok(Status.IN_TRANS)),
  });
  const [first, second] = [bench.holder(), bench.holder()];
  await readOut(await first.take());
  giveToRead(first);
  await eventually("it is closed", () => bench.pools.total === 0);
  await second.take();
  bench.pools.close();
  giveToRead(second);
  await eventually("it is closed", () => bench.pools.total === 0);
  assertEquals(bench.server.queries, ["SHOW WARNINGS"]);
});

Deno.test("A session that is kept leaves its place to nobody, and another one has to go", async () => {
  await using bench = new PoolBench({ poolServerMaxConnections: 2 });
  const [keeper, other] = [bench.holder(), bench.holder()];
  const kept = await keeper.take();
  await other.take();
  kept.beforeHandOver = () => Promise.resolve("kept");
  keeper.give();
  giveToRead(other);
  await bench.holder(bench.pool({ user: "other" })).take();
  assertEquals([kept.isOpen, bench.pool().size, bench.pools.total], [true, 1, 2]);
  assertEquals(bench.server.queries, ["SHOW WARNINGS"]);
});

Deno.test("Who leaves while a session is read out for it leaves it to rest", async () => {
  await using bench = new PoolBench();
  const gate = Promise.withResolvers<void>();
  await hold(bench.holder(), () => gate.promise);
  const [first, second] = [bench.holder(), bench.holder()];
  const refused = first.take().catch((error) => error.kind);
  first.leave();
  assertEquals(await refused, "killed");
  gate.resolve();
  await eventually("it rests", () => bench.pool().idle === 1);
  assert(second.tryTake() !== undefined);
});
