/** Every cell of the table of losses, with a server that fails at exact moments. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { frame } from "../../src/protocol/bytes.ts";
import { Command, Head, Status } from "../../src/protocol/constants.ts";
import type { ServerSession } from "../../src/backend/server_session.ts";
import type { SharingMode } from "../../src/config/types.ts";
import { encodeErr } from "../../src/protocol/response.ts";
import type { ClientSession } from "../../src/session/client_session.ts";
import { FAULTS, OUTCOMES, type State, STATES } from "../../src/session/loss.ts";
import { FakeClient, queryBytes } from "../fake/client.ts";
import type { FakePeer, FakeServer } from "../fake/server.ts";
import { eventually } from "../support/eventually.ts";
import { Switch } from "../support/switch.ts";
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
  { target, failing, times = 1 }: { target: string | RegExp; failing: Failing; times?: number },
  run: (stage: Stage) => Promise<void>,
): Promise<void> {
  const ran: [string, number][] = [];
  let left = times;
  await using server = trackingServer(async (sql, peer) => {
    ran.push([sql, peer.id]);
    const isTarget = typeof target === "string" ? sql === target : target.test(sql);
    if (isTarget && left-- > 0) return await failing(peer);
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

// ---- exact moments ----

function sessions(proxy: TestProxy): ServerSession[] {
  return [...proxy.proxy.manager.servers.values()] as ServerSession[];
}

const NONE = { target: "", failing: close };

for (const sharing of ["transaction", "session"] as const) {
  Deno.test(`${sharing}: a server session lost before it has run anything is replaced`, async () => {
    assertEquals(OUTCOMES[sharing]["server session lost"].unused, "replaced");
    await stage(sharing, NONE, async ({ client, proxy, server }) => {
      await eventually("the login has opened one", () => proxy.servers === 1);
      server.drop();
      await lost(server);
      await read(client);
    });
  });
}

/** The server session breaks when something is written to it, `after` so many times. */
function breakWrites(proxy: TestProxy, server: FakeServer, after = 0): void {
  const [session] = sessions(proxy);
  const write = session!.write.bind(session);
  let left = after;
  session!.write = (bytes) => {
    if (left-- > 0) return write(bytes);
    server.drop();
    return Promise.reject(new Deno.errors.BrokenPipe("Broken pipe"));
  };
}

Deno.test("A write that a broken connection does not take runs on another one", async () => {
  assertEquals(OUTCOMES.transaction["server session lost"].unsent, "run elsewhere");
  await stage("transaction", NONE, async ({ client, proxy, server, ran }) => {
    await read(client);
    breakWrites(proxy, server);
    await ok(client, WRITE);
    assertEquals(ran.filter(([sql]) => sql === WRITE).length, 1);
    await read(client);
  });
});

Deno.test("With sessions of their own, clients end with a connection that does not take a write", async () => {
  assertEquals(OUTCOMES.session["server session lost"].unsent, "ends");
  await stage("session", NONE, async ({ client, proxy, server, ran }) => {
    await read(client);
    breakWrites(proxy, server);
    await client.query(WRITE);
    await expectLoss(client, /./);
    await client.ended();
    assertEquals(ran.length, 1);
  });
});

Deno.test("Of a large statement that was sent in part, the client is told that it was not run", async () => {
  await stage("transaction", NONE, async ({ client, proxy, server, ran }) => {
    await read(client);
    breakWrites(proxy, server, 2);
    await client.sendRaw(queryBytes(`INSERT INTO t VALUES ('${"x".repeat(1_000_000)}')`));
    await expectLoss(client, /; the statement was not run$/);
    await read(client);
    assertEquals(ran.length, 2);
  });
});

Deno.test("A read that is lost twice is not run a third time", async () => {
  const script = { target: READ, failing: close, times: 2 };
  await stage("transaction", script, async ({ client, ran }) => {
    await client.query(READ);
    await expectLoss(client, /; the statement was run twice$/);
    assertEquals(ran.length, 2);
    await read(client);
  });
});

Deno.test("Where all of a server's sessions end at once, a read finds a living one", async () => {
  const dropAll = Promise.withResolvers<() => void>();
  const failing = async () => (await dropAll.promise)();
  await stage("transaction", { target: READ, failing }, async ({ client, proxy, server }) => {
    dropAll.resolve(() => server.drop());
    const others: FakeClient[] = [];
    while (others.length < 5) others.push(await FakeClient.logIn(proxy.app));
    for (const other of others) await ok(other, "BEGIN");
    // Their transactions are lost, so that the pool has as many sessions as it had clients.
    for (const other of others) other.close();
    await eventually("the others have gone", () => proxy.clients === 1);
    await read(client);
    await read(client);
  });
});

