/** What executing a statement does to a session, beside what the statement does. */
import { assertEquals } from "@std/assert";
import { contextOf, followExecution } from "../../src/state/prepare_context.ts";
import type { Dialect } from "../../src/state/dialect.ts";
import { SessionState, textOf, Unread } from "../../src/state/session_state.ts";

const COLLATION = "collation_database";

/** @returns the client's own collation of the schema behind an execution */
function behind(
  dialect: Dialect,
  prepared: string,
  now: string,
  { own = "latin1_bin", isUnsure = false } = {},
): unknown {
  const state = new SessionState();
  state.setSchema(prepared);
  const context = contextOf(state, dialect);
  state.setSchema(now);
  if (own !== "") state.setVariable(COLLATION, own);
  followExecution(context, state, { dialect, isUnsure });
  assertEquals(state.schema, now);
  const value = state.variables.get(COLLATION);
  return value instanceof Unread ? "to be read" : textOf(value);
}

Deno.test("Who comes back to a schema has its collation", () => {
  for (const dialect of ["mysql", "mariadb"] as const) {
    assertEquals(behind(dialect, "one", "two"), undefined);
    assertEquals(behind(dialect, "", "two"), undefined);
    assertEquals(behind(dialect, "one", ""), "to be read");
    assertEquals(behind(dialect, "one", "two", { own: "" }), undefined);
    assertEquals(behind(dialect, "one", "two", { isUnsure: true }), "to be read");
  }
});

Deno.test("Who stays in it keeps the own one", () => {
  assertEquals(behind("mysql", "one", "one"), "latin1_bin");
  assertEquals(behind("mariadb", "", ""), "latin1_bin");
  // OceanBase prepares anew for every execution.
  assertEquals(behind("oceanbase", "one", "two"), "latin1_bin");
});
