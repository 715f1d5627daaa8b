/** What is read out of captured requests, and requests that cannot be. */
import { assertEquals, assertThrows } from "@std/assert";
import { ProtocolError } from "../../src/errors.ts";
import { decodeText, encodeText } from "../../src/protocol/bytes.ts";
import { decodeQuery } from "../../src/protocol/command.ts";
import { Capability, ColumnType } from "../../src/protocol/constants.ts";
import {
  decodeExecute,
  decodePrepareHead,
  type Execute,
  readStatementId,
  rewriteStatementId,
} from "../../src/protocol/prepared.ts";
import { commandRow } from "../../src/protocol/replies.ts";
import { encodeExecute } from "../support/codec/requests.ts";
import { loadFixture } from "../support/fixture.ts";
import { type Sample, type SampleKind, samplesOf } from "../support/samples.ts";

function samples(fixture: string, kind: SampleKind): Sample[] {
  return samplesOf(loadFixture(fixture)).filter((sample) => sample.kind === kind);
}

Deno.test("parameters of every type come out as they were sent", () => {
  for (
    const name of ["mariadb_binary_classic", "mysql_binary_attributes", "seekdb_binary_classic"]
  ) {
    const all = samples(name, "execute").find(({ execute }) => execute.parameters === 18)!;
    const request = decodeExecute(all.payload, all.execute);
    assertEquals(request.hasTypes, true);
    assertEquals(request.parameters.map(({ value }) => value), [
      -1,
      255,
      -2,
      -3,
      4294967295,
      -9223372036854775808n,
      18446744073709551615n,
      1.5,
      -2.25,
      "-12.50",
      null,
      { year: 2024, month: 2, day: 29, hour: 0, minute: 0, second: 0, microsecond: 0 },
      { year: 2024, month: 12, day: 31, hour: 23, minute: 59, second: 58, microsecond: 123456 },
      { negative: true, days: 1, hours: 2, minutes: 3, seconds: 4, microseconds: 5 },
      encodeText("text"),
      encodeText(""),
      Uint8Array.of(0, 255, 251),
      null,
    ]);
  }
});

Deno.test("a repeated execution has the types of the one before", () => {
  const repeated = samples("mariadb_binary_classic", "execute")
    .find(({ name }) => name.includes("types as before"))!;
  const request = decodeExecute(repeated.payload, repeated.execute);
  assertEquals([request.hasTypes, request.parameters[0]!.value], [false, 1]);
  assertThrows(
    () => decodeExecute(repeated.payload, { capabilities: 0, parameters: 1 }),
    ProtocolError,
    "expected the types of the parameters",
  );
});

Deno.test("a parameter that came as long data has no value in the request", () => {
  const [after] = samples("mysql_binary_classic", "execute")
    .filter(({ name }) => name.includes("long data"));
  const { parameters } = decodeExecute(after!.payload, after!.execute);
  assertEquals(parameters.map(({ value }) => value), [8, undefined]);
});

Deno.test("attributes stand beside the parameters of a statement", () => {
  const requests = samples("mysql_execute_attributes_attributes", "execute").map((sample) =>
    decodeExecute(sample.payload, sample.execute)
  );
  const read = ({ flags, parameters }: Execute) => [
    flags,
    ...parameters.map(({ name, value }) =>
      `${name}=${value instanceof Uint8Array ? decodeText(value) : value}`
    ),
  ];
  assertEquals(requests.map(read), [
    [8, "first=7", "extra=v"],
    [0, "first=7"],
    [8, "extra=v"],
    [0],
  ]);
});

Deno.test("attributes of a query", () => {
  const [first, second] = samples("mysql_query_attributes_attributes", "query").map((sample) =>
    decodeQuery(sample.payload, sample.agreed.capabilities)
  );
  assertEquals(decodeText(first!.text), "SELECT 1");
  assertEquals(first!.attributes.map(({ name, value }) => [name, value]), [
    ["text", encodeText("abc")],
    ["", 18446744073709551615n],
    ["nothing", null],
    ["when", { year: 2024, month: 2, day: 29, hour: 1, minute: 2, second: 3, microsecond: 4 }],
  ]);
  assertEquals([decodeText(second!.text), second!.attributes], ["SELECT 2", []]);
});

