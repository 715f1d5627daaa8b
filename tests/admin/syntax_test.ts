import { assert, assertEquals, assertThrows } from "@std/assert";
import { isMatch, Syntax } from "../../src/admin/syntax.ts";
import { tokensOf } from "./tokens.ts";

/** Operands as `name=text`, or where it went wrong. */
function match(syntax: string, sql: string): string {
  const outcome = new Syntax(syntax).match(tokensOf(sql));
  if (!isMatch(outcome)) {
    return `${outcome.isRecognised ? "" : "not "}recognised, at ${outcome.at}: ${
      outcome.wanted.join(" | ")
    }`;
  }
  const operands = [...outcome.operands].map(([name, tokens]) =>
    `${name}=${tokens.map(({ text }) => text).join("")}`
  );
  return [...outcome.words, ...operands].join(" ");
}

const ID = "an id from 0 to 18446744073709551615";

Deno.test("A syntax takes what it describes and tells where other statements leave it", () => {
  const KILL = "KILL [HARD|SOFT] [CONNECTION|QUERY] id";
  const DETAIL = "SHOW PROXYSESSION VARIABLES [ALL] [id] [LIKE pattern]";
  const NET = "SHOW PROXYNET CONNECTION [thread_id [LIMIT {rows OFFSET offset|offset, rows|rows}]]";
  const SET = "ALTER PROXYCONFIG SET name = [value]";
  const cases: readonly (readonly [string, string, string])[] = [
    [KILL, "KILL 5", "KILL id=5"],
    [KILL, "kill hard query '5'", "KILL HARD QUERY id=5"],
    [KILL, "kill soft 0x1F", "KILL SOFT id=0x1F"],
    [KILL, "KILL -1", "KILL id=-1"],
    [KILL, "KILL connection_id ( )", "KILL id=connection_id()"],
    [KILL, "KILL ?", "KILL id=?"],
    [KILL, "KILL", `recognised, at 1: HARD | SOFT | CONNECTION | QUERY | ${ID}`],
    [KILL, "KILL QUERY abc", `recognised, at 2: ${ID}`],
    [KILL, "KILL 18446744073709551615", "KILL id=18446744073709551615"],
    [
      KILL,
      "KILL 18446744073709551616",
      `recognised, at 1: HARD | SOFT | CONNECTION | QUERY | ${ID}`,
    ],
    [KILL, "KILL 5 6", "recognised, at 2: the end"],
    [KILL, "SELECT 5", "not recognised, at 0: KILL"],
    [KILL, "`KILL` 5", "not recognised, at 0: KILL"],
    [DETAIL, "SHOW PROXYSESSION VARIABLES", "SHOW PROXYSESSION VARIABLES"],
    [
      DETAIL,
      "SHOW PROXYSESSION VARIABLES ALL 7 LIKE x",
      [
        "SHOW PROXYSESSION VARIABLES ALL LIKE id=7 pattern=x",
      ].join(),
    ],
    [
      DETAIL,
      "SHOW PROXYSESSION VARIABLES LIKE '%x'",
      [
        "SHOW PROXYSESSION VARIABLES LIKE pattern=%x",
      ].join(),
    ],
    [DETAIL, "SHOW PROXYSESSION VARIABLES 7 ALL", "recognised, at 4: LIKE | the end"],
    [DETAIL, "SHOW VARIABLES", "not recognised, at 1: PROXYSESSION"],
    [NET, "SHOW PROXYNET CONNECTION", "SHOW PROXYNET CONNECTION"],
    [
      NET,
      "SHOW PROXYNET CONNECTION 0 LIMIT 5",
      "SHOW PROXYNET CONNECTION LIMIT thread_id=0 rows=5",
    ],
    [
      NET,
      "SHOW PROXYNET CONNECTION 0 LIMIT 2 , 5",
      "SHOW PROXYNET CONNECTION LIMIT thread_id=0 offset=2 rows=5",
    ],
    [
      NET,
      "SHOW PROXYNET CONNECTION 0 LIMIT 5 OFFSET 2",
      "SHOW PROXYNET CONNECTION LIMIT OFFSET thread_id=0 rows=5 offset=2",
    ],
    [
      NET,
      "SHOW PROXYNET CONNECTION 0 LIMIT 5 OFFSET",
      "recognised, at 7: a number of rows",
    ],
    [SET, "ALTER PROXYCONFIG SET a=1", "ALTER PROXYCONFIG SET name=a value=1"],
    [SET, "ALTER PROXYCONFIG SET a = ", "ALTER PROXYCONFIG SET name=a"],
    [SET, "ALTER PROXYCONFIG SET a = -10s", "ALTER PROXYCONFIG SET name=a value=-10s"],
    [SET, "ALTER PROXYCONFIG SET a = 1.2.3.4:5", "ALTER PROXYCONFIG SET name=a value=1.2.3.4:5"],
    [SET, "ALTER PROXYCONFIG SET a = b c", "recognised, at 6: the end"],
    [
      "SELECT PROXY_VERSION() [[AS] name]",
      "select proxy_version()x",
      [
        "SELECT PROXY_VERSION name=x",
      ].join(),
    ],
  ];
  for (const [syntax, sql, expected] of cases) assertEquals(match(syntax, sql), expected, sql);
});

Deno.test("A syntax names itself", () => {
  const syntax = new Syntax("SHOW [FULL] PROCESSLIST [WHERE condition]");
  assertEquals(syntax.name, "SHOW PROCESSLIST");
  assertEquals(syntax.firstWord, "SHOW");
  assertEquals(syntax.keyword, "PROCESSLIST");
  assertEquals(new Syntax("KILL PROXYSESSION id [ss_id]").keyword, "KILL");
});

Deno.test("A syntax with a defect is refused when it is made", () => {
  assertThrows(() => new Syntax("KILL id]"), Error, "Cannot read the syntax");
  assertThrows(() => new Syntax("KILL nosuch").match(tokensOf("KILL 1")), Error, "no operand");
  assert(isMatch(new Syntax("KILL {A|B}").match(tokensOf("KILL B"))));
});
