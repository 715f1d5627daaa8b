/**
 * Connections that send garbage, half packets, wrong lengths, wrong numbers or nothing, against the
 * proxy as a program of its own that serves a normal client all the while. 2,000 of them; 20,000
 * with SLUICE_FUZZ set. SLUICE_SEED repeats a run.
 */
import { assert, assertEquals } from "@std/assert";
import { LoginKey, NATIVE, nativeProof, SHA2 } from "../../src/protocol/auth.ts";
import { concat, encodeText, frame } from "../../src/protocol/bytes.ts";
import { Capability, Command, Head } from "../../src/protocol/constants.ts";
import { decodeGreeting, encodeLogin, type Login } from "../../src/protocol/handshake.ts";
import { eventually } from "../support/eventually.ts";
import { ProxyProcess } from "../support/proxy_process.ts";
import { chooseSeed, seededRandom } from "../support/random.ts";
import { report } from "../support/report.ts";
import { sharedEngine } from "../support/shared_engine.ts";
import { APP } from "../support/test_proxy.ts";
import { WireClient } from "../support/wire_client.ts";

const CONNECTIONS = Deno.env.has("SLUICE_FUZZ") ? 20_000 : 2_000;
const AT_A_TIME = 200;

/** Of the proxy under test; its sweep comes once a second. */
const LOGIN_TIMEOUT = "500ms";

/** Far beyond login_timeout and sweep, also on a machine that is busy: who waits so long hangs. */
const HANGS_AFTER = 20_000;

const mariadb = await sharedEngine("mariadb", [
  "CREATE USER app@'%' IDENTIFIED BY 'secret'",
  "GRANT ALL ON *.* TO app@'%'",
]);

class Chance {
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  /** An integer from 0 to below `limit`. */
  below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  of<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)]!;
  }

  bytes(most: number): Uint8Array {
    return Uint8Array.from({ length: this.below(most + 1) }, () => this.below(256));
  }

  /** A copy with a few bytes changed, cut off or put in. */
  broken(bytes: Uint8Array): Uint8Array {
    let result: Uint8Array = bytes.slice();
    for (let count = 1 + this.below(4); count > 0 && result.length > 0; count--) {
      const at = this.below(result.length);
      switch (this.below(3)) {
        case 0:
          result[at] = this.below(256);
          break;
        case 1:
          result = result.slice(0, at);
          break;
        default:
          result = concat([result.subarray(0, at), this.bytes(20), result.subarray(at)]);
      }
    }
    return result;
  }
}

/** One misbehaving connection, from its greeting on. */
interface Attempt {
  readonly connection: Deno.TcpConn;
  readonly nonce: Uint8Array;
  readonly chance: Chance;
}

type Kind = (attempt: Attempt) => Promise<void>;

async function send({ connection }: Attempt, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}

function login({ nonce }: Attempt, change: Partial<Login> = {}): Uint8Array {
  return encodeLogin({
    capabilities: Capability.LONG_PASSWORD | Capability.PROTOCOL_41 |
      Capability.SECURE_CONNECTION | Capability.PLUGIN_AUTH | Capability.CONNECT_WITH_DB,
    extendedCapabilities: 0,
    maxPacketSize: 1 << 24,
    charset: 45,
    user: APP.user,
    authResponse: nativeProof(LoginKey.fromPassword(APP.password), nonce),
    database: "test",
    authPlugin: NATIVE,
    attributes: new Uint8Array(0),
    ...change,
  }).slice();
}

/** Logs in rightly and waits for the OK, so that what follows is a command. */
async function logIn(attempt: Attempt): Promise<void> {
  await send(attempt, frame(login(attempt), 1));
  await attempt.connection.read(new Uint8Array(512));
}

const COMMANDS = [...Object.values(Command), 0x22, 0x80, 0xff];

