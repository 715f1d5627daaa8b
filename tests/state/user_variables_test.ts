/** User variables recreated: from texts, and from what servers say of computed ones. */
import { assert, assertEquals } from "@std/assert";
import { encodeText } from "../../src/protocol/bytes.ts";
import { ColumnFlag, ColumnType } from "../../src/protocol/constants.ts";
import type { Dialect } from "../../src/state/dialect.ts";
import { SessionState, Unread } from "../../src/state/session_state.ts";
import {
  assignedText,
  assignmentOf,
  isMovableName,
  NOT_SET,
  recreatedValue,
  shownValue,
  userVariable,
} from "../../src/state/user_variables.ts";
import { sharedEngine } from "../support/shared_engine.ts";
import { cellText, StateSession } from "./state_session.ts";

/** Literals as statements have them, and what recreates them; undefined where only the server can tell. */
const LITERALS: readonly (readonly [literal: string, text: string | undefined, under?: string])[] =
  [
    ["5", "5", "utf8mb4_bin"],
    ["-1.50", "-1.50", "utf8mb4_bin"],
    ["1e5", "1e5", "utf8mb4_bin"],
    [".5", ".5", "utf8mb4_bin"],
    ["-0xff", "-0xff", "utf8mb4_bin"],
    ["TRUE", "TRUE", "utf8mb4_bin"],
    ["x'00ff'", "x'00ff'"],
    ["0xff", "0xff"],
    ["0b11", "0b11"],
    ["NULL", "x'',@v:=NULL"],
    ["_latin1'a' COLLATE latin1_bin", "_latin1'a' COLLATE latin1_bin"],
    ["_binary'a'", "_binary'a'"],
    // Their collation depends on the session.
    ["_utf8mb4'a'", undefined],
    [`'${"long".repeat(100)}'`, undefined],
  ];

for (const [literal, text, under] of LITERALS) {
  Deno.test(`The literal ${literal.slice(0, 40)}`, () => {
    const variable = { name: "v", literal, takesConnectionCharset: false };
    const state = new SessionState();
    const kept = (dialect: Dialect, setsCollation = false) => {
      const value = assignedText(variable, state, { dialect, setsCollation });
      return value === undefined ? undefined : assignmentOf(value);
    };
    const assignment = text === undefined ? undefined : { text, under };
    // Of MySQL's numbers it must be known what the connection's collation was.
    assertEquals(kept("mysql"), under === undefined ? assignment : undefined);
    state.setVariable("collation_connection", "utf8mb4_bin");
    assertEquals(kept("mysql"), assignment);
    assertEquals(kept("mysql", true), under === undefined ? assignment : undefined);
    assertEquals(kept("mariadb"), assignment && { ...assignment, under: undefined });
  });
}

Deno.test("People see values without what they are assigned under", () => {
  const shown = [
    "5",
    "5\0utf8mb4_bin",
    "0.,@v:=NULL\0utf8mb4_bin",
    "x'',@v:=NULL",
    "_latin1'a'",
    "",
  ];
  assertEquals(shown.map(shownValue), ["5", "5", "NULL", "NULL", "_latin1'a'", ""]);
});

Deno.test("Strings take the connection's character set and collation", () => {
  const variable = { name: "v", literal: "'it''s'", takesConnectionCharset: true };
  const state = new SessionState();
  assertEquals(assignedText(variable, state, { dialect: "mysql" }), undefined);
  for (
    const [collation, expected] of [
      ["utf8mb4_bin", "_utf8mb4'it''s' COLLATE utf8mb4_bin"],
      ["binary", "_binary'it''s'"],
      ["ucs2_general_ci", undefined],
    ] as const
  ) {
    state.setVariable("collation_connection", collation);
    assertEquals(assignedText(variable, state, { dialect: "mysql" }), expected);
  }
  state.setVariable("collation_connection", "utf8mb4_bin");
  assertEquals(assignedText(variable, state, { dialect: "mysql", setsCollation: true }), undefined);
  state.setVariable("collation_connection", new Unread());
  assertEquals(assignedText(variable, state, { dialect: "mysql" }), undefined);
});