/** Packets whose number says that the server has not read the command. */
function unasked(code: number, message: string): Failing {
  return async (peer) => {
    peer.sequence = 0;
    await farewell(code, message)(peer);
  };
}

Deno.test("What a server has not read before it said good-bye runs elsewhere", async () => {
  const failing = unasked(4031, "The client was disconnected by the server");
  await stage("transaction", { target: WRITE, failing }, async ({ client, ran }) => {
    await ok(client, WRITE);
    const [first, second] = ran;
    assertEquals([first![0], second![0]], [WRITE, WRITE]);
    assert(first![1] !== second![1]);
  });
});

Deno.test("A server's farewell while a transaction waits is the reason that the client reads", async () => {
  const message = "The client was disconnected by the server because of inactivity";
  const failing: Failing = async (peer) => {
    await peer.ok(IN_TRANSACTION);
    peer.sequence = 0;
    await peer.send(encodeErr({ code: 4031, sqlState: "HY000", message }));
    peer.close();
  };
  await stage("transaction", { target: "BEGIN", failing }, async ({ client, server }) => {
    await ok(client, "BEGIN");
    await lost(server);
    await client.query(WRITE);
    await expectLoss(client, new RegExp(`: ${message}; the transaction is gone$`));
    await read(client);
  });
});

Deno.test("A session that a server refuses to go on with costs one error, and no second run", async () => {
  const failing = farewell(1153, "Got a packet bigger than 'max_allowed_packet' bytes");
  await stage("transaction", { target: WRITE, failing }, async ({ client, ran }) => {
    await client.query(WRITE);
    assertEquals((await client.expectErr()).code, 1153);
    await read(client);
    assertEquals(ran.map(([sql]) => sql), [WRITE, READ]);
  });
});

Deno.test("What a client has sent ahead waits for the second run", async () => {
  await stage("transaction", { target: READ, failing: close }, async ({ client, ran }) => {
    const texts = [READ, WRITE, READ];
    for (const sql of texts) await client.query(sql);
    assertEquals(await rows(client), 1);
    assertEquals((await client.expect())[0], Head.OK);
    assertEquals(await rows(client), 1);
    assertEquals(ran.map(([sql]) => sql), [READ, ...texts]);
  });
});

Deno.test("What comes while a read runs, in any sizes, is kept apart from it", async () => {
  for (const size of [10, 300, 2_000, 40_000, 95_000]) {
    const text = `SELECT '${"x".repeat(size)}'`;
    const ahead = `SELECT '${"y".repeat(size)}'`;
    const begun = Promise.withResolvers<void>();
    const arrived = Promise.withResolvers<void>();
    const failing: Failing = async (peer) => {
      begun.resolve();
      await arrived.promise;
      peer.close();
    };
    await stage("transaction", { target: text, failing }, async ({ client, proxy, ran }) => {
      await client.query(text);
      await begun.promise;
      const [entry] = proxy.proxy.manager.clients.values();
      const before = entry!.info().bytesIn;
      await client.query(ahead);
      await eventually("it has been read, or some of it", () => entry!.info().bytesIn > before);
      arrived.resolve();
      assertEquals([await rows(client), await rows(client)], [1, 1]);
      assertEquals(ran.map(([sql]) => sql), [text, text, ahead]);
    });
  }
});

Deno.test("A part of a statement of the proxy runs elsewhere, and its reply goes on", async () => {
  const own = "SHOW PROXYSESSION";
  await stage("transaction", { target: /SELECT v/, failing: close }, async ({ client, ran }) => {
    await client.query(`${own}; ${READ}; ${own}`);
    assert(await rows(client) > 0);
    assertEquals(await rows(client), 1);
    assert(await rows(client) > 0);
    assertEquals(ran.length, 2);
    await read(client);
  });
});

Deno.test("What was lost is told to the next command that needs a server, and once", async () => {
  await stage("transaction", NONE, async ({ client, server }) => {
    await ok(client, "BEGIN");
    server.drop();
    await lost(server);
    await client.query("SHOW PROXYSESSION");
    await rows(client);
    await client.sendRaw(frame(Uint8Array.of(Command.PING), 0));
    await expectLoss(client, /; the transaction is gone$/);
    await client.ping();
  });
});

Deno.test("A reset makes a loss nobody's business", async () => {
  await stage("transaction", NONE, async ({ client, server }) => {
    await ok(client, "BEGIN");
    server.drop();
    await lost(server);
    await client.sendRaw(frame(Uint8Array.of(Command.RESET_CONNECTION), 0));
    assertEquals((await client.expect())[0], Head.OK);
    await read(client);
  });
});

