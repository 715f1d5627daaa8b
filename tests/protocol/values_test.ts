/** What values come out of captured rows: the same in text and binary form, and the right ones. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { ProtocolError } from "../../src/errors.ts";
import { readValue, type Value, writeValue } from "../../src/protocol/binary_value.ts";
import { decodeText, PacketReader, PacketWriter } from "../../src/protocol/bytes.ts";
import { BINARY_CHARSET, ColumnFlag, ColumnType } from "../../src/protocol/constants.ts";
import {
  type Column,
  decodeColumn,
  decodeColumnCount,
  decodeTextRow,
  makeColumn,
} from "../../src/protocol/resultset.ts";
import { toText } from "../../src/protocol/text_value.ts";
import { decodeBinaryRow, encodeResultSet } from "../support/codec/replies.ts";
import { loadFixture } from "../support/fixture.ts";
import { type Sample, samplesOf } from "../support/samples.ts";

const SELECT = "SELECT * FROM types ORDER BY id";

/** Rows of the table with a column of each type, as one engine sent them. */
function typesRows(fixture: string): Sample[] {
  return samplesOf(loadFixture(fixture))
    .filter(({ kind, name }) => kind.endsWith("row") && isExecution(name, fixture))
    .slice(0, 4);
}

function isExecution(name: string, fixture: string): boolean {
  const note = name.slice(fixture.length + 2);
  return note === `COM_QUERY ${SELECT}` || note === "COM_STMT_EXECUTE";
}

for (
  const [engine, dialect] of [
    ["mariadb", "classic"],
    ["mariadb", "modern"],
    ["mariadb", "extended"],
    ["mysql", "classic"],
    ["mysql", "modern"],
    ["seekdb", "classic"],
  ]
) {
  Deno.test(`${engine} ${dialect}: text and binary rows of every type say the same`, () => {
    const text = typesRows(`${engine}_text_${dialect}`);
    const binary = typesRows(`${engine}_binary_${dialect}`);
    assertEquals([text.length, binary.length], [4, 4]);
    text.forEach((sample, row) => {
      const { columns } = sample;
      const cells = decodeTextRow(sample.payload, columns.length);
      const values = decodeBinaryRow(binary[row]!.payload, columns);
      assert(columns.length >= 33);
      columns.forEach((column, index) => {
        const place = `row ${row}, ${column.name}`;
        compare(cells[index]!, values[index]!, column, place);
      });
    });
  });
}

function compare(cell: Uint8Array | null, value: Value, column: Column, place: string): void {
  if (cell === null || value === null || value instanceof Uint8Array) {
    return assertEquals(value, cell, place);
  }
  const text = decodeText(cell);
  // Servers print floating point numbers with as few digits as the type needs.
  if (column.type === ColumnType.FLOAT) {
    return assertEquals(Math.fround(Number(text)), value, place);
  }
  if (column.type === ColumnType.DOUBLE) return assertEquals(Number(text), value, place);
  assertEquals(toText(value, column.type, column.decimals), text, place);
}

