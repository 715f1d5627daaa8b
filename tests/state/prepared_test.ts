/** Books of prepared statements: ids, sharing, the most recently used ones, what stays bound. */
import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { ProtocolError } from "../../src/errors.ts";
import { encodeText } from "../../src/protocol/bytes.ts";
import { Capability, ColumnType, Command } from "../../src/protocol/constants.ts";
import { bytesOfText, isTextOf, textOfBytes } from "../../src/protocol/byte_text.ts";
import { PLAIN } from "../../src/sql/classified.ts";
import { classifyText } from "../../src/sql/classify.ts";
import type { SqlMode } from "../../src/sql/mode.ts";
import { ClientNames, ServerNames } from "../../src/state/named_registry.ts";
import { placeOfTypes, withTypes } from "../../src/state/parameter_types.ts";
import { contextOf, stateToPrepareIn } from "../../src/state/prepare_context.ts";
import {
  type ClientStatement,
  ClientStatements,
  PreparedBook,
  type PreparedText,
} from "../../src/state/prepared_registry.ts";
import { isBoundBy, ServerStatements } from "../../src/state/server_statements.ts";
import { SessionState } from "../../src/state/session_state.ts";
import { encodeExecute } from "../support/codec/requests.ts";
import { loadFixture } from "../support/fixture.ts";
import { samplesOf } from "../support/samples.ts";

const CONTEXT = contextOf(new SessionState(), "mysql");

const MODE: SqlMode = { ansiQuotes: false, noBackslashEscapes: false, charset: 45 };

function prepared(sql: string, rest: Partial<PreparedText> = {}): PreparedText {
  return {
    context: CONTEXT,
    text: encodeText(sql),
    mode: MODE,
    parameters: 1,
    columns: 1,
    classify: () => PLAIN,
    ...rest,
  };
}

function add(client: ClientStatements, sql: string, rest?: Partial<PreparedText>): ClientStatement {
  return client.add(prepared(sql, rest));
}

Deno.test("Clients have ids of their own; what they prepare alike is kept once", () => {
  const book = new PreparedBook();
  const [one, other] = [new ClientStatements(book), new ClientStatements(book)];
  const first = add(one, "SELECT ?");
  assertEquals(one.nextId, 2);
  const again = add(one, "SELECT ?");
  const theirs = add(other, "SELECT ?");
  assertEquals([first.id, again.id, theirs.id], [1, 2, 1]);
  assert(first.shared === theirs.shared);
  assertEquals([book.size, first.shared.clients], [1, 3]);
  assertEquals(first.shared.text, encodeText("SELECT ?"));
  assert(one.find(0xffff_ffff) === again);
  one.close(again);
  assertEquals([one.find(0xffff_ffff), one.find(2)], [undefined, undefined]);
  add(one, "SELECT ?");
  one.forgetLast();
  assertEquals(one.find(0xffff_ffff), undefined);
  one.closeAll();
  other.close(theirs);
  assertEquals([one.size, other.size, book.size], [0, 0, 0]);
});

Deno.test("Open ids are not given again", () => {
  const client = new ClientStatements(new PreparedBook());
  const ids = new Set<number>();
  for (let index = 0; index < 100; index++) {
    const { nextId } = client;
    const statement = add(client, "SELECT ?");
    assertEquals(statement.id, nextId);
    assert(!ids.has(statement.id));
    ids.add(statement.id);
    if (index % 3 === 0) client.close(statement);
  }
  assertEquals(Math.max(...ids), 100);
});

Deno.test("Other counts of columns are another statement", () => {
  const book = new PreparedBook();
  const client = new ClientStatements(book);
  const before = add(client, "SELECT ?");
  const wider = add(client, "SELECT ?", { columns: 2 });
  assert(wider.shared !== before.shared);
  client.close(before);
  assert(add(client, "SELECT ?", { columns: 2 }).shared === wider.shared);
});

