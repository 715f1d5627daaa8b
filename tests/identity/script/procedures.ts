/** Stored programs, several results to one request, users. */
import { fails, type Line, needs, on } from "../step.ts";
import { Capability } from "../../../src/protocol/constants.ts";
import { SCHEMA } from "./script.ts";

const { MULTI_STATEMENTS } = Capability;

function several(...lines: Line[]): Line {
  return needs({ capabilities: MULTI_STATEMENTS }, ...lines);
}

/** A user of its own, so that runs next to others stay apart. */
const USER = "identity_made@'%'";

export const procedures: readonly Line[] = [
  "CREATE PROCEDURE two_results() BEGIN SELECT n FROM numbers ORDER BY n; SELECT 'x' AS x; END",
  "CREATE PROCEDURE with_out(IN a INT, OUT b INT, INOUT c VARCHAR(20)) " +
  "BEGIN SELECT a AS a; SET b = a + 1; SET c = CONCAT(c, '!'); END",
  "CREATE PROCEDURE out_only(OUT a INT, OUT b VARCHAR(20), OUT c DECIMAL(5,2)) " +
  "BEGIN SET a = 1, b = NULL, c = 1.5; END",
  "CREATE PROCEDURE no_result() BEGIN UPDATE numbers SET big = 7 WHERE n = 2; END",
  "CREATE PROCEDURE fails_late() BEGIN SELECT 1; SELECT * FROM absent; END",
  "CREATE PROCEDURE handled() BEGIN DECLARE CONTINUE HANDLER FOR SQLEXCEPTION SELECT 'handled' AS h; " +
  "INSERT INTO numbers VALUES (1, 'again', 1); SELECT 'behind' AS b; END",
  "CREATE PROCEDURE looping(IN most INT) BEGIN DECLARE i INT DEFAULT 0; WHILE i < most DO SELECT i; SET i = i + 1; END WHILE; END",
  "CREATE PROCEDURE walking() BEGIN DECLARE done INT DEFAULT 0; DECLARE v INT; DECLARE c CURSOR FOR SELECT n FROM numbers ORDER BY n; " +
  "DECLARE CONTINUE HANDLER FOR NOT FOUND SET done = 1; OPEN c; " +
  "again: LOOP FETCH c INTO v; IF done THEN LEAVE again; END IF; SELECT v; END LOOP; CLOSE c; END",
  fails("CREATE PROCEDURE no_result() BEGIN END"),
  "CREATE FUNCTION doubled(a INT) RETURNS INT DETERMINISTIC RETURN a * 2",
  "SELECT doubled(21)",
  fails("SELECT doubled()"),
  "CALL two_results()",
  "CALL no_result()",
  "SET @c = 'c'",
  "CALL with_out(1, @b, @c)",
  "SELECT @b, @c",
  fails("CALL with_out(1, 2, 3)"),
  fails("CALL with_out(1)"),
  "CALL out_only(@a, @b, @c)",
  "SELECT @a, @b, @c",
  fails("CALL fails_late()"),
  "CALL handled()",
  "CALL looping(0)",
  "CALL looping(40)",
  "CALL walking()",
  "CREATE FUNCTION with_cursor() RETURNS INT READS SQL DATA BEGIN DECLARE v INT; " +
  "DECLARE c CURSOR FOR SELECT n FROM numbers ORDER BY n; OPEN c; FETCH c INTO v; RETURN v; END",
  "SELECT with_cursor()",
  "SELECT n FROM numbers WHERE n = with_cursor()",
  "SHOW CREATE PROCEDURE two_results",
  "SHOW CREATE FUNCTION doubled",
  on("mariadb mysql", `SHOW PROCEDURE STATUS WHERE Db = '${SCHEMA}'`),
  "CREATE TABLE log_of_parent (id INT, what VARCHAR(20))",
  "CREATE TRIGGER after_parent AFTER INSERT ON parent FOR EACH ROW INSERT INTO log_of_parent VALUES (NEW.id, 'made')",
  "INSERT INTO parent (name) VALUES ('with trigger')",
  "SELECT what FROM log_of_parent",
  on("mariadb mysql", "SHOW TRIGGERS LIKE 'parent'"),
  on("mariadb mysql", "SHOW CREATE TRIGGER after_parent"),
  on(
    "mariadb mysql",
    "CREATE TRIGGER refusing BEFORE DELETE ON parent FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'kept'",
    fails("DELETE FROM parent WHERE name = 'with trigger'"),
    "DROP TRIGGER refusing",
  ),
  "DROP TRIGGER after_parent",
  fails("DROP TRIGGER after_parent"),
  on(
    "mariadb mysql",
    "CREATE EVENT sleepy ON SCHEDULE EVERY 1 YEAR STARTS '2037-01-01 00:00:00' DISABLE COMMENT 'grün' DO SELECT 1",
    "SHOW CREATE EVENT sleepy",
    "SHOW EVENTS",
    "ALTER EVENT sleepy RENAME TO still_sleepy",
    "DROP EVENT still_sleepy",
    fails("DROP EVENT still_sleepy"),
  ),
  several(
    "SELECT 1; SELECT n FROM numbers ORDER BY n; SELECT 2 FROM DUAL WHERE 1 = 0",
    "SET @x = 1; SELECT @x; INSERT INTO loaded VALUES (1, 'several'); SELECT ROW_COUNT()",
    "INSERT INTO loaded VALUES (2, 'a'); UPDATE loaded SET b = 'b'; DELETE FROM loaded",
    fails("SELECT 1; SELECT * FROM absent; SELECT 2"),
    fails("SELECT 1; SELEC 2; SELECT 3"),
    fails("SELECT 1; SELECT n, 9223372036854775806 + n FROM numbers; SELECT 2"),
    "CALL two_results(); SELECT 3",
    "SELECT 0; CALL no_result(); CALL with_out(5, @b, @c)",
    "BEGIN; SELECT 1; COMMIT; SELECT 2",
    `USE ${SCHEMA}; SELECT DATABASE()`,
    "SELECT 1; SELECT 2; ",
    Array.from({ length: 100 }, (_, index) => `SELECT ${index}`).join("; "),
    Array.from({ length: 40 }, (_, index) => `SET @v${index} = ${index}`).join("; "),
    "SELECT 1 /* ; */; SELECT ';' -- ;",
  ),
  fails("SELECT 1;; SELECT 2"),
  "PREPARE by_text FROM 'SELECT n, word FROM numbers WHERE n > ? ORDER BY n'",
  "SET @least = 1",
  "EXECUTE by_text USING @least",
  fails("EXECUTE by_text"),
  "DEALLOCATE PREPARE by_text",
  on("mariadb", "EXECUTE IMMEDIATE 'SELECT ? AS given' USING 5"),
  on("mariadb", "BEGIN NOT ATOMIC DECLARE i INT DEFAULT 1; SELECT i; SELECT i + 1; END"),
  on(
    "mariadb",
    "CREATE SEQUENCE counting START WITH 5",
    "SELECT NEXT VALUE FOR counting",
    "DROP SEQUENCE counting",
  ),
  on("mariadb", "SET STATEMENT sql_mode = 'ANSI_QUOTES' FOR SELECT 1 AS \"quoted\""),
  `CREATE USER ${USER} IDENTIFIED BY 'secret'`,
  fails(`CREATE USER ${USER} IDENTIFIED BY 'secret'`),
  `GRANT SELECT, INSERT ON ${SCHEMA}.* TO ${USER}`,
  `SHOW GRANTS FOR ${USER}`,
  `REVOKE INSERT ON ${SCHEMA}.* FROM ${USER}`,
  `DROP USER ${USER}`,
  "FLUSH PRIVILEGES",
];
