/** Prepared statements: every parameter type, cursors, long data, procedures, bulk requests. */
import type { DateTime, TimeSpan, Value } from "../../../src/protocol/binary_value.ts";
import { encodeText } from "../../../src/protocol/bytes.ts";
import {
  Capability,
  ColumnType,
  ExecuteFlag,
  MariaDbCapability,
} from "../../../src/protocol/constants.ts";
import {
  blob,
  bulk,
  closeStatement,
  CURSOR,
  execute,
  fetch,
  int,
  longData,
  parameter,
  prepare,
  queryWith,
  resetStatement,
  text,
} from "../commands.ts";
import { fails, failsOn, having, type Line, masked, needs, on } from "../step.ts";

const DATE: DateTime = {
  year: 2024,
  month: 2,
  day: 29,
  hour: 0,
  minute: 0,
  second: 0,
  microsecond: 0,
};
const DATETIME: DateTime = { ...DATE, hour: 23, minute: 59, second: 58 };
const MICRO: DateTime = { ...DATETIME, microsecond: 123456 };
const SPAN: TimeSpan = {
  negative: true,
  days: 1,
  hours: 2,
  minutes: 3,
  seconds: 4,
  microseconds: 0,
};
const ZERO_SPAN: TimeSpan = { ...SPAN, negative: false, days: 0, hours: 0, minutes: 0, seconds: 0 };

interface Sample {
  readonly type: keyof typeof ColumnType;
  readonly unsigned?: boolean;
  readonly values: readonly Value[];
  /** Engines that refuse a value of this type. */
  readonly refusedBy?: string;
  /** Those of them that take NULL. */
  readonly nullTakenBy?: readonly string[];
}

/** Each type that a client may give a parameter, with its extremes. */
const SAMPLES: readonly Sample[] = [
  { type: "TINY", values: [-128, 127, 0] },
  { type: "TINY", unsigned: true, values: [255] },
  { type: "SHORT", values: [-32768, 32767] },
  { type: "SHORT", unsigned: true, values: [65535] },
  { type: "YEAR", values: [2024], refusedBy: "mysql" },
  { type: "LONG", values: [-2147483648, 2147483647] },
  { type: "LONG", unsigned: true, values: [4294967295] },
  { type: "INT24", values: [-8388608], refusedBy: "mysql", nullTakenBy: ["mysql"] },
  { type: "LONGLONG", values: [-9223372036854775808n, 9223372036854775807n] },
  { type: "LONGLONG", unsigned: true, values: [18446744073709551615n] },
  { type: "FLOAT", values: [1.5, -0] },
  { type: "DOUBLE", values: [-2.25, 1.7976931348623157e308] },
  { type: "DECIMAL", values: ["-12.50"], refusedBy: "seekdb" },
  { type: "NEWDECIMAL", values: ["12345678901234567890.0123456789"] },
  { type: "NULL", values: [null] },
  { type: "DATE", values: [DATE] },
  { type: "DATETIME", values: [DATE, DATETIME, MICRO] },
  { type: "TIMESTAMP", values: [DATETIME, MICRO] },
  { type: "TIME", values: [SPAN, ZERO_SPAN, { ...SPAN, microseconds: 5 }] },
  { type: "VARCHAR", values: ["grüße \u{1F600}"] },
  { type: "VAR_STRING", values: ["text", "", "x".repeat(300)] },
  { type: "STRING", values: ["fixed"] },
  { type: "TINY_BLOB", values: [Uint8Array.of(0, 255)] },
  { type: "BLOB", values: [Uint8Array.of(0xfb, 0xfe), new Uint8Array(70_000).fill(0xfe)] },
  { type: "MEDIUM_BLOB", values: [Uint8Array.of(1)] },
  { type: "LONG_BLOB", values: [Uint8Array.of(2, 3)] },
  { type: "BIT", values: [Uint8Array.of(5)], refusedBy: "mysql seekdb", nullTakenBy: ["seekdb"] },
  { type: "ENUM", values: ["red"], refusedBy: "mysql seekdb", nullTakenBy: ["seekdb"] },
  { type: "SET", values: ["a,c"], refusedBy: "mysql seekdb", nullTakenBy: ["seekdb"] },
  { type: "JSON", values: ['{"a": 1}'], refusedBy: "mariadb seekdb", nullTakenBy: ["seekdb"] },
  { type: "GEOMETRY", values: [Uint8Array.of(0, 0, 0, 0)], refusedBy: "mysql" },
];