Deno.test("values of each type are what was inserted", () => {
  const [first] = typesRows("mysql_binary_modern");
  const row = decodeBinaryRow(first!.payload, first!.columns);
  const byName = Object.fromEntries(first!.columns.map(({ name }, index) => [name, row[index]]));
  const utf8 = (text: string) => new TextEncoder().encode(text);
  const zero = { hour: 0, minute: 0, second: 0, microsecond: 0 };
  const expected: Record<string, Value> = {
    tiny: -128,
    utiny: 255,
    small: -32768,
    usmall: 65535,
    medium: -8388608,
    umedium: 16777215,
    int: -2147483648,
    uint: 4294967295,
    big: -9223372036854775808n,
    ubig: 18446744073709551615n,
    float: -1.5,
    double: -2.2250738585072014e-308,
    decimal: "-12345678901234567890.0123456789",
    year: 1901,
    bit: Uint8Array.of(1, 0x55, 0x55),
    date: { year: 1000, month: 1, day: 1, ...zero },
    datetime: { year: 1000, month: 1, day: 1, ...zero, second: 1 },
    datetime6: {
      year: 9999,
      month: 12,
      day: 31,
      hour: 23,
      minute: 59,
      second: 59,
      microsecond: 999999,
    },
    timestamp3: {
      year: 2038,
      month: 1,
      day: 19,
      hour: 3,
      minute: 14,
      second: 7,
      microsecond: 123000,
    },
    time: { negative: true, days: 34, hours: 22, minutes: 59, seconds: 59, microseconds: 0 },
    time6: { negative: true, days: 0, hours: 0, minutes: 0, seconds: 0, microseconds: 1 },
    char: utf8("abc"),
    varchar: utf8("grüße"),
    binary: Uint8Array.of(0, 255, 0, 0),
    varbinary: Uint8Array.of(0, 1),
    tinytext: utf8(""),
    text: utf8("text"),
    mediumblob: Uint8Array.of(0xfe, 0, 0xfe),
    longblob: utf8(""),
    enum: utf8("green"),
    set: utf8("a,c"),
    json: utf8('{"k": [1, null, "x"]}'),
  };
  for (const [name, value] of Object.entries(expected)) {
    assertEquals(byName[`c_${name}`], value, name);
  }
});

Deno.test("64-bit integers are numbers while that is exact", () => {
  const rows: [string, boolean, number | bigint][] = [
    ["ffffffffffff1f00", false, Number.MAX_SAFE_INTEGER],
    ["0000000000002000", false, 9007199254740992n],
    ["0000000000002000", true, 9007199254740992n],
    ["010000000000e0ff", false, -Number.MAX_SAFE_INTEGER],
    ["000000000000e0ff", false, -9007199254740992n],
    ["ffffffffffffffff", false, -1],
    ["ffffffffffffffff", true, 18446744073709551615n],
  ];
  for (const [hex, unsigned, value] of rows) {
    const form = { type: ColumnType.LONGLONG, unsigned };
    assertEquals(readValue(new PacketReader(Uint8Array.fromHex(hex), "test"), form), value);
    const writer = new PacketWriter();
    writeValue(writer, value, form);
    assertEquals(writer.view().toHex(), hex);
  }
});

Deno.test("dates and times of odd lengths, and types that never travel, are refused", () => {
  const rows: [number, string, string][] = [
    [ColumnType.DATE, "03e80701", "0, 4, 7 or 11 bytes, got 3"],
    [ColumnType.DATETIME, "05e807010100", "0, 4, 7 or 11 bytes, got 5"],
    [ColumnType.TIME, "070000000000", "0, 8 or 12 bytes, got 7"],
    [ColumnType.TIME, "08000000", "expected 4 more bytes, got 2"],
    [ColumnType.INVALID, "00", "a known column type, got 243"],
    [ColumnType.TYPED_ARRAY, "00", "a known column type, got 20"],
    [ColumnType.STRING, "05616263", "at most 3 as a length, got 5"],
    [ColumnType.STRING, "fb", "a length-encoded integer, got byte 0xfb"],
  ];
  for (const [type, hex, message] of rows) {
    const reader = new PacketReader(Uint8Array.fromHex(hex), "test");
    assertThrows(() => readValue(reader, { type, unsigned: false }), ProtocolError, message);
  }
});

Deno.test("values print as servers print them", () => {
  const date = { year: 2024, month: 2, day: 9, hour: 1, minute: 2, second: 3, microsecond: 4500 };
  const time = { negative: true, days: 2, hours: 3, minutes: 4, seconds: 5, microseconds: 60000 };
  const rows: [NonNullable<Value>, number, number | undefined, string][] = [
    [1e21, ColumnType.DOUBLE, 31, "1e21"],
    [1.5e-7, ColumnType.DOUBLE, 31, "1.5e-7"],
    [-0, ColumnType.DOUBLE, 31, "-0"],
    [18446744073709551615n, ColumnType.LONGLONG, 0, "18446744073709551615"],
    [date, ColumnType.DATE, 0, "2024-02-09"],
    [date, ColumnType.DATETIME, 0, "2024-02-09 01:02:03"],
    [date, ColumnType.TIMESTAMP, 3, "2024-02-09 01:02:03.004"],
    [date, ColumnType.DATETIME, undefined, "2024-02-09 01:02:03.004500"],
    [time, ColumnType.TIME, 2, "-51:04:05.06"],
    [{ ...time, negative: false, days: 34, microseconds: 0 }, ColumnType.TIME, 31, "819:04:05"],
    ["text", ColumnType.VAR_STRING, 31, "text"],
    [Uint8Array.of(0x61), ColumnType.BLOB, 0, "a"],
  ];
  for (const [value, type, decimals, text] of rows) {
    assertEquals(toText(value, type, decimals), text);
  }
});

