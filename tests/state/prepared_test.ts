/** Books of prepared statements: ids, sharing, the most recently used ones, what stays bound. */
import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { ProtocolError } from "../../src/errors.ts";
import { encodeText } from "../../src/protocol/bytes.ts";
import { Capability, Command } from "../../src/protocol/constants.ts";
import { encodeExecute } from "../../src/protocol/prepared.ts";
import { bytesOfText, textOfBytes } from "../../src/state/byte_text.ts";
import { ClientNames, ServerNames } from "../../src/state/named_registry.ts";
import { placeOfTypes, withTypes } from "../../src/state/parameter_types.ts";
import { contextOf, stateToPrepareIn } from "../../src/state/prepare_context.ts";
import {
  ClientStatements,
  PreparedBook,
  ServerStatements,
} from "../../src/state/prepared_registry.ts";
import { SessionState } from "../../src/state/session_state.ts";

const SELECT = encodeText("SELECT ?");

function replyOf(id: number, text = "definition"): Uint8Array {
  return Uint8Array.of(12, 0, 0, 1, 0, id, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, ...encodeText(text));
}

function prepared(id: number, text?: string) {
  return { parameters: 1, columns: 1, reply: replyOf(id, text) };
}

Deno.test("Clients have ids of their own; what they prepare alike is kept once", () => {
  const book = new PreparedBook();
  const [one, other] = [new ClientStatements(book), new ClientStatements(book)];
  const context = one.context(new SessionState(), "mysql");
  const first = one.add(book.enter(context, SELECT, prepared(7)), context);
  const again = one.add(book.enter(context, SELECT, prepared(8)), context);
  const theirs = other.add(book.enter(context, SELECT, prepared(9)), context);
  assertEquals([first.id, again.id, theirs.id], [1, 2, 1]);
  assert(first.shared === theirs.shared && first.reply === theirs.reply);
  assertEquals([book.size, first.shared.clients], [1, 3]);
  assertEquals(first.shared.text, SELECT);
  assert(one.find(0xffff_ffff) === again);
  one.close(2);
  assertEquals([one.find(0xffff_ffff), one.find(2)], [undefined, undefined]);
  one.closeAll();
  other.close(1);
  assertEquals([one.size, other.size, book.size], [0, 0, 0]);
});

Deno.test("Open ids are not given again", () => {
  const book = new PreparedBook();
  const client = new ClientStatements(book);
  const context = client.context(new SessionState(), "mysql");
  const shared = book.enter(context, SELECT, prepared(1));
  const ids = new Set<number>();
  for (let index = 0; index < 100; index++) {
    const { id } = client.add(shared, context);
    assert(!ids.has(id));
    ids.add(id);
    if (index % 3 === 0) client.close(id);
  }
  assertEquals(Math.max(...ids), 100);
});

Deno.test("Definitions that have changed are another statement", () => {
  const book = new PreparedBook();
  const client = new ClientStatements(book);
  const context = client.context(new SessionState(), "mysql");
  const before = client.add(book.enter(context, SELECT, prepared(1)), context);
  const reply = replyOf(2, "other definition");
  book.enter(context, SELECT, { parameters: 1, columns: 1, reply });
  assertNotEquals(before.reply, before.shared.reply);
  assertEquals(bytesOfText(before.shared.reply), replyOf(0, "other definition"));
  const wider = book.enter(context, SELECT, { parameters: 2, columns: 1, reply });
  assert(wider !== before.shared);
  client.close(before.id);
  assertEquals(book.find(context, SELECT), wider);
});

Deno.test("A server session holds the most recently used, and closes the others", () => {
  const book = new PreparedBook();
  const client = new ClientStatements(book);
  const context = client.context(new SessionState(), "mysql");
  const statements = ["a", "b", "c"].map((text) =>
    client.add(book.enter(context, encodeText(text), prepared(1)), context)
  );
  const [a, b, c] = statements.map(({ shared }) => shared);
  const server = new ServerStatements(2);
  server.add(a!, 11);
  server.add(b!, 12);
  assertEquals(server.use(a!)?.id, 11);
  server.add(c!, 13);
  assertEquals([server.size, server.use(b!), server.takeClosing()], [2, undefined, [12]]);
  assertEquals(server.takeClosing(), []);
  server.add(a!, 21);
  assertEquals([server.use(a!)?.id, server.takeClosing()], [21, [11]]);
  // The last client closes: whoever holds it closes with the next command.
  const second = new ServerStatements(2);
  second.add(a!, 31);
  client.close(statements[0]!.id);
  assertEquals([server.takeClosing(), second.takeClosing()], [[21], [31]]);
  server.clear();
  assertEquals([server.size, c!.holders.length, server.takeClosing()], [0, 0, []]);
  second.add(b!, 32);
  second.shrink(0);
  assertEquals([second.size, second.closing], [0, 1]);
});

