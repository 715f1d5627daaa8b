/** Every state in which a server session is lost, walked along the table of losses. */
import { assert, assertEquals } from "@std/assert";
import { SluiceError } from "../../src/errors.ts";
import { frame } from "../../src/protocol/bytes.ts";
import { Head } from "../../src/protocol/constants.ts";
import { FAULTS, lossError, OUTCOMES, type State, STATES } from "../../src/session/loss.ts";
import type { FakePeer } from "../fake/server.ts";
import { eventually } from "../support/eventually.ts";
import {
  close,
  expectLoss,
  type Failing,
  farewell,
  lost,
  NO_FAILURE,
  ok,
  READ,
  read,
  rows,
  stage,
  WRITE,
} from "../support/loss_stage.ts";

async function closeInReply(peer: FakePeer, packets: number): Promise<void> {
  const all = peer.rowPackets(new Array(packets).fill("x".repeat(30_000)));
  await peer.sendRaw(peer.framed(...all.slice(0, packets)));
  peer.close();
}

async function closeInPacket(peer: FakePeer): Promise<void> {
  const [count, column] = peer.rowPackets([]);
  await peer.send(count!, column!);
  const row = frame(new Uint8Array(2_000_000).fill(0x61), peer.sequence);
  await peer.sendRaw(row.subarray(0, 1_000_000));
  peer.close();
}

/** How a client session comes to a state, and then loses its server session. */
interface Way {
  readonly failing?: Failing;
  /** Statements that lead to the state. */
  readonly before?: readonly string[];
  /** The statement under which the server session is lost; undefined: it is dropped while idle. */
  readonly sql?: string;
  /** What the client is told where its session lives on. */
  readonly told?: RegExp;
}

const WAYS: Readonly<Record<Exclude<State, "unused" | "unsent">, readonly Way[]>> = {
  "idle": [{ before: [WRITE] }],
  "read unanswered": [
    { sql: READ, failing: close },
    { sql: READ, failing: (peer) => peer.sendRaw(Uint8Array.of(1, 0)).then(() => peer.close()) },
    { sql: READ, failing: farewell(1053, "Server shutdown in progress") },
    { sql: READ, failing: farewell(1927, "Connection was killed") },
    { before: ["SET @a = 1"], sql: `${READ}; ${READ}`, failing: close },
  ],
  "read answered": [1, 2, 4, 300].map((packets) => ({
    sql: READ,
    failing: (peer) => closeInReply(peer, packets),
    told: /: the server closed the connection; the result is incomplete$/,
  })),
  "write sent": [
    { sql: WRITE, failing: close, told: /; it is not known whether the statement was done$/ },
    { sql: "SELECT v FROM t FOR UPDATE", failing: close, told: /; it is not known whether/ },
    { sql: "CALL p()", failing: close, told: /; it is not known whether the statement was done$/ },
    {
      sql: WRITE,
      failing: farewell(1053, "Server shutdown in progress"),
      told: /: Server shutdown in progress; it is not known whether the statement was done$/,
    },
  ],
  "in transaction": [
    { before: ["BEGIN", WRITE], told: / between statements: .*; the transaction is gone$/ },
    { before: ["BEGIN"], sql: READ, failing: close, told: /; the transaction is gone$/ },
    { before: ["BEGIN"], sql: WRITE, failing: close, told: /; the transaction is gone$/ },
    {
      before: ["BEGIN"],
      sql: "COMMIT",
      failing: close,
      told: /transaction is gone; it is not known whether the transaction was committed$/,
    },
  ],
  "pinned otherwise": [
    {
      before: ["CREATE TEMPORARY TABLE mine (v INT)"],
      told: / between statements: .*; lost with the server session: temporary table/,
    },
    {
      before: ["SELECT GET_LOCK('a', 1)"],
      sql: READ,
      failing: close,
      told: /; lost with the server session: user lock/,
    },
  ],
  "inside a packet": [{ sql: READ, failing: closeInPacket }],
};