/** An answer of the proxy itself. */
const ANSWER = {
  columns: [
    makeColumn("id", { type: ColumnType.LONGLONG, flags: ColumnFlag.UNSIGNED }),
    makeColumn("name"),
    makeColumn("ratio", { type: ColumnType.DOUBLE }),
    makeColumn("since", { type: ColumnType.DATETIME, decimals: 0 }),
  ],
  rows: [
    [18446744073709551615n, "größe", 0.5, {
      year: 2024,
      month: 1,
      day: 2,
      hour: 3,
      minute: 4,
      second: 5,
      microsecond: 0,
    }],
    [7, null, null, null],
  ],
  status: 2,
  warnings: 1,
};

for (const binary of [false, true]) {
  for (
    const [title, capabilities, extendedCapabilities, ends] of [
      ["EOF", 0, 0, ["fe01000200", "fe01000200"]],
      ["no EOF", 1 << 24, 0, ["fe000002000100"]],
      ["optional metadata", (1 << 24) | (1 << 25), 0, ["fe000002000100"]],
      ["extended and cached metadata", 0, 0x18, ["fe01000200", "fe01000200"]],
    ] as const
  ) {
    Deno.test(`own answer, ${binary ? "binary" : "text"}, ${title}`, () => {
      const form = { capabilities, extendedCapabilities, binary };
      const packets = encodeResultSet(ANSWER, form);
      const { count, metadataFollows } = decodeColumnCount(packets[0]!, form);
      assertEquals([count, metadataFollows], [4, true]);
      const columns = packets.slice(1, 5).map((payload) => decodeColumn(payload, form));
      assertEquals(columns, ANSWER.columns);
      assertEquals(columns.map(({ charset }) => charset), [63, 45, 63, 63]);
      const rest = packets.slice(5);
      const eofs = rest.filter((payload) => payload[0] === 0xfe);
      assertEquals(eofs.map((payload) => payload.toHex()), [...ends]);
      assertEquals(rest.at(-1), eofs.at(-1));
      const rows = rest.filter((payload) => payload[0] !== 0xfe);
      const decoded = rows.map((payload) =>
        binary ? decodeBinaryRow(payload, columns) : decodeTextRow(payload, 4)
      );
      const texts = decoded.map((row: readonly Value[]) =>
        row.map((value, index) => {
          const { type, decimals } = columns[index]!;
          return value === null ? null : toText(value, type, decimals);
        })
      );
      assertEquals(texts, [
        ["18446744073709551615", "größe", "0.5", "2024-01-02 03:04:05"],
        ["7", null, null, null],
      ]);
    });
  }
}

Deno.test("MariaDB's extended metadata names data types and formats", () => {
  const [row] = typesRows("mariadb_text_extended");
  const named = row!.columns.flatMap(({ name, extra }) =>
    extra.map(({ type, value }) => [name, type, decodeText(value)])
  );
  assertEquals(named, [
    ["c_json", 1, "json"],
    ["c_point", 0, "point"],
    ["c_uuid", 0, "uuid"],
    ["c_inet6", 0, "inet6"],
    ["c_inet4", 0, "inet4"],
  ]);
});

Deno.test("binary columns are marked by their character set", () => {
  const [row] = typesRows("mysql_text_modern");
  const binary = row!.columns.filter(({ charset, type }) =>
    charset === BINARY_CHARSET && type >= ColumnType.TINY_BLOB
  );
  assertEquals(binary.map(({ name }) => name), [
    "c_binary",
    "c_varbinary",
    "c_mediumblob",
    "c_longblob",
    "c_point",
  ]);
});
