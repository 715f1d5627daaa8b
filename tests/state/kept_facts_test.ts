/** What statements leave of what a session tells of the one before, for each kind of server. */
import { assertEquals } from "@std/assert";
import { behindComments } from "../../src/sql/first_words.ts";
import type { Dialect } from "../../src/state/dialect.ts";
import { leavesConditions, leavesFoundRows } from "../../src/state/kept_facts.ts";

const ALL: readonly Dialect[] = ["mysql", "mariadb", "oceanbase"];

/** A statement, and those that leave what is asked about. */
type Row = readonly [statement: string, leftBy: readonly Dialect[]];

const FOUND_ROWS: readonly Row[] = [
  ["INSERT INTO t VALUES (1)", ALL],
  ["replace into t values (1)", ALL],
  ["DELETE FROM t", ALL],
  ["SET @a = 1", ALL],
  ["USE test", ALL],
  ["COMMIT", ALL],
  ["ROLLBACK", ALL],
  ["BEGIN", ALL],
  ["START TRANSACTION", ALL],
  ["CREATE TABLE t (n INT)", ALL],
  ["ALTER TABLE t ADD m INT", ALL],
  ["DROP TABLE t", ALL],
  ["TRUNCATE t", ALL],
  ["  \n\tINSERT INTO t VALUES (1)", ALL],
  ["/* a comment */ INSERT INTO t VALUES (1)", ALL],
  ["-- a line\n# and another\nINSERT INTO t VALUES (1)", ALL],
  ["INSERT INTO t SELECT * FROM u", ["oceanbase"]],
  ["INSERT INTO t\nSELECT * FROM u", ["oceanbase"]],
  ["REPLACE INTO t (SELECT 1)", ["oceanbase"]],
  ["DELETE FROM t WHERE n IN (SELECT n FROM u)", ["oceanbase"]],
  ["SET @a = (SELECT 1)", []],
  ["CREATE TABLE t AS SELECT 1 AS n", []],
  ["INSERT INTO selected VALUES (1)", ALL],
  ["DO 1", ["mariadb", "oceanbase"]],
  ["DO (SELECT 1)", ["oceanbase"]],
  ["UPDATE t SET n = 1", ["mariadb", "oceanbase"]],
  ["UPDATE t SET n = (SELECT 1)", ["oceanbase"]],
  ["PREPARE one FROM 'SELECT 1'", ["oceanbase"]],
  ["LOCK TABLES t READ", ["oceanbase"]],
  ["UNLOCK TABLES", ["oceanbase"]],
  ["FLUSH TABLES", ["oceanbase"]],
  ["SELECT 1 INTO @a", []],
  ["CALL adds()", []],
  ["EXECUTE one", []],
  ["ANALYZE TABLE t", ["mysql", "mariadb"]],
  ["ANALYZE LOCAL TABLE t", ["mysql", "mariadb"]],
  ["ANALYZE SELECT 1", []],
  ["CHECK TABLE t", ["mysql", "mariadb"]],
  ["HANDLER t READ FIRST", ["mysql", "mariadb"]],
  ["XA RECOVER", ["mysql", "mariadb"]],
  ["EXPLAIN SELECT 1", ["mysql"]],
  ["INSERTED", []],
  ["DOUBLE", []],
  ["", []],
];

/** MariaDB alone leaves any. */
const LEFT: readonly Dialect[] = ["mariadb"];

const CONDITIONS: readonly Row[] = [
  ["", LEFT],
  ["/* nothing */ -- but comments\n", LEFT],
  ["DO 1", LEFT],
  ["SET @a = 1", LEFT],
  ["USE test", LEFT],
  ["BEGIN", LEFT],
  ["START TRANSACTION", LEFT],
  ["COMMIT", LEFT],
  ["ROLLBACK", LEFT],
  ["SAVEPOINT a", LEFT],
  ["RELEASE SAVEPOINT a", LEFT],
  ["XA START 'a'", LEFT],
  ["SELECT 1", LEFT],
  ["select 1", LEFT],
  ["  SELECT @@version", LEFT],
  ["/* one */ /* two */ SELECT 1", LEFT],
  ["# a line\nSELECT 1", LEFT],
  ["VALUES (1)", LEFT],
  ["CALL adds()", LEFT],
  ["HELP 'select'", LEFT],
  ["EXPLAIN SELECT 1", LEFT],
  ["FLUSH TABLES", LEFT],
  ["UNLOCK TABLES", LEFT],
  ["KILL QUERY 1", LEFT],
  ["DEALLOCATE PREPARE one", LEFT],
  ["DROP PREPARE one", LEFT],
  ["SHOW PROCESSLIST", LEFT],
  ["SHOW GRANTS", LEFT],
  ["SHOW MASTER STATUS", LEFT],
  ["SELECT 1 FROM dual", LEFT],
  ["SELECT 1 FROM DUAL WHERE 1", LEFT],
  ["SELECT 1 FROM\n dual", LEFT],
  ["SELECT (SELECT 1 FROM dual) FROM dual", LEFT],
  ["SELECT 1 FROM t", []],
  ["SELECT 1 FROM duality", []],
  ["SELECT 1 FROM dual UNION SELECT n FROM t", []],
  ["SELECT 1 FROM\nt", []],
  ["SET @a = (SELECT n FROM t)", []],
  ["DO (SELECT n FROM t)", []],
  ["SELECT fromage", LEFT],
  ["PREPARE one FROM 'SELECT 1'", LEFT],
  ['PREPARE one FROM "DO 1"', LEFT],
  ["PREPARE one FROM 'SELECT 1 FROM t'", []],
  ["PREPARE one FROM 'INSERT INTO t VALUES (1)'", []],
  ["PREPARE one FROM @text", []],
  ["EXECUTE IMMEDIATE 'SELECT 1'", LEFT],
  ['execute  immediate"SET @a = 1"', LEFT],
  ["EXECUTE IMMEDIATE 'PREPARE one FROM ''SELECT 1'''", []],
  ["EXECUTE IMMEDIATE 'PREPARE one FROM \"SELECT 1\"'", LEFT],
  ["EXECUTE IMMEDIATE 'SELECT 1 FROM t'", []],
  ["EXECUTE IMMEDIATE 'INSERT INTO t VALUES (1)'", []],
  ["EXECUTE IMMEDIATE CONCAT('SELECT', ' 1')", []],
  ["EXECUTE one", []],
  ["INSERT INTO t VALUES (1)", []],
  ["INSERT INTO t SELECT 1", []],
  ["UPDATE t SET n = 1", []],
  ["SHOW TABLES", []],
  ["DROP TABLE t", []],
  ["CREATE TABLE t (n INT)", []],
  ["DOUBLE", []],
];

function leftBy(leaves: (text: string, dialect: Dialect) => boolean, text: string): Dialect[] {
  return ALL.filter((dialect) => leaves(behindComments(text), dialect));
}

for (const [text, expected] of FOUND_ROWS) {
  Deno.test(`${JSON.stringify(text)} leaves FOUND_ROWS() on ${expected.join() || "no server"}`, () =>
    assertEquals(leftBy(leavesFoundRows, text), expected));
}

for (const [text, expected] of CONDITIONS) {
  Deno.test(`${JSON.stringify(text)} leaves warnings on ${expected.join() || "no server"}`, () =>
    assertEquals(leftBy(leavesConditions, text), expected));
}
