/**
 * Large values and large amounts of data through the proxy as a program of its own, whose memory
 * stays what it is. With SLUICE_VOLUME=1 also a result of 4 GB and a LOAD DATA LOCAL of 1 GB.
 */
import { assert, assertEquals } from "@std/assert";
import { createHash } from "node:crypto";
import { Buffer } from "node:buffer";
import { createConnection } from "mysql2";
import { concat, encodeText, frame } from "../../src/protocol/bytes.ts";
import { Command, Head } from "../../src/protocol/constants.ts";
import { FakeClient } from "../fake/client.ts";
import { ProxyProcess } from "../support/proxy_process.ts";
import { seededRandom } from "../support/random.ts";
import { report } from "../support/report.ts";
import { sharedEngine } from "../support/shared_engine.ts";
import { APP } from "../support/test_proxy.ts";
import { WireClient } from "../support/wire_client.ts";

const MEBIBYTE = 1 << 20;

/** What the proxy may take at its highest, programs that run from source included. */
const MEMORY_LIMIT = 150_000_000;

const mariadb = await sharedEngine("mariadb", [
  "CREATE USER app@'%' IDENTIFIED BY 'secret'",
  "GRANT ALL ON *.* TO app@'%'",
]);
const { ignore } = mariadb;
const isLarge = Deno.env.get("SLUICE_VOLUME") === "1";

