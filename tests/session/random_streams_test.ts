/**
 * Conversations of random shape in pieces of random size: whatever the buffers go through, each
 * side gets what the other has sent. SLUICE_SEED repeats a run; SLUICE_FUZZ makes it longer.
 */
import { assertEquals } from "@std/assert";
import { concat, encodeText, frame, MAX_PAYLOAD } from "../../src/protocol/bytes.ts";
import { Capability, Command, Head, SessionTrack, Status } from "../../src/protocol/constants.ts";
import { encodeErr, encodeOk, plainOk } from "../../src/protocol/response.ts";
import { encodeColumn, makeColumn } from "../../src/protocol/resultset.ts";
import { type FakePeer, FakeServer } from "../fake/server.ts";
import { FakeTransport } from "../fake/transport.ts";
import { eventually } from "../support/eventually.ts";
import { chooseSeed, seededRandom } from "../support/random.ts";
import { report } from "../support/report.ts";
import { SessionBench } from "../support/session_bench.ts";

const SESSIONS = Deno.env.has("SLUICE_FUZZ") ? 1_000 : 30;
const COMMANDS = 12;

type Random = () => number;

function below(random: Random, limit: number): number {
  return Math.floor(random() * limit);
}

/** Mostly small, at times around or beyond the sizes of the buffers. */
function randomSize(random: Random): number {
  const limit = [20, 20, 200, 600, 1100, 20_000, 98_400, 300_000][below(random, 8)]!;
  return below(random, limit);
}

/** What a server answers, and what of that the client sees. */
interface Reply {
  readonly sent: readonly Uint8Array[];
  readonly seen: readonly Uint8Array[];
  /** Files that the client sends behind the first packet. */
  readonly file?: readonly Uint8Array[];
}

const WITH_TRACK = Capability.SESSION_TRACK;
const SCHEMA = { type: SessionTrack.SCHEMA, data: encodeText("\x04shop") };

/** An OK with or without changes of state; the client asked for none and sees none. */
function okReply(random: Random, head: number, status: number): Reply {
  const info = encodeText("i".repeat(below(random, 30)));
  const plain = { ...plainOk(status), head, info, affectedRows: below(random, 100_000) };
  const changed = random() < 0.5
    ? {
      ...plain,
      status: status | Status.SESSION_STATE_CHANGED,
      track: new Array(1 + below(random, 40)).fill(SCHEMA),
    }
    : plain;
  // Without track data servers write the length of the text all the same.
  const text = info.length === 0 ? info : Uint8Array.of(info.length, ...info);
  return {
    sent: [encodeOk(changed, WITH_TRACK)],
    seen: [encodeOk({ ...plain, info: text }, 0)],
  };
}

function resultReply(random: Random, status: number): Reply {
  const count = 1 + below(random, 4);
  const agreed = { capabilities: 0, extendedCapabilities: 0 };
  const head: Uint8Array[] = [Uint8Array.of(count)];
  for (let column = 0; column < count; column++) {
    head.push(encodeColumn(makeColumn("c".repeat(1 + below(random, 60))), agreed));
  }
  const rows: Uint8Array[] = [];
  for (let left = below(random, 40); left > 0; left--) {
    // What a row holds is no concern of the proxy's, but for its first byte.
    const row = new Uint8Array(1 + randomSize(random)).fill(below(random, 0xfb));
    rows.push(row);
  }
  const end = random() < 0.1
    ? { sent: [encodeErr({ code: 1317, sqlState: "70100", message: "interrupted" })] }
    : okReply(random, Head.EOF, status);
  const seen = "seen" in end ? end.seen : end.sent;
  return { sent: [...head, ...rows, ...end.sent], seen: [...head, ...rows, ...seen] };
}

function anyReply(random: Random, mayHaveFile = true): Reply {
  const choice = random();
  if (choice < 0.1) {
    const error = encodeErr({
      code: 1064,
      sqlState: "42000",
      message: "e".repeat(randomSize(random)),
    });
    return { sent: [error], seen: [error] };
  }
  if (choice < 0.35) return okReply(random, Head.OK, Status.AUTOCOMMIT);
  if (choice < 0.5 && mayHaveFile) {
    const request = concat([Uint8Array.of(Head.LOCAL_INFILE), encodeText("name")]);
    const file = Array.from(
      { length: below(random, 6) },
      () => new Uint8Array(1 + randomSize(random)).fill(below(random, 256)),
    );
    const { sent, seen } = okReply(random, Head.OK, Status.AUTOCOMMIT);
    return { sent: [request, ...sent], seen: [request, ...seen], file };
  }
  if (choice < 0.6) {
    const first = random() < 0.5
      ? okReply(random, Head.OK, Status.MORE_RESULTS_EXISTS)
      : resultReply(random, Status.MORE_RESULTS_EXISTS);
    if (first.sent.at(-1)![0] === Head.ERR) return first;
    const second = anyReply(random, false);
    return { sent: [...first.sent, ...second.sent], seen: [...first.seen, ...second.seen] };
  }
  return resultReply(random, Status.AUTOCOMMIT);
}

interface Exchange {
  readonly request: Uint8Array;
  readonly reply: Reply;
}

function anyExchange(random: Random): Exchange {
  const text = encodeText("q".repeat(1 + randomSize(random)));
  if (random() < 0.1) {
    const request = concat([Uint8Array.of(Command.STMT_SEND_LONG_DATA, 1, 0, 0, 0, 0, 0), text]);
    return { request, reply: { sent: [], seen: [] } };
  }
  return { request: concat([Uint8Array.of(Command.QUERY), text]), reply: anyReply(random) };
}

