/** What tests of losses play on: a server that fails at exact moments, the proxy, and a client. */
import { assertEquals, assertMatch } from "@std/assert";
import type { ServerSession } from "../../src/backend/server_session.ts";
import type { SharingMode } from "../../src/config/types.ts";
import { Head, Status } from "../../src/protocol/constants.ts";
import { decodeErr } from "../../src/protocol/response.ts";
import { FakeClient } from "../fake/client.ts";
import type { FakePeer, FakeServer } from "../fake/server.ts";
import { eventually } from "./eventually.ts";
import { LOST } from "./losses.ts";
import { TestProxy } from "./test_proxy.ts";
import { trackingServer } from "./tracking_server.ts";

export const READ = "SELECT v FROM t WHERE id = 1";
export const WRITE = "INSERT INTO t VALUES (1)";
export const IN_TRANSACTION = Status.AUTOCOMMIT | Status.IN_TRANS;

/** What becomes of the connection, in place of an answer. */
export type Failing = (peer: FakePeer) => Promise<void>;

/** Ends it without a word. */
export async function close(peer: FakePeer): Promise<void> {
  await Promise.resolve();
  peer.close();
}

/** Last words of a server. */
export function farewell(code: number, message: string): Failing {
  return async (peer) => {
    await peer.err(code, "08S01", message);
    peer.close();
  };
}

/** Connections with an open transaction. */
const inTransaction = new WeakSet<FakePeer>();

/** Answers as a server does that has tables and transactions. */
export async function answer(sql: string, peer: FakePeer): Promise<void> {
  if (sql.startsWith("SELECT")) return await peer.rows(["7"]);
  if (sql === "BEGIN") inTransaction.add(peer);
  if (sql === "COMMIT") inTransaction.delete(peer);
  await peer.ok(inTransaction.has(peer) ? IN_TRANSACTION : Status.AUTOCOMMIT);
}

export interface Stage {
  readonly client: FakeClient;
  readonly proxy: TestProxy;
  readonly server: FakeServer;
  /** The statements that reached the server, each with the connection that it came on. */
  readonly ran: readonly (readonly [sql: string, connection: number])[];
}

/**
 * Runs a test with a client of a proxy whose only server fails.
 * @param failing what happens to `target` when it comes for the first time; `times` more often
 */
export async function stage(
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
    servers: [server.port],
    sharing,
    proxy: { session_pool_default_blocking_timeout: "5s" },
  });
  using client = await FakeClient.logIn(proxy.app);
  await run({ client, proxy, server, ran });
}

/** For tests that end connections themselves. */
export const NO_FAILURE = { target: "", failing: close };

/** Runs a statement whose answer is OK. */
export async function ok(client: FakeClient, sql: string): Promise<void> {
  await client.query(sql);
  assertEquals((await client.expect())[0], Head.OK);
}

/** Reads a result of one column to its end. @returns how many rows it has */
export async function rows(client: FakeClient): Promise<number> {
  for (let count = -2;; count++) {
    const payload = await client.expect();
    if (payload[0] === Head.ERR) {
      throw new Error(`Expected rows, got ${decodeErr(payload).message}`);
    }
    if (payload[0] === Head.EOF) return count;
  }
}

/** Runs {@linkcode READ}, which gives one row. */
export async function read(client: FakeClient): Promise<void> {
  await client.query(READ);
  assertEquals(await rows(client), 1);
}

/** The next packets up to an ERR, which says that the server session was lost. */
export async function expectLoss(client: FakeClient, words: RegExp): Promise<void> {
  for (;;) {
    const payload = await client.expect();
    if (payload[0] === Head.OK || payload[0] === Head.EOF) throw new Error("Expected ERR, got OK");
    if (payload[0] !== Head.ERR) continue;
    const { code, sqlState, message } = decodeErr(payload);
    assertEquals([code, sqlState], [1158, "08S01"]);
    assertMatch(message, LOST);
    assertMatch(message, words);
    return;
  }
}

/** All server sessions of the proxy. */
export function sessions(proxy: TestProxy): ServerSession[] {
  return [...proxy.proxy.manager.servers.values()] as ServerSession[];
}

/** Waits until the server has no connection any more. */
export async function lost(server: FakeServer): Promise<void> {
  await eventually("the server's side is closed", () => server.open === 0);
}
