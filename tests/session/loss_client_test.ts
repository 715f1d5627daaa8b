/** Clients that disappear, in every state of the table of losses. */
import { assert, assertEquals } from "@std/assert";
import { frame } from "../../src/protocol/bytes.ts";
import { OUTCOMES, type State } from "../../src/session/loss.ts";
import { type FakeClient, queryBytes } from "../fake/client.ts";
import type { FakePeer, FakeServer } from "../fake/server.ts";
import { eventually } from "../support/eventually.ts";
import { lost, ok, sessions, type Stage, stage, WRITE } from "../support/loss_stage.ts";
import type { TestProxy } from "../support/test_proxy.ts";

const LARGE = 2_000_000;
/** More than is kept of anything before it goes on. */
const PART = 200_000;

const SLEEPING_READ = "SELECT SLEEP(10)";
const SLEEPING_WRITE = "UPDATE t SET v = SLEEP(10)";

/** What comes before the silence of the server that is asked to sleep. */
const BEGINNINGS: Partial<Record<State, (peer: FakePeer) => Promise<void>>> = {
  "read answered": (peer) => peer.send(...peer.rowPackets(["7"]).slice(0, 3)),
  "inside a packet": async (peer) => {
    await peer.send(...peer.rowPackets([]).slice(0, 2));
    await peer.sendRaw(frame(new Uint8Array(LARGE).fill(0x61), peer.sequence).subarray(0, PART));
  },
};

async function begin(client: FakeClient, server: FakeServer, sql: string): Promise<void> {
  await client.query(sql);
  await eventually("it runs", () => server.queries.includes(sql));
}

/** Bytes that the proxy has sent to the client. */
function sentTo(proxy: TestProxy): number {
  const [entry] = proxy.proxy.manager.clients.values();
  return entry!.info().bytesOut;
}

/** How a client comes to a state. */
const WAYS: Readonly<Record<State, (stage: Stage) => Promise<void>>> = {
  "unused": () => Promise.resolve(),
  "idle": ({ client }) => ok(client, WRITE),
  "unsent": async ({ client, proxy }) => {
    const bytes = queryBytes(`INSERT INTO t VALUES ('${"x".repeat(LARGE)}')`);
    await client.sendRaw(bytes.subarray(0, 2 * PART));
    await eventually("a part of it is sent", () => sessions(proxy)[0]!.bytesOut > PART);
  },
  "read unanswered": ({ client, server }) => begin(client, server, SLEEPING_READ),
  "read answered": async ({ client, server }) => {
    await begin(client, server, SLEEPING_READ);
    await client.expect();
  },
  "write sent": ({ client, server }) => begin(client, server, SLEEPING_WRITE),
  "in transaction": async ({ client }) => {
    await ok(client, "BEGIN");
    await ok(client, WRITE);
  },
  "pinned otherwise": ({ client }) => ok(client, "CREATE TEMPORARY TABLE mine (v INT)"),
  "inside a packet": async ({ client, proxy, server }) => {
    await begin(client, server, SLEEPING_READ);
    await eventually("a part of the row is sent", () => sentTo(proxy) > PART / 2);
  },
};

for (const sharing of ["transaction", "session"] as const) {
  for (const [state, come] of Object.entries(WAYS) as [State, typeof WAYS[State]][]) {
    const outcome = OUTCOMES[sharing]["client disappears"][state];
    Deno.test(`${sharing}: a client disappears ${state}: ${outcome}`, async () => {
      const failing = async (peer: FakePeer) => {
        await BEGINNINGS[state]?.(peer);
        await peer.stall();
      };
      await stage(sharing, { target: /SLEEP/, failing }, async (on) => {
        const { client, proxy, server } = on;
        await come(on);
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
