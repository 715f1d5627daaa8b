/** What clients may send, and how, against fake servers. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { concat, encodeText, frame } from "../../src/protocol/bytes.ts";
import { Command, Head } from "../../src/protocol/constants.ts";
import { FakeClient, queryBytes } from "../fake/client.ts";
import { type FakePeer, FakeServer } from "../fake/server.ts";
import { eventually } from "../support/eventually.ts";
import { TestProxy } from "../support/test_proxy.ts";

const PING = frame(Uint8Array.of(Command.PING), 0);

/** Answers every query with its own text as the one row. */
function echo(peer: FakePeer): Promise<void> {
  return peer.serve((sql, session) => session.rows([sql]));
}

/** Reads a result of one column and gives its values. */
async function readRows(client: FakeClient): Promise<string[]> {
  const values: string[] = [];
  assertEquals(await client.expect(), Uint8Array.of(1));
  await client.expect();
  for (;;) {
    const row = await client.expect();
    if (row[0] === Head.EOF) return values;
    values.push(new TextDecoder().decode(row.subarray(row[0] === 0xfc ? 3 : 1)));
  }
}

function bytesIn(proxy: TestProxy): number {
  return [...proxy.proxy.manager.clients.values()][0]!.info().bytesIn;
}

Deno.test("Commands in one segment are answered one after the other", async () => {
  let busy = 0;
  await using server = new FakeServer({
    onSession: (peer) =>
      peer.serve(async (sql, session) => {
        assertEquals(++busy, 1, "the server has got two commands at once");
        await session.rows([sql]);
        busy--;
      }),
  });
  await using proxy = await TestProxy.start({ servers: [server.port] });
  using client = await FakeClient.logIn(proxy.app);
  const texts = Array.from({ length: 50 }, (_, at) => `SELECT ${at}`);
  await client.sendRaw(concat([...texts.map(queryBytes), PING]));
  for (const text of texts) assertEquals(await readRows(client), [text]);
  assertEquals((await client.expect())[0], Head.OK);
  assertEquals(server.queries, texts);
});

Deno.test("Commands in two segments may be cut anywhere", async () => {
  await using server = new FakeServer({ onSession: echo });
  await using proxy = await TestProxy.start({ servers: [server.port] });
  using client = await FakeClient.logIn(proxy.app);
  const bytes = concat([queryBytes("SELECT 1"), PING, queryBytes("SELECT 22")]);
  for (let cut = 1; cut < bytes.length; cut++) {
    const before = bytesIn(proxy);
    await client.sendRaw(bytes.subarray(0, cut));
    await eventually("the first part has arrived", () => bytesIn(proxy) === before + cut);
    await client.sendRaw(bytes.subarray(cut));
    assertEquals(await readRows(client), ["SELECT 1"]);
    assertEquals((await client.expect())[0], Head.OK);
    assertEquals(await readRows(client), ["SELECT 22"]);
  }
});

Deno.test("Commands may come byte by byte, and so may replies", async () => {
  await using server = new FakeServer({
    onSession: (peer) =>
      peer.serve((sql, session) =>
        session.trickle(session.framed(...session.rowPackets([sql, "x".repeat(700), "end"])))
      ),
  });
  await using proxy = await TestProxy.start({ servers: [server.port] });
  using client = await FakeClient.logIn(proxy.app);
  await client.trickle(concat([queryBytes("SELECT 'bytes'"), queryBytes("SELECT 2")]));
  assertEquals(await readRows(client), ["SELECT 'bytes'", "x".repeat(700), "end"]);
  assertEquals(await readRows(client), ["SELECT 2", "x".repeat(700), "end"]);
});

