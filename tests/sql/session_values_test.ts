/** CONNECTION_ID() in the list of a SELECT; servers_test.ts asks servers about the names. */
import { assertEquals } from "@std/assert";
import { withSessionValues } from "../../src/sql/session_values.ts";
import type { SqlMode } from "../../src/sql/mode.ts";
import { KEPT, REPLACED, VALUE } from "./connection_id_texts.ts";
import { bytesOf, textOf, UTF8, whole } from "./texts.ts";

function rewritten(text: string, mode: Partial<SqlMode> = {}): string | undefined {
  const bytes = bytesOf(text);
  const result = withSessionValues(bytes, whole(bytes), {
    mode: { ...UTF8, ...mode },
    values: { connectionId: 7 },
  });
  return result && textOf(result);
}

Deno.test("A call becomes the id, and its column keeps its name", () => {
  for (const [text, result] of REPLACED) {
    assertEquals(rewritten(text), result.replaceAll("#", VALUE), text);
  }
});

Deno.test("Where the server's own id may be meant, and where it is not clear, nothing changes", () => {
  for (const text of KEPT) assertEquals(rewritten(text), undefined, text);
});

Deno.test("A name in double quotes is a name or a string, by the mode", () => {
  const text = 'SELECT "connection_id"(), CONNECTION_ID() "a"';
  assertEquals(rewritten(text, { ansiQuotes: true }), `SELECT "connection_id"(), ${VALUE} "a"`);
  const refused = 'SELECT CONNECTION_ID() = (SELECT MAX(id) FROM "processlist")';
  assertEquals(rewritten(refused, { ansiQuotes: true }), undefined);
});

Deno.test("Only the statement itself is given back, with an id of up to ten digits", () => {
  const bytes = bytesOf("SELECT 1; SELECT CONNECTION_ID() a; SELECT 2");
  const result = withSessionValues(bytes, { start: 10, end: 34 }, {
    mode: UTF8,
    values: { connectionId: 4294967295 },
  });
  assertEquals(textOf(result!), "SELECT CAST(4294967295 AS UNSIGNED) a");
});
