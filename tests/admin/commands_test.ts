import { assert, assertEquals } from "@std/assert";
import { COMMANDS } from "../../src/admin/command_rows.ts";
import { findStatement, TOKEN_LIMIT } from "../../src/admin/commands.ts";
import type { Identity, ProxyView } from "../../src/admin/scope.ts";
import type { AdminAnswer } from "../../src/admin/answer.ts";
import type { Value } from "../../src/protocol/binary_value.ts";
import { decodeText } from "../../src/protocol/bytes.ts";
import { Capability } from "../../src/protocol/constants.ts";
import {
  addServer,
  caller,
  FakeClient,
  newManager,
  outcome,
  rowsOf,
  run,
  scopeOf,
} from "./tools.ts";
import { tokensOf } from "./tokens.ts";
import { decodeBinaryRow, encodeResultSet } from "../support/codec/replies.ts";

/** Name and number of parameters, or where it goes instead. */
function recognised(sql: string, identity: Identity = "root_sys"): string {
  const statement = findStatement(tokensOf(sql), identity);
  if (statement === undefined) return "server";
  if (statement.refusal !== undefined) return `refused: ${statement.refusal.code}`;
  return statement.parameters === 0 ? statement.name : `${statement.name}(${statement.parameters})`;
}

/** A syntax without what may be left out, and with the first of its alternatives. */
function shortest(syntax: string): string {
  const shorter = syntax
    .replaceAll(/\[[^[\]]*\]/g, "")
    .replaceAll(/\{(\w+)[^{}[\]]*\}/g, "$1");
  return shorter === syntax ? syntax : shortest(shorter);
}

Deno.test("Statements of the proxy are recognised however they are written", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["SHOW PROCESSLIST", "SHOW PROCESSLIST"],
    ["show processlist;", "SHOW PROCESSLIST"],
    ["/* a */ SHOW -- b\n\tFULL # c\r\n PROCESSLIST", "SHOW PROCESSLIST"],
    ["/*!40100 SHOW */ PROCESSLIST", "SHOW PROCESSLIST"],
    ["SHOW PROCESSLIST WHERE Id = ? AND db = ?", "SHOW PROCESSLIST(2)"],
    ["Show\u000bProxySession", "SHOW PROXYSESSION"],
    ["SHOW PROXYSESSION ATTRIBUTE", "SHOW PROXYSESSION ATTRIBUTE"],
    ["SHOW PROXYSESSION ATTRIBUTE '12' LIKE \"%x%\"", "SHOW PROXYSESSION ATTRIBUTE"],
    ["SHOW PROXYSESSION ATTRIBUTE ? LIKE ?", "SHOW PROXYSESSION ATTRIBUTE(2)"],
    ["SHOW PROXYSESSION ATTRIBUTE LIKE server_ip", "SHOW PROXYSESSION ATTRIBUTE"],
    ["SHOW PROXYSESSION STAT 5", "SHOW PROXYSESSION STAT"],
    ["SHOW PROXYSESSION VARIABLES ALL 5 LIKE 'a'", "SHOW PROXYSESSION VARIABLES"],
    ["KILL 5", "KILL"],
    ["kill/**/'5'", "KILL"],
    ["KILL HARD QUERY ?", "KILL(1)"],
    ["KILL QUERY ID 5", "KILL QUERY ID"],
    ["KILL SOFT CONNECTION USER 'bob'", "KILL USER"],
    ["KILL PROXYSESSION 5 6", "KILL PROXYSESSION"],
    ["SHOW PROXYCONFIG DIFF USER LIKE '%x'", "SHOW PROXYCONFIG"],
    ["ALTER PROXYCONFIG SET `proxy_id` = 5", "ALTER PROXYCONFIG SET"],
    ["SHOW PROXYSTAT REFRESH LIKE 'x'", "SHOW PROXYSTAT"],
    ["SHOW PROXYNET CONNECTION 0 LIMIT 1, 2", "SHOW PROXYNET CONNECTION"],
    ["PING PROXY", "PING PROXY"],
    ["select PROXY_version ( ) as `v`", "SELECT PROXY_VERSION"],
    ["SHOW PROXYHELP LIKE 'KILL%'", "SHOW PROXYHELP"],
    ["SHOW PROXYROUTE 'a b c'", "SHOW PROXYROUTE"],
    ["EXPLAIN ROUTE SELECT 1", "EXPLAIN ROUTE"],
  ];
  for (const [sql, expected] of cases) assertEquals(recognised(sql), expected, sql);
});