Deno.test("A NULL that follows a value keeps its type, which only the server tells", () => {
  const state = new SessionState();
  state.setUserVariable("v", "1");
  const variable = { name: "v", literal: "NULL", takesConnectionCharset: false };
  assertEquals(assignedText(variable, state, { dialect: "mysql" }), undefined);
  assertEquals(assignedText(variable, state, { dialect: "oceanbase" }), "NULL");
});

interface Kept {
  readonly type: number;
  readonly value: string | Uint8Array | null;
  readonly flags?: number;
  readonly collation?: string;
  readonly about?: string;
  readonly dialect?: Dialect;
  readonly charset?: number;
  readonly length?: number;
  readonly expected: string;
  /** What the connection's collation must be as it is assigned. */
  readonly under?: string;
}

const { LONGLONG, NEWDECIMAL, DOUBLE, LONG_BLOB, GEOMETRY, JSON, FLOAT, TINY, VAR_STRING } =
  ColumnType;
const number = { collation: "latin1_bin", under: "latin1_bin" };
const latin1 = { collation: "latin1_bin", about: "latin1" };
const ucs2 = { collation: "ucs2_bin", about: "ucs2" };
const point = Uint8Array.fromHex("e6100000010100000000000000000000000000000000000000");

const KEPT: readonly Kept[] = [
  { type: LONGLONG, ...number, value: "-5", expected: "-5" },
  {
    type: LONGLONG,
    ...number,
    value: "5",
    flags: ColumnFlag.UNSIGNED,
    expected: "CAST(5 AS UNSIGNED)",
  },
  {
    type: LONGLONG,
    ...number,
    value: "18446744073709551615",
    flags: ColumnFlag.UNSIGNED,
    expected: "18446744073709551615",
  },
  { type: NEWDECIMAL, ...number, value: "1.50", expected: "1.50" },
  { type: NEWDECIMAL, ...number, value: "5", expected: "5." },
  { type: DOUBLE, ...number, value: "-0", expected: "-0e0" },
  { type: DOUBLE, ...number, value: "1e308", expected: "1e308" },
  // Digits in ucs2.
  { type: DOUBLE, ...number, value: "\x001\x005", expected: "15e0" },
  { type: LONG_BLOB, value: "a", ...latin1, expected: "_latin1'a' COLLATE latin1_bin" },
  { type: LONG_BLOB, value: "it's", ...latin1, expected: "_latin1 x'69742773' COLLATE latin1_bin" },
  { type: LONG_BLOB, value: "", ...latin1, expected: "_latin1 x'' COLLATE latin1_bin" },
  { type: LONG_BLOB, value: "\0a", ...ucs2, expected: "_ucs2 x'0061' COLLATE ucs2_bin" },
  { type: LONG_BLOB, value: "ab", ...ucs2, expected: "_ucs2 x'6162' COLLATE ucs2_bin" },
  { type: LONG_BLOB, value: "ab", expected: "x'6162'" },
  {
    type: GEOMETRY,
    value: point,
    expected: "ST_GeomFromWKB(x'010100000000000000000000000000000000000000',4326)",
  },
  { type: LONGLONG, ...number, value: null, expected: "0,@v:=NULL" },
  {
    type: LONGLONG,
    ...number,
    value: null,
    flags: ColumnFlag.UNSIGNED,
    expected: "CAST(0 AS UNSIGNED),@v:=NULL",
  },
  { type: NEWDECIMAL, ...number, value: null, expected: "0.,@v:=NULL" },
  { type: DOUBLE, ...number, value: null, expected: "0e0,@v:=NULL" },
  { type: LONG_BLOB, value: null, ...latin1, expected: "_latin1 x'' COLLATE latin1_bin,@v:=NULL" },
  { type: LONG_BLOB, value: null, expected: "x'',@v:=NULL" },
  {
    type: GEOMETRY,
    value: null,
    expected: "ST_GeomFromWKB(x'010100000000000000000000000000000000000000',0),@v:=NULL",
  },
  { type: VAR_STRING, value: null, expected: NOT_SET },
  { type: LONG_BLOB, value: null, dialect: "mariadb", length: 1 << 24, expected: NOT_SET },
  { type: VAR_STRING, value: null, dialect: "oceanbase", expected: "NULL" },
  { type: TINY, value: "1", dialect: "oceanbase", expected: "TRUE" },
  { type: FLOAT, value: "1.5", dialect: "oceanbase", expected: "CAST(1.5e0 AS FLOAT)" },
  { type: JSON, value: "{}", dialect: "oceanbase", expected: "CAST(_utf8mb4'{}' AS JSON)" },
  {
    type: VAR_STRING,
    value: "a",
    dialect: "oceanbase",
    collation: "utf8mb4_general_ci",
    about: "4",
    expected: "_utf8mb4'a'",
  },
  {
    type: VAR_STRING,
    value: "a",
    dialect: "oceanbase",
    collation: "utf8mb4_general_ci",
    about: "2",
    expected: "CONVERT(_utf8mb4'a' USING utf8mb4)",
  },
  {
    type: VAR_STRING,
    value: "a",
    dialect: "oceanbase",
    collation: "utf8mb4_bin",
    about: "4",
    expected: "_utf8mb4'a' COLLATE utf8mb4_bin",
  },
  {
    type: VAR_STRING,
    value: "a",
    dialect: "oceanbase",
    about: "2",
    expected: "CAST(x'61' AS BINARY)",
  },
];

