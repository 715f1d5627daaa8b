/** What servers may do wrong, and what clients see of it. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { concat, encodeText, frame } from "../../src/protocol/bytes.ts";
import { Head } from "../../src/protocol/constants.ts";
import { decodeErr, encodeErr, type ErrPacket } from "../../src/protocol/response.ts";
import { FakeClient, queryBytes } from "../fake/client.ts";
import { type FakePeer, FakeServer } from "../fake/server.ts";
import { eventually } from "../support/eventually.ts";
import { serve } from "../support/served_client.ts";
import { TestProxy } from "../support/test_proxy.ts";

type Script = (peer: FakePeer) => Promise<void>;

/** Ways of a server not to take a login, after which another server is tried. */
const BAD_SERVERS: readonly (readonly [name: string, script: Script, inLog: RegExp])[] = [
  ["never greets", (peer) => peer.stall(), /no login within 300 ms/],
  ["closes at once", async (peer) => await peer.sendRaw(new Uint8Array(0)), /closed|reset/i],
  ["greets with ERR 1040", (peer) => peer.err(1040, "08004", "Too many connections"), /Too many/],
  ["greets with ERR 1129", (peer) => peer.err(1129, "HY000", "Host is blocked"), /is blocked/],
  ["greets with nonsense", (peer) => peer.sendRaw(encodeText("HTTP/1.1 200 OK\r\n")), /Cannot/],
  ["greets with a huge packet", (peer) => peer.sendRaw(Uint8Array.of(255, 255, 255, 0)), /Cannot/],
  ["greets with protocol 9", (peer) => peer.send(Uint8Array.of(9, 0, 0)), /version 10, got 9/],
  ["greets with half a packet", (peer) => peer.sendRaw(Uint8Array.of(80, 0, 0)), /closed|reset/i],
  [
    "closes in the middle of the login",
    async (peer) => {
      await peer.greet();
      await peer.read();
    },
    /closed|reset/i,
  ],
  [
    "never answers the login",
    async (peer) => {
      await peer.greet();
      await peer.stall();
    },
    /no login within 300 ms/,
  ],
  [
    "answers the login with nonsense",
    async (peer) => {
      await peer.greet();
      await peer.read();
      await peer.send(encodeText("hello"));
      await peer.stall();
    },
    /Cannot log in/,
  ],
  [
    "answers the login out of order",
    async (peer) => {
      await peer.greet();
      await peer.read();
      peer.sequence = 9;
      await peer.ok();
      await peer.stall();
    },
    /expected number 2, got 9/,
  ],
  [
    "is stopping",
    async (peer) => {
      await peer.greet();
      await peer.read();
      await peer.err(1053, "08S01", "Server shutdown in progress");
    },
    /shutdown in progress/,
  ],
];

for (const [name, script, inLog] of BAD_SERVERS) {
  Deno.test(`The next server serves where one ${name}`, async () => {
    await using bad = new FakeServer({ onConnection: script });
    await using good = new FakeServer();
    await using proxy = await TestProxy.start({
      servers: [bad.port, good.port],
      proxy: { connect_timeout: "300ms" },
    });
    for (let count = 0; count < 2; count++) {
      using client = await FakeClient.logIn(proxy.app);
      await client.ping();
    }
    assertEquals(good.logins.length, 2);
    const { level, fields } = await proxy.log.first("server failed");
    assertEquals([level, fields.server], ["warning", `127.0.0.1:${bad.port}`]);
    assertMatch(String(fields.cause), inLog);
  });

  Deno.test(`Where the only server ${name}, the client is told which`, async () => {
    await using bad = new FakeServer({ onConnection: script });
    await using proxy = await TestProxy.start({
      servers: [bad.port],
      proxy: { connect_timeout: "300ms" },
    });
    using client = await FakeClient.connect(proxy.port);
    const error = decodeErr(await client.logIn(proxy.app));
    assertStringIncludes(error.message, `127.0.0.1:${bad.port}`);
    assert([1040, 1053, 1129, 1429].includes(error.code), `code ${error.code}`);
    await client.ended();
    await proxy.log.first("login refused");
  });
}