/** Kinds that wait until the proxy closes the connection. */
const WAITING: Record<string, Kind> = {
  "nothing": async () => {},
  "garbage": (attempt) => send(attempt, attempt.chance.bytes(3000)),
  "another protocol": (attempt) => send(attempt, encodeText("GET / HTTP/1.1\r\nHost: x\r\n\r\n")),
  "half a header": (attempt) =>
    send(attempt, Uint8Array.of(90, 0, 0).slice(attempt.chance.below(3))),
  "half a login": (attempt) => {
    const bytes = frame(login(attempt), 1);
    return send(attempt, bytes.slice(0, attempt.chance.below(bytes.length)));
  },
  "too much of a login": (attempt) =>
    send(attempt, concat([Uint8Array.of(255, 255, 255, 1), attempt.chance.bytes(100_000)])),
  "a wrong number": (attempt) =>
    send(attempt, frame(login(attempt), attempt.chance.below(256) | 2)),
  "a broken login": (attempt) => send(attempt, attempt.chance.broken(frame(login(attempt), 1))),
  "a login with broken parts": (attempt) =>
    send(attempt, frame(attempt.chance.broken(login(attempt)), 1)),
  "wrong capabilities": (attempt) =>
    send(attempt, frame(login(attempt, { capabilities: attempt.chance.below(2 ** 32) }), 1)),
  "TLS": (attempt) =>
    send(attempt, frame(login(attempt, { capabilities: 0xffffffff }).slice(0, 32), 1)),
  "an authentication that ends in nonsense": async (attempt) => {
    const authResponse = attempt.chance.bytes(32);
    await send(
      attempt,
      frame(login(attempt, { user: "hashed", authPlugin: SHA2, authResponse }), 1),
    );
    await send(attempt, frame(attempt.chance.bytes(300), 3));
    await send(attempt, frame(attempt.chance.bytes(300), 5));
  },
};

/** Kinds that log in, after which nothing limits how long they may be idle: they leave. */
const LEAVING: Record<string, Kind> = {
  "a close": async () => {},
  "a login and a close": (attempt) => send(attempt, frame(login(attempt), 1)),
  "commands of nonsense": async (attempt) => {
    await logIn(attempt);
    for (let count = attempt.chance.below(5); count >= 0; count--) {
      const command = attempt.chance.of(COMMANDS);
      await send(attempt, frame(concat([Uint8Array.of(command), attempt.chance.bytes(200)]), 0));
    }
  },
  "broken commands": async (attempt) => {
    await logIn(attempt);
    const query = frame(encodeText("\x03SELECT 1; SELECT SLEEP(30)"), 0);
    for (let count = 0; count < 3; count++) await send(attempt, attempt.chance.broken(query));
  },
  "half a large command": async (attempt) => {
    await logIn(attempt);
    await send(
      attempt,
      concat([Uint8Array.of(255, 255, 255, 0, 3), attempt.chance.bytes(150_000)]),
    );
  },
  "a broken change of user": async (attempt) => {
    await logIn(attempt);
    const request = concat([
      Uint8Array.of(Command.CHANGE_USER),
      encodeText("app\0"),
      attempt.nonce,
    ]);
    await send(attempt, frame(attempt.chance.broken(request), 0));
    await send(attempt, frame(attempt.chance.bytes(40), 3));
  },
  "a file that ends early": async (attempt) => {
    await logIn(attempt);
    await send(attempt, frame(encodeText("\x03LOAD DATA LOCAL INFILE 'x' INTO TABLE test.t"), 0));
    await send(attempt, attempt.chance.broken(frame(attempt.chance.bytes(2000), 2)));
  },
};

const KINDS = [...Object.entries(WAITING), ...Object.entries(LEAVING)];

/** Counts what happened to all attempts. */
interface Tally {
  /** From connect to close, in milliseconds. */
  readonly waits: number[];
  /** Kinds of those that waited too long. */
  readonly hung: string[];
}