Deno.test("The context of a statement is the state that it was prepared in", () => {
  const state = new SessionState();
  const before = contextOf(state, "mysql");
  assert(contextOf(state, "mysql", before) === before);
  // What counts at execution only, and user variables, make no other context.
  state.setVariable("time_zone", "+01:00");
  state.setVariable("timestamp", "100");
  state.setUserVariable("a", "1");
  assertEquals(stateToPrepareIn(before, state, "mysql"), undefined);
  state.setVariable("sql_mode", "ANSI_QUOTES");
  const meanwhile = stateToPrepareIn(before, state, "mysql")!;
  assertEquals(meanwhile.variable("sql_mode"), undefined);
  assertEquals(meanwhile.userVariables.get("a"), "1");
  const anywhere = contextOf(new SessionState(), "oceanbase");
  assertEquals(stateToPrepareIn(anywhere, state, "oceanbase"), undefined);
  // The same settings by another way are the same context.
  const other = new SessionState();
  other.setVariable("sql_mode", "ANSI_QUOTES");
  assertEquals(contextOf(other, "mysql").fingerprint, contextOf(state, "mysql").fingerprint);
  other.setSchema("elsewhere");
  assertNotEquals(contextOf(other, "mysql").fingerprint, contextOf(state, "mysql").fingerprint);
});

const LONG = { type: 3, unsigned: false, name: "" };
const STRING = { type: 253, unsigned: true, name: "" };

Deno.test("Types are found in requests, and put into those without", () => {
  for (const capabilities of [0, Capability.QUERY_ATTRIBUTES]) {
    for (const count of [1, 2, 9, 17]) {
      const parameters = Array.from(
        { length: count },
        (_, index) =>
          index % 2 === 0 ? { ...LONG, value: index } : { ...STRING, value: encodeText("x") },
      );
      const head = { statementId: 5, flags: 0, iterations: 1, parameters };
      const full = encodeExecute({ ...head, hasTypes: true }, capabilities).slice();
      const bare = encodeExecute({ ...head, hasTypes: false }, capabilities).slice();
      const statement = { capabilities, parameters: count };
      const { types } = placeOfTypes(full, statement)!;
      assertEquals(types!.length, capabilities === 0 ? 2 * count : 3 * count);
      const place = placeOfTypes(bare, statement)!;
      assertEquals(place.types, undefined);
      assertEquals(withTypes(bare, place, textOfBytes(types!)), full);
      for (let cut = 0; cut < place.at; cut++) {
        assertThrows(() => placeOfTypes(bare.subarray(0, cut), statement), ProtocolError);
      }
    }
  }
  const none = encodeExecute(
    { statementId: 5, flags: 0, iterations: 1, hasTypes: false, parameters: [] },
    0,
  );
  assertEquals(placeOfTypes(none, { capabilities: 0, parameters: 0 }), undefined);
});

Deno.test("Types in bulk requests have a flag", () => {
  const head = [Command.MARIADB_STMT_BULK_EXECUTE, 5, 0, 0, 0];
  const full = Uint8Array.of(...head, 128, 0, 3, 0, 0, 7, 0, 0, 0);
  const bare = Uint8Array.of(...head, 0, 0, 0, 7, 0, 0, 0);
  const statement = { capabilities: 0, parameters: 1 };
  const { types } = placeOfTypes(full, statement)!;
  assertEquals(types, Uint8Array.of(3, 0));
  assertEquals(withTypes(bare, placeOfTypes(bare, statement)!, textOfBytes(types!)), full);
});

Deno.test("Clients that bind alike share the types", () => {
  const book = new PreparedBook();
  const [one, other] = [new ClientStatements(book), new ClientStatements(book)];
  const context = one.context(new SessionState(), "mysql");
  const shared = book.enter(context, SELECT, prepared(1));
  const [mine, theirs] = [one.add(shared, context), other.add(shared, context)];
  one.bind(mine, Uint8Array.of(3, 0));
  other.bind(theirs, Uint8Array.of(3, 0));
  assertEquals([mine.types, theirs.types], ["\x03\0", "\x03\0"]);
  other.bind(theirs, Uint8Array.of(253, 0));
  assertEquals([mine.types, theirs.types], ["\x03\0", "\xfd\0"]);
});

Deno.test("Names on a server session are made the client's own before they are used", () => {
  const [one, other] = [new ClientNames(), new ClientNames()];
  const server = new ServerNames();
  const where = { state: new SessionState(), dialect: "mysql" } as const;
  const mine = one.add("S", encodeText("PREPARE s FROM 'SELECT 1'"), where);
  assertEquals(server.preparation("s", one), { prepare: mine });
  server.add(mine);
  assertEquals(server.preparation("S", one), undefined);
  assertEquals(server.preparation("s", other), { deallocate: "DEALLOCATE PREPARE `s`" });
  server.remove("s");
  assertEquals(server.preparation("s", other), undefined);
  const later = one.add("s", encodeText("PREPARE s FROM 'SELECT 2'"), where);
  assertEquals(server.preparation("s", one), { prepare: later });
  one.remove("S");
  assertEquals([one.size, server.size], [0, 0]);
});

Deno.test("Bytes are text and bytes again", () => {
  for (const length of [0, 1, 255, 4_096, 4_097, 100_000]) {
    const bytes = Uint8Array.from({ length }, (_, at) => at);
    assertEquals(bytesOfText(textOfBytes(bytes)), bytes);
  }
});
