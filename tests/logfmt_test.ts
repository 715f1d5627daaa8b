import { assertEquals, assertMatch } from "@std/assert";
import { getLogfmtFormatter, type LogLevel } from "@logtape/logtape";
import { type LogFields, logfmtLine } from "../src/logfmt.ts";

const TIME = Date.UTC(2026, 0, 2, 3, 4, 5, 67);

const formatter = getLogfmtFormatter({ message: "template" });

/** What the library makes of the same event. */
function expectedLine(message: string, fields: LogFields, level: LogLevel = "info"): string {
  return formatter({
    category: ["sluice"],
    level,
    message: [message],
    rawMessage: message,
    timestamp: TIME,
    properties: Object.fromEntries(
      Object.entries(fields).filter(([, value]) => value !== undefined),
    ),
  });
}

function actualLine(message: string, fields: LogFields, level: LogLevel = "info"): string {
  return logfmtLine({ time: TIME, level, message }, fields);
}

const TEXTS: readonly string[] = [
  "",
  "plain",
  "two words",
  " ",
  "a=b",
  "=",
  '"',
  'say "hello"',
  "back\\slash",
  "\\",
  '\\"',
  "line\nend",
  "\r\n\t",
  "null",
  "undefined",
  "true",
  "false",
  "nullable",
  "NULL",
  "0",
  "-1.5",
  "{peer} {}",
  "[::1]:2883",
  "tëst",
  "☃ 雪 🎉",
  "\u00a0",
  "\u2028\u2029",
  "\ufeff",
  "\ufffd",
  "\ud800",
  "\udc00\ud800",
  "%20",
  "'single'",
  "x".repeat(100_000),
  `${"x".repeat(1000)} "`,
  new Date(TIME).toISOString(),
  String(new Date(TIME)),
  String(new TypeError("Cannot read 'x'")),
  new Error('of "many"\nlines').stack!,
  JSON.stringify({ key: ["value", null] }),
];

Deno.test("Texts stand in a line as the library writes them", () => {
  for (const text of TEXTS) {
    assertEquals(actualLine("event", { text }), expectedLine("event", { text }));
    assertEquals(actualLine(text, {}), expectedLine(text, {}));
  }
});

Deno.test("Every character stands in a line as the library writes it", () => {
  const characters = Array.from({ length: 0x3100 }, (_, code) => String.fromCharCode(code));
  characters.push(
    ...Array.from({ length: 0x100 }, (_, code) => String.fromCharCode(0xff00 + code)),
    ...Array.from({ length: 0x100 }, (_, code) => String.fromCharCode(0xd780 + code)),
  );
  for (const character of characters) {
    const fields = { alone: character, inside: `a${character}b${character}` };
    assertEquals(actualLine("event", fields), expectedLine("event", fields));
  }
});

Deno.test("Other values stand in a line as the library writes them", () => {
  const fields: LogFields = {
    zero: 0,
    negative: -0,
    count: 2,
    part: -1.5e-7,
    large: 1e21,
    nan: NaN,
    infinite: -Infinity,
    safe: Number.MAX_SAFE_INTEGER,
    id: 9007199254740993n,
    below: -1n,
    yes: true,
    no: false,
    absent: undefined,
    "last_one": "end",
  };
  assertEquals(actualLine("event", fields), expectedLine("event", fields));
  assertEquals(actualLine("event", { absent: undefined }), expectedLine("event", {}));
});

Deno.test("Time and level stand in a line as the library writes them", () => {
  for (const level of ["debug", "info", "warning", "error"] as const) {
    assertEquals(actualLine("event", {}, level), expectedLine("event", {}, level));
  }
  assertMatch(actualLine("event", {}), /^time=2026-01-02T03:04:05\.067Z level=info /);
});
