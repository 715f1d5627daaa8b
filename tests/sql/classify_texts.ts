/** Statements, and what they do to their session and ask of it, as {@link describe} says it. */
import { Ask, type Classified, Effect, type TableName } from "../../src/sql/classify.ts";

/**
 * A statement and what it is: `read`, effects, `?` with what is asked, `@` with variables (`*` where
 * they take the connection's character set), effects with what they concern (`?` where that is
 * computed, `*` for all), a server.
 */
export type ClassifyRow = readonly [text: string, expected: string];

/** Statements that do what is in their expressions, and others that nobody knows. */
export const EXPRESSIONS: readonly ClassifyRow[] = [
  ["SELECT 1", "read"],
  ["select c from sbtest1 where id = 5", "read"],
  ["(SELECT 1) UNION (SELECT f FROM t)", "read"],
  [
    "WITH RECURSIVE x (a) AS (SELECT 1), `y`(b) AS (SELECT 2) SELECT (a), COUNT(*) FROM x, y GROUP BY a WITH ROLLUP",
    "read",
  ],
  ["WITH x AS (SELECT 1) SELECT (1), f(2)", "calls"],
  ["WITH x AS (SELECT 1) DELETE FROM t", ""],
  ["SELECT a FROM t GROUP BY a WITH ROLLUP, f(1)", "calls"],
  ["SELECT * FROM t FOR UPDATE", ""],
  ["SELECT * FROM t FOR SHARE", ""],
  ["SELECT * FROM t LOCK IN SHARE MODE", ""],
  ["SELECT * FROM t INTO OUTFILE '/tmp/x'", ""],
  ["SELECT REPLACE(a, 'x', 'y'), INSERT('a', 1, 1, 'b') FROM t", "read"],
  [
    "SELECT a, b FROM t AS d (a, b) JOIN u USING (a) WHERE a IN (1) AND (b = 1 OR EXISTS (SELECT 1))",
    "read",
  ],
  ["INSERT INTO t (a, b) VALUES (1, NOW()) ON DUPLICATE KEY UPDATE a = VALUES(a)", ""],
  ["INSERT IGNORE t (a) VALUES (1)", ""],
  ["REPLACE t (a) VALUES (1)", ""],
  ["INSERT INTO `s`.`t` (`a`) VALUE (1)", ""],
  ["INSERT INTO t (a) SELECT f(1)", "calls"],
  ["UPDATE t SET a = CAST(b AS DECIMAL(10, 2)) WHERE MATCH (a) AGAINST ('x')", ""],
  ["DELETE FROM t WHERE a = s.f(1)", "calls"],
  ["SELECT f(1)", "calls"],
  ["SELECT f (1)", "calls"],
  ["SELECT `f`(1)", "calls"],
  ["SELECT s.abs(1)", "calls"],
  ["SELECT `abs`(1), abs (1)", "read"],
  ["SELECT 1 /* f(1) */ -- f(2)\n", "read"],
  ["SELECT 'f(1)', 'a@b', \"x:=1\"", "read"],
  ["SELECT f/**/(1)", "calls"],
  ["SELECT f -- x\n(1)", "calls"],
  ["SELECT a@b.net", "read"],
  ["GRANT SELECT ON t TO 'u'@'%', u@h.net", "endsTransaction"],
  ["DO SLEEP(1)", "read"],
  ["DO f(1)", "calls"],
  ["KILL 5", ""],
  ["HELP 'x'", "read"],
  ["EXPLAIN SELECT f(1)", "calls"],
  ["EXPLAIN UPDATE t SET a = 1", ""],
  ["DESCRIBE t", "read"],
  ["CHECKSUM TABLE t", "read"],
  ["ANALYZE TABLE t", "endsTransaction"],
  ["ANALYZE FORMAT=JSON UPDATE t SET a = @x", "?userVariables"],
  ["ANALYZE SELECT f(1)", "calls"],
  ["SHOW TABLES", "read"],
  ["SHOW TABLES WHERE f(1)", "calls"],
  ["/* nothing */", "read"],
  ["-- nothing", "read"],
  [" ", "read"],
  [";", "read"],
  ["SELECT 1; SELECT 2;", "read"],
  ["SELECT 1; UPDATE t SET a = 1", ""],
  ["DELIMITER //", "unknown"],
  ["5", "unknown"],
  ["'x'", "unknown"],
  ["x: BEGIN END", "unknown"],
  ["{ts '2020-01-01'}", "unknown"],
  ["?", "unknown"],
  ["BINLOG 'x'", "unknown"],
  ["SET RESOURCE GROUP g", "unknown"],
];