const everyType: readonly Line[] = SAMPLES.flatMap(({ type, unsigned, values, ...refused }) => [
  prepare("one", "SELECT ? AS given, ? IS NULL AS absent"),
  ...[...values, null].map((value) => {
    const given = parameter(ColumnType[type], value, unsigned);
    const { refusedBy = "", nullTakenBy = [] } = refused;
    const engines = refusedBy.split(" ").filter((engine) =>
      value !== null || !nullTakenBy.includes(engine)
    );
    return failsOn(engines.join(" "), execute("one", [given, given]));
  }),
  closeStatement("one"),
]);

const reuse: readonly Line[] = [
  prepare("find", "SELECT n, word, big FROM numbers WHERE n > ? ORDER BY n"),
  execute("find", [int(1)]),
  execute("find", [int(2)], { hasTypes: false }),
  execute("find", [text("1")]),
  execute("find", [int(100)]),
  execute("find", [int(null)]),
  prepare("insert", "INSERT INTO loaded (a, b) VALUES (?, ?)"),
  execute("insert", [int(1), text("one")]),
  execute("insert", [int(null), text(null)]),
  longData("insert", 1, encodeText("long ")),
  longData("insert", 1, encodeText("data")),
  execute("insert", [int(2), blob(undefined)]),
  longData("insert", 1, new Uint8Array(0)),
  execute("insert", [int(3), blob(undefined)]),
  longData("insert", 1, encodeText("forgotten")),
  resetStatement("insert"),
  execute("insert", [int(4), text("after reset")]),
  // What was wrong about long data is told by the next execution.
  longData("insert", 9, encodeText("no such parameter")),
  failsOn("mysql mariadb", execute("insert", [int(5), text("wrong index")])),
  resetStatement("insert"),
  longData("absent", 0, encodeText("no such statement")),
  "SELECT a, b FROM loaded ORDER BY a, b",
  prepare("delete", "DELETE FROM loaded"),
  execute("delete"),
  execute("delete"),
  prepare("do", "SET @prepared = ?"),
  execute("do", [text("prepared")]),
  "SELECT @prepared",
  prepare("show", "SHOW COLUMNS FROM numbers"),
  execute("show"),
  prepare("explain", "EXPLAIN SELECT n FROM numbers WHERE n = ?"),
  execute("explain", [int(1)]),
  prepare("many", `SELECT ${Array.from({ length: 300 }, () => "?").join(", ")}`),
  execute("many", Array.from({ length: 300 }, (_, index) => int(index % 7 === 0 ? null : index))),
  prepare("nothing", "SELECT n FROM numbers WHERE n < 0"),
  execute("nothing"),
  failsOn("mysql", prepare("begin", "START TRANSACTION")),
  failsOn("mysql", execute("begin")),
  prepare("commit", "COMMIT"),
  execute("commit"),
  // The table changes between two executions.
  prepare("changing", "SELECT * FROM checked ORDER BY a"),
  execute("changing"),
  "ALTER TABLE checked ADD COLUMN d INT DEFAULT 4",
  execute("changing"),
  "ALTER TABLE checked DROP COLUMN d",
  execute("changing"),
  fails(prepare("broken", "SELEC ?")),
  fails(prepare("broken", "SELECT * FROM absent WHERE a = ?")),
  fails(prepare("broken", "")),
  fails(prepare("broken", "SELECT 1; SELECT 2")),
  fails(execute("absent")),
  fails(fetch("absent", 1)),
  fails(resetStatement("absent")),
  closeStatement("absent"),
  closeStatement("find"),
  masked("digits", fails(execute("find", [int(1)]))),
  prepare("failing", "SELECT n, 9223372036854775806 + n FROM numbers"),
  fails(execute("failing")),
  prepare("duplicate", "INSERT INTO numbers VALUES (?, 'again', 1)"),
  fails(execute("duplicate", [int(1)])),
  prepare("warning", "SELECT CAST(? AS SIGNED)"),
  execute("warning", [text("1x")]),
  "SHOW WARNINGS",
];

const cursors: readonly Line[] = [
  prepare("all", "SELECT n, word, big FROM numbers ORDER BY n"),
  execute("all", [], CURSOR),
  fetch("all", 2),
  fetch("all", 2),
  masked("digits", failsOn("mariadb mysql", fetch("all", 2))),
  execute("all", [], CURSOR),
  fetch("all", 3),
  fetch("all", 3),
  execute("all", [], CURSOR),
  "SELECT 1",
  fetch("all", 1),
  resetStatement("all"),
  masked("digits", fails(fetch("all", 1))),
  prepare("none", "SELECT n FROM numbers WHERE n > ?"),
  execute("none", [int(100)], CURSOR),
  fetch("none", 1),
  prepare("cursor_update", "UPDATE numbers SET word = word WHERE n = 1"),
  execute("cursor_update", [], CURSOR),
  prepare("cursor_show", "SHOW COLUMNS FROM numbers"),
  execute("cursor_show", [], CURSOR),
  prepare("cursor_failing", "SELECT 9223372036854775806 + n FROM numbers"),
  fails(execute("cursor_failing", [], CURSOR)),
  prepare("cursor_long", "SELECT id, REPEAT('z', 30000) AS z FROM all_types ORDER BY id"),
  execute("cursor_long", [], CURSOR),
  fetch("cursor_long", 1),
  fetch("cursor_long", 1),
  fetch("cursor_long", 9),
  execute("cursor_long", [], CURSOR),
  closeStatement("cursor_long"),
  "SELECT 2",
];

