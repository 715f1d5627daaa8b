/** What only a real server can show: files, crashes, and clients that leave in the middle. */
import { assert, assertEquals } from "@std/assert";
import { startEngine } from "../../src/dev/engines/engine.ts";
import { query } from "../../src/dev/engines/query.ts";
import { decodeErr } from "../../src/protocol/response.ts";
import { FakeClient } from "../fake/client.ts";
import { eventually } from "../support/eventually.ts";
import { report } from "../support/report.ts";
import { sharedEngine } from "../support/shared_engine.ts";
import { APP, TestProxy } from "../support/test_proxy.ts";
import { WireClient, WireError } from "../support/wire_client.ts";

const ACCOUNT = [
  "CREATE USER app@'%' IDENTIFIED BY 'secret'",
  "GRANT ALL ON *.* TO app@'%'",
];

const mariadb = await sharedEngine("mariadb", [
  ...ACCOUNT,
  "CREATE TABLE test.lines (size INT, hash CHAR(32))",
]);
const { ignore } = mariadb;

const LOAD = "LOAD DATA LOCAL INFILE 'generated' INTO TABLE test.lines (@line) " +
  "SET size = LENGTH(@line), hash = MD5(@line)";

async function loaded(): Promise<Record<string, unknown>[]> {
  return await mariadb.admin(
    "SELECT size, hash, COUNT(*) AS total FROM test.lines GROUP BY size, hash ORDER BY size",
  );
}

/** A file of 40 lines of a mebibyte and one of 5 bytes. */
const FILE = new Uint8Array(40 * 1_048_576 + 6).fill(0x78).map((byte, at) =>
  (at + 1) % 1_048_576 === 0 ? 0x0a : byte
);
FILE[FILE.length - 1] = 0x0a;

/** Sizes of the packets that carry it; a full one is followed by one that completes it. */
for (const piece of [4096, 65_536, 0xffffff - 1, 0xffffff, 0xffffff + 1, 2 * 0xffffff]) {
  Deno.test(`A file in packets of ${piece} bytes is loaded as directly`, { ignore }, async () => {
    await using proxy = await TestProxy.start({ servers: [mariadb.engine.port] });
    const results: unknown[] = [];
    for (const port of [mariadb.engine.port, proxy.port]) {
      await mariadb.admin("TRUNCATE test.lines");
      const client = await WireClient.connect({
        port,
        ...APP,
        *onInfile() {
          for (let at = 0; at < FILE.length; at += piece) yield FILE.subarray(at, at + piece);
        },
      });
      await client.run(LOAD);
      // The reply was this statement's, and nothing is left over.
      await client.run("SELECT 1");
      await client.quit();
      results.push(await loaded());
    }
    assertEquals(results[1], results[0]);
    assertEquals((results[0] as { total: number }[]).map(({ total }) => total), [1, 40]);
  });
}

Deno.test("A client that leaves in the middle of its file leaves nothing", { ignore }, async () => {
  await mariadb.admin("TRUNCATE test.lines");
  await using proxy = await TestProxy.start({ servers: [mariadb.engine.port] });
  const client = await FakeClient.logIn(proxy.app);
  await client.query(LOAD);
  assertEquals((await client.expect())[0], 0xfb);
  for (let at = 0; at < 10_000_000; at += 50_000) await client.send(FILE.slice(at, at + 50_000));
  client.close();
  await proxy.log.first("session ended", "client_lost");
  await proxy.empty();
  await eventually("the server has ended it", async () => {
    const rows = await mariadb.admin("SHOW PROCESSLIST");
    return rows.every((row) => row.User !== APP.user);
  });
  assertEquals(await loaded(), []);
});