/** User variables, with their values where those are literals. */
export const USER_VARIABLES: readonly ClassifyRow[] = [
  ["SET @a = 1", "setsUserVariables @a=1"],
  [
    "set @A := -1.5e3, @`b c` = +2, @'d' = NULL, @\"e\" = true, @f = 0x41, @g = x'41', @h = b'01'",
    "setsUserVariables @a=-1.5e3 @b c=2 @d=NULL @e=TRUE @f=0x41 @g=x'41' @h=b'01'",
  ],
  [
    "SET @a = 'abc', @b = \"it's\", @c = 'a' 'b', @d = 'it\\'s', @e = 'it''s'",
    "setsUserVariables @a='abc'* @b='it''s'* @c='ab'* @d='it''s'* @e='it''s'*",
  ],
  [
    "SET @a = _utf8mb4'abc', @b = _latin1 X'41', @c = N'abc', @d = _binary 'x'",
    "setsUserVariables @a=_utf8mb4'abc' @b=_latin1 X'41' @c=N'abc' @d=_binary'x'",
  ],
  [
    "SET @a = 'a' COLLATE utf8mb4_bin, @b = _utf8mb4'a' COLLATE utf8mb4_bin, @c = 'a' COLLATE 'binary'",
    "setsUserVariables @a=_utf8mb4'a' COLLATE utf8mb4_bin @b=_utf8mb4'a' COLLATE utf8mb4_bin @c=_binary'a' COLLATE binary",
  ],
  [
    "SET @a = 'a' COLLATE utf16_bin, @b = 'a' COLLATE uca1400_ai_ci, @c = _utf8mb4 5, @d = 1 COLLATE x",
    "setsUserVariables @a @b @c @d",
  ],
  [
    "SET @a = '', @b = 'a\\\\b', @c = 'é', @d = DATE'2020-01-01', @e = (1), @f = 1 + 1, @g = - -1, @h = NOW()",
    "setsUserVariables @a @b @c @d @e @f @g @h",
  ],
  [
    "SET @a = @b, @c = @@session.sql_mode, @d = (SELECT 1, 2), @e = IF(1, 2, 3)",
    "setsUserVariables ?userVariables @a @c @d @e",
  ],
  ["SET @a = @b := 5", "setsUserVariables @b @a"],
  ["SELECT @a := 1, @b", "setsUserVariables ?userVariables @a"],
  ["SELECT@a", "read ?userVariables"],
  ["SELECT 1, 2 INTO @a, @b", "setsUserVariables @a @b"],
  ["SELECT 1 INTO @a FROM t WHERE b = @c", "setsUserVariables ?userVariables @a"],
  ["SELECT * FROM t WHERE a = @b AND @c = 5", "read ?userVariables"],
  ["EXPLAIN FORMAT=JSON INTO @a SELECT 1", "setsUserVariables @a"],
  ["DO @a := 1", "setsUserVariables @a"],
  ["CALL p(1, @a, @b + 1)", "setsUserVariables calls ?userVariables @a @b"],
  ["CALL s.p", "calls"],
  [
    "LOAD DATA INFILE 'x' INTO TABLE t (a, @b) SET c = @b + 1",
    "setsUserVariables loadsData ?userVariables @b @b",
  ],
  ["LOAD DATA LOCAL INFILE 'x' INTO TABLE t", "loadsData"],
  ["LOAD XML LOW_PRIORITY LOCAL INFILE 'x' INTO TABLE t", "loadsData"],
  ["LOAD INDEX INTO CACHE t", "endsTransaction"],
  ["GET DIAGNOSTICS @a = NUMBER", "setsUserVariables ?diagnostics ?diagnosticsArea @a"],
  [
    "GET CURRENT DIAGNOSTICS CONDITION 1 @a = MESSAGE_TEXT",
    "setsUserVariables ?diagnostics ?diagnosticsArea @a",
  ],
  ["SET @sluice_server = 's1'", "setsUserVariables @sluice_server='s1'*"],
];

