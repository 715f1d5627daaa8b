/** That the comparison finds what it is for, with something in the proxy's place that errs. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { decodeText, encodeText } from "../../src/protocol/bytes.ts";
import { type Meddling, MeddlingRelay } from "../support/meddling_relay.ts";
import { sharedEngine } from "../support/shared_engine.ts";
import { classesOf } from "./classes.ts";
import { compare } from "./compare.ts";
import { makeIdentityAccounts, runIdentity } from "./identity.ts";
import type { Performance } from "./perform.ts";
import { fails, stepsOf } from "./step.ts";

const server = await sharedEngine("mariadb");

/** In the rows of the short script's first query, and in no earlier packet. */
const MARK = "three";
const QUERY = "COM_QUERY SELECT n, word, big FROM numbers ORDER BY n";
const shortClass = classesOf("mariadb").find(({ script }) => script === "short")!;

/** Does something to the bytes that hold the mark. */
function atMark(meddle: (bytes: Uint8Array, at: number) => ReturnType<Meddling>): Meddling {
  return (bytes) => {
    const at = new TextDecoder("latin1").decode(bytes).indexOf(MARK);
    return at < 0 ? bytes : meddle(bytes, at);
  };
}

async function differencesWith(meddling: Meddling): Promise<readonly string[]> {
  const { engine } = server;
  await using relay = new MeddlingRelay(engine.port, meddling);
  const { differences } = await runIdentity(engine, { hostname: "127.0.0.1", port: relay.port }, {
    engine: "mariadb",
    admin: engine.admin,
    accounts: makeIdentityAccounts(),
    classes: [shortClass],
    stepLimit: 2_000,
  });
  return differences;
}

Deno.test("What passes unchanged is the same", { ignore: server.ignore }, async () => {
  assertEquals(await differencesWith((bytes) => bytes), []);
});

const ERRING: readonly [title: string, meddling: Meddling, message: string][] = [
  [
    "a changed letter of a row",
    atMark((bytes, at) => {
      const changed = bytes.slice();
      changed.set(encodeText("T"), at);
      return changed;
    }),
    "differs at byte",
  ],
  [
    "a changed sequence number behind it",
    atMark((bytes, at) => {
      const changed = bytes.slice();
      // NULL is one byte; then three of length.
      changed[at + MARK.length + 1 + 3]! ^= 1;
      return changed;
    }),
    "differs at byte 3",
  ],
  ["a reply that stops", atMark(() => "stall"), "no complete reply within 2000 ms"],
  ["a reply that is cut off", atMark(() => "cut"), "Server closed"],
];

for (const [title, meddling, message] of ERRING) {
  Deno.test(`The step is named that has ${title}`, { ignore: server.ignore }, async () => {
    const [first] = await differencesWith(meddling);
    assert(first !== undefined, "nothing was found");
    assertStringIncludes(first, `class "${shortClass.name}", session "short", step`);
    assertStringIncludes(first, QUERY);
    assertStringIncludes(first, message);
  });
}

Deno.test("A login that hangs is given up", { ignore: server.ignore }, async () => {
  const differences = await differencesWith(() => "stall");
  assertStringIncludes(differences.join("\n"), "no login: no complete reply within 2000 ms");
});

const WHERE = { engine: "mariadb", capabilities: 0, extendedCapabilities: 0 } as const;
const OK = Uint8Array.of(1, 0, 0, 1, 0);
const ERR = Uint8Array.of(3, 0, 0, 1, 0xff, 0x28, 0x04);

function performanceOf(lines: Parameters<typeof stepsOf>[0], replies: Uint8Array[]): Performance {
  const records = stepsOf(lines).map((step, index) => ({
    step,
    mask: undefined,
    count: 1,
    frames: [replies[index]!],
    digest: decodeText(replies[index]!),
    isError: replies[index]![4] === 0xff,
    failure: undefined,
  }));
  return { capabilities: 0, extendedCapabilities: 0, records, failure: undefined };
}

Deno.test("A step that fails, or does not, against the script is told", () => {
  const wrong = performanceOf(["SELECT 1", fails("SELECT 2")], [ERR, OK]);
  const problems = compare(wrong, wrong, WHERE);
  assertEquals(problems.length, 2);
  assertStringIncludes(problems[0]!, "step 1, COM_QUERY SELECT 1: directly expected success");
  assertStringIncludes(problems[1]!, "step 2, COM_QUERY SELECT 2: directly expected ERR");
  const right = performanceOf(["SELECT 1", fails("SELECT 2")], [OK, ERR]);
  assertEquals(compare(right, right, WHERE), []);
});

Deno.test("Steps that only one of two has are told", () => {
  const long = performanceOf(["SELECT 1", "SELECT 2"], [OK, OK]);
  const short = performanceOf(["SELECT 1"], [OK]);
  assertEquals(compare(long, short, WHERE).length, 1);
  assertStringIncludes(compare(short, long, WHERE)[0]!, "only through the proxy");
});