Deno.test(
  "A client that leaves in the middle of a large statement leaves nothing",
  { ignore },
  async () => {
    await using proxy = await TestProxy.start({ servers: [mariadb.engine.port] });
    const client = await FakeClient.logIn(proxy.app);
    // The header says more than comes.
    await client.sendRaw(Uint8Array.of(0, 0, 0x80, 0, 3));
    await client.sendRaw(new Uint8Array(3_000_000).fill(0x20));
    await eventually("it is on its way", () => {
      const [entry] = proxy.proxy.manager.clients.values();
      return entry!.info().bytesIn > 2_500_000;
    });
    client.close();
    await proxy.log.first("session ended", "client_lost");
    await proxy.empty();
    await eventually("the server has ended it", async () => {
      const rows = await mariadb.admin("SHOW PROCESSLIST");
      return rows.every((row) => row.User !== APP.user);
    });
  },
);

Deno.test(
  "A client that leaves in the middle of a large result ends its query",
  { ignore },
  async () => {
    await using proxy = await TestProxy.start({ servers: [mariadb.engine.port] });
    const client = await FakeClient.logIn(proxy.app);
    await client.query("SELECT REPEAT('x', 1000) FROM test.seq_1_to_1000000000");
    for (let count = 0; count < 1000; count++) await client.expect();
    client.close();
    await proxy.log.first("session ended", "client_lost");
    await proxy.empty();
    await eventually("the server has ended it", async () => {
      const rows = await mariadb.admin("SHOW PROCESSLIST");
      return rows.every((row) => row.User !== APP.user);
    });
  },
);

Deno.test(
  "A server that is killed in mid-result: an error that says so, and no other client notices",
  { ignore },
  async () => {
    await using doomed = await startEngine("mariadb");
    await query(doomed.port, doomed.admin, ACCOUNT);
    await using proxy = await TestProxy.start({
      proxy: { default_cluster: "doomed" },
      clusters: [
        { name: "doomed", servers: [`127.0.0.1:${doomed.port}`] },
        { name: "other", servers: [`127.0.0.1:${mariadb.engine.port}`] },
      ],
    });
    using other = await WireClient.connect({ ...proxy.app, user: "app#other" });
    using idle = await FakeClient.logIn(proxy.app);
    await idle.ping();
    using client = await FakeClient.logIn(proxy.app);
    await client.query("SELECT REPEAT('x', 1000) FROM test.seq_1_to_1000000000");
    let isOver = false;
    const asking = (async () => {
      let count = 0;
      for (; !isOver; count++) await other.run("SELECT 1");
      return count;
    })();
    let killed = 0;
    let last: Uint8Array | undefined;
    for (let count = 0; last === undefined; count++) {
      const packet = await client.expect();
      if (count === 2000) {
        killed = performance.now();
        await doomed.kill();
      }
      if (packet[0] === 0xff) last = packet;
    }
    report(`the client was told ${(performance.now() - killed).toFixed(0)} ms after the kill`);
    const error = decodeErr(last);
    assertEquals([error.code, error.sqlState], [1158, "08S01"]);
    assert(
      error.message.startsWith(`Lost connection to server 127.0.0.1:${doomed.port} during query`),
    );
    await client.ended();
    await idle.ended();
    isOver = true;
    assert(await asking > 0);
    await other.quit();
    assertEquals(proxy.log.of("session ended", "server_lost").length, 2);
  },
);

Deno.test("A server that is restarted is used again", { ignore }, async () => {
  const first = await startEngine("mariadb");
  const { port } = first;
  await using proxy = await TestProxy.start({ servers: [port] });
  try {
    await query(port, first.admin, ACCOUNT);
    await (await WireClient.connect(proxy.app)).quit();
  } finally {
    await first.stop();
  }
  // The login was proven before: the loss shows at the first statement.
  using client = await FakeClient.logIn(proxy.app);
  await client.query("SELECT 1");
  assertEquals((await client.expectErr()).code, 1429);
  await using second = await startEngine("mariadb", { port });
  await query(port, second.admin, ACCOUNT);
  await client.query("SELECT 1");
  assertEquals(await client.expect(), Uint8Array.of(1));
  const error = await WireClient.connect({ ...proxy.app, password: "wrong" })
    .catch((cause: WireError) => cause);
  assertEquals(error instanceof WireError && error.code, 1045);
});