/** System variables, roles, accounts. */
const SYSTEM_VARIABLES: readonly ClassifyRow[] = [
  ["SET autocommit = 0", "setsSystemVariables endsTransaction setsSystemVariables(autocommit)"],
  [
    "SET SESSION sql_mode = '', GLOBAL max_connections = 5, LOCAL wait_timeout = 6",
    "setsSystemVariables setsSystemVariables(sql_mode) setsSystemVariables(wait_timeout)",
  ],
  [
    "SET @@session.sql_mode = '', @@global.x = 1, @@local.y = 2, @@persist.z = 3",
    "setsSystemVariables setsSystemVariables(sql_mode) setsSystemVariables(y)",
  ],
  [
    "SET @@sql_mode = ''",
    "setsSystemVariables setsUnreported setsSystemVariables(sql_mode) setsUnreported(sql_mode)",
  ],
  [
    "SET @@`sql_mode` = '', @@session . a = 1",
    "setsSystemVariables setsUnreported setsSystemVariables(sql_mode) setsUnreported(sql_mode) setsSystemVariables(a)",
  ],
  ["SET PERSIST x = 1", ""],
  ["SET GLOBAL c.key_buffer_size = 1", ""],
  [
    "SET NAMES utf8mb4",
    "setsSystemVariables setsSystemVariables(character_set_client) setsSystemVariables(character_set_connection) setsSystemVariables(character_set_results) setsSystemVariables(collation_connection)",
  ],
  [
    "SET CHARACTER SET latin1, @a = 1",
    "setsUserVariables setsSystemVariables @a=1 setsSystemVariables(character_set_client) setsSystemVariables(character_set_connection) setsSystemVariables(character_set_results) setsSystemVariables(collation_connection)",
  ],
  ["SET global = 5", "setsSystemVariables setsSystemVariables(global)"],
  [
    "SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ ONLY",
    "setsSystemVariables setsSystemVariables(transaction_isolation) setsSystemVariables(transaction_read_only)",
  ],
  ["SET GLOBAL TRANSACTION READ ONLY", ""],
  ["SET TRANSACTION READ ONLY", "setsNextTransaction"],
  ["SET @@transaction_isolation = 'SERIALIZABLE', @@tx_read_only = 1", "setsNextTransaction"],
  [
    "SET transaction_isolation = 'SERIALIZABLE', @@session.tx_read_only = 1",
    "setsSystemVariables setsSystemVariables(transaction_isolation) setsSystemVariables(tx_read_only)",
  ],
  [
    "SET timestamp = 5, insert_id = 6, @@rand_seed1 = 7",
    "setsSystemVariables setsOneShot setsUnreported setsSystemVariables(timestamp) setsOneShot(timestamp) setsSystemVariables(insert_id) setsOneShot(insert_id) setsSystemVariables(rand_seed1) setsUnreported(rand_seed1) setsOneShot(rand_seed1)",
  ],
  [
    "SET last_insert_id = 5",
    "setsSystemVariables setsOneShot setsLastInsertId setsSystemVariables(last_insert_id) setsOneShot(last_insert_id)",
  ],
  ["SET PASSWORD = 'x'", "endsTransaction changesAccount"],
  ["SET PASSWORD FOR u@h = 'x'", "endsTransaction changesAccount"],
  ["SET ROLE ALL", "setsRole setsRole(SET ROLE ALL)"],
  ["DO 1; SET ROLE `a`@'%' , b -- more\n; DO 2", "setsRole setsRole(SET ROLE `a`@'%' , b)"],
  ["SET DEFAULT ROLE r TO u", "endsTransaction changesAccount"],
  [
    "SET STATEMENT max_statement_time = 1, sql_mode = CONCAT('a', SUBSTRING('x' FROM 1 FOR 2)) FOR SELECT f(1)",
    "setsUnreported calls setsUnreported(max_statement_time) setsUnreported(sql_mode)",
  ],
  [
    "SET STATEMENT sort_buffer_size = 1 FOR SET @a = 1, b = 2",
    "setsUserVariables setsSystemVariables setsUnreported @a=1 setsUnreported(sort_buffer_size) setsSystemVariables(b)",
  ],
  ["SET a.b.c = 1", "setsSystemVariables setsSystemVariables(c)"],
  ["SET", "unknown"],
  ["SET 5", "unknown"],
];