Deno.test("Commands of any size around those of the buffers arrive as they were", async () => {
  const sizes = [506, 507, 508, 511, 512, 513, 16_383, 98_298, 98_299, 98_300, 98_304, 300_000];
  const seen: string[] = [];
  await using server = new FakeServer({
    onSession: (peer) =>
      peer.serve((sql, session) => {
        seen.push(sql);
        return session.ok();
      }),
  });
  await using proxy = await TestProxy.start({ servers: [server.port] });
  using client = await FakeClient.logIn(proxy.app);
  const texts = sizes.map((size, at) => String.fromCharCode(0x41 + at).repeat(size));
  for (const text of texts) {
    await client.query(text);
    assertEquals((await client.expect())[0], Head.OK);
  }
  // Once more, all at once.
  const sending = client.sendRaw(concat(texts.map(queryBytes)));
  for (const _ of texts) assertEquals((await client.expect())[0], Head.OK);
  await sending;
  assert([...texts, ...texts].every((text, at) => text === seen[at]), "a command was changed");
  assertEquals(seen.length, 2 * texts.length);
});

Deno.test("Commands without an answer are followed by the next one at once", async () => {
  const seen: number[] = [];
  await using server = new FakeServer({
    onSession: async (peer) => {
      for (;;) {
        const request = await peer.request();
        seen.push(request[0]!);
        if (request[0] === Command.QUIT) return;
        if (request[0] === Command.PING) await peer.ok();
      }
    },
  });
  await using proxy = await TestProxy.start({ servers: [server.port] });
  using client = await FakeClient.logIn(proxy.app);
  const id = [7, 0, 0, 0];
  const longData = frame(
    Uint8Array.of(Command.STMT_SEND_LONG_DATA, ...id, 0, 0, ...new Uint8Array(2000)),
    0,
  );
  const close = frame(Uint8Array.of(Command.STMT_CLOSE, ...id), 0);
  await client.sendRaw(concat([longData, longData, close, PING, close, close, PING]));
  assertEquals((await client.expect())[0], Head.OK);
  assertEquals((await client.expect())[0], Head.OK);
  const { STMT_SEND_LONG_DATA: data, STMT_CLOSE, PING: ping } = Command;
  assertEquals(seen, [data, data, STMT_CLOSE, ping, STMT_CLOSE, STMT_CLOSE, ping]);
});

// ---- commands that are none ----

Deno.test("A command with another number than 0 is told 1156 and closed", async () => {
  for (const number of [1, 7, 255]) {
    await using server = new FakeServer({ onSession: echo });
    await using proxy = await TestProxy.start({ servers: [server.port] });
    using client = await FakeClient.logIn(proxy.app);
    await client.query("SELECT 1");
    await readRows(client);
    await client.sendRaw(frame(Uint8Array.of(Command.PING), number));
    const error = await client.expectErr();
    assertEquals([error.code, error.sqlState], [1156, "08S01"]);
    assertEquals(client.sequence, (number + 2) & 0xff);
    await client.ended();
    const { level, fields } = await proxy.log.first("session ended", "protocol_error");
    assertEquals([level, fields.code], ["warning", 1156]);
  }
});

Deno.test("A large command with a wrong number inside closes the connection", async () => {
  await using server = new FakeServer({ onSession: echo });
  await using proxy = await TestProxy.start({ servers: [server.port] });
  using client = await FakeClient.logIn(proxy.app);
  const bytes = frame(new Uint8Array(0xffffff + 100).fill(Command.QUERY), 0);
  bytes[0xffffff + 4 + 3] = 9;
  // The proxy may close before all was sent.
  await client.sendRaw(bytes).catch(() => {});
  await client.ended();
  await proxy.log.first("session ended", "protocol_error");
});

Deno.test("Unknown commands are told 1047, and the session goes on", async () => {
  await using server = new FakeServer({ onSession: echo });
  await using proxy = await TestProxy.start({ servers: [server.port] });
  using client = await FakeClient.logIn(proxy.app);
  const inner = [0x00, 0x0b, 0x0f, 0x10, 0x13, 0x14, 0x1d];
  for (const command of [...inner, 0x22, 0x7f, 0xff]) {
    await client.sendRaw(frame(Uint8Array.of(command, 1, 2, 3), 0));
    const error = await client.expectErr();
    assertEquals([error.code, error.sqlState], [1047, "08S01"]);
    assertEquals(client.sequence, 2);
  }
  // An empty packet is a command without a byte to say which.
  await client.sendRaw(frame(new Uint8Array(0), 0));
  assertEquals((await client.expectErr()).code, 1047);
  await client.ping();
  assertEquals(server.queries, []);
});