for (const kept of KEPT) {
  const { type, value, dialect = "mysql", expected, flags = 0, charset = 63, length = 1 } = kept;
  Deno.test(`A value of type ${type} on ${dialect} is ${expected || "none"}`, () => {
    const bytes = typeof value === "string" ? encodeText(value) : value;
    const about = [kept.collation ?? "binary", kept.about ?? "binary"].map(encodeText);
    const found = recreatedValue("v", [bytes, null, ...about], {
      type: { type, flags, charset, length },
      dialect,
    });
    assertEquals(assignmentOf(found!), { text: expected, under: kept.under });
    assert(/^[ -~]*$/.test(expected));
  });
}

Deno.test("What is no text of its character set is not recreated", () => {
  const type = { type: VAR_STRING, flags: 0, charset: 45, length: 8 };
  const recreated = (charset: string, ...bytes: number[]) =>
    recreatedValue(
      "v",
      [Uint8Array.from(bytes), null, ...[`${charset}_bin`, charset].map(encodeText)],
      { type, dialect: "mysql" },
    );
  assertEquals(recreated("utf8mb4", 0xff, 0x27), undefined);
  assertEquals(recreated("utf8mb3", 0xc3), undefined);
  assertEquals(recreated("utf8mb4", 0xc3, 0xa9), "_utf8mb4 x'c3a9' COLLATE utf8mb4_bin");
  assertEquals(recreated("latin1", 0xff), "_latin1 x'ff' COLLATE latin1_bin");
  assertEquals(recreated("gbk", 0xff, 0x27), undefined);
  assertEquals(recreated("gbk", 0xd6, 0xd0), "_gbk x'd6d0' COLLATE gbk_bin");
});

Deno.test("Names are quoted where they must be, if servers know that", () => {
  assertEquals(["a", "a.$_b", "a b", "a`b", "ä"].map(userVariable), [
    "@a",
    "@a.$_b",
    "@`a b`",
    "@`a``b`",
    "@`ä`",
  ]);
  assert(isMovableName("a b", "mysql") && !isMovableName("a b", "oceanbase"));
  assert(!isMovableName("ä", "mysql"));
});

/** What number types the numbers of a text may become: literals, and what only the server can tell. */
const NUMBERS: readonly string[] = [
  ...["5", "-1.50", "1e5", "TRUE", "1 / 3", "CAST(7 AS UNSIGNED)", "1e0 / 3", "x'05' + 0"],
  ...["NULLIF(1, 1)", "CAST(NULL AS UNSIGNED)", "NULL + 1.5", "NULL + 1e0"],
];