/** Transactions and compound statements. */
export const TRANSACTIONS: readonly ClassifyRow[] = [
  ["BEGIN", "beginsTransaction endsTransaction unlocksTables"],
  ["begin work", "beginsTransaction endsTransaction unlocksTables"],
  [
    "START TRANSACTION READ ONLY, WITH CONSISTENT SNAPSHOT",
    "beginsTransaction endsTransaction unlocksTables",
  ],
  ["START SLAVE", "endsTransaction"],
  ["COMMIT", "endsTransaction"],
  ["COMMIT WORK AND NO CHAIN RELEASE", "endsTransaction"],
  ["ROLLBACK AND CHAIN NO RELEASE", "beginsTransaction endsTransaction"],
  ["ROLLBACK TO SAVEPOINT a", ""],
  ["ROLLBACK WORK TO a", ""],
  ["SAVEPOINT a", "setsSavepoint"],
  ["RELEASE SAVEPOINT a", ""],
  ["RELEASE x", "unknown"],
  ["XA START 'a'", "xa"],
  ["XA RECOVER", "read"],
  ["BEGIN NOT ATOMIC SET @a = 1; END", "calls ?userVariables"],
  ["IF 1 THEN SET @x = 1; END IF", "calls ?userVariables"],
];

/** Temporary tables, and statements that commit. */
const TABLES: readonly ClassifyRow[] = [
  ["CREATE TEMPORARY TABLE t (a INT, KEY k (a))", "createsTemporary createsTemporary(t)"],
  [
    "CREATE OR REPLACE TEMPORARY TABLE IF NOT EXISTS `s t`.`a``b` LIKE x",
    "createsTemporary createsTemporary(s t.a`b)",
  ],
  [
    "CREATE TEMPORARY TABLE t AS SELECT f(1), @a",
    "createsTemporary calls ?userVariables createsTemporary(t)",
  ],
  ["CREATE TEMPORARY SEQUENCE q", "createsTemporary createsTemporary(q)"],
  [
    "CREATE TABLE t (a INT DEFAULT (f(1)), KEY k (a)) SELECT @a := 1",
    "setsUserVariables endsTransaction @a",
  ],
  ["CREATE TABLE t (a VARCHAR(10))", "endsTransaction"],
  ["CREATE PROCEDURE p() BEGIN SET @a = 1; SELECT GET_LOCK('a', 1); END", "endsTransaction"],
  ["CREATE VIEW v AS SELECT f(@a)", "endsTransaction"],
  ["CREATE DEFINER=u@h TRIGGER g BEFORE INSERT ON t FOR EACH ROW SET @a = f(1)", "endsTransaction"],
  ["CREATE USER u IDENTIFIED BY 'x'", "endsTransaction changesAccount"],
  ["DROP TABLE a, s.b", "endsTransaction dropsTemporary dropsTemporary(a) dropsTemporary(s.b)"],
  ["DROP TEMPORARY TABLE IF EXISTS a", "dropsTemporary dropsTemporary(a)"],
  ["DROP SEQUENCE a", "endsTransaction dropsTemporary dropsTemporary(a)"],
  ["DROP TEMPORARY SEQUENCE a", "dropsTemporary dropsTemporary(a)"],
  ["DROP DATABASE d", "endsTransaction"],
  ["DROP USER u", "endsTransaction changesAccount"],
  ["DROP VIEW v", "endsTransaction"],
  ["ALTER TABLE a RENAME b", "endsTransaction dropsTemporary dropsTemporary(a to b)"],
  [
    "ALTER IGNORE TABLE s.a ADD x INT, RENAME TO s.b, ADD y ENUM('a', 'rename x')",
    "endsTransaction dropsTemporary dropsTemporary(s.a to s.b)",
  ],
  ["ALTER TABLE a RENAME COLUMN b TO c, RENAME INDEX i TO j", "endsTransaction"],
  ["ALTER TABLE a ADD COLUMN `rename` INT", "endsTransaction"],
  ["ALTER USER u IDENTIFIED BY 'x'", "endsTransaction changesAccount"],
  ["ALTER SESSION SET x = 1", "endsTransaction unknown"],
  ["ALTER PROCEDURE p COMMENT '@a'", "endsTransaction"],
  ["RENAME TABLE a TO b, s.c TO d", "endsTransaction"],
  ["RENAME USER a TO b", "endsTransaction changesAccount"],
  ["TRUNCATE t", "endsTransaction"],
  ["GRANT SELECT ON t TO u IDENTIFIED BY 'x'", "endsTransaction changesAccount"],
  ["REVOKE ALL ON t FROM u", "endsTransaction"],
  ["OPTIMIZE TABLE t", "endsTransaction"],
];