Deno.test("What only looks like one goes to the server", () => {
  const cases = [
    "SELECT 'SHOW PROCESSLIST'",
    "SELECT * FROM `kill`",
    "`KILL` 5",
    "SHOW PROXIES",
    "SHOW PROXYBI",
    "SHOW FULL TABLES",
    "SHOW TABLES LIKE 'PROXYSESSION'",
    "SHOW `PROXYSESSION`",
    "ALTER TABLE proxyconfig ADD a INT",
    "SELECT proxy_version(1)",
    "SELECT proxy_version() FROM t",
    "EXPLAIN route",
    "EXPLAIN route a",
    "PING",
    "",
  ];
  for (const sql of cases) {
    assertEquals(recognised(sql), "server", sql);
    assertEquals(recognised(sql, "ordinary"), "server", sql);
  }
});

Deno.test("Malformed statements are refused before they run, and say what was wanted", async () => {
  const prefix = "5010 Unknown operator, bad internal cmd: wanted ";
  const id = "an id from 0 to 18446744073709551615";
  const forms =
    `HARD or SOFT or CONNECTION or QUERY or ${id} or USER or PROXYSESSION or GLOBALSESSION`;
  const cases: readonly (readonly [string, string])[] = [
    ["KILL", `${forms} behind KILL, got the end`],
    ["KILL abc", `${forms} behind KILL, got 'abc'`],
    ["KILL 18446744073709551616", `${forms} behind KILL, got '18446744073709551616'`],
    ["KILL 1.5", `${forms} behind KILL, got '1.5'`],
    ["KILL 'abc'", `${forms} behind KILL, got 'abc'`],
    ["KILL 5 6", "the end behind KILL 5, got '6'"],
    ["KILL PROXYSESSION", `${id} behind KILL PROXYSESSION, got the end`],
    ["KILL PROXYSESSION 5 x", `${id} or the end behind KILL PROXYSESSION 5, got 'x'`],
    [
      "SHOW PROXYSESSION 5",
      "the end or ATTRIBUTE or STAT or VARIABLES behind SHOW PROXYSESSION, got '5'",
    ],
    [
      "SHOW PROXYSESSION ATTRIBUTE x y",
      `${id} or LIKE or the end behind SHOW PROXYSESSION ATTRIBUTE, got 'x'`,
    ],
    ["SHOW PROCESSLIST LIKE 'a'", "WHERE or the end behind SHOW PROCESSLIST, got 'LIKE'"],
    ["SHOW PROCESSLIST WHERE", "a condition behind SHOW PROCESSLIST WHERE, got the end"],
    ["ALTER PROXYCONFIG", "SET behind ALTER PROXYCONFIG, got the end"],
    ["ALTER PROXYCONFIG SET a", "= behind PROXYCONFIG SET a, got the end"],
    ["ALTER PROXYCONFIG SET a=1, b=2", "the end behind a = 1, got ','"],
    ["ALTER PROXYCONFIG SET a = 'x', b = 2", "the end behind a = x, got ','"],
    ["ALTER PROXYCONFIG SET a = 1 b", "the end behind a = 1, got 'b'"],
    ["PING PROXY now", "the end behind PING PROXY, got 'now'"],
    [`KILL ${"x".repeat(60)}`, `${forms} behind KILL, got '${"x".repeat(40)}...'`],
    ["SHOW PROXYNET", "CONNECTION or THREAD behind SHOW PROXYNET, got the end"],
  ];
  const scope = scopeOf(newManager(), caller({ identity: "root_sys", tenant: "sys" }));
  for (const [sql, expected] of cases) {
    assertEquals(recognised(sql), "refused: 5010", sql);
    const said = await outcome(sql, scope);
    assertEquals(said, prefix + expected, sql);
  }
});