Deno.test("A text that is read in another way is another statement, wherever it is prepared", () => {
  const classify = (text: Uint8Array, mode: SqlMode) =>
    classifyText(text, { start: 0, end: text.length }, mode);
  const modes: readonly (readonly [change: Partial<SqlMode>, isSame: boolean])[] = [
    [{}, true],
    [{ charset: 255 }, true],
    [{ charset: 33 }, true],
    [{ charset: 28 }, false],
    [{ charset: 8 }, false],
    [{ ansiQuotes: true }, false],
    [{ noBackslashEscapes: true }, false],
    [{ ansiQuotes: true, noBackslashEscapes: true }, false],
    [{ serverVersion: 80044 }, false],
  ];
  for (const dialect of ["mysql", "mariadb", "oceanbase"] as const) {
    const context = contextOf(new SessionState(), dialect);
    const client = new ClientStatements(new PreparedBook());
    const sql = "SELECT '\\', GET_LOCK('x', ?) -- '";
    const usual = add(client, sql, { context, classify });
    for (const [change, isSame] of modes) {
      const rest = { context, classify, mode: { ...MODE, ...change } };
      const { shared } = add(client, sql, rest);
      assertEquals(shared === usual.shared, isSame, JSON.stringify(change));
      assertEquals(shared.classified, classify(shared.text, rest.mode));
      assertEquals(add(client, sql, rest).shared, shared);
    }
    const { classified } = add(client, sql, {
      ...{ context, classify, mode: { ...MODE, noBackslashEscapes: true } },
    }).shared;
    assertNotEquals(classified.effects, usual.shared.classified.effects);
  }
});

Deno.test("Texts that nobody knows are different ones", () => {
  const client = new ClientStatements(new PreparedBook());
  const first = add(client, "", { text: undefined });
  const second = add(client, "", { text: undefined });
  assert(first.shared !== second.shared);
});

/** Which of the statements can be used there as they are. */
function held(server: ServerStatements, ...statements: readonly ClientStatement[]): boolean[] {
  return statements.map((statement) => server.peek(statement) !== undefined);
}

Deno.test("A server session closes the least recently used, and what no client has", () => {
  const client = new ClientStatements(new PreparedBook());
  const [a, b, c] = ["a", "b", "c"].map((sql) => add(client, sql)) as [
    ...[ClientStatement, ClientStatement, ClientStatement],
  ];
  const server = new ServerStatements();
  server.add(a.shared, 11);
  server.add(b.shared, 12);
  assertEquals(server.use(a)?.id, 11);
  server.add(c.shared, 13);
  server.shrink(2);
  assertEquals(held(server, a, b, c), [true, false, true]);
  assertEquals([server.use(b), server.takeClosing()], [undefined, [12]]);
  assertEquals(server.takeClosing(), []);
  server.add(a.shared, 21);
  assertEquals([server.use(a)?.id, server.takeClosing()], [21, [11]]);
  // The last client closes: whoever holds it closes with the next command.
  const second = new ServerStatements();
  second.add(a.shared, 31);
  client.close(a);
  assertEquals([server.takeClosing(), second.takeClosing()], [[21], [31]]);
  server.clear();
  assertEquals([held(server, c), c.shared.holders.length, server.takeClosing()], [[false], 0, []]);
  second.add(b.shared, 32);
  second.shrink(0);
  assertEquals([held(second, b), second.closing], [[false], 1]);
});