const calls: readonly Line[] = [
  prepare("two", "CALL two_results()"),
  execute("two"),
  prepare("out", "CALL with_out(?, ?, ?)"),
  execute("out", [int(5), int(null), text("c")]),
  execute("out", [int(6), int(null), text("d")]),
  prepare("out_only", "CALL out_only(?, ?, ?)"),
  execute("out_only", [int(null), text(null), parameter(ColumnType.NEWDECIMAL, null)]),
  prepare("no_result", "CALL no_result()"),
  execute("no_result"),
  prepare("late", "CALL fails_late()"),
  fails(execute("late")),
  execute("two", [], CURSOR),
  prepare("handled", "CALL handled()"),
  execute("handled"),
  prepare("walking", "CALL walking()"),
  execute("walking"),
  execute("walking", [], CURSOR),
  prepare("with_cursor", "SELECT n FROM numbers WHERE n = with_cursor()"),
  execute("with_cursor"),
  prepare("looping", "CALL looping(?)"),
  execute("looping", [int(20)]),
];

/** What parameters become whose capability to be sent so is not agreed on. */
const bulks: readonly Line[] = on(
  "mariadb",
  prepare("bulk", "INSERT INTO loaded (a, b) VALUES (?, ?)"),
  needs(
    { extended: MariaDbCapability.STMT_BULK_OPERATIONS },
    bulk("bulk", [[21, "abc"], [22, null], [null, "x"]]),
    bulk("bulk", [[{ indicator: "default" }, { indicator: "default" }]]),
    bulk("bulk", Array.from({ length: 2000 }, (_, index) => [index, `row ${index}`] as const)),
  ),
  "SELECT COUNT(*), SUM(a) FROM loaded",
  prepare("bulk_error", "INSERT INTO numbers (n, word) VALUES (?, ?)"),
  fails(bulk("bulk_error", [[50, "fifty"], [1, "again"]])),
  "DELETE FROM numbers WHERE n = 50",
  fails(bulk("absent", [[1, "x"]])),
  "DELETE FROM loaded",
);

const attributes: readonly Line[] = having(
  Capability.QUERY_ATTRIBUTES,
  queryWith(
    [
      { ...parameter(ColumnType.STRING, encodeText("abc")), name: "text" },
      { ...parameter(ColumnType.LONGLONG, 18446744073709551615n, true), name: "" },
      { ...parameter(ColumnType.NULL, null), name: "nothing" },
      { ...parameter(ColumnType.DATETIME, MICRO), name: "when" },
    ],
    "SELECT 1",
  ),
  prepare("attributed", "SELECT ?"),
  execute("attributed", [
    { ...int(7), name: "first" },
    { ...text("v"), name: "extra" },
  ]),
);

const optionalMetadata: readonly Line[] = having(
  Capability.OPTIONAL_RESULTSET_METADATA,
  "SET resultset_metadata = NONE",
  "SELECT n, word FROM numbers ORDER BY n",
  "SELECT n FROM numbers WHERE n > 100",
  "CALL two_results()",
  prepare("bare", "SELECT n, word FROM numbers WHERE n <= ? ORDER BY n"),
  execute("bare", [int(2)]),
  prepare("bare_cursor", "SELECT n, word FROM numbers WHERE n <= ? ORDER BY n"),
  execute("bare_cursor", [int(2)], CURSOR),
  fetch("bare_cursor", 5),
  prepare("bare_insert", "INSERT INTO loaded (a) VALUES (?)"),
  execute("bare_insert", [int(2)]),
  prepare("bare_call", "CALL two_results()"),
  execute("bare_call"),
  "SET resultset_metadata = FULL",
  "SELECT n FROM numbers ORDER BY n",
  "DELETE FROM loaded",
);

const otherFlags: readonly Line[] = [
  prepare("flags", "SELECT n FROM numbers ORDER BY n"),
  ...[ExecuteFlag.FOR_UPDATE, ExecuteFlag.SCROLLABLE].map((flags) =>
    execute("flags", [], { flags })
  ),
  closeStatement("flags"),
];

export const prepared: readonly Line[] = [
  everyType,
  reuse,
  cursors,
  calls,
  bulks,
  attributes,
  optionalMetadata,
  otherFlags,
];
