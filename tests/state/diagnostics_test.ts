import { assertEquals } from "@std/assert";
import { decodeText, encodeText } from "../../src/protocol/bytes.ts";
import {
  assignment,
  mariadbConditions,
  mysqlCondition,
  mysqlConditions,
} from "../../src/state/diagnostics.ts";
import { CONDITION_ITEMS, type DiagnosticsRequest } from "../../src/sql/get_diagnostics.ts";
import { mysqlSqlState } from "../../src/state/mysql_sqlstates.ts";

const hex = (text: string) => encodeText(text).toHex();

Deno.test("mysqlSqlState() knows numbers, ranges and what has no state of its own", () => {
  const cases: readonly (readonly [code: number, state: string])[] = [
    ...[[1062, "23000"], [1146, "42S02"], [1152, "08S01"], [1157, "08S01"], [1161, "08S01"]],
    ...[[1162, "42000"], [6574, "42000"], [1758, "35000"], [3004, "0Z002"], [1440, "XAE08"]],
    ...[[1287, "HY000"], [0, "HY000"], [65535, "HY000"]],
  ] as [number, string][];
  for (const [code, state] of cases) assertEquals(mysqlSqlState(code), state, String(code));
});

Deno.test("mysqlCondition() says who has defined a state", () => {
  const cases = [[1146, "ISO 9075"], [1287, "ISO 9075"], [1397, "MySQL"], [1317, "MySQL"]] as const;
  for (const [code, origin] of cases) {
    const { CLASS_ORIGIN, SUBCLASS_ORIGIN } = mysqlCondition({ code, message: "" });
    assertEquals([CLASS_ORIGIN, SUBCLASS_ORIGIN], [hex(origin), hex(origin)], String(code));
  }
});

Deno.test("mysqlConditions() takes what was read for the last one and the first two", () => {
  const shown = ["a", "b", "c", "d"].map((message) => ({ code: 1287, message }));
  const cells = ["last", "first", "second"].flatMap((text) =>
    CONDITION_ITEMS.map((item) => item === "MYSQL_ERRNO" ? "5" : hex(text))
  );
  const texts = (count: number) =>
    mysqlConditions(shown.slice(0, count), cells).map(({ MESSAGE_TEXT }) =>
      decodeText(Uint8Array.fromHex(String(MESSAGE_TEXT)))
    );
  assertEquals(texts(0), []);
  assertEquals(texts(1), ["first"]);
  assertEquals(texts(2), ["first", "second"]);
  assertEquals(texts(3), ["first", "second", "last"]);
  assertEquals(texts(4), ["first", "second", "c", "last"]);
});

Deno.test("mariadbConditions() reads as many as there are", () => {
  assertEquals(mariadbConditions(""), []);
  const row = [...CONDITION_ITEMS.map((item) => item === "MYSQL_ERRNO" ? "1062" : hex(item)), "3"];
  const [one, two, ...rest] = mariadbConditions(`${row.join()};${row.join()};`);
  assertEquals(rest, []);
  assertEquals(one, two);
  assertEquals([one!.MYSQL_ERRNO, one!.ROW_NUMBER, one!.TABLE_NAME], [1062, 3, hex("TABLE_NAME")]);
});

const KNOWN = {
  rowCount: -1,
  conditions: [{ MYSQL_ERRNO: 1062, MESSAGE_TEXT: hex("é'"), TABLE_NAME: "6dff" }],
  collation: "utf8mb3_general_ci",
};

Deno.test("assignment() assigns numbers, counts and texts as the statement does", () => {
  const variable = encodeText("@`a b`");
  const cases: readonly (readonly [DiagnosticsRequest, string])[] = [
    [
      {
        kind: "statement",
        targets: [{ variable, item: "NUMBER" }, { variable, item: "ROW_COUNT" }],
      },
      "SET @`a b`=CAST(1 AS UNSIGNED),@`a b`=-1",
    ],
    [
      {
        kind: "condition",
        number: 1,
        targets: [{ variable, item: "MYSQL_ERRNO" }, { variable, item: "MESSAGE_TEXT" }],
      },
      "SET @`a b`=CAST(1062 AS UNSIGNED)," +
      "@`a b`=_utf8mb3 x'c3a927' COLLATE utf8mb3_general_ci",
    ],
    [
      {
        kind: "condition",
        number: 1,
        targets: [{ variable, item: "CURSOR_NAME" }, { variable, item: "TABLE_NAME" }],
      },
      // A byte that is no character, which a literal would refuse.
      "SET @`a b`=_utf8mb3 x'' COLLATE utf8mb3_general_ci," +
      "@`a b`=_utf8mb3 x'6d3f' COLLATE utf8mb3_general_ci",
    ],
  ];
  for (const [request, text] of cases) {
    assertEquals(decodeText(assignment(request, KNOWN, 1)), text);
  }
});