for (const sharing of ["transaction", "session"] as const) {
  const outcomes = OUTCOMES[sharing]["server session lost"];
  for (const [state, ways] of Object.entries(WAYS) as [State, readonly Way[]][]) {
    for (const [index, way] of ways.entries()) {
      const name = `${sharing}: a server session lost ${state}, way ${index + 1}`;
      Deno.test(`${name}: ${outcomes[state]}`, async () => {
        const { sql, before = [], failing = close, told } = way;
        const script = { target: sql ?? "", failing };
        await stage(sharing, script, async ({ client, proxy, server, ran }) => {
          for (const one of before) {
            await client.query(one);
            if (one.startsWith("SELECT")) await rows(client);
            else assertEquals((await client.expect())[0], Head.OK);
          }
          if (sql === undefined) {
            server.drop();
            await lost(server);
          } else await client.query(sql);
          const runs = () => ran.filter(([text]) => text === sql);
          switch (outcomes[state]) {
            case "replaced":
              await read(client);
              assert(ran.at(-1)![1] !== ran[0]![1]);
              break;
            case "run elsewhere": {
              assertEquals(await rows(client), 1);
              const [first, second, ...more] = runs();
              assertEquals(more, []);
              assert(first![1] !== second![1]);
              await read(client);
              break;
            }
            case "told":
              if (sql === undefined) await client.query(WRITE);
              await expectLoss(client, told!);
              if (sql !== undefined) assertEquals(runs().length, 1);
              // Its session lives on.
              await ok(client, "UPDATE t SET v = 1");
              await read(client);
              assertEquals(proxy.clients, 1);
              break;
            case "ends":
              await client.ended();
              await proxy.log.first("session ended", "server_lost");
              assert(runs().length <= 1);
              break;
            default:
              throw new Error(`Expected another outcome, got ${outcomes[state]}`);
          }
        });
      });
    }
  }
}

Deno.test("Of many things that are lost a message names some", () => {
  const pin = (reason: string, things: readonly string[]) => ({
    reason,
    since: 0,
    cause: "",
    things,
  });
  const { message } = lossError({
    ...{ stage: "none", isUnused: false, isInTransaction: false, isPinned: true, isRead: false },
    ...{ mayHaveCommitted: false, isSecondRun: false },
    error: new SluiceError("server_lost", "Lost"),
    pins: [
      pin("temporary_table", Array.from({ length: 5_000 }, (_, at) => `test.t${at}`)),
      pin("user_lock", ["", "gate"]),
    ],
  });
  assertEquals(message.split(", ").length, 21);
  assert(message.endsWith("test.t18, test.t19 and 4980 more, user lock gate"), message);
});

Deno.test("The table has every fault and every state", () => {
  for (const sharing of ["transaction", "session"] as const) {
    assertEquals(Object.keys(OUTCOMES[sharing]).sort(), [...FAULTS].sort());
    for (const fault of FAULTS) {
      assertEquals(Object.keys(OUTCOMES[sharing][fault]).sort(), [...STATES].sort());
    }
  }
  // What may have changed data, or depends on what is lost, never runs twice.
  const repeated = STATES.filter((state) =>
    OUTCOMES.transaction["server session lost"][state] === "run elsewhere"
  );
  assertEquals(repeated, ["unsent", "read unanswered"]);
});

for (const sharing of ["transaction", "session"] as const) {
  Deno.test(`${sharing}: a server session lost before it has run anything is replaced`, async () => {
    assertEquals(OUTCOMES[sharing]["server session lost"].unused, "replaced");
    await stage(sharing, NO_FAILURE, async ({ client, proxy, server }) => {
      await eventually("the login has opened one", () => proxy.servers === 1);
      server.drop();
      await lost(server);
      await read(client);
    });
  });
}

Deno.test("A loss that has no consequences has no words for them", () => {
  const error = new SluiceError("killed", "It was killed");
  const nothing = { isUnused: false, isInTransaction: false, isPinned: false, isSecondRun: false };
  const told = { ...nothing, error, pins: [], mayHaveCommitted: false, isRead: true };
  assertEquals(lossError({ ...told, stage: "sent" }).message, "It was killed");
});