Deno.test("A long unknown command is read to its end before it is answered", async () => {
  await using server = new FakeServer({ onSession: echo });
  await using proxy = await TestProxy.start({ servers: [server.port] });
  using client = await FakeClient.logIn(proxy.app);
  for (const length of [600, 200_000, 2 * 0xffffff, 2 * 0xffffff + 5]) {
    await client.sendRaw(concat([frame(new Uint8Array(length).fill(0x77), 0), PING]));
    assertEquals((await client.expectErr()).code, 1047);
    // Behind the last packet's number.
    assertEquals(client.sequence, Math.floor(length / 0xffffff) + 2);
    assertEquals((await client.expect())[0], Head.OK);
  }
});

Deno.test("A change of user longer than any is told so and closed", async () => {
  await using server = new FakeServer({ onSession: echo });
  await using proxy = await TestProxy.start({ servers: [server.port] });
  using client = await FakeClient.logIn(proxy.app);
  await client.sendRaw(frame(new Uint8Array(100_000).fill(Command.CHANGE_USER), 0));
  assertEquals((await client.expectErr()).code, 1835);
  await client.ended();
  await proxy.log.first("session ended", "protocol_error");
});

// ---- clients that leave ----

/** Answers "SLEEP" never and anything else with OK. */
function sleepy(peer: FakePeer): Promise<void> {
  return peer.serve((sql, session) => sql === "SLEEP" ? session.stall() : session.ok());
}

Deno.test("A client that leaves has its statement cancelled by its thread's id", async () => {
  await using server = new FakeServer({ onSession: sleepy });
  await using proxy = await TestProxy.start({ servers: [server.port] });
  const client = await FakeClient.logIn(proxy.app);
  await client.query("SLEEP");
  await eventually("the statement runs", () => server.queries.includes("SLEEP"));
  const [info] = await proxy.proxy.manager.servers.snapshot();
  client.close();
  await eventually("it is killed", () => server.queries.at(-1) === `KILL ${info!.threadId}`);
  const { level, fields } = await proxy.log.first("session ended", "client_lost");
  assertEquals([level, fields.last_command, fields.statements], ["info", "COM_QUERY", 0]);
  await proxy.empty();
});

Deno.test("A client that leaves while idle leaves its server session too", async () => {
  await using server = new FakeServer({ onSession: sleepy });
  await using proxy = await TestProxy.start({ servers: [server.port] });
  const client = await FakeClient.logIn(proxy.app);
  await client.query("SELECT 1");
  await client.expect();
  client.close();
  await proxy.log.first("session ended", "client_closed");
  await eventually("the server's side is closed", () => server.open === 0);
  assertEquals(server.queries, ["SELECT 1"]);
});

Deno.test("COM_QUIT closes both ends without an answer", async () => {
  await using server = new FakeServer({ onSession: sleepy });
  await using proxy = await TestProxy.start({ servers: [server.port] });
  using client = await FakeClient.logIn(proxy.app);
  await client.ping();
  await client.sendRaw(frame(Uint8Array.of(Command.QUIT), 0));
  assertEquals(await client.ended(), 0);
  const { fields } = await proxy.log.first("session ended", "quit");
  assertEquals([fields.user, fields.cluster, fields.statements], ["app", "main", 1]);
  assert(Number(fields.bytes_in) > 0 && Number(fields.bytes_out) > 0);
  await eventually("the server's side is closed", () => server.open === 0);
});

Deno.test("A client may leave while its server session is being opened", async () => {
  let isArrived = false;
  await using server = new FakeServer({
    onConnection: async (peer) => {
      await peer.greet();
      // The first one is the proxy asking for the greeting; the second is a login.
      isArrived ||= peer.id > 1;
      await peer.stall();
    },
  });
  await using proxy = await TestProxy.start({ servers: [server.port] });
  const client = await FakeClient.connect(proxy.port);
  client.logIn(proxy.app).catch(() => {});
  await eventually("the server is being logged in to", () => isArrived);
  client.close();
  await proxy.log.first("session ended", "client_lost");
  await eventually("the server's side is closed", () => server.open === 0);
});

