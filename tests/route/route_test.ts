import { assertEquals, assertThrows } from "@std/assert";
import { SluiceError } from "../../src/errors.ts";
import {
  checkChoice,
  routeOf,
  type RouteRequest,
  type RouteTarget,
} from "../../src/route/route.ts";

function target(name: string): RouteTarget {
  return { config: { name } };
}

const [A, B, C, D] = [target("db1"), target("db2"), target("it's"), target("é")];
const SERVERS = [A, B, C, D];

const REQUEST: RouteRequest<RouteTarget> = {
  last: undefined,
  hint: undefined,
  chosen: undefined,
  servers: SERVERS,
};

const ROUTES: readonly (readonly [Partial<RouteRequest<RouteTarget>>, unknown, string])[] = [
  [{}, undefined, "first healthy server"],
  [{ hint: "db2" }, B, "hint"],
  [{ chosen: "'db2'" }, B, "@sluice_server"],
  [{ chosen: "_utf8mb4'db2' COLLATE utf8mb4_general_ci" }, B, "@sluice_server"],
  [{ chosen: "_latin1 X'646232'" }, B, "@sluice_server"],
  [{ chosen: "_ucs2 X'006400620032' COLLATE ucs2_general_ci" }, B, "@sluice_server"],
  [{ chosen: "_utf16le X'640062003200'" }, B, "@sluice_server"],
  [{ chosen: "_utf32 X'000000640000006200000032'" }, B, "@sluice_server"],
  [{ chosen: "_utf8mb4 X'C3A9'" }, D, "@sluice_server"],
  [{ chosen: "'it''s'" }, C, "@sluice_server"],
  [{ chosen: "NULL" }, undefined, "first healthy server"],
  [
    { chosen: "_utf8mb4 x'' COLLATE utf8mb4_bin,@`sluice_server`:=NULL" },
    undefined,
    "first healthy server",
  ],
  [{ chosen: "X''" }, undefined, "first healthy server"],
  [{ chosen: "'db2'", hint: "db1", last: C }, C, "last statement"],
  [{ chosen: "'db2'", hint: "db1" }, A, "hint"],
  [{ chosen: "'gone'", last: B }, B, "last statement"],
  [{ chosen: "'gone'", hint: "db2" }, B, "hint"],
];

Deno.test("Routes go to the last server, a hinted or a chosen one, or whichever serves", () => {
  for (const [part, server, reason] of ROUTES) {
    assertEquals(
      routeOf({ ...REQUEST, ...part }),
      { server, reason } as never,
      JSON.stringify(part),
    );
  }
});

Deno.test("Of a value that is too long for a name its length is told", () => {
  for (const chosen of [`'${"x".repeat(20_000_000)}'`, `X'${"61".repeat(10_000_000)}'`]) {
    const { message } = assertThrows(() => routeOf({ ...REQUEST, chosen }), SluiceError);
    assertEquals(message.split(", ").at(-1), `got a value of ${chosen.length} characters`);
  }
});

Deno.test("Unknown servers are refused with the names that there are", () => {
  const bad = [{ hint: "DB1" }, { hint: "" }, { chosen: "'db3'" }, { chosen: "5" }, {
    chosen: "CONVERT(X'64' USING utf8mb4)",
  }];
  for (const part of bad) {
    const error = assertThrows(() => routeOf({ ...REQUEST, ...part }), SluiceError);
    assertEquals([error.code, error.sqlState], [1477, "HY000"]);
    const given = "hint" in part
      ? `"${part.hint}"`
      : part.chosen === "'db3'"
      ? '"db3"'
      : part.chosen;
    assertEquals(
      error.message,
      `Cannot choose a server: expected the name of one of db1, db2, it's, é, got ${given}`,
    );
  }
});

Deno.test("Only names of servers can be chosen, and nothing", () => {
  for (const literal of ["'db1'", "NULL", "_ascii'db2'"]) checkChoice(literal, SERVERS);
  for (const literal of ["'db3'", "1", undefined]) {
    assertThrows(
      () => checkChoice(literal, SERVERS),
      SluiceError,
      "expected the name of one of db1",
    );
  }
});