/** Locks and handlers. */
const LOCKS: readonly ClassifyRow[] = [
  ["LOCK TABLES t READ, u AS v WRITE", "endsTransaction locksTables unlocksTables"],
  ["LOCK INSTANCE FOR BACKUP", "locksServer locksServer(instance)"],
  ["LOCK x", "unknown"],
  ["UNLOCK TABLES", "endsTransaction unlocksTables unlocksServer unlocksServer(tables)"],
  ["UNLOCK INSTANCE", "unlocksServer unlocksServer(instance)"],
  ["FLUSH TABLES WITH READ LOCK", "endsTransaction locksServer locksServer(tables)"],
  ["FLUSH LOCAL TABLES a, b WITH READ LOCK", "endsTransaction locksTables unlocksTables"],
  ["FLUSH TABLES a FOR EXPORT", "endsTransaction locksTables unlocksTables"],
  ["FLUSH TABLES", "endsTransaction"],
  ["FLUSH LOGS", "endsTransaction"],
  ["BACKUP STAGE START", "endsTransaction locksServer locksServer(stage)"],
  ["BACKUP STAGE END", "endsTransaction unlocksServer unlocksServer(stage)"],
  ["BACKUP LOCK t", "endsTransaction locksServer locksServer(backup)"],
  ["BACKUP UNLOCK", "endsTransaction unlocksServer unlocksServer(backup)"],
  ["HANDLER t OPEN", "opensHandler opensHandler(t)"],
  ["HANDLER s.t OPEN AS a", "opensHandler opensHandler(a)"],
  ["HANDLER t READ FIRST WHERE a = f(1)", "calls"],
  ["HANDLER t CLOSE", "closesHandler closesHandler(t)"],
  [
    "SELECT GET_LOCK('a', 1), GET_LOCK(CONCAT('a', 'b'), 1), GET_LOCK('a' 'b', 1), GET_LOCK(@a, 1)",
    "getsLock ?userVariables getsLock(a) getsLock(?) getsLock(?) getsLock(?)",
  ],
  ["SELECT get_lock ('a', 1) FROM DUAL", "getsLock getsLock(a)"],
  ["SELECT `GET_LOCK`('a', 1) FROM t", "getsLock getsLock(?)"],
  ["DO RELEASE_LOCK('a')", "releasesLock releasesLock(a)"],
  ["SELECT RELEASE_ALL_LOCKS(), IS_FREE_LOCK('a')", "releasesLock releasesLock(*)"],
  [
    "SELECT 1, RELEASE_LOCK('a') AS n, RELEASE_LOCK ('b')",
    "releasesLock releasesLock(a) releasesLock(b)",
  ],
  ["SELECT RELEASE_LOCK('a') AND 0", "releasesLock releasesLock(a)"],
  ["SELECT 0 AND RELEASE_LOCK('a')", "releasesLock releasesLock(?)"],
  ["SELECT 1 || RELEASE_LOCK('a')", "releasesLock releasesLock(?)"],
  ["SELECT IF(@a, RELEASE_LOCK('a'), 0)", "releasesLock ?userVariables releasesLock(?)"],
  ["SELECT IF(@a, 1, RELEASE_ALL_LOCKS())", "releasesLock ?userVariables releasesLock(?)"],
  ["SELECT CASE WHEN 0 THEN RELEASE_LOCK('a') END", "releasesLock releasesLock(?)"],
  ["SELECT RELEASE_LOCK('a') LIMIT 0", "releasesLock releasesLock(?)"],
  ["SELECT RELEASE_LOCK('a') FROM dual WHERE 0", "releasesLock releasesLock(?)"],
  ["SELECT RELEASE_ALL_LOCKS() HAVING 0", "releasesLock releasesLock(?)"],
  ["SELECT RELEASE_ALL_LOCKS() FROM t", "releasesLock releasesLock(?)"],
  ["EXPLAIN SELECT RELEASE_LOCK('a')", "releasesLock releasesLock(?)"],
  ["SET @b = IF(0, RELEASE_LOCK('a'), 0)", "setsUserVariables releasesLock @b releasesLock(?)"],
  [
    "SELECT GET_LOCK('a', 0), IF(0, RELEASE_LOCK('a'), 0)",
    "getsLock releasesLock getsLock(a) releasesLock(?)",
  ],
  ["SELECT BENCHMARK(2, GET_LOCK('a', 1))", "getsLock getsLock(?)"],
  ["SELECT IS_USED_LOCK('a')", "read ?connectionId"],
];