async function attemptOnce(port: number, chance: Chance, tally: Tally): Promise<void> {
  const [name, kind] = chance.of(KINDS);
  // The system keeps the ports of closed connections for a minute, and has not so many of them.
  const connection = await eventually(
    "the system has a free port",
    () => Deno.connect({ hostname: "127.0.0.1", port }),
    { within: 90_000 },
  );
  const begun = performance.now();
  const timer = setTimeout(() => {
    tally.hung.push(name);
    connection.close();
  }, HANGS_AFTER);
  try {
    const buffer = new Uint8Array(4096);
    const count = await connection.read(buffer);
    if (count === null) return;
    const nonce = decodeGreeting(buffer.slice(4, count)).authData;
    await kind({ connection, nonce, chance });
    if (name in LEAVING) {
      if (chance.below(2) === 0) return;
      // The other half says that it is done, and waits to hear the same.
      await connection.closeWrite();
    }
    for (let read: number | null = 0; read !== null; read = await connection.read(buffer)) {
      // What was broken did not matter: logged in.
      if (name in WAITING && read > 4 && buffer[4] === Head.OK) return;
    }
  } catch (error) {
    if (!isEnd(error)) throw error;
  } finally {
    clearTimeout(timer);
    tally.waits.push(performance.now() - begun);
    if (!tally.hung.includes(name)) connection.close();
  }
}

/** The other end has closed while this one was still sending, or the time was up. */
function isEnd(error: unknown): boolean {
  const { ConnectionReset, BrokenPipe, Interrupted, BadResource } = Deno.errors;
  return [ConnectionReset, BrokenPipe, Interrupted, BadResource].some((kind) =>
    error instanceof kind
  );
}

/** Asks one question after the other until told to stop. @returns how many were answered */
async function askOn(port: number, isOver: () => boolean): Promise<number> {
  const client = await WireClient.connect({ port, ...APP });
  let count = 0;
  while (!isOver()) {
    const packets = await client.run(`SELECT ${++count}`);
    assertEquals(new TextDecoder().decode(packets[3]!.payload.subarray(1)), String(count));
  }
  await client.quit();
  return count;
}

Deno.test(`${CONNECTIONS} connections of garbage`, { ignore: mariadb.ignore }, async () => {
  await mariadb.admin("CREATE TABLE test.t (line TEXT)");
  const seed = chooseSeed();
  const hash = "*14E65567ABDB5135D0CFD9A70B3032C179A49EE7";
  await using proxy = await ProxyProcess.start({
    servers: [mariadb.engine.port],
    proxy: { login_timeout: LOGIN_TIMEOUT },
    users: [
      { name: APP.user, password: APP.password },
      { name: "hashed", password_hash: hash, server_user: APP.user, server_password: APP.password },
    ],
  });
  const port = await proxy.port();
  const chance = new Chance(seed);
  const tally: Tally = { waits: [], hung: [] };
  let left = CONNECTIONS;
  let isOver = false;
  const normal = askOn(port, () => isOver);
  await Promise.all(Array.from({ length: AT_A_TIME }, async () => {
    while (left-- > 0) await attemptOnce(port, chance, tally);
  })).finally(() => isOver = true);
  const answered = await normal;
  const longest = Math.max(...tally.waits);
  report(
    `seed ${seed}: ${answered} statements answered meanwhile, longest wait for the close ` +
      `${longest.toFixed(0)} ms, proxy memory ${
        ((await proxy.memory("VmHWM")) / 1e6).toFixed(0)
      } MB at its highest`,
  );
  assertEquals(tally.hung, []);
  assert(answered > 0);
  await eventually("every server session is gone", async () => {
    const rows = await mariadb.admin("SHOW PROCESSLIST");
    return rows.every((row) => row.User !== APP.user);
  });
  assertEquals(await askOn(port, askedOnce()), 1);
  proxy.signal("SIGTERM");
  assertEquals(await proxy.ended, { code: 0, signal: null });
  assertEquals(proxy.stderr.match(/.*internal.*/g) ?? [], []);
  const stopping = proxy.lines("stopping");
  assertEquals(stopping.length, 1);
  assert(stopping[0]!.includes("clients=0"), stopping[0]);
});

function askedOnce(): () => boolean {
  let asked = 0;
  return () => asked++ > 0;
}