/** Computed values that the random statements do not have. */
const COMPUTED: readonly string[] = [
  "REPEAT('x', 1048576)",
  "REPEAT(UNHEX('00ff27'), 1000)",
  "CAST(NOW() AS DATE)",
  "TIME'10:11:12.5'",
  "TIMESTAMP'2020-01-01 10:11:12.000001'",
  "(SELECT b FROM kept.t)",
  "(SELECT y FROM kept.t)",
  "(SELECT e FROM kept.t)",
  "(SELECT s FROM kept.t)",
  "(SELECT j FROM kept.t)",
  "(SELECT f FROM kept.t)",
  "(SELECT d FROM kept.t)",
  "(SELECT u FROM kept.t)",
  "(SELECT s FROM kept.t WHERE 0)",
  "(SELECT d FROM kept.t WHERE 0)",
  "(SELECT u FROM kept.t WHERE 0)",
  "(SELECT j FROM kept.t WHERE 0)",
  "CAST(-1 AS UNSIGNED)",
  "99999999999999999999999999999999999.999999999999999999999999999999",
  "-1.7976931348623157e308",
  "2.2250738585072014e-308",
  "JSON_ARRAY(1,'a',NULL)",
  "INET6_ATON('::1')",
];

for (const name of ["mariadb", "mysql"] as const) {
  const shared = await sharedEngine(name, [
    "CREATE DATABASE kept",
    "CREATE TABLE kept.t (b BIT(12), y YEAR, e ENUM('x','y') CHARACTER SET latin2, " +
    "s SET('x','y'), j JSON, f FLOAT, d DECIMAL(30,10), u BIGINT UNSIGNED)",
    "INSERT INTO kept.t VALUES (b'101', 2020, 'y', 'x,y', '[1]', 1.1, 1.5, 1)",
  ]);
  Deno.test(
    `${name}: computed values are the same elsewhere`,
    { ignore: shared.ignore },
    async () => {
      using here = await StateSession.open(shared.engine);
      using there = await StateSession.open(shared.engine, { charset: 46 });
      for (const [index, value] of COMPUTED.entries()) {
        await here.must(`SET @\`v ${index}\`=${value}`);
      }
      await here.settle();
      assert(await there.catchUp(here.known));
      for (const [index, value] of COMPUTED.entries()) {
        const variable = `@\`v ${index}\``;
        const isJson = name === "mysql" && /json|j FROM/i.test(value);
        const more = isJson ? `,JSON_TYPE(${variable})` : "";
        const sql =
          `SELECT ${variable}, SHA2(CAST(${variable} AS BINARY), 256), CHARSET(${variable}), ` +
          `COLLATION(${variable}), COERCIBILITY(${variable}), ${variable}+0, ` +
          `CAST(${variable} AS BINARY) <=> CAST(${value} AS BINARY)${more}`;
        const [mine, theirs] = [await here.must(sql), await there.must(sql)];
        assertEquals(theirs.columns, mine.columns, value);
        assertEquals(theirs.rows[0]!.map(cellText), mine.rows[0]!.map(cellText), value);
      }
    },
  );
}

const mysql = await sharedEngine("mysql");

Deno.test({
  name: "mysql: strings made of numbers have the same collation elsewhere",
  ignore: mysql.ignore,
  fn: async () => {
    using here = await StateSession.open(mysql.engine);
    using there = await StateSession.open(mysql.engine, { charset: 46 });
    const collations = ["utf8mb4_bin", "latin1_german1_ci", "ucs2_general_ci", "binary"];
    const names = NUMBERS.map((_, index) => `@v${index}`);
    for (const [index, number] of NUMBERS.entries()) {
      const collation = collations[index % collations.length]!;
      await here.must(`SET collation_connection = ${collation}`);
      await here.must(`SET @v${index} = ${number}`);
      await here.must(`SET @w${index} = ${number}, collation_connection = utf8mb4_german2_ci`);
    }
    // A NULL keeps what the number before it had.
    await here.must("SET @v0 = NULL");
    await here.must("SELECT @v1 := REPEAT(NULL, 1)");
    const asked = [...names, ...names.map((name) => name.replace("v", "w"))];
    const sql = `SELECT ${asked.map((name) => `COLLATION(CONCAT(${name}, '')), ${name}`).join()}`;
    await here.settle();
    assert(await there.catchUp(here.known));
    for (const session of [there, here]) {
      await session.must("SET collation_connection = latin1_bin");
    }
    const [mine, theirs] = [await here.must(sql), await there.must(sql)];
    assertEquals(theirs.columns, mine.columns);
    assertEquals(theirs.rows[0]!.map(cellText), mine.rows[0]!.map(cellText));
    assertEquals(new Set(mine.rows[0]!.map(cellText)).isSupersetOf(new Set(collations)), true);
  },
});