Deno.test("prepare replies count columns and parameters", () => {
  const rows: [string, boolean, [number, number][]][] = [
    ["mysql_optional_prepared_optional", false, [[2, 1], [2, 1], [0, 0], [0, 1], [0, 0]]],
    ["mariadb_bulk_extended", true, [[0, 2], [0, 2], [1, 1]]],
  ];
  for (const [name, alwaysFollows, counts] of rows) {
    const heads = samples(name, "prepare head").map(({ payload, agreed }) =>
      decodePrepareHead(payload, agreed.capabilities)
    );
    assertEquals(heads.map(({ columns, parameters }) => [columns, parameters]), counts);
    assertEquals(
      heads.map(({ metadataFollows }) => metadataFollows),
      counts.map((_, index) => alwaysFollows || index === 0),
    );
  }
});

Deno.test("a statement id is replaced in its place, in every request that has one", () => {
  const kinds: SampleKind[] = ["execute", "fetch", "long data", "statement id", "bulk execute"];
  for (const name of ["mysql_binary_classic", "mysql_cursor_classic", "mariadb_bulk_extended"]) {
    for (const { kind, payload } of samplesOf(loadFixture(name))) {
      if (!kinds.includes(kind)) continue;
      // A view into a larger buffer, as a relay has it.
      const buffer = new Uint8Array(payload.length + 8).fill(0xee);
      const view = buffer.subarray(4, 4 + payload.length);
      view.set(payload);
      rewriteStatementId(view, 0xdeadbeef);
      assertEquals(readStatementId(view), 0xdeadbeef);
      assertEquals([view[0], ...view.subarray(5)], [payload[0], ...payload.subarray(5)]);
      assertEquals([...buffer.subarray(0, 4), ...buffer.subarray(-4)], Array(8).fill(0xee));
    }
  }
  assertThrows(() => rewriteStatementId(Uint8Array.of(0x17, 1, 0, 0), 1), ProtocolError, "got 4");
});

Deno.test("requests that cannot be read say what is wrong", () => {
  const attributes = Capability.QUERY_ATTRIBUTES;
  const rows: [() => unknown, string][] = [
    [
      () => decodeExecute(Uint8Array.of(0x17, 1), { capabilities: 0, parameters: 0 }),
      "expected 4 more bytes, got 1",
    ],
    [() => decodeQuery(Uint8Array.of(3, 0xfc, 0xff, 0xff, 1), attributes), "that fits, got 65535"],
    [() => decodeQuery(Uint8Array.of(3, 0, 2), attributes), "one set of attributes, got 2"],
    [() => decodeQuery(Uint8Array.of(3, 1, 1, 0, 0), attributes), "with types, got flag 0"],
    [
      () =>
        decodeExecute(Uint8Array.fromHex("17010000000001000000ff00"), {
          capabilities: attributes,
          parameters: 1,
        }),
      "expected a length-encoded integer, got byte 0xff",
    ],
    [
      () =>
        decodeExecute(Uint8Array.fromHex("1701000000080100000000"), {
          capabilities: attributes,
          parameters: 1,
        }),
      "at least 1 parameters, got 0",
    ],
    [
      () =>
        decodeExecute(Uint8Array.fromHex("17010000000001000000000103000700000000"), {
          capabilities: 0,
          parameters: 1,
        }),
      "expected 1 values and no more",
    ],
  ];
  for (const [decode, message] of rows) assertThrows(decode, ProtocolError, message);
});

Deno.test("a count goes with the parameters only where attributes are agreed", () => {
  const request: Execute = {
    statementId: 1,
    flags: 0,
    iterations: 1,
    hasTypes: true,
    parameters: [{ type: ColumnType.TINY, unsigned: false, name: "", value: 5 }],
  };
  const plain = encodeExecute(request, 0).toHex();
  const counted = encodeExecute(request, Capability.QUERY_ATTRIBUTES).toHex();
  assertEquals(plain, "17010000000001000000" + "0001" + "0100" + "05");
  assertEquals(counted, "17010000000001000000" + "01" + "0001" + "0100" + "00" + "05");
});

Deno.test("every command that clients may send has a name", () => {
  assertEquals(commandRow(0x03)?.name, "COM_QUERY");
  assertEquals(commandRow(0xfa)?.name, "COM_STMT_BULK_EXECUTE");
  for (const byte of [0x00, 0x0b, 0x0f, 0x10, 0x13, 0x14, 0x1d, 0x50, 0xfb, 0xff]) {
    assertEquals(commandRow(byte), undefined);
  }
});