async function turn(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 0));
}

/** Sends in pieces, with time for each to arrive before the next. */
async function sendInPieces(peer: FakePeer, bytes: Uint8Array, random: Random): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const size = random() < 0.3 ? bytes.length : 1 + randomSize(random);
    await peer.sendRaw(bytes.subarray(at, at + size));
    at += size;
    if (random() < 0.5) await turn();
  }
}

/** The server's part: it checks what it gets and answers as agreed. */
async function play(peer: FakePeer, exchanges: readonly Exchange[], random: Random): Promise<void> {
  for (const { request, reply } of exchanges) {
    assertSame(await peer.request(), request, "a request");
    if (reply.sent.length === 0) continue;
    const [first, ...rest] = reply.sent;
    if (reply.file === undefined) {
      await sendInPieces(peer, peer.framed(first!, ...rest), random);
      continue;
    }
    await sendInPieces(peer, peer.framed(first!), random);
    for (const part of reply.file) assertSame(await peer.read(), part, "a part of a file");
    assertEquals((await peer.read()).length, 0);
    await sendInPieces(peer, peer.framed(...rest), random);
  }
  await peer.expect(Command.QUIT);
}

function assertSame(actual: Uint8Array, expected: Uint8Array, what: string): void {
  // Only where they differ, as printing so many numbers takes long.
  const isSame = actual.length === expected.length &&
    actual.every((byte, at) => byte === expected[at]);
  if (!isSame) {
    throw new Error(`Expected ${what} of ${expected.length} bytes, got ${actual.length} others`);
  }
}

/** All that the client is to get, framed as it is to get it. */
function framedReplies(exchanges: readonly Exchange[]): Uint8Array {
  return concat(exchanges.flatMap(({ request, reply }) => {
    let sequence = Math.floor(request.length / MAX_PAYLOAD) + 1;
    return reply.seen.map((payload, index) => {
      const bytes = frame(payload, sequence);
      sequence += 1 + (index === 0 && reply.file ? reply.file.length + 1 : 0);
      return bytes;
    });
  }));
}

/** Pushes bytes in pieces that a session reads one by one. */
async function pushInPieces(
  transport: FakeTransport,
  bytes: Uint8Array,
  random: Random,
): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const size = random() < 0.3 ? bytes.length : 1 + randomSize(random);
    transport.push(bytes.slice(at, at + size));
    at += size;
    if (random() < 0.3) await turn();
  }
}

/** The client's part: commands, ahead of their time or not, and files when they are asked for. */
async function speak(
  transport: FakeTransport,
  exchanges: readonly Exchange[],
  random: Random,
): Promise<void> {
  let due = 0;
  for (const { request, reply } of exchanges) {
    await pushInPieces(transport, frame(request, 0), random);
    const { file, seen } = reply;
    const [first] = seen;
    const total = seen.reduce((sum, payload) => sum + 4 + payload.length, 0);
    if (file !== undefined) {
      const asked = due + 4 + first!.length;
      await eventually("the file is asked for", () => transport.writtenLength >= asked);
      let sequence = 2;
      const parts = [...file, new Uint8Array(0)].map((part) => frame(part, sequence++));
      await pushInPieces(transport, concat(parts), random);
    }
    due += total;
    if (random() < 0.5) {
      await eventually("the reply is there", () => transport.writtenLength >= due);
    }
  }
}

/** A client that takes as much as it likes of each write, when it likes to. */
class MoodyTransport extends FakeTransport {
  readonly #random: Random;

  constructor(random: Random) {
    super();
    this.#random = random;
  }

  override async write(bytes: Uint8Array): Promise<number> {
    this.writeLimit = this.#random() < 0.5 ? Infinity : 1 + randomSize(this.#random);
    if (this.#random() < 0.2) await turn();
    return await super.write(bytes);
  }
}

async function converse(seed: number): Promise<number> {
  const random = seededRandom(seed);
  const exchanges = Array.from({ length: COMMANDS }, () => anyExchange(random));
  await using server = new FakeServer({
    onSession: (peer) => play(peer, exchanges, seededRandom(seed + 1)),
  });
  await using bench = await SessionBench.open({ servers: [server.port] });
  const transport = new MoodyTransport(seededRandom(seed + 2));
  const session = await bench.logIn(transport);
  const expected = framedReplies(exchanges);
  // What waits in a buffer for more is sent on by the sweep.
  const sweeping = setInterval(() => session.sweep(Date.now()), 1);
  try {
    await speak(transport, exchanges, seededRandom(seed + 3));
    await eventually("all replies are there", () => transport.writtenLength >= expected.length);
  } catch (cause) {
    const got = `${transport.writtenLength} of ${expected.length} bytes`;
    throw new Error(`Cannot finish the conversation of seed ${seed} after ${got}`, { cause });
  } finally {
    clearInterval(sweeping);
    transport.end();
  }
  assertSame(transport.written, expected, `the replies of seed ${seed}`);
  return expected.length;
}

Deno.test(`${SESSIONS} conversations of any shape`, async () => {
  const seed = chooseSeed();
  let bytes = 0;
  for (let count = 0; count < SESSIONS; count++) {
    bytes += await converse(seed + 10 * count).catch(reveal);
  }
  report(`seed ${seed}: ${(bytes / 1e6).toFixed(0)} MB of replies`);
});

/** Both ends may fail for one reason: the error shows what each said. */
function reveal(error: unknown): never {
  if (!(error instanceof SuppressedError)) throw error;
  throw new Error(`${error.error}`, { cause: error.suppressed });
}