Deno.test("A loss is in the log with what became of it", async () => {
  const script = { target: READ, failing: close };
  await stage("transaction", script, async ({ client, proxy, server }) => {
    await read(client);
    const { level, fields } = await proxy.log.first("server session lost");
    assertEquals([level, fields.server], ["warning", `127.0.0.1:${server.port}`]);
    assertEquals([fields.state, fields.outcome], ["read unanswered", "run elsewhere"]);
    assertStringIncludes(String(fields.cause), "closed the connection");
  });
});

// ---- servers that cannot be reached ----

Deno.test("server unreachable: next server", async () => {
  assertEquals(OUTCOMES.transaction["server unreachable"].unsent, "next server");
  for (const sharing of ["transaction", "session"] as const) {
    await using second = trackingServer(answer);
    const first = trackingServer(answer);
    await using proxy = await TestProxy.start({
      clusters: [{
        name: "main",
        servers: [`127.0.0.1:${first.port}`, `127.0.0.1:${second.port}`],
        sharing,
      }],
      proxy: { connect_timeout: "300ms" },
    });
    using prover = await FakeClient.logIn(proxy.app);
    await read(prover);
    using client = await FakeClient.logIn(proxy.app);
    await first[Symbol.asyncDispose]();
    await ok(client, WRITE);
    assertEquals(second.queries.filter((sql) => sql === WRITE).length, 1);
  }
});

Deno.test("server unreachable: where no other one serves, the error names it", async () => {
  for (const sharing of ["transaction", "session"] as const) {
    const server = trackingServer(answer);
    await using proxy = await TestProxy.start({
      clusters: [{ name: "main", servers: [`127.0.0.1:${server.port}`], sharing }],
      proxy: { session_pool_default_blocking_timeout: "200ms" },
    });
    using prover = await FakeClient.logIn(proxy.app);
    await read(prover);
    using client = await FakeClient.logIn(proxy.app);
    await server[Symbol.asyncDispose]();
    for (const sql of [READ, WRITE]) {
      await client.query(sql);
      const { code, message } = await client.expectErr();
      assertEquals(code, 1429);
      assertStringIncludes(message, `127.0.0.1:${server.port}`);
    }
    await client.query("SHOW PROXYSESSION");
    assert(await rows(client) > 0);
  }
});

Deno.test("A read waits for its server to come back, where there is no other", async () => {
  await using server = trackingServer(async (sql, peer) => {
    if (sql === "COMMIT") inTransaction.delete(peer);
    await answer(sql, peer);
  });
  await using door = new Switch(server.port);
  await using proxy = await TestProxy.start({
    clusters: [{ name: "main", servers: [`127.0.0.1:${door.port}`], sharing: "transaction" }],
    proxy: { session_pool_default_blocking_timeout: "20s" },
  });
  using client = await FakeClient.logIn(proxy.app);
  await ok(client, "BEGIN");
  await ok(client, "COMMIT");
  door.target = undefined;
  server.drop();
  await client.query(READ);
  await proxy.log.first("server failed");
  door.target = server.port;
  assertEquals(await rows(client), 1);
});

// ---- clients that disappear ----

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

Deno.test("An operator who ends a server session does not have its read run elsewhere", async () => {
  const script = { target: /SLEEP/, failing: (peer: FakePeer) => peer.stall() };
  await stage("transaction", script, async ({ client, proxy, server, ran }) => {
    await ok(client, "CREATE TEMPORARY TABLE mine (v INT)");
    for (const sql of ["SELECT SLEEP(10)", READ]) {
      const [session] = sessions(proxy);
      if (sql === READ) await ok(client, "BEGIN");
      else await client.query(sql);
      await eventually("it runs", () => sql === READ || server.queries.includes(sql));
      const [owner] = proxy.proxy.manager.clients.values();
      const [id] = owner!.info().serverSessionIds;
      assertEquals(owner!.killServer(id!), true);
      if (sql === READ) await client.query(READ);
      const { code, message } = await client.expectErr();
      assertEquals(code, 1317);
      const words = sql === READ ? "the transaction is gone" : "temporary table";
      assertStringIncludes(message, words);
      await read(client);
      assertEquals(session!.isOpen, false);
    }
    assertEquals(ran.filter(([sql]) => sql.includes("SLEEP")).length, 1);
  });
});

Deno.test("A proxy that stops does not wait for a transaction that is lost", async () => {
  await stage("transaction", NONE, async ({ client, proxy, server }) => {
    await ok(client, "BEGIN");
    const [session] = proxy.proxy.manager.clients.values();
    (session as ClientSession).leave();
    await client.query(READ);
    await rows(client);
    server.drop();
    await client.ended();
    await proxy.log.first("session ended", "shutdown");
  });
});