/** What was before in the session. */
export const FACTS: readonly ClassifyRow[] = [
  ["SELECT LAST_INSERT_ID(), @@last_insert_id, @@session.identity", "read ?lastInsertId"],
  ["SELECT LAST_INSERT_ID(5)", "setsLastInsertId"],
  ["UPDATE t SET a = LAST_INSERT_ID(a + 1)", "setsLastInsertId"],
  ["SELECT ROW_COUNT(), FOUND_ROWS()", "read ?rowCount ?foundRows"],
  ["SELECT SQL_CALC_FOUND_ROWS * FROM t LIMIT 1", "read calculatesFoundRows"],
  ["SELECT CONNECTION_ID(), @@pseudo_thread_id", "read ?connectionId"],
  ["SELECT @@warning_count, @@local.error_count", "read ?diagnostics"],
  ["SELECT @@session . last_insert_id", "read ?lastInsertId"],
  ["SHOW WARNINGS", "read ?diagnostics"],
  ["SHOW COUNT(*) ERRORS", "read ?diagnostics"],
  ["SHOW PROFILE", "read ?profiles"],
  ["SELECT @@last_gtid", "read ?lastGtid"],
  ["SELECT NEXT VALUE FOR s, PREVIOUS VALUE FOR s", "usesSequence ?sequence"],
  ["SELECT s.nextval, s.currval", "usesSequence ?sequence"],
  ["SELECT value FOR", "read"],
];

/** Prepared statements. */
const PREPARED: readonly ClassifyRow[] = [
  ["PREPARE s FROM 'SELECT f(1)'", "prepares prepares(s)"],
  ["PREPARE `s` FROM @a", "prepares ?userVariables prepares(s)"],
  ["EXECUTE s", "executes executes(s)"],
  ["EXECUTE s USING @a, @b", "executes ?userVariables executes(s)"],
  ["EXECUTE immediate", "executes executes(immediate)"],
  ["EXECUTE IMMEDIATE 'SET @a = ''x''; '", "setsUserVariables executes @a='x'* executes(?)"],
  ["EXECUTE IMMEDIATE 'SELECT ?' USING @b", "executes ?userVariables executes(?)"],
  ["EXECUTE IMMEDIATE @a", "executes unknown ?userVariables executes(?)"],
  ["EXECUTE IMMEDIATE 'SELECT ' 'f(1)'", "executes unknown executes(?)"],
  ["EXECUTE IMMEDIATE CONCAT('SELECT ', f(1))", "executes calls unknown executes(?)"],
  ["DEALLOCATE PREPARE s", "deallocates deallocates(s)"],
  ["DROP PREPARE s", "deallocates deallocates(s)"],
];

