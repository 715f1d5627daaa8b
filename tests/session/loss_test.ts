/** Every cell of the table of losses, with a server that fails at exact moments. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { frame } from "../../src/protocol/bytes.ts";
import { Command, Head, Status } from "../../src/protocol/constants.ts";
import type { ServerSession } from "../../src/backend/server_session.ts";
import type { SharingMode } from "../../src/config/types.ts";
import { encodeErr } from "../../src/protocol/response.ts";
import { FAULTS, OUTCOMES, type State, STATES } from "../../src/session/loss.ts";
import { FakeClient, queryBytes } from "../fake/client.ts";
import type { FakePeer, FakeServer } from "../fake/server.ts";
import { eventually } from "../support/eventually.ts";
import { TestProxy } from "../support/test_proxy.ts";
import { trackingServer } from "../support/tracking_server.ts";

const READ = "SELECT v FROM t WHERE id = 1";
const WRITE = "INSERT INTO t VALUES (1)";
const IN_TRANSACTION = Status.AUTOCOMMIT | Status.IN_TRANS;

/** What becomes of the connection, in place of an answer. */
type Failing = (peer: FakePeer) => Promise<void>;

async function close(peer: FakePeer): Promise<void> {
  await Promise.resolve();
  peer.close();
}

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

/** Last words of a server. */
function farewell(code: number, message: string): Failing {
  return async (peer) => {
    await peer.err(code, "08S01", message);
    peer.close();
  };
}

/** Connections with an open transaction. */
const inTransaction = new WeakSet<FakePeer>();

/** Answers as a server does that has tables and transactions. */
async function answer(sql: string, peer: FakePeer): Promise<void> {
  if (sql.startsWith("SELECT")) return await peer.rows(["7"]);
  if (sql === "BEGIN") inTransaction.add(peer);
  await peer.ok(inTransaction.has(peer) ? IN_TRANSACTION : Status.AUTOCOMMIT);
}

interface Stage {
  readonly client: FakeClient;
  readonly proxy: TestProxy;
  readonly server: FakeServer;
  /** The statements that reached the server, each with the connection that it came on. */
  readonly ran: readonly (readonly [sql: string, connection: number])[];
}

/**
 * @param failing what happens to `target` when it comes for the first time; `times` more often
 */
async function stage(
  sharing: SharingMode,
  { target, failing, times = 1 }: { target: string; failing: Failing; times?: number },
  run: (stage: Stage) => Promise<void>,
): Promise<void> {
  const ran: [string, number][] = [];
  let left = times;
  await using server = trackingServer(async (sql, peer) => {
    ran.push([sql, peer.id]);
    if (sql === target && left-- > 0) return await failing(peer);
    await answer(sql, peer);
  });
  await using proxy = await TestProxy.start({
    clusters: [{ name: "main", servers: [`127.0.0.1:${server.port}`], sharing }],
    proxy: { session_pool_default_blocking_timeout: "5s" },
  });
  using client = await FakeClient.logIn(proxy.app);
  await run({ client, proxy, server, ran });
}

async function ok(client: FakeClient, sql: string): Promise<void> {
  await client.query(sql);
  assertEquals((await client.expect())[0], Head.OK);
}

/** The rows of a result of one column, up to its end. */
async function rows(client: FakeClient): Promise<number> {
  for (let count = -2;; count++) {
    const payload = await client.expect();
    if (payload[0] === Head.ERR) throw new Error(`Expected rows, got ${decode(payload).message}`);
    if (payload[0] === Head.EOF) return count;
  }
}

async function read(client: FakeClient): Promise<void> {
  await client.query(READ);
  assertEquals(await rows(client), 1);
}

/** The next packets up to an ERR, which says that the server session was lost. */
async function expectLoss(client: FakeClient, words: RegExp): Promise<void> {
  for (;;) {
    const payload = await client.expect();
    if (payload[0] === Head.OK || payload[0] === Head.EOF) throw new Error("Expected ERR, got OK");
    if (payload[0] !== Head.ERR) continue;
    const { code, sqlState, message } = decode(payload);
    assertEquals([code, sqlState], [1158, "08S01"]);
    assertMatch(message, /^Lost connection to server 127\.0\.0\.1:\d+ /);
    assertMatch(message, words);
    return;
  }
}

function decode(payload: Uint8Array) {
  const text = new TextDecoder().decode(payload);
  return {
    code: payload[1]! | (payload[2]! << 8),
    sqlState: text.slice(4, 9),
    message: text.slice(9),
  };
}

async function lost(server: FakeServer): Promise<void> {
  await eventually("the server's side is closed", () => server.open === 0);
}

/** How a client session comes to a state, and then loses its server session. */
interface Way {
  readonly target?: string;
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
