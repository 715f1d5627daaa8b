/** The filter of the data path: which texts get a closer look for what they do to their session. */
import { assert, assertEquals } from "@std/assert";
import { mayHaveEffects } from "../../src/sql/effect_filter.ts";
import { ALL_ROWS } from "./classify_texts.ts";
import { bytesOf } from "./texts.ts";

/** What is before and behind belongs to no text. */
function answer(text: string): boolean {
  const bytes = bytesOf(`SET @a(${text}); SET @a = f(1)`);
  return mayHaveEffects(bytes, 7, 7 + bytesOf(text).length);
}

const BEFORE = [
  ...["", " \t\r\n\v\f", "/* x */", "/**//* ; */ ", "-- x\n", "# SET\n -- y\n", "\xa0", "/*! */ "],
  ...[
    "/*!50000 */",
    "/*!999999 x */ ",
    "SELECT 1;",
    "SELECT ';'; ",
    "SELECT 1;;",
    "SELECT 1; /* x */",
  ],
  ...["INSERT INTO t VALUES ('a_b;c');", "SELECT 1; \n(", "(", " ( ("],
];

Deno.test("Whatever does something is looked at, in any place", () => {
  for (const [text, expected] of ALL_ROWS) {
    if (expected === "" || expected === "read") continue;
    for (const before of BEFORE) assert(answer(before + text), JSON.stringify(before + text));
  }
});

/** Whatever is said in the middle of a statement. */
const PARTS = [
  ...["@a", "@@a", "`a`(1)", "f(1)", "f\n(1)", "f -- x\n(1)", "f # x\n(1)", "f/**/(1)", "s.abs(1)"],
  ...[
    "s . abs(1)",
    "s. -- x\nabs(1)",
    "s./**/abs(1)",
    "get_lock(1)",
    "GET_LOCK \t\n(1)",
    "f\xa0(1)",
  ],
  ...[
    "Last_Insert_Id()",
    "NEXT VALUE FOR s",
    "PREVIOUS value\n for s",
    "VALUE /**/ FOR",
    "s.NEXTVAL",
  ],
  ...["VALUE\xa0FOR", "SQL_CALC_FOUND_ROWS", "Sql_Calc_Found_Rows", "/*!f*/", "/*M!f*/", "$abs(1)"],
  ...[
    "/* sluice: server=a */",
    "/*SLUICE: server=a */",
    '"f"(1)',
    "abs\xe9(1)",
    "\xe9abs(1)",
    "_(1)",
  ],
  ...[
    "-- into\n f(1)",
    "# a into\n f(1)",
    "into\n f(1)",
    ".into f(1)",
    "x/**/into/**/f(1)",
    "5into f(1)",
  ],
];

Deno.test("Whatever may do something is found in the middle, too", () => {
  for (const part of PARTS) {
    for (const text of [`SELECT ${part}`, `INSERT INTO t (a) SELECT a, ${part} FROM u`]) {
      assert(answer(text), JSON.stringify(text));
    }
  }
});

const PLAIN = [
  ...["", " ", "/* x */", "-- x", "# x", "SELECT 1;", " SELECT 1 ; SELECT 2 ; "],
  "SELECT c FROM sbtest1 WHERE id=12345",
  "select SUM(k) from sbtest1 where id between 5012 and 5111",
  "SELECT DISTINCT c FROM t WHERE id IN (1, 2) AND (a = 1 OR\n  (b = 2)) ORDER BY LOWER(c)",
  "INSERT INTO sbtest1 (id, k, c) VALUES (1, 2, 'abc')",
  "insert into `s`.`t`(`a`) values (?), (?)",
  "REPLACE  INTO s.t\t(a) VALUES (1)",
  "INSERT IGNORE INTO t(a) VALUES (NOW())",
  "INSERT INTO users (mail) VALUES ('john.doe@example.net'), ('@handle')",
  "UPDATE sbtest1 SET k=k+1 WHERE id=5002",
  "DELETE FROM t WHERE value = 5 AND valid AND quality",
  "(SELECT 1) UNION ( SELECT 2 )",
  "/* x */ SELECT /*+ MAX_EXECUTION_TIME(5) */ 1",
  "SELECT/**/1",
  "SHOW TABLES",
  "SHOW SESSION VARIABLES LIKE 'a%'",
  "EXPLAIN SELECT 1",
  "DESC t",
  "SELECT a-b, a--b, a/b, a*(b), (a)/(b), 5 / 2 FROM t -- x\n",
  "SELECT 'a' 'b', \"c\", 'x' (1)",
  "SELECT 1 -- get_lock",
  "SELECT value FROM t FORCE INDEX (i)",
];

Deno.test("Usual statements are not looked at", () => {
  for (const text of PLAIN) assertEquals(answer(text), false, JSON.stringify(text));
});

Deno.test("Bytes outside of the text are not read for it", () => {
  const bytes = bytesOf("SET @a=f(SELECT 1 INTO @b; SELECT f(1)");
  assertEquals(mayHaveEffects(bytes, 9, 17), false);
  assertEquals(mayHaveEffects(bytes, 9, 24), true);
  assertEquals(mayHaveEffects(bytes, 27, 35), false);
  assertEquals(mayHaveEffects(bytes, 27, 36), true);
  assertEquals(mayHaveEffects(bytes, 27, 500), true);
  assertEquals(mayHaveEffects(bytes, 50, 60), false);
});

Deno.test("A text of many parentheses and marks takes time that grows with its length", () => {
  const pieces = [
    ...[
      "(",
      "( ",
      "\n(",
      " abs\n(",
      "#abs(\n",
      "--abs\n(",
      "in (",
      "x@",
      "@",
      "/*",
      "; ",
      ";SELECT ",
    ],
    ...["into t (", "a into `t`(", "value ", "VALUE       ", "sql_ca", ".abs", "abs    "],
  ];
  for (const piece of pieces) {
    const bytes = bytesOf("SELECT '" + piece.repeat(2 ** 19));
    // Were it the square, these would be hundreds of billions of steps.
    assertEquals(typeof mayHaveEffects(bytes, 0, bytes.length), "boolean");
  }
});
