/** Statements of the proxy among those of servers: order, packet numbers, flags, prepared ones. */
import { assertEquals } from "@std/assert";
import { concat, encodeText } from "../../src/protocol/bytes.ts";
import { Command, Status } from "../../src/protocol/constants.ts";
import { decodePrepareHead } from "../../src/protocol/prepared.ts";
import { decodeErr, decodeOk } from "../../src/protocol/response.ts";
import type { FakeClient } from "../fake/client.ts";
import type { FakePeer } from "../fake/server.ts";
import { serve } from "../support/served_client.ts";

const { AUTOCOMMIT, MORE_RESULTS_EXISTS } = Status;

/** Answers OK, with what the text asks for. */
async function plain(sql: string, peer: FakePeer): Promise<void> {
  if (sql.startsWith("BAD")) await peer.err(1064, "42000", "You have an error");
  else if (sql.startsWith("TWO")) {
    await peer.ok(AUTOCOMMIT | MORE_RESULTS_EXISTS);
    await peer.ok();
  } else await peer.ok();
}

/** Sends a text and reads OKs and ERRs up to the last one. @returns status flags, or error codes */
async function outcomes(client: FakeClient, sql: string): Promise<number[]> {
  await client.query(sql);
  const found: number[] = [];
  let expected = 1;
  while (true) {
    const payload = await client.expect();
    assertEquals(client.sequence, (expected + 1) & 0xff, `packet number of reply ${found.length}`);
    expected++;
    if (payload[0] === 0xff) return [...found, decodeErr(payload).code];
    const { status } = decodeOk(payload, 0);
    found.push(status);
    if ((status & MORE_RESULTS_EXISTS) === 0) return found;
  }
}

const MORE = AUTOCOMMIT | MORE_RESULTS_EXISTS;

const TEXTS: readonly [sql: string, outcomes: number[], queries: string[]][] = [
  ["PING PROXY", [AUTOCOMMIT], []],
  ["  /* a */ ping /* b */ proxy ; ", [AUTOCOMMIT], []],
  ["PING PROXY; PING PROXY", [MORE, AUTOCOMMIT], []],
  ["DO 1; PING PROXY; DO 2", [MORE, MORE, AUTOCOMMIT], ["DO 1", "DO 2"]],
  ["DO 1; DO 2; PING PROXY", [MORE, AUTOCOMMIT], ["DO 1;DO 2"]],
  ["PING PROXY; TWO; PING PROXY", [MORE, MORE, MORE, AUTOCOMMIT], ["TWO"]],
  ["DO 1; KILL 99999; DO 2", [MORE, 1094], ["DO 1"]],
  ["BAD; PING PROXY", [1064], ["BAD"]],
  ["PING PROXY; BAD; PING PROXY", [MORE, 1064], ["BAD"]],
  ["DO 'PING PROXY; PING PROXY'", [AUTOCOMMIT], ["DO 'PING PROXY; PING PROXY'"]],
  ["KILL", [5010], []],
  ["KILL PROXYSESSION 1", [5010], []],
];

for (const [sql, expected, queries] of TEXTS) {
  Deno.test(`Statements of the proxy among others: ${sql}`, async () => {
    await serve(plain, async (client, _, server) => {
      assertEquals(await outcomes(client, sql), expected);
      assertEquals(server.queries, queries);
      await client.ping();
    });
  });
}

Deno.test("Statements of the proxy keep their place among pipelined commands", async () => {
  await serve(plain, async (client, _, server) => {
    await client.query("DO 1");
    await client.query("PING PROXY; DO 2; PING PROXY");
    await client.query("DO 3");
    for (const status of [AUTOCOMMIT, MORE, MORE, AUTOCOMMIT, AUTOCOMMIT]) {
      assertEquals(decodeOk(await client.expect(), 0).status, status);
    }
    assertEquals(server.queries, ["DO 1", "DO 2", "DO 3"]);
  });
});

Deno.test("A file that a later statement of a text asks for keeps both sides' numbers", async () => {
  const file = encodeText("1,2\n");
  let got: Uint8Array | undefined;
  await serve(async (sql, peer) => {
    if (!sql.startsWith("LOAD")) return await peer.ok();
    await peer.send(concat([Uint8Array.of(0xfb), encodeText("f")]));
    got = await peer.read();
    assertEquals((await peer.read()).length, 0);
    await peer.ok();
  }, async (client) => {
    await client.query("PING PROXY; LOAD DATA LOCAL INFILE 'f' INTO TABLE t; PING PROXY");
    assertEquals(decodeOk(await client.expect(), 0).status, MORE);
    assertEquals((await client.expect())[0], 0xfb);
    assertEquals(client.sequence, 3);
    await client.send(file);
    await client.send(new Uint8Array(0));
    assertEquals(decodeOk(await client.expect(), 0).status, MORE);
    assertEquals(client.sequence, 6);
    assertEquals(decodeOk(await client.expect(), 0).status, AUTOCOMMIT);
    assertEquals(got, file);
  });
});

