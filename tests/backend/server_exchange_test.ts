import { assertEquals, assertRejects } from "@std/assert";
import { exchange, failureOf } from "../../src/backend/server_exchange.ts";
import { SluiceError } from "../../src/errors.ts";
import { concat, encodeText } from "../../src/protocol/bytes.ts";
import { Command } from "../../src/protocol/constants.ts";
import { commandRow } from "../../src/protocol/replies.ts";
import { decodeTextRow } from "../../src/protocol/resultset.ts";
import type { FakePeer } from "../fake/server.ts";
import { BackendBench } from "../support/backend_bench.ts";
import { eventually } from "../support/eventually.ts";

function query(sql: string) {
  const payload = concat([Uint8Array.of(Command.QUERY), encodeText(sql)]);
  return { row: commandRow(Command.QUERY)!, payload };
}

const LONG = "x".repeat(200_000);

async function answer(sql: string, peer: FakePeer): Promise<void> {
  if (sql === "LONG") await peer.rows([LONG, "short"]);
  else if (sql === "SLOW") {
    for (const packet of peer.rowPackets(["a", "b"])) await peer.trickle(peer.framed(packet));
  } else if (sql === "BAD") await peer.err(1064, "42000", "You have an error");
  else if (sql === "NONSENSE") await peer.send(new Uint8Array(0));
  else if (sql === "LEAVE") peer.close();
  else await peer.ok();
}

const script = { onSession: (peer: FakePeer) => peer.serve(answer) };

Deno.test("Commands go out together, and each has its reply", async () => {
  await using bench = new BackendBench(script);
  const session = await bench.open();
  const replies = await exchange(session, ["DO 1", "LONG", "SLOW", "BAD", "DO 2"].map(query));
  assertEquals(replies.length, 5);
  assertEquals(replies.map((reply) => failureOf(reply, session)?.code), [
    undefined,
    undefined,
    undefined,
    1064,
    undefined,
  ]);
  const [, long, slow] = replies;
  assertEquals(decodeTextRow(long![2]!, 1)[0]!.length, LONG.length);
  assertEquals(decodeTextRow(slow![3]!, 1)[0], encodeText("b"));
  assertEquals(session.info().statements, 5);
  assertEquals(session.isReading, true);
  const again = await exchange(session, [query("DO 3")]);
  assertEquals(again.length, 1);
});

for (const [sql, code] of [["NONSENSE", 1835], ["LEAVE", 1158]] as const) {
  Deno.test(`A server that answers with ${sql} ends the exchange and the session`, async () => {
    await using bench = new BackendBench(script);
    const session = await bench.open();
    const error = await assertRejects(
      () => exchange(session, [query("DO 1"), query(sql)]),
      SluiceError,
    );
    assertEquals([error.code, session.isOpen], [code, false]);
    await eventually("the connection is closed", () => bench.server.open === 0);
  });
}

Deno.test("A session that is killed during an exchange ends it", async () => {
  await using bench = new BackendBench({ onSession: (peer) => peer.stall() });
  const session = await bench.open();
  const running = exchange(session, [query("DO 1")]);
  session.kill("Killed by a test");
  const error = await assertRejects(() => running, SluiceError);
  assertEquals([error.kind, error.message], ["killed", "Killed by a test"]);
});