Deno.test("Broken text is refused like any other", () => {
  const bytes = Uint8Array.of(0x4b, 0x49, 0x4c, 0x4c, 0x20, 0xff, 0xfe);
  assertEquals(recognised(new TextDecoder().decode(bytes)), "refused: 5010");
  const long = `SHOW PROCESSLIST WHERE Id IN (${new Array(TOKEN_LIMIT).fill("1").join(",")})`;
  assertEquals(recognised(long), "refused: 5010");
});

Deno.test("Who may use which statement", () => {
  // What becomes of it for an ordinary user, root@sys, root@proxysys and inspector@proxysys.
  const identities: readonly Identity[] = ["ordinary", "root_sys", "proxysys", "inspector"];
  const open = ["own", "own", "own", "5010"];
  const gated = ["server", "own", "own", "5010"];
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ["SHOW PROCESSLIST", open],
    ["SHOW PROXYSESSION", open],
    ["SHOW PROXYSESSION ATTRIBUTE", open],
    ["SHOW PROXYSESSION nonsense", ["5010", "5010", "5010", "5010"]],
    ["KILL 5", open],
    ["KILL QUERY 5", open],
    ["KILL", ["5010", "5010", "5010", "5010"]],
    ["KILL PROXYSESSION 5", ["5010", "own", "own", "5010"]],
    ["KILL PROXYSESSION", ["5010", "5010", "5010", "5010"]],
    ["KILL GLOBALSESSION 'a'", gated],
    ["KILL GLOBALSESSION", ["server", "5010", "5010", "5010"]],
    ["SHOW GLOBALSESSION", gated],
    ["SHOW GLOBALSESSION ATTRIBUTE ALL", gated],
    ["SHOW PROXYCONFIG", gated],
    ["SHOW PROXYCONFIG nonsense", ["server", "5010", "5010", "5010"]],
    ["ALTER PROXYCONFIG SET a = 1", gated],
    ["SHOW PROXYSTAT", gated],
    ["SHOW PROXYROUTE", gated],
    ["PING PROXY", ["own", "own", "own", "own"]],
    ["PING PROXY x", ["5010", "5010", "5010", "5010"]],
    ["SELECT PROXY_VERSION()", open],
    ["SHOW PROXYHELP", open],
    ["BEGIN", ["server", "server", "own", "own"]],
    ["COMMIT", ["server", "server", "own", "own"]],
    ["ROLLBACK", ["server", "server", "own", "own"]],
    ["SET NAMES utf8mb4", ["server", "server", "own", "own"]],
    ["SELECT 1", ["server", "server", "own", "5010"]],
    ["INSERT INTO t VALUES (1)", ["server", "server", "5010", "5010"]],
    ["SHOW PROXYBI", ["server", "server", "5010", "5010"]],
  ];
  for (const [sql, expected] of cases) {
    const actual = identities.map((identity) => {
      const said = recognised(sql, identity);
      return said === "server" ? said : said.startsWith("refused") ? said.slice(9) : "own";
    });
    assertEquals(actual, expected, sql);
  }
});

Deno.test("The inspector may ask and pretend, nothing else", async () => {
  const scope = scopeOf(newManager(), caller({ identity: "inspector", tenant: "proxysys" }));
  for (const sql of ["PING PROXY", "BEGIN", "SET a = 1"]) {
    assertEquals(await outcome(sql, scope), "ok");
  }
  assertEquals(
    await outcome("SHOW PROXYSESSION", scope),
    "5010 inspector@proxysys may send PING PROXY only",
  );
});

Deno.test("Who has no right to a statement is told so, and not that there is none", async () => {
  assertEquals(
    await outcome("KILL PROXYSESSION 1", scopeOf(newManager(), caller())),
    "5010 KILL PROXYSESSION is for root@proxysys and root@sys",
  );
});

