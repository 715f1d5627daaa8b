/** What values of @sluice_server mean, as states keep them. */
import { assertEquals, assertThrows } from "@std/assert";
import type { SharedServers } from "../../src/backend/shared_servers.ts";
import { SERVER_VARIABLE } from "../../src/route/route.ts";
import { SessionRoute } from "../../src/session/session_route.ts";
import { SessionState, Unread } from "../../src/state/session_state.ts";

const backends = ["db1", "db2"].map((name) => ({ config: { name } }));

function chosen(...values: readonly (string | Unread)[]): string | undefined {
  const route = new SessionRoute({ backends } as unknown as SharedServers);
  const state = new SessionState();
  let name: string | undefined;
  for (const value of values) {
    state.setUserVariable(SERVER_VARIABLE, value);
    name = route.choose(undefined, state)?.config.name;
  }
  return name;
}

Deno.test("Strings name a server, NULL and what was never set none", () => {
  assertEquals(chosen("_utf8mb4'db2' COLLATE utf8mb4_bin"), "db2");
  assertEquals(chosen(`x'',@${SERVER_VARIABLE}:=NULL`), undefined);
  assertEquals(chosen(`0.,@${SERVER_VARIABLE}:=NULL\0utf8mb4_bin`), undefined);
  assertEquals(chosen(""), undefined);
});

Deno.test("What nobody has read yet changes nothing", () => {
  assertEquals(chosen("'db2'", new Unread()), "db2");
});

Deno.test("A number is no name, and is told as it was given", () => {
  const message = "expected the name of one of db1, db2, got 5";
  const error = assertThrows(() => chosen("5\0utf8mb4_bin"), Error, message);
  assertEquals(error.message.endsWith("got 5"), true);
});