Deno.test("What a client has open on a statement is nobody else's", () => {
  const book = new PreparedBook();
  const [one, other] = [new ClientStatements(book), new ClientStatements(book)];
  const [mine, theirs] = [add(one, "SELECT ?"), add(other, "SELECT ?")];
  const server = new ServerStatements();
  const elsewhere = new ServerStatements();
  server.add(mine.shared, 11);
  elsewhere.add(mine.shared, 31);
  server.reserve(mine);
  server.shrink(0);
  assert(server.hasReserved);
  assertEquals([...held(server, mine, theirs), ...held(elsewhere, mine)], [true, false, false]);
  server.add(theirs.shared, 12);
  assertEquals([server.use(mine)?.id, server.use(theirs)?.id], [11, 12]);
  assertEquals([server.peek(mine)?.user, server.peek(theirs)?.user], [mine, theirs]);
  server.release(mine);
  assertEquals([server.use(mine)?.id, server.takeClosing(), server.hasReserved], [12, [11], false]);
  assertEquals(server.peek(theirs)?.user, undefined);
  server.reserve(mine);
  server.fail(mine);
  assertEquals([held(server, mine), server.takeClosing()], [[false], [12]]);
  server.add(mine.shared, 13);
  server.fail(mine);
  assert(!isBoundBy(server.peek(mine)!, mine));
  server.use(mine);
  assert(isBoundBy(server.peek(mine)!, mine) && !isBoundBy(server.peek(mine)!, theirs));
  server.reserve(mine);
  server.forget(mine);
  assertEquals([server.takeClosing(), mine.reservedOn], [[], undefined]);
  server.add(mine.shared, 14);
  server.reserve(mine);
  one.closeAll();
  assertEquals([server.takeClosing(), server.hasReserved], [[14], false]);
  elsewhere.reserve(theirs);
  elsewhere.clear();
  assertEquals(theirs.reservedOn, undefined);
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
  state.setVariable("autocommit", "OFF");
  state.setRole("SET ROLE r");
  const meanwhile = stateToPrepareIn(before, state, "mysql")!;
  assertEquals(meanwhile.variable("sql_mode"), undefined);
  // Preparing ends no transaction and no role.
  assertEquals([meanwhile.variable("autocommit"), meanwhile.role], ["OFF", "SET ROLE r"]);
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

Deno.test("A count of parameters that does not fit the request is a protocol error", () => {
  const statement = { capabilities: Capability.QUERY_ATTRIBUTES, parameters: 1 };
  for (const count of ["fcffff", "fef0ffffff00000000", "feffffffffffffffff"]) {
    const request = Uint8Array.fromHex(`17010000000001000000${count}000103`);
    assertThrows(() => placeOfTypes(request, statement), ProtocolError, "that fits");
  }
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

Deno.test("Types are found in captured bulk requests", () => {
  const types = samplesOf(loadFixture("mariadb_bulk_extended"))
    .filter(({ kind }) => kind === "bulk execute")
    .map(({ payload, execute }) => placeOfTypes(payload, execute)?.types);
  const { LONG, VAR_STRING } = ColumnType;
  assertEquals(types.slice(0, 2), [Uint8Array.of(LONG, 0, VAR_STRING, 0), undefined]);
});

Deno.test("Clients that bind alike share the types", () => {
  const book = new PreparedBook();
  const [one, other] = [new ClientStatements(book), new ClientStatements(book)];
  const [mine, theirs] = [add(one, "SELECT ?"), add(other, "SELECT ?")];
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
  const named = (text: string) => ({ name: "S", text: encodeText(text), classified: PLAIN });
  const mine = one.add(named("PREPARE s FROM 'SELECT 1'"), where);
  assertEquals(server.preparation("s", one), { prepare: mine });
  server.add(mine);
  assertEquals(server.preparation("S", one), undefined);
  assertEquals(server.preparation("s", other), { deallocate: "DEALLOCATE PREPARE `s`" });
  server.remove("s");
  assertEquals(server.preparation("s", other), undefined);
  server.spoil("s");
  assertEquals(server.preparation("s", one), { prepare: mine });
  assertEquals(server.preparation("s", other), { deallocate: "DEALLOCATE PREPARE `s`" });
  assertEquals(server.oldest, "s");
  server.remove("S");
  const later = one.add(named("PREPARE s FROM 'SELECT 2'"), where);
  assertEquals(server.preparation("s", one), { prepare: later });
  one.remove("S");
  assertEquals([one.size, server.size], [0, 0]);
});

Deno.test("Bytes are text and bytes again", () => {
  for (const length of [0, 1, 255, 4_096, 4_097, 100_000]) {
    const bytes = Uint8Array.from({ length }, (_, at) => at);
    const text = textOfBytes(bytes);
    assertEquals(bytesOfText(text), bytes);
    assert(isTextOf(text, bytes) && !isTextOf(`${text}x`, bytes));
    if (length > 0) assert(!isTextOf(text, bytes.map((byte) => byte ^ 1)));
  }
});