Deno.test("Statements of the catalogue that are not here are named", async () => {
  const scope = scopeOf(newManager(), caller({ identity: "proxysys" }));
  const missing = COMMANDS.filter(({ isMissing }) => isMissing);
  assert(missing.length > 10);
  assertEquals(
    await outcome("show proxyroute 'c t d x'", scope),
    "1235 Not supported feature or function: SHOW PROXYROUTE",
  );
  assertEquals(
    await outcome("show proxyinfo idc", scope),
    "1235 Not supported feature or function: SHOW PROXYINFO IDC",
  );
  for (const { syntax } of missing) {
    const sql = shortest(syntax.text).replace("what", "x").replace("statement", "SELECT 1");
    assertEquals(
      await outcome(sql, scope),
      `1235 Not supported feature or function: ${syntax.name}`,
    );
  }
});

Deno.test("Listings that are larger than allowed are refused, but for the process list", async () => {
  const manager = newManager();
  for (let id = 1; id <= 100; id++) new FakeClient(manager, { id });
  const config = (internalCmdMemLimited: number) => ({
    config: { current: { proxy: { internalCmdMemLimited } } } as ProxyView["config"],
  });
  const small = scopeOf(manager, caller(), config(1_000));
  assertEquals(await outcome("SHOW PROXYSESSION", small), "4024 Buffer not enough");
  assertEquals((await rowsOf("SHOW PROCESSLIST", small)).length, 100);
  const large = scopeOf(manager, caller(), config(1_000_000));
  assertEquals((await rowsOf("SHOW PROXYSESSION", large)).length, 100);
});

/** What a client reads of the binary rows. */
function decodedRows({ columns, rows }: AdminAnswer & { readonly kind: "rows" }): unknown[][] {
  const form = { capabilities: Capability.DEPRECATE_EOF, extendedCapabilities: 0, binary: true };
  const packets = encodeResultSet({ columns, rows, status: 0, warnings: 0 }, form);
  return packets.slice(1 + columns.length, -1).map((packet) =>
    decodeBinaryRow(packet, columns).map(comparable)
  );
}

/** Texts come back as bytes. */
function comparable(value: Value): string | null {
  if (value === null) return null;
  return value instanceof Uint8Array ? decodeText(value) : String(value);
}

Deno.test("A prepared statement tells its columns before it runs", async () => {
  const scope = scopeOf(newManager(), caller({ identity: "root_sys", tenant: "sys" }), {
    config: {
      current: { proxy: { internalCmdMemLimited: 0 } },
      rows: () => [],
    } as unknown as ProxyView["config"],
  });
  new FakeClient(scope.proxy.manager, { id: 1, serverSessionIds: [0xffff_ffff] });
  addServer(scope.proxy.manager, { id: 0xffff_ffff, threadId: 0xffff_ffff });
  const listings = COMMANDS.filter(({ columns }) => columns !== undefined);
  assert(listings.length > 10);
  for (const { syntax } of listings) {
    const sql = shortest(syntax.text);
    const answer = await run(sql, scope);
    const { columns } = findStatement(tokensOf(sql), "root_sys")!;
    assertEquals(answer.kind === "rows" && answer.columns, columns, sql);
    if (answer.kind !== "rows") continue;
    for (const row of answer.rows) assertEquals(row.length, columns.length, sql);
    assertEquals(decodedRows(answer), answer.rows.map((row) => row.map(comparable)), sql);
  }
  const named = findStatement(tokensOf("SELECT proxy_version() AS v"), "ordinary")!;
  assertEquals(named.columns.map(({ name }) => name), ["v"]);
});

Deno.test("Each statement has a help line, and SHOW PROXYHELP lists it", async () => {
  const scope = scopeOf(newManager());
  const rows = await rowsOf("SHOW PROXYHELP", scope);
  const there = COMMANDS.filter(({ isMissing }) => !isMissing);
  assertEquals(rows.map(({ statement }) => statement), there.map(({ syntax }) => syntax.text));
  for (const { help } of COMMANDS) assert(/^[A-Z].*[^.]$/.test(help), help);
  assertEquals(await rowsOf("SHOW PROXYHELP LIKE 'ping%'", scope), [{
    statement: "PING PROXY",
    gate: "everybody",
    description: "OK while the proxy takes new clients",
  }]);
});