Deno.test("A client may leave in the middle of a large command", async () => {
  await using server = new FakeServer({ onSession: sleepy });
  await using proxy = await TestProxy.start({ servers: [server.port] });
  const client = await FakeClient.logIn(proxy.app);
  const bytes = queryBytes("x".repeat(1_000_000));
  await client.sendRaw(bytes.subarray(0, 700_000));
  await eventually("it is on its way", () => proxy.servers > 0 && bytesIn(proxy) > 600_000);
  client.close();
  await proxy.log.first("session ended", "client_lost");
  await eventually("the server's side is closed", () => server.open === 0);
});

Deno.test("A client may leave in the middle of the file it sends", async () => {
  let received = 0;
  await using server = new FakeServer({
    onSession: (peer) =>
      peer.serve(async (sql, session) => {
        if (sql !== "LOAD") return session.ok();
        await session.send(concat([Uint8Array.of(Head.LOCAL_INFILE), encodeText("f")]));
        for (;;) received += (await session.read()).length;
      }),
  });
  await using proxy = await TestProxy.start({ servers: [server.port] });
  const client = await FakeClient.logIn(proxy.app);
  await client.query("LOAD");
  assertEquals((await client.expect())[0], Head.LOCAL_INFILE);
  for (let count = 0; count < 20; count++) await client.send(new Uint8Array(50_000));
  await eventually("the file is on its way", () => received === 1_000_000);
  client.close();
  await proxy.log.first("session ended", "client_lost");
  await eventually("the server's side is closed", () => server.open === 0);
});

Deno.test("A client that sent ahead and left has what runs cancelled", async () => {
  await using server = new FakeServer({ onSession: sleepy });
  await using proxy = await TestProxy.start({ servers: [server.port] });
  const client = await FakeClient.logIn(proxy.app);
  await client.sendRaw(concat([queryBytes("SLEEP"), queryBytes("NEXT")]));
  await eventually("the statement runs", () => server.queries.includes("SLEEP"));
  client.close();
  await eventually("it is killed", () => server.queries.at(-1)?.startsWith("KILL "));
  assert(!server.queries.includes("NEXT"));
});

// ---- files and streams ----

Deno.test("A file passes to the server, and what comes behind it waits", async () => {
  const file = Uint8Array.from({ length: 300_000 }, (_, at) => at * 7);
  const parts: Uint8Array[] = [];
  await using server = new FakeServer({
    onSession: (peer) =>
      peer.serve(async (sql, session) => {
        if (sql !== "LOAD") return session.rows([sql]);
        await session.send(concat([Uint8Array.of(Head.LOCAL_INFILE), encodeText("f")]));
        for (;;) {
          const part = await session.read();
          if (part.length === 0) break;
          parts.push(part);
        }
        await session.ok();
      }),
  });
  await using proxy = await TestProxy.start({ servers: [server.port] });
  using client = await FakeClient.logIn(proxy.app);
  for (const piece of [1000, 16_384, 300_000]) {
    parts.length = 0;
    await client.query("LOAD");
    assertEquals((await client.expect())[0], Head.LOCAL_INFILE);
    for (let at = 0; at < file.length; at += piece) await client.send(file.slice(at, at + piece));
    await client.send(new Uint8Array(0));
    await client.sendRaw(queryBytes("SELECT 1"));
    assertEquals((await client.expect())[0], Head.OK);
    assertEquals(await readRows(client), ["SELECT 1"]);
    assert(concat(parts).every((byte, at) => byte === file[at]), "the file was changed");
    assertEquals(parts.reduce((sum, part) => sum + part.length, 0), file.length);
  }
});

Deno.test("A file with a wrong number inside closes the connection", async () => {
  await using server = new FakeServer({
    onSession: (peer) =>
      peer.serve(async (_, session) => {
        await session.send(Uint8Array.of(Head.LOCAL_INFILE));
        for (;;) await session.read();
      }),
  });
  await using proxy = await TestProxy.start({ servers: [server.port] });
  using client = await FakeClient.logIn(proxy.app);
  await client.query("LOAD");
  await client.expect();
  await client.sendRaw(frame(new Uint8Array(10), 9));
  await client.ended();
  await proxy.log.first("session ended", "protocol_error");
});

