/** Statements that have semicolons of their own, and statements that only look like it. */

/** What a server must be to take the statement. */
export type Taker = "both" | "mariadb" | "mysql";

/** Each is one statement; `t` is a table with a column `a`. */
export const COMPOUNDS: readonly (readonly [text: string, taker: Taker])[] = [
  ["CREATE PROCEDURE p() BEGIN END", "both"],
  ["CREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; END", "both"],
  ["create procedure test.`p`(in `a` int) comment 'begin' l: begin select a; end l", "both"],
  ["CREATE OR REPLACE PROCEDURE p() BEGIN SELECT 1; END", "mariadb"],
  [
    "CREATE PROCEDURE p() IF 1 THEN SELECT 1; ELSEIF 2 THEN SELECT 2; ELSE SELECT 3; END IF",
    "both",
  ],
  ["CREATE PROCEDURE p() CASE 1 WHEN 1 THEN SELECT 1; ELSE SELECT 2; END CASE", "both"],
  ["CREATE PROCEDURE p() l: LOOP LEAVE l; END LOOP l", "both"],
  ["CREATE PROCEDURE p() REPEAT SELECT 1; UNTIL 1 END REPEAT", "both"],
  [
    "CREATE PROCEDURE p() REPEAT SET @x = 1; UNTIL CASE 1 WHEN 1 THEN 1 END END REPEAT",
    "both",
  ],
  ["CREATE PROCEDURE p() WHILE @x DO SET @x = 0; DO 1; END WHILE", "both"],
  ["CREATE PROCEDURE p() BEGIN FOR i IN 1..3 DO SELECT i; END FOR; END", "mariadb"],
  ["CREATE PROCEDURE p() BEGIN BEGIN NOT ATOMIC SELECT 1; END; BEGIN END; END", "mariadb"],
  [
    "CREATE PROCEDURE p() BEGIN DECLARE EXIT HANDLER FOR NOT FOUND, SQLSTATE VALUE '42000', 1234 " +
    "BEGIN SELECT 1; END; DECLARE CONTINUE HANDLER FOR SQLEXCEPTION SELECT 2; SELECT 3; END",
    "both",
  ],
  [
    "CREATE PROCEDURE p() BEGIN DECLARE x CONDITION FOR 1234; DECLARE c CURSOR FOR SELECT 1; " +
    "DECLARE EXIT HANDLER FOR x IF 1 THEN SELECT 2; END IF; OPEN c; CLOSE c; END",
    "both",
  ],
  ["CREATE PROCEDURE p() BEGIN DECLARE end INT; SELECT end; SELECT 1 end; END", "both"],
  ["CREATE PROCEDURE p() BEGIN SELECT 1 begin, 2 `case`, t.a FROM t; END", "both"],
  ["CREATE PROCEDURE p() BEGIN XA BEGIN 'x'; XA END 'x'; END", "both"],
  ["CREATE PROCEDURE p() BEGIN DROP TABLE IF EXISTS nope; SELECT IF(1, 2, 3); END", "both"],
  ["CREATE PROCEDURE p() BEGIN SELECT CASE WHEN 1 THEN CASE 2 WHEN 3 THEN 4 END END; END", "both"],
  [
    "CREATE PROCEDURE p() BEGIN CASE 1 WHEN 1 THEN BEGIN SELECT 1; END; END CASE; " +
    "IF CASE 1 WHEN 1 THEN 1 ELSE 2 END THEN BEGIN END; END IF; END",
    "both",
  ],
  ["CREATE PROCEDURE p() /* BEGIN */ BEGIN -- END; \n SELECT 'END;'; # END\nEND", "both"],
  [
    "/*!50003 CREATE*/ /*!50020 DEFINER=`root`@`%`*/ /*!50003 PROCEDURE p() BEGIN SELECT 1; END */",
    "both",
  ],
  [
    "CREATE DEFINER = root@'%' FUNCTION IF NOT EXISTS f(a INT, b CHAR(3)) RETURNS INT NO SQL " +
    "BEGIN DECLARE x INT DEFAULT CASE a WHEN 1 THEN 2 END; RETURN x; END",
    "both",
  ],
  [
    "CREATE FUNCTION f() RETURNS SET('a','b') CHARACTER SET utf8mb4 NO SQL BEGIN RETURN 'a'; END",
    "both",
  ],
  [
    "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW BEGIN " +
    "IF NEW.a THEN SET @x = 1; ELSE BEGIN END; END IF; END",
    "both",
  ],
  [
    "CREATE EVENT e ON SCHEDULE EVERY 1 DAY STARTS NOW() + INTERVAL 1 DAY COMMENT 'DO' " +
    "DO BEGIN SELECT 1; END",
    "both",
  ],
  ["BEGIN NOT ATOMIC SET @x = 1; SET @y = 2; END", "mariadb"],
  ["IF 1 THEN SET @x = 1; END IF", "mariadb"],
  [
    "CREATE FUNCTION f(a INT) RETURNS INT LANGUAGE JAVASCRIPT AS $$ let b = a; return b; $$",
    "mysql",
  ],
  ["CREATE FUNCTION f() RETURNS INT LANGUAGE JAVASCRIPT AS $x$ $$; return 1; $x$", "mysql"],
];

/** No compound body: each is one statement without a semicolon of its own. */
export const SIMPLE: readonly string[] = [
  "CREATE PROCEDURE p() SELECT IF(1, 2, 3)",
  "CREATE FUNCTION f() RETURNS INT NO SQL RETURN CASE WHEN 1 THEN 2 ELSE 3 END",
  "CREATE FUNCTION f() RETURNS SET('a','b') NO SQL RETURN IF(1, 'a', 'b')",
  "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW SET NEW.a = CASE WHEN 1 THEN 2 END",
  "CREATE DEFINER = CURRENT_USER() SQL SECURITY DEFINER VIEW v AS SELECT CASE WHEN 1 THEN 2 END",
  "CREATE TABLE IF NOT EXISTS t2 (`begin` INT)",
  "SELECT CASE WHEN 1 THEN 2 END",
  "DROP TABLE IF EXISTS nope",
  "BEGIN",
  "BEGIN WORK",
  "START TRANSACTION",
];