Deno.test("The next server serves where one refuses connections", async () => {
  const closed = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  closed.close();
  await using good = new FakeServer();
  await using proxy = await TestProxy.start({ servers: [closed.addr.port, good.port] });
  using client = await FakeClient.logIn(proxy.app);
  await client.ping();
  const { fields } = await proxy.log.first("server failed");
  assertMatch(String(fields.cause), /Can't connect to server 127\.0\.0\.1:\d+: .*refused/i);
});

Deno.test("A server that failed is tried last for a while", async () => {
  let isBad = true;
  await using first = new FakeServer({
    onConnection: async (peer) => {
      if (isBad) return await peer.err(1040, "08004", "Too many connections");
      await peer.greet();
      await peer.logIn();
      await peer.serve((_, session) => session.ok());
    },
  });
  await using second = new FakeServer();
  await using proxy = await TestProxy.start({ servers: [first.port, second.port] });
  using one = await FakeClient.logIn(proxy.app);
  await one.ping();
  const tried = first.connections;
  isBad = false;
  using two = await FakeClient.logIn(proxy.app);
  await two.ping();
  assertEquals(first.connections, tried);
  assertEquals(second.logins.length, 2);
});

Deno.test("Replicas are tried behind primaries", async () => {
  await using replica = new FakeServer();
  await using primary = new FakeServer();
  await using proxy = await TestProxy.start({
    clusters: [{
      name: "main",
      servers: [
        { address: `127.0.0.1:${replica.port}`, role: "replica" },
        { address: `127.0.0.1:${primary.port}` },
      ],
    }],
  });
  using client = await FakeClient.logIn(proxy.app);
  await client.ping();
  assertEquals([replica.logins.length, primary.logins.length], [0, 1]);
});

for (
  const [code, state] of [[1045, "28000"], [1049, "42000"], [1044, "42000"], [
    1524,
    "HY000",
  ]] as const
) {
  Deno.test(`Another server is not asked after error ${code}`, async () => {
    await using first = new FakeServer({
      onConnection: async (peer) => {
        await peer.greet();
        await peer.read();
        await peer.err(code, state, "no");
      },
    });
    await using second = new FakeServer();
    await using proxy = await TestProxy.start({ servers: [first.port, second.port] });
    using client = await FakeClient.connect(proxy.port);
    const error = decodeErr(await client.logIn(proxy.app));
    assertEquals([error.code, error.sqlState], [code, state]);
    assertEquals(second.connections, 0);
  });
}

Deno.test("A statement that finds no server fails, and the next one finds it again", async () => {
  let isBad = false;
  await using server = new FakeServer({
    onConnection: async (peer) => {
      if (isBad) return;
      await peer.greet();
      await peer.logIn();
      await peer.serve((_, session) => session.ok());
    },
  });
  await using proxy = await TestProxy.start({ servers: [server.port] });
  using prover = await FakeClient.logIn(proxy.app);
  await prover.ping();
  using client = await FakeClient.logIn(proxy.app);
  isBad = true;
  for (let count = 0; count < 2; count++) {
    await client.query("SELECT 1");
    const error = await client.expectErr();
    assertEquals([error.code, client.sequence], [1429, 2]);
    assertStringIncludes(error.message, `127.0.0.1:${server.port}`);
  }
  // A long one is read to its end first.
  await client.sendRaw(queryBytes("x".repeat(500_000)));
  assertEquals((await client.expectErr()).code, 1429);
  isBad = false;
  await client.query("SELECT 1");
  assertEquals((await client.expect())[0], Head.OK);
});

Deno.test("A server that cannot speak as the client was offered is passed over", async () => {
  await using modern = new FakeServer();
  await using proxy = await TestProxy.start({ servers: [modern.port] });
  using client = await FakeClient.logIn(proxy.app);
  await client.ping();
  await using old = new FakeServer({ capabilities: 0x0000a201 | (1 << 19) });
  await using mixed = await TestProxy.start({ servers: [modern.port, old.port] });
  using before = await FakeClient.logIn(mixed.app);
  await before.ping();
  assertEquals(old.connections, 0);
});

// ---- servers that end ----

/** Reads packets until an ERR, which must be the last thing. */
async function readUntilErr(client: FakeClient): Promise<{ error: ErrPacket; before: number }> {
  for (let before = 0;; before++) {
    const payload = await client.expect();
    if (payload[0] !== Head.ERR) continue;
    await client.ended();
    return { error: decodeErr(payload), before };
  }
}

Deno.test("A server that closes while idle takes the client along at once", async () => {
  await serve((_, peer) => peer.ok(), async (client, proxy, server) => {
    await client.query("SELECT 1");
    await client.expect();
    server.drop();
    assertEquals(await client.ended(), 0);
    const { level, fields } = await proxy.log.first("session ended", "server_lost");
    assertEquals(level, "warning");
    assertStringIncludes(String(fields.error), `127.0.0.1:${server.port}`);
  });
});

Deno.test("A server's farewell reaches the client", async () => {
  const farewell = { code: 4031, sqlState: "HY000", message: "The client was disconnected" };
  await serve(async (_, peer) => {
    await peer.ok();
    peer.sequence = 0;
    await peer.send(encodeErr(farewell));
    peer.close();
  }, async (client, proxy) => {
    await client.query("SELECT 1");
    await client.expect();
    assertEquals(await client.expectErr(), farewell);
    await client.ended();
    const { fields } = await proxy.log.first("session ended", "server_lost");
    assertEquals([fields.code, fields.error], [4031, farewell.message]);
  });
});

Deno.test("A server that says what nobody asked for is closed, and so is the client", async () => {
  await serve(async (_, peer) => {
    await peer.ok();
    await peer.ok();
    await peer.stall();
  }, async (client, proxy, server) => {
    await client.query("SELECT 1");
    assertEquals((await client.expect())[0], Head.OK);
    assertEquals(await client.ended(), 0);
    const { fields } = await proxy.log.first("session ended", "server_lost");
    assertEquals(fields.code, 1835);
    assertMatch(String(fields.error), /sent \d+ bytes unasked/);
    await eventually("the server's side is closed", () => server.open === 0);
  });
});

const LOSSES: readonly (readonly [name: string, sent: number, before: number])[] = [
  ["before its reply", 0, 0],
  ["behind the column count", 1, 1],
  ["in the rows", 7, 7],
];

for (const [name, sent, before] of LOSSES) {
  for (const half of [false, true]) {
    Deno.test(`A server that closes ${name}${half ? ", in a packet" : ""}`, async () => {
      await serve(async (_, peer) => {
        const packets = peer.rowPackets(new Array(20).fill("x".repeat(200)));
        await peer.sendRaw(peer.framed(...packets.slice(0, sent)));
        if (half) await peer.sendRaw(peer.framed(packets[sent]!).subarray(0, -1));
        peer.close();
      }, async (client, proxy, server) => {
        await client.query("SELECT 1");
        const got = await readUntilErr(client);
        assertEquals([got.error.code, got.error.sqlState, got.before], [1158, "08S01", before]);
        assertMatch(
          got.error.message,
          new RegExp(`^Lost connection to server 127.0.0.1:${server.port} during query: `),
        );
        const { fields } = await proxy.log.first("session ended", "server_lost");
        assertEquals(fields.code, 1158);
      });
    });
  }
}

Deno.test("A server that closes in a row larger than any buffer takes the client along", async () => {
  await serve(async (_, peer) => {
    const [count, column] = peer.rowPackets([]);
    await peer.send(count!, column!);
    const row = frame(new Uint8Array(2_000_000).fill(0x61), peer.sequence);
    await peer.sendRaw(row.subarray(0, 1_000_000));
    peer.close();
  }, async (client, proxy) => {
    await client.query("SELECT 1");
    await client.expect();
    await client.expect();
    // In the middle of a packet nothing can be said.
    assert(await client.ended() > 900_000);
    await proxy.log.first("session ended", "server_lost");
  });
});

Deno.test("A server that is lost costs no other session", async () => {
  await serve(async (sql, peer) => {
    if (sql === "DIE") peer.close();
    else await peer.ok();
  }, async (client, proxy) => {
    using other = await FakeClient.logIn(proxy.app);
    await other.ping();
    await client.query("DIE");
    assertEquals((await client.expectErr()).code, 1158);
    await other.ping();
  });
});

Deno.test("A server that closes behind a whole reply: reply first, then the end", async () => {
  await serve(async (_, peer) => {
    await peer.sendRaw(peer.framed(...peer.rowPackets(new Array(400).fill("x".repeat(30_000)))));
    peer.close();
  }, async (client, proxy) => {
    await client.query("SELECT 1");
    // The client reads only once the proxy has to wait for it.
    await eventually("the reply is on its way", () => {
      const [entry] = proxy.proxy.manager.clients.values();
      return entry!.info().bytesOut > 1_000_000;
    });
    for (let count = 0; count < 2 + 400 + 1; count++) await client.expect();
    assertEquals(await client.ended(), 0);
    await proxy.log.first("session ended", "server_lost");
  });
});

// ---- servers that end while the client talks ----

Deno.test("A server that closes during a large command: heard out, then told", async () => {
  await using server = new FakeServer({
    onSession: async (peer) => {
      await peer.take(100_000);
    },
  });
  await using proxy = await TestProxy.start({ servers: [server.port] });
  using client = await FakeClient.logIn(proxy.app);
  await client.sendRaw(queryBytes("x".repeat(20_000_000)));
  const error = await client.expectErr();
  assertEquals([error.code, client.sequence], [1158, 3]);
  await client.ended();
  await proxy.log.first("session ended", "server_lost");
});

Deno.test("A server's early ERR during a large command is what the client gets", async () => {
  await using server = new FakeServer({
    onSession: async (peer) => {
      await peer.take(100_000);
      peer.sequence = 1;
      await peer.err(1153, "08S01", "Got a packet bigger than 'max_allowed_packet' bytes");
      await peer.take(200_000);
    },
  });
  await using proxy = await TestProxy.start({ servers: [server.port] });
  using client = await FakeClient.logIn(proxy.app);
  await client.sendRaw(queryBytes("x".repeat(20_000_000)));
  const error = await client.expectErr();
  assertEquals([error.code, error.sqlState], [1153, "08S01"]);
  await client.ended();
  const { fields } = await proxy.log.first("session ended", "server_lost");
  assertEquals(fields.code, 1153);
});

Deno.test("A server's ERR behind a large command leaves the session usable", async () => {
  await serve(
    (sql, peer) => sql.length > 1000 ? peer.err(1153, "08S01", "too big") : peer.ok(),
    async (client) => {
      await client.sendRaw(queryBytes("x".repeat(1_000_000)));
      assertEquals((await client.expectErr()).code, 1153);
      await client.ping();
    },
  );
});

Deno.test("A server that closes during a file: heard out, then told", async () => {
  await serve(async (_, peer) => {
    await peer.send(concat([Uint8Array.of(Head.LOCAL_INFILE), encodeText("f")]));
    await peer.read();
    peer.close();
  }, async (client, proxy) => {
    await client.query("LOAD");
    assertEquals((await client.expect())[0], Head.LOCAL_INFILE);
    for (let count = 0; count < 100; count++) await client.send(new Uint8Array(100_000));
    await client.send(new Uint8Array(0));
    const error = await client.expectErr();
    assertEquals([error.code, client.sequence], [1158, 104]);
    await client.ended();
    await proxy.log.first("session ended", "server_lost");
  });
});

// ---- servers that speak nonsense ----

const NONSENSE: readonly (readonly [name: string, bytes: (peer: FakePeer) => Uint8Array])[] = [
  ["a wrong number", () => frame(Uint8Array.of(0, 0, 0, 2, 0, 0, 0), 9)],
  ["a text", () => encodeText("HTTP/1.1 400 Bad Request\r\n\r\n")],
  ["an empty packet", () => frame(new Uint8Array(0), 1)],
  ["an OK that ends early", () => frame(Uint8Array.of(0, 0), 1)],
  ["an ERR that ends early", () => frame(Uint8Array.of(0xff, 1), 1)],
  ["a count of no columns", () => frame(Uint8Array.of(0xfc, 0, 0), 1)],
  [
    "rows in place of columns",
    (peer) => peer.framed(Uint8Array.of(2), Uint8Array.of(Head.EOF, 0, 0, 2, 0)),
  ],
];

for (const [name, bytes] of NONSENSE) {
  Deno.test(`A server that answers with ${name} is given up, and the client is told`, async () => {
    await serve(async (_, peer) => {
      await peer.sendRaw(bytes(peer));
      await peer.stall();
    }, async (client, proxy, server) => {
      await client.query("SELECT 1");
      const { error } = await readUntilErr(client);
      assertEquals([error.code, error.sqlState], [1835, "08S01"]);
      assertStringIncludes(
        error.message,
        `Malformed packet from server 127.0.0.1:${server.port}: `,
      );
      await eventually("the server's side is closed", () => server.open === 0);
      const { level, fields } = await proxy.log.first("session ended", "server_lost");
      assertEquals([level, fields.code], ["warning", 1835]);
    });
  });
}