Deno.test("In a stream both sides talk at any time", async () => {
  const acks: string[] = [];
  let source: FakePeer | undefined;
  await using server = new FakeServer({
    onSession: async (peer) => {
      const [command] = await peer.request();
      if (command !== Command.BINLOG_DUMP) return await peer.ok();
      source = peer;
      // More than fits between the two, so that the proxy's write to the client has to wait.
      await peer.send(...Array.from({ length: 2000 }, () => new Uint8Array(10_000)));
      for (;;) {
        peer.sequence = 0;
        acks.push(new TextDecoder().decode(await peer.read()));
        peer.sequence = acks.length;
        await peer.send(Uint8Array.of(0, ...encodeText(`event ${acks.length}`)));
      }
    },
  });
  await using proxy = await TestProxy.start({ servers: [server.port] });
  using client = await FakeClient.logIn(proxy.app);
  await client.sendRaw(frame(Uint8Array.of(Command.BINLOG_DUMP, ...new Uint8Array(10)), 0));
  await eventually("events have piled up", () => source && source.bytesSent > 1_000_000);
  // Sent while the proxy cannot write: the client has not read a byte of the events.
  await client.sendRaw(frame(encodeText("ack 1"), 0));
  for (let count = 0; count < 2000; count++) assertEquals((await client.expect()).length, 10_000);
  assertEquals(new TextDecoder().decode(await client.expect()), "\0event 1");
  await client.sendRaw(frame(encodeText("ack 2"), 0));
  assertEquals(new TextDecoder().decode(await client.expect()), "\0event 2");
  assertEquals(acks, ["ack 1", "ack 2"]);
  client.close();
  await proxy.log.first("session ended", "client_lost");
});

// ---- slow clients ----

Deno.test("A client that reads nothing holds up its own server session alone", async () => {
  let flood: FakePeer | undefined;
  await using server = new FakeServer({
    onSession: (peer) =>
      peer.serve(async (sql, session) => {
        if (sql !== "FLOOD") return session.rows([sql]);
        flood = session;
        const [count, column] = session.rowPackets([]);
        await session.send(count!, column!);
        const row = Uint8Array.of(0xfc, 0x10, 0x27, ...new Uint8Array(10_000).fill(0x61));
        for (;;) await session.send(...new Array(100).fill(row));
      }),
  });
  await using proxy = await TestProxy.start({ servers: [server.port] });
  using slow = await FakeClient.logIn(proxy.app);
  await slow.query("FLOOD");
  using other = await FakeClient.logIn(proxy.app);
  await eventually("the flood has begun", () => flood !== undefined && flood.bytesSent > 1_000_000);
  let before = -1;
  await eventually("the flood stands still", async () => {
    for (let count = 0; count < 100; count++) {
      await other.query(`SELECT ${count}`);
      assertEquals(await readRows(other), [`SELECT ${count}`]);
    }
    const isStill = flood!.bytesSent === before;
    before = flood!.bytesSent;
    return isStill;
  });
  // What the system's buffers of the two connections hold, and nothing beside it.
  assert(flood!.bytesSent < 32_000_000, `${flood!.bytesSent} bytes are under way`);
  const info = [...proxy.proxy.manager.clients.values()][0]!.info();
  assertEquals(info.phase, "executing");
  slow.close();
  await proxy.log.first("session ended", "client_lost");
  await eventually("it is killed", () => server.queries.at(-1)?.startsWith("KILL "));
  await other.ping();
});

Deno.test("A client with its sending side closed is taken as gone", async () => {
  await using server = new FakeServer({ onSession: sleepy });
  await using proxy = await TestProxy.start({ servers: [server.port] });
  using client = await FakeClient.logIn(proxy.app);
  await client.query("SLEEP");
  await eventually("the statement runs", () => server.queries.includes("SLEEP"));
  await client.closeWrite();
  await client.ended();
  const { fields } = await proxy.log.first("session ended", "client_lost");
  assertStringIncludes(String(fields.error), "client closed the connection");
});
