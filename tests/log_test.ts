import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import {
  configureLog,
  flushLog,
  logError,
  logInfo,
  type LogOptions,
  logWarning,
  setLogLevel,
} from "../src/log.ts";

/** The log's file stays open for as long as the process lives. */
const KEEPS_FILE = { sanitizeResources: false };

async function withFile(use: (file: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "sluice-test-" });
  try {
    await use(`${folder}/log`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Lines that one of each level leaves; at level debug the proxy says nothing. */
async function written(options: Partial<LogOptions>): Promise<string[]> {
  let lines: string[] = [];
  await withFile(async (file) => {
    await configureLog({ level: "info", format: "logfmt", file, ...options });
    logInfo("one", { count: 2, peer: undefined, id: 9007199254740993n });
    logWarning("two", { text: 'with "quotes" and\nline ends', empty: "" });
    logError("three", { yes: true });
    flushLog();
    lines = (await Deno.readTextFile(file)).split("\n");
  });
  assertEquals(lines.pop(), "");
  return lines;
}

const LEVELS: readonly (readonly [LogOptions["level"], number])[] = [
  ["debug", 3],
  ["info", 3],
  ["warning", 2],
  ["error", 1],
];

for (const [level, count] of LEVELS) {
  Deno.test(`Level ${level} leaves ${count} of one line of each`, KEEPS_FILE, async () => {
    for (const format of ["logfmt", "json"] as const) {
      assertEquals((await written({ level, format })).length, count);
    }
  });
}

Deno.test("A change of the level is in force from the next line on", KEEPS_FILE, async () => {
  await withFile(async (file) => {
    await configureLog({ level: "warning", format: "json", file });
    logInfo("left out");
    setLogLevel("debug");
    logInfo("one");
    setLogLevel("error");
    logWarning("left out");
    logError("two");
    setLogLevel("info");
    logInfo("three");
    flushLog();
    const lines = (await Deno.readTextFile(file)).trimEnd().split("\n");
    assertEquals(lines.map((line) => JSON.parse(line).message), ["one", "two", "three"]);
  });
});

Deno.test("In logfmt every event is one line of keys and values", KEEPS_FILE, async () => {
  const lines = await written({});
  for (const line of lines) {
    assertMatch(line, /^(?:[\w.]+=(?:"(?:[^"\\]|\\.)*"|[^\s"]*)(?: |$))+$/);
    assertMatch(line, /^time=\S+ level=\w+ /);
  }
  assertMatch(lines[0]!, /\bcount=2\b/);
  assertMatch(lines[0]!, /\bid=9007199254740993\b/);
  assertEquals(lines[0]!.includes("peer"), false);
  assertMatch(lines[1]!, /text="with \\"quotes\\" and\\nline ends"/);
});

Deno.test("In JSON every event is one object", KEEPS_FILE, async () => {
  const lines = (await written({ format: "json" })).map((line) => JSON.parse(line));
  assertEquals(lines.map(({ message }) => message), ["one", "two", "three"]);
  assertEquals(lines[0].properties.count, 2);
  assertEquals(lines[1].properties, { text: 'with "quotes" and\nline ends', empty: "" });
  assertEquals(lines[2].properties, { yes: true });
});

Deno.test("Braces in an event's fields are text", KEEPS_FILE, async () => {
  await withFile(async (file) => {
    await configureLog({ level: "info", format: "json", file });
    logInfo("event", { name: "{peer} {}", peer: "p" });
    flushLog();
    const line = JSON.parse(await Deno.readTextFile(file));
    assertEquals([line.message, line.properties.name], ["event", "{peer} {}"]);
  });
});

Deno.test("Lines are added to a file that is there", KEEPS_FILE, async () => {
  await withFile(async (file) => {
    await Deno.writeTextFile(file, "before\n");
    await configureLog({ level: "info", format: "logfmt", file });
    logInfo("behind");
    flushLog();
    assertMatch(await Deno.readTextFile(file), /^before\n.*behind.*\n$/);
  });
});

Deno.test("A file that cannot be opened is an error", async () => {
  const options = { level: "info", format: "logfmt", file: "/no/such/folder/log" } as const;
  await assertRejects(() => configureLog(options), Deno.errors.NotFound);
});

Deno.test("A disk that is full costs lines and nothing else", KEEPS_FILE, async () => {
  await configureLog({ level: "info", format: "logfmt", file: "/dev/full" });
  logInfo("lost", { count: 1 });
  logError("lost too");
});

Deno.test("Lines leave together, and an error takes them along at once", KEEPS_FILE, async () => {
  await withFile(async (file) => {
    await configureLog({ level: "info", format: "logfmt", file });
    logInfo("one");
    logInfo("two");
    assertEquals(await Deno.readTextFile(file), "");
    logError("three");
    assertMatch(await Deno.readTextFile(file), /^.*one.*\n.*two.*\n.*three.*\n$/);
  });
});

for (const format of ["logfmt", "json"] as const) {
  Deno.test(
    `Lines of all lengths leave whole and in their order in ${format}`,
    KEEPS_FILE,
    async () => {
      const lengths = [1, 15_000, 2_000, 16_384, 40_000, 3, 9_000, 9_000, 9_000, 2];
      await withFile(async (file) => {
        await configureLog({ level: "info", format, file });
        for (const [number, length] of lengths.entries()) {
          logInfo(`event ${number}`, { text: "é".repeat(length) });
        }
        flushLog();
        const lines = (await Deno.readTextFile(file)).trimEnd().split("\n");
        const found = lines.map((line) => [
          line.match(/event (\d+)/)?.[1],
          line.match(/é+/)?.[0].length,
        ]);
        assertEquals(found, lengths.map((length, number) => [String(number), length]));
      });
    },
  );
}