Deno.test("A second statement is refused where several are not allowed", async () => {
  await serve(plain, async (client, _, server) => {
    client.sequence = 0;
    await client.send(Uint8Array.of(Command.SET_OPTION, 1, 0));
    await client.expect();
    assertEquals(await outcomes(client, "PING PROXY; DO 1"), [1064]);
    assertEquals(await outcomes(client, "DO 1; PING PROXY"), [AUTOCOMMIT]);
    assertEquals(server.queries, ["DO 1; PING PROXY"]);
  });
});

async function prepare(client: FakeClient, sql: string): Promise<number> {
  client.sequence = 0;
  await client.send(concat([Uint8Array.of(Command.STMT_PREPARE), encodeText(sql)]));
  const head = decodePrepareHead(await client.expect(), 0);
  for (let at = 0; at < head.parameters + head.columns; at++) await client.expect();
  return head.statementId;
}

function statementRequest(command: number, id: number, rest: readonly number[]): Uint8Array {
  return Uint8Array.of(command, id & 255, (id >> 8) & 255, (id >> 16) & 255, id >>> 24, ...rest);
}

Deno.test("A prepared KILL takes its id as a parameter, and never reaches a server", async () => {
  await serve(plain, async (client, _, server) => {
    const id = await prepare(client, "KILL ?");
    const LONGLONG = 8;
    const execute = (parameter: number[]) =>
      statementRequest(Command.STMT_EXECUTE, id, [0, 1, 0, 0, 0, 0, 1, LONGLONG, 0, ...parameter]);
    client.sequence = 0;
    await client.send(execute([0x9f, 0x86, 1, 0, 0, 0, 0, 0]));
    assertEquals((await client.expectErr()).message, "Unknown thread id: 99999");
    client.sequence = 0;
    await client.send(statementRequest(Command.STMT_CLOSE, id, []));
    await client.ping();
    assertEquals(server.queries, []);
    // Closed: the server is asked, which does not know it either.
    client.sequence = 0;
    await client.send(execute([1, 0, 0, 0, 0, 0, 0, 0]));
    assertEquals((await client.expect())[0], 0x00);
  });
});

Deno.test("A prepared SHOW PROCESSLIST has its own text in Info", async () => {
  await serve(plain, async (client) => {
    const id = await prepare(client, "SHOW /* me */ PROCESSLIST");
    for (let time = 0; time < 2; time++) {
      client.sequence = 0;
      await client.send(statementRequest(Command.STMT_EXECUTE, id, [0, 1, 0, 0, 0]));
      const columns = (await client.expect())[0]!;
      for (let at = 0; at < columns; at++) await client.expect();
      const row = new TextDecoder().decode(await client.expect());
      assertEquals(row.match(/Execute.*$/s)?.[0].includes("SHOW /* me */ PROCESSLIST"), true, row);
      await client.expect();
    }
  });
});

Deno.test("A statement that is prepared by name is run by it", async () => {
  await serve(plain, async (client, _, server) => {
    assertEquals(await outcomes(client, "PREPARE k FROM 'KILL 99999'"), [AUTOCOMMIT]);
    assertEquals(await outcomes(client, "EXECUTE `K`"), [1094]);
    assertEquals(await outcomes(client, "EXECUTE k USING @a"), [1235]);
    assertEquals(await outcomes(client, "DEALLOCATE PREPARE k"), [AUTOCOMMIT]);
    assertEquals(server.queries, []);
    assertEquals(await outcomes(client, "EXECUTE k"), [AUTOCOMMIT]);
    assertEquals(server.queries, ["EXECUTE k"]);
  });
});

Deno.test("An own KILL is answered with 1317, then the connection closes", async () => {
  await serve(plain, async (client, proxy, server) => {
    const id = client.greeting!.threadId;
    await client.query(`DO 1; KILL ${id}; DO 2`);
    assertEquals(decodeOk(await client.expect(), 0).status, MORE);
    const error = await client.expectErr();
    assertEquals([error.code, error.sqlState], [1317, "70100"]);
    assertEquals(error.message, "Query execution was interrupted");
    assertEquals(await client.ended(), 0);
    assertEquals(server.queries, ["DO 1"]);
    await proxy.log.first("session ended", "killed");
  });
});

Deno.test("A statement that only begins like one of the proxy may be of any length", async () => {
  await serve(plain, async (client, _, server) => {
    const long = "x".repeat(300_000);
    await client.query(`SHOW PROXYSESSION ATTRIBUTE ${long}`);
    assertEquals((await client.expectErr()).code, 5010);
    await client.query(`SHOW TABLES LIKE '${long}'`);
    assertEquals((await client.expect())[0], 0x00);
    assertEquals(server.queries.map((sql) => sql.slice(0, 11)), ["SHOW TABLES"]);
  });
});
