/** Clients that disappear, in every state of the table of losses that they can be in. */
import { assert, assertEquals } from "@std/assert";
import { OUTCOMES, type State } from "../../src/session/loss.ts";
import type { FakePeer } from "../fake/server.ts";
import { eventually } from "../support/eventually.ts";
import { lost, sessions, stage, WRITE } from "../support/loss_stage.ts";

const LEAVING: readonly (readonly [state: State, statements: readonly string[]])[] = [
  ["unused", []],
  ["idle", [WRITE]],
  ["read unanswered", ["SELECT SLEEP(10)"]],
  ["write sent", ["UPDATE t SET v = SLEEP(10)"]],
  ["in transaction", ["BEGIN", WRITE]],
  ["pinned otherwise", ["CREATE TEMPORARY TABLE mine (v INT)"]],
];

for (const sharing of ["transaction", "session"] as const) {
  for (const [state, statements] of LEAVING) {
    const outcome = OUTCOMES[sharing]["client disappears"][state];
    Deno.test(`${sharing}: a client disappears ${state}: ${outcome}`, async () => {
      const script = { target: /SLEEP/, failing: (peer: FakePeer) => peer.stall() };
      await stage(sharing, script, async ({ client, proxy, server }) => {
        for (const sql of statements) {
          await client.query(sql);
          if (!sql.includes("SLEEP")) await client.expect();
        }
        const last = statements.at(-1);
        await eventually("it runs", () => last === undefined || server.queries.includes(last));
        client.close();
        await eventually("the client has gone", () => proxy.clients === 0);
        const isCancelled = () => server.queries.some((sql) => /^KILL \d+$/.test(sql));
        switch (outcome) {
          case "given back":
            assertEquals(sessions(proxy).map((session) => session.info().phase), ["idle"]);
            break;
          case "cancelled":
            await eventually("the statement is cancelled", isCancelled);
            await lost(server);
            break;
          case "closed":
            await lost(server);
            assert(!isCancelled());
            break;
          default:
            throw new Error(`Expected another outcome, got ${outcome}`);
        }
      });
    });
  }
}
