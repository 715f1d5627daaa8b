import { assertEquals } from "@std/assert";
import { formatAddress, parseAddress } from "../../src/config/address.ts";
import { formatCapacity, parseCapacity } from "../../src/config/capacity.ts";
import { formatDuration, parseDuration } from "../../src/config/duration.ts";
import { nearest } from "../../src/config/nearest.ts";

const DURATIONS: readonly (readonly [text: string, milliseconds: number | undefined])[] = [
  ["0s", 0],
  ["1ms", 1],
  ["1500ms", 1500],
  ["90s", 90_000],
  ["5m", 300_000],
  ["1h", 3_600_000],
  ["50h", 180_000_000],
  ["30d", 2_592_000_000],
  ["", undefined],
  ["5", undefined],
  ["s", undefined],
  ["-1s", undefined],
  ["1.5s", undefined],
  ["1 s", undefined],
  ["1S", undefined],
  ["1m30s", undefined],
  ["1s\n", undefined],
  ["9999999999999999999h", undefined],
];

Deno.test("parseDuration() reads whole numbers with a unit, which formatDuration() writes", () => {
  for (const [text, milliseconds] of DURATIONS) {
    assertEquals(parseDuration(text), milliseconds, text);
    if (milliseconds === undefined) continue;
    assertEquals(parseDuration(formatDuration(milliseconds)), milliseconds, text);
  }
  assertEquals([0, 999, 90_000, 60_000, 7_200_000, 172_800_000].map(formatDuration), [
    "0s",
    "999ms",
    "90s",
    "1m",
    "2h",
    "2d",
  ]);
});

const CAPACITIES: readonly (readonly [text: string, bytes: number | undefined])[] = [
  ["0", 0],
  ["0M", 0],
  ["1", 1],
  ["1000", 1000],
  ["1536", 1536],
  ["16K", 16_384],
  ["1024K", 1_048_576],
  ["64m", 67_108_864],
  ["64MB", 67_108_864],
  ["2G", 2_147_483_648],
  ["", undefined],
  ["M", undefined],
  ["-1M", undefined],
  ["1.5M", undefined],
  ["1 M", undefined],
  ["1T", undefined],
  ["1B", undefined],
  ["16MiB", undefined],
  ["1M\n", undefined],
  ["9999999999999999999G", undefined],
];

Deno.test("parseCapacity() reads whole numbers with a unit, which formatCapacity() writes", () => {
  for (const [text, bytes] of CAPACITIES) {
    assertEquals(parseCapacity(text), bytes, text);
    if (bytes !== undefined) assertEquals(parseCapacity(formatCapacity(bytes)), bytes, text);
  }
  assertEquals([0, 1000, 1536, 1024, 3_145_728, 2 ** 32].map(formatCapacity), [
    "0",
    "1000",
    "1536",
    "1K",
    "3M",
    "4G",
  ]);
});

/** `canonical`: what formatAddress() makes of it; undefined when it is no address. */
const ADDRESSES: readonly (readonly [text: string, canonical: string | undefined])[] = [
  ["127.0.0.1:3306", "127.0.0.1:3306"],
  ["db-1.Example_x.com:1", "db-1.Example_x.com:1"],
  ["localhost.:65535", "localhost.:65535"],
  ["[::1]:3306", "[::1]:3306"],
  ["[2001:DB8:0:0::1]:3306", "[2001:db8::1]:3306"],
  ["[::ffff:1.2.3.4]:1", "[::ffff:102:304]:1"],
  ["a:00080", "a:80"],
  ["a:0", undefined],
  ["a:65536", undefined],
  ["a:1x", undefined],
  ["a:-1", undefined],
  ["a:", undefined],
  ["a", undefined],
  [":1", undefined],
  ["::1:3306", undefined],
  ["[::1]", undefined],
  ["[::1]3306", undefined],
  ["[a]:1", undefined],
  ["[127.0.0.1]:1", undefined],
  ["[]:1", undefined],
  ["[:1", undefined],
  ["]:1", undefined],
  ["256.0.0.1:1", undefined],
  ["127.0.0:1", undefined],
  ["127.1:1", undefined],
  ["01.2.3.4:1", undefined],
  ["a..b:1", undefined],
  ["-a:1", undefined],
  ["a-:1", undefined],
  ["a b:1", undefined],
  ["a/b:1", undefined],
  ["*:1", undefined],
  ["user@host:1", undefined],
  ["http://host:1", undefined],
  [`${"a".repeat(64)}:1`, undefined],
  [`${"a.".repeat(127)}a:1`, undefined],
  ["", undefined],
];

Deno.test("parseAddress() reads host and port, which formatAddress() writes", () => {
  for (const [text, canonical] of ADDRESSES) {
    const parsed = parseAddress(text, 1);
    assertEquals(parsed.ok ? formatAddress(parsed.address) : undefined, canonical, text);
    if (parsed.ok) assertEquals(parseAddress(formatAddress(parsed.address), 1), parsed);
  }
  assertEquals(parseAddress("a:0", 0), { ok: true, address: { hostname: "a", port: 0 } });
});

Deno.test("nearest() finds the word that was meant, or none", () => {
  const words = ["listen", "level", "file", "client_max_connections"];
  const expected: readonly (readonly [string, string | undefined])[] = [
    ["listne", "listen"],
    ["LEVEL", "level"],
    ["levl", "level"],
    ["client_max_connection", "client_max_connections"],
    ["max_connections", undefined],
    ["metrics", undefined],
    ["", undefined],
    ["x".repeat(1_000_000), undefined],
  ];
  for (const [word, meant] of expected) {
    assertEquals(nearest(word, words), meant, word.slice(0, 30));
  }
});
