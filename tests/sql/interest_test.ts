/** The filter of the data path: which texts get a closer look. */
import { assert, assertEquals } from "@std/assert";
import { COMMANDS } from "../../src/admin/command_rows.ts";
import { mayConcernProxy } from "../../src/sql/interest.ts";
import { bytesOf } from "./texts.ts";

function answer(text: string): boolean {
  const bytes = bytesOf(`;KILL 1; ${text}; KILL 1`);
  return mayConcernProxy(bytes, 9, bytes.length - 8);
}

/** Where several statements can be, what the next one must be like. */
const HEADS: readonly string[] = [
  "KILL",
  "kill 5",
  "KiLl'5'",
  "KILL/**/5",
  "KILL\xa05",
  "SHOW PROCESSLIST",
  "show full\nprocesslist",
  "Show\t ProxySession attribute",
  "SHOW PROXYCONFIG",
  "SHOW GLOBALSESSION",
  "SHOW SQLAUDIT",
  "SHOW WARNLOG",
  "ALTER PROXYCONFIG SET a=1",
  "ALTER  PROXYRESOURCE DELETE x",
  "PING PROXY",
  "PREPARE s FROM 'SHOW PROCESSLIST'",
  "EXECUTE s",
  "EXECUTE IMMEDIATE 'KILL 5'",
  "DEALLOCATE PREPARE s",
  "DROP PREPARE s",
  "EXPLAIN ROUTE SELECT 1",
  "SHOW /* x */ PROCESSLIST",
  "SHOW FULL -- x\n PROCESSLIST",
  "SHOW #\nPROCESSLIST",
  "SHOW /*!50000 FULL */ PROCESSLIST",
];

const CALLS: readonly string[] = [
  "SELECT CONNECTION_ID()",
  "select 1, connection_id ( )",
  "SELECT(connection_id())",
  "SELECT CONNECTION_ID/* x */()",
  "SELECT CONNECTION_ID -- x\n()",
  "SELECT /*!50000CONNECTION_ID()*/",
  "SELECT /*!50000 CONNECTION_ID*/()",
  "SELECT\xa0CONNECTION_ID()",
  "SELECT proxy_version()",
  "SELECT PROXY_STATUS ()",
];

const BEFORE: readonly string[] = [
  " \t\r\n\v\f",
  "/* x */",
  "/**//* ; */ ",
  "-- x\n",
  "# KILL\n -- y\n",
  "\xa0",
  "/*!50000 ",
  "/*!",
  "/*M!100100 ",
  "/*!999999 x */ ",
  "SELECT 1;",
  "SELECT 1; \n ",
  "SELECT 1;;",
  "SELECT 1; /* x */ ",
  "SELECT 1;-- x\n",
  "SELECT ';'; ",
  "INSERT INTO t VALUES ('a_b;c'); ",
];

Deno.test("Whatever can begin a statement of the proxy is looked at, in any place", () => {
  for (const head of HEADS) {
    assert(answer(head), head);
    for (const before of BEFORE) assert(answer(before + head), JSON.stringify(before + head));
  }
});

Deno.test("Calls that the proxy answers are found anywhere", () => {
  for (const call of CALLS) {
    assert(answer(call), JSON.stringify(call));
    assert(answer(`INSERT INTO t ${call} FROM u_u`), call);
  }
});

Deno.test("Every row of the table of commands is looked at", () => {
  for (const { syntax } of COMMANDS) {
    // Without the brackets and bars of its notation it need be no statement to be seen.
    const text = syntax.text.replaceAll(/\[[^\]]*\]|[[\]{}|]/g, " ");
    assert(answer(text), text);
  }
});

const OTHERS: readonly string[] = [
  "",
  " ",
  ";",
  "SELECT c FROM sbtest1 WHERE id=12345",
  "SELECT 'KILL 5'",
  "SELECT kill FROM t",
  "KILLED",
  "KILL_ME()",
  "kill$ 1",
  "SHOWPROCESSLIST",
  "SHOW TABLES",
  "SHOW FULL COLUMNS FROM t",
  "SHOW",
  "SHOW FULL",
  "SHOW PROC",
  "ALTER TABLE proxy ADD x INT",
  "DROP TABLE prepare",
  "PINGPROXY",
  "EXPLAIN SELECT 1",
  "SELECT 1; SELECT 2; SHOW TABLES; DROP TABLE t",
  "SELECT 1 ; ; ",
  "INSERT INTO t VALUES ('a;b', 'x; y', 'i:1;s:3:\"abc\";')",
  "SELECT connection_id",
  "SELECT connection_idx()",
  "SELECT `connection_id`()",
  "SELECT _id(), proxy_(), connection_()",
  "/* KILL 5 */ SELECT 1",
  "-- KILL 5\nSELECT 1",
  "/* unterminated KILL 5",
  "SE",
  "K",
  "S",
];

Deno.test("Usual statements are not looked at", () => {
  for (const text of OTHERS) {
    const bytes = bytesOf(text);
    assertEquals(mayConcernProxy(bytes, 0, bytes.length), false, JSON.stringify(text));
  }
});

Deno.test("Bytes outside of the text are not read for it", () => {
  const bytes = bytesOf("xKILL 5; SHOW PROCESSLIST; SELECT CONNECTION_ID()");
  assertEquals(mayConcernProxy(bytes, 1, 4), false);
  assertEquals(mayConcernProxy(bytes, 2, 7), false);
  assertEquals(mayConcernProxy(bytes, 9, 18), false);
  assertEquals(mayConcernProxy(bytes, 27, 47), false);
  assertEquals(mayConcernProxy(bytes, 27, 48), true);
  assertEquals(mayConcernProxy(bytes, 28, 500), true);
});

Deno.test("A text of many semicolons and comments takes time that grows with its length", () => {
  // Were each comment walked through, these would be hundreds of billions of steps.
  for (const piece of [";/*", "; -- ", ";#", ";       ", ";SHOW  ", "_id", "connection_id "]) {
    const bytes = new TextEncoder().encode("SELECT '" + piece.repeat(2 ** 20));
    assertEquals(typeof mayConcernProxy(bytes, 0, bytes.length), "boolean");
  }
});