async function withProxy(what: string, use: (port: number) => Promise<void>): Promise<void> {
  await using proxy = await ProxyProcess.start({ servers: [mariadb.engine.port] });
  const port = await proxy.port();
  // A session before, so that what remains is what the data takes.
  await (await WireClient.connect({ port, ...APP })).quit();
  const before = await proxy.memory("VmRSS");
  const begun = performance.now();
  await use(port);
  const seconds = (performance.now() - begun) / 1000;
  const peak = await proxy.memory("VmHWM");
  report(
    `${what}: ${seconds.toFixed(1)} s, proxy memory ${megabytes(before)} before, ` +
      `${megabytes(peak)} at its highest`,
  );
  assert(peak < MEMORY_LIMIT, `the proxy took ${megabytes(peak)}`);
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Bytes that repeat nowhere, quickly made. */
function randomBytes(length: number): Buffer {
  const random = seededRandom(64);
  const words = new Uint32Array(length / 4);
  for (let at = 0; at < words.length; at++) words[at] = random() * 4294967296;
  return Buffer.from(words.buffer);
}

Deno.test("A parameter and a column of 64 MiB arrive unchanged", { ignore }, async () => {
  const data = randomBytes(64 * MEBIBYTE);
  const hash = sha256(data);
  await withProxy("64 MiB up, and up and down", async (port) => {
    const connection = await createConnection({ host: "127.0.0.1", port, ...APP });
    const [first] = await connection.execute("SELECT SHA2(?, 256) AS hash, 1 AS one", [data]);
    assertEquals((first as { hash: string }[])[0]!.hash, hash);
    const [second] = await connection.execute("SELECT 'before', ? AS data, 'after' AS tail", [
      data,
    ]);
    const row = (second as { data: Buffer; tail: string }[])[0]!;
    assertEquals([row.data.length, sha256(row.data), row.tail], [data.length, hash, "after"]);
    await connection.end();
  });
});

Deno.test("A text query and a text column of 64 MiB arrive unchanged", { ignore }, async () => {
  const hex = randomBytes(32 * MEBIBYTE).toString("hex");
  await withProxy("64 MiB up and down as text", async (port) => {
    const client = await WireClient.connect({ port, ...APP });
    const packets = await client.run(`SELECT '${hex}'`);
    // Count, definition, EOF, the row in five packets, EOF.
    const row = concat(packets.slice(3, -1).map(({ payload }) => payload));
    assertEquals(row.length, 9 + hex.length);
    assertEquals(sha256(row.subarray(9)), sha256(encodeText(hex)));
    await client.quit();
  });
});

/** Reads a result as fast as it comes and gives the number of its rows and of its bytes. */
async function countRows(port: number, sql: string): Promise<{ rows: number; bytes: number }> {
  const client = await FakeClient.logIn({ port, ...APP });
  await client.query(sql);
  const walk = new ResultWalk();
  await client.readAll((chunk) => walk.add(chunk));
  assertEquals(walk.error, undefined);
  await client.sendRaw(frame(Uint8Array.of(Command.QUIT), 0));
  await client.ended();
  return { rows: walk.rows, bytes: walk.bytes };
}

/** Counts rows of one result in the dialect without EOF packets; their content passes unseen. */
class ResultWalk {
  rows = 0;
  bytes = 0;
  error: string | undefined;
  #header: number[] = [];
  #left = 0;
  #packets = 0;
  #columns = 0;
  #isContinued = false;

  /** @returns whether the result is over */
  add(chunk: Uint8Array): boolean {
    this.bytes += chunk.length;
    for (let at = 0; at < chunk.length;) {
      if (this.#left > 0) {
        const part = Math.min(this.#left, chunk.length - at);
        this.#left -= part;
        at += part;
        continue;
      }
      // Header and first payload byte.
      this.#header.push(chunk[at++]!);
      if (this.#header.length < 5) continue;
      const [low, middle, high, , head] = this.#header as [number, number, number, number, number];
      const length = low | (middle << 8) | (high << 16);
      this.#header = [];
      this.#left = length - 1;
      if (this.#packet(head, length)) return true;
    }
    return false;
  }

  #packet(head: number, length: number): boolean {
    const isContinuation = this.#isContinued;
    this.#isContinued = length === 0xffffff;
    if (isContinuation) return false;
    if (head === Head.ERR) this.error = "the server has sent ERR";
    if (this.#packets++ === 0) this.#columns = head;
    else if (this.#packets > 1 + this.#columns && head !== Head.EOF) this.rows++;
    return head === Head.ERR || (head === Head.EOF && length < 0xffffff);
  }
}

Deno.test("A result of 4 GB passes", { ignore: ignore || !isLarge }, async () => {
  await withProxy("4 GB of result", async (port) => {
    // Rows that come by the hundred in a buffer, and rows that fill many.
    const small = await countRows(
      port,
      "SELECT a.seq, REPEAT('x', 990) FROM test.seq_1_to_1000 a JOIN test.seq_1_to_1000 b",
    );
    assertEquals(small.rows, 1_000_000);
    const large = await countRows(port, "SELECT REPEAT('x', 1000000) FROM test.seq_1_to_3000");
    assertEquals(large.rows, 3000);
    assert(small.bytes + large.bytes > 4_000_000_000 * 0.99);
    report(`${small.bytes + large.bytes} bytes of results`);
  });
});

Deno.test("A LOAD DATA LOCAL of 1 GB passes", { ignore: ignore || !isLarge }, async () => {
  const lines = 1024;
  const line = randomBytes(MEBIBYTE).map((byte) => 0x41 + (byte & 15));
  line[line.length - 1] = 0x0a;
  await withProxy("1 GB of file", async (port) => {
    const client = await WireClient.connect({
      port,
      ...APP,
      *onInfile() {
        for (let count = 0; count < lines; count++) yield line;
      },
    });
    await client.run("CREATE OR REPLACE TABLE test.volume (size INT, hash CHAR(64))");
    await client.run(
      "LOAD DATA LOCAL INFILE 'generated' INTO TABLE test.volume (@line) " +
        "SET size = LENGTH(@line), hash = SHA2(@line, 256)",
    );
    await client.quit();
  });
  const rows = await mariadb.admin(
    "SELECT COUNT(*) AS total, MIN(size) AS least, MAX(size) AS most, " +
      "COUNT(DISTINCT hash) AS kinds, MIN(hash) AS hash FROM test.volume",
  );
  const hash = sha256(line.subarray(0, -1));
  const size = line.length - 1;
  assertEquals(rows, [{ total: lines, least: size, most: size, kinds: 1, hash }]);
});