/** Comments, and several statements. */
const TEXTS: readonly ClassifyRow[] = [
  ["/* sluice: server=s1 */ SELECT 1", "read server=s1"],
  ["SELECT 1 /*SLUICE : Server = 127.0.0.1:3306*/", "read server=127.0.0.1:3306"],
  ["SELECT 1 /* sluice: server=a */ /* sluice: server=b */", "read server=b"],
  ["SELECT '/* sluice: server=a */'", "read"],
  ["SELECT 1 /*+ sluice: server=a */", "read"],
  ["CREATE PROCEDURE p() /* sluice: server=a */ SELECT 1", "endsTransaction server=a"],
  ["/*!50000 SET @a = 1 */", "setsUserVariables @a=1"],
  ["/*!999999 SET @a = 1 */", "read"],
  ["/*M!100100 SET @a = 1 */", "setsUserVariables @a=1"],
  ["SELECT /*!50000 GET_LOCK*/('a', 1)", "getsLock getsLock(a)"],
  ["USE `a b`", "usesSchema usesSchema(a b)"],
  [
    "SET sql_mode = 'ANSI_QUOTES'; SELECT \"a\"",
    "setsSystemVariables unknown setsSystemVariables(sql_mode)",
  ],
  [
    "SET @a = 1; CREATE TEMPORARY TABLE t (a INT); DROP TABLE t; SELECT @a",
    "setsUserVariables endsTransaction createsTemporary dropsTemporary ?userVariables @a=1 createsTemporary(t) dropsTemporary(t)",
  ],
];

/** All of them, by what they show. */
export const ROWS: readonly (readonly [title: string, rows: readonly ClassifyRow[]])[] = [
  ["Statements do what is in their expressions; unknown ones do anything", EXPRESSIONS],
  ["User variables are found with the literals that they get", USER_VARIABLES],
  ["System variables, roles and passwords are told apart", SYSTEM_VARIABLES],
  ["Transactions begin and end", TRANSACTIONS],
  ["Temporary tables come and go, and other tables commit", TABLES],
  ["Locks and handlers have names", LOCKS],
  ["Questions about what was before are found", FACTS],
  ["Prepared statements have names, and texts that run at once are read", PREPARED],
  ["Comments can name a server, and several statements count as one", TEXTS],
];

export const ALL_ROWS: readonly ClassifyRow[] = ROWS.flatMap(([, rows]) => rows);

/** What is found, in one line. */
export function describe(classified: Classified): string {
  const { effects, asks, userVariables, names, server, isRead } = classified;
  return [
    ...(isRead ? ["read"] : []),
    ...namesOf(Effect, effects),
    ...namesOf(Ask, asks).map((name) => `?${name}`),
    ...userVariables.map(({ name, literal, takesConnectionCharset }) =>
      `@${name}${literal === undefined ? "" : `=${literal}`}${takesConnectionCharset ? "*" : ""}`
    ),
    ...names.map((named) => {
      const [effect] = namesOf(Effect, named.effect);
      const renamedTo = named.renamedTo === undefined ? "" : ` to ${tableOf(named.renamedTo)}`;
      return `${effect}(${
        named.all ? "*" : tableOf({ schema: named.schema, name: named.name ?? "?" })
      }${renamedTo})`;
    }),
    ...(server === undefined ? [] : [`server=${server}`]),
  ].join(" ");
}

function tableOf({ schema, name }: TableName): string {
  return schema === undefined ? name : `${schema}.${name}`;
}

function namesOf(bits: Readonly<Record<string, number>>, value: number): string[] {
  return Object.entries(bits).filter(([, bit]) => (value & bit) !== 0).map(([name]) => name);
}
