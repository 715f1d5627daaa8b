/** What the table of effects says of servers, as statements and what must be true behind them. */

export type ServerName = "mariadb" | "mysql";

export interface Claim {
  readonly claim: string;
  /** Where it holds; everywhere unless given. */
  readonly on?: ServerName;
  /** Run one after the other; an error does not stop them. */
  readonly run: readonly string[];
  /**
   * The last statement and what it gives: values of the first row, a number of an error, `ok`, or
   * for `status` whether the reply before says that the session is in a transaction.
   */
  readonly probe: readonly [sql: string, expected: string];
}

/** What all claims find, and may change. */
export const CLAIM_TABLES = [
  "DROP DATABASE IF EXISTS d",
  "DROP TABLE IF EXISTS t, u, w",
  "CREATE TABLE t (a INT PRIMARY KEY, b INT)",
  "CREATE TABLE u (a INT PRIMARY KEY, b INT)",
  "INSERT INTO t VALUES (1, 1), (2, 2)",
];

/** 1 if the transaction around was rolled back. */
const ROLLED_BACK = ["ROLLBACK", "SELECT COUNT(*) FROM u"];

const TEMPORARY: readonly Claim[] = [
  {
    claim: "A temporary table survives ROLLBACK",
    run: ["BEGIN", "CREATE TEMPORARY TABLE w (a INT)", "ROLLBACK"],
    probe: ["SELECT COUNT(*) FROM w", "0"],
  },
  {
    claim: "A temporary table survives DROP DATABASE",
    run: ["CREATE DATABASE d", "CREATE TEMPORARY TABLE d.w (a INT)", "DROP DATABASE d"],
    probe: ["SELECT COUNT(*) FROM d.w", "0"],
  },
  {
    claim: "CREATE and DROP TEMPORARY TABLE do not commit",
    run: [
      ...["BEGIN", "INSERT INTO u VALUES (1, 1)", "CREATE TEMPORARY TABLE w AS SELECT 1 x"],
      ...["DROP TEMPORARY TABLE w", ROLLED_BACK[0]!],
    ],
    probe: [ROLLED_BACK[1]!, "0"],
  },
  ...["DROP TABLE w", "ALTER TABLE w ADD x INT", "TRUNCATE w", "CREATE INDEX i ON w (a)"].map(
    (statement): Claim => ({
      claim: `${statement} commits for a temporary table, too`,
      run: [
        ...["CREATE TEMPORARY TABLE w (a INT)", "BEGIN", "INSERT INTO u VALUES (1, 1)", statement],
        ROLLED_BACK[0]!,
      ],
      probe: [ROLLED_BACK[1]!, "1"],
    }),
  ),
  {
    claim: "DROP TABLE takes the temporary table first",
    run: ["CREATE TEMPORARY TABLE t (c INT)", "DROP TABLE t"],
    probe: ["SELECT COUNT(*) FROM t", "2"],
  },
  {
    claim: "ALTER TABLE renames a temporary table",
    run: ["CREATE TEMPORARY TABLE w (a INT)", "ALTER TABLE w RENAME w2"],
    probe: ["SELECT COUNT(*) FROM w2", "0"],
  },
  {
    claim: "RENAME TABLE renames a temporary table",
    on: "mariadb",
    run: ["CREATE TEMPORARY TABLE w (a INT)", "RENAME TABLE w TO w2"],
    probe: ["SELECT COUNT(*) FROM w2", "0"],
  },
  {
    claim: "RENAME TABLE is for other tables only",
    on: "mysql",
    run: ["CREATE TEMPORARY TABLE t (c INT)", "RENAME TABLE t TO w"],
    probe: ["SELECT COUNT(*) FROM t", "0"],
  },
  {
    claim: "A DROP that fails has dropped what is there",
    on: "mariadb",
    run: ["CREATE TEMPORARY TABLE w (a INT)", "DROP TEMPORARY TABLE w, nope"],
    probe: ["SELECT COUNT(*) FROM w", "1146"],
  },
  {
    claim: "A DROP that fails has dropped nothing",
    on: "mysql",
    run: ["CREATE TEMPORARY TABLE w (a INT)", "DROP TEMPORARY TABLE w, nope"],
    probe: ["SELECT COUNT(*) FROM w", "0"],
  },
];

const LOCKED = "SELECT COUNT(*) FROM u";
const NOT_LOCKED = "1100";

const LOCKING: readonly Claim[] = [
  ...["COMMIT", "ROLLBACK", "SET autocommit = 1", "ALTER TABLE t ADD c INT", "DO 1"].map(
    (statement): Claim => ({
      claim: `${statement} leaves tables locked`,
      run: ["LOCK TABLES t WRITE", statement],
      probe: [LOCKED, NOT_LOCKED],
    }),
  ),
  ...["BEGIN", "START TRANSACTION", "UNLOCK TABLES", "LOCK TABLES u READ", "DROP TABLE t"].map(
    (statement): Claim => ({
      claim: `${statement} ends LOCK TABLES`,
      run: ["LOCK TABLES t WRITE", statement],
      probe: [LOCKED, "0"],
    }),
  ),
  ...["FLUSH TABLES t WITH READ LOCK", "FLUSH TABLES t FOR EXPORT"].map((statement): Claim => ({
    claim: `${statement} locks as LOCK TABLES does`,
    run: [statement],
    probe: [LOCKED, NOT_LOCKED],
  })),
  {
    claim: "LOCK TABLES commits",
    run: [
      ...["BEGIN", "INSERT INTO u VALUES (1, 1)", "LOCK TABLES u WRITE"],
      ...["ROLLBACK", "UNLOCK TABLES"],
    ],
    probe: [LOCKED, "1"],
  },
  {
    claim: "UNLOCK TABLES does not commit where nothing is locked",
    run: ["BEGIN", "INSERT INTO u VALUES (1, 1)", "UNLOCK TABLES", "ROLLBACK"],
    probe: [LOCKED, "0"],
  },
  ...["BEGIN", "COMMIT", "LOCK TABLES t READ"].map((statement): Claim => ({
    claim: `${statement} leaves the read lock on all tables`,
    run: ["FLUSH TABLES WITH READ LOCK", statement, "BEGIN"],
    probe: ["INSERT INTO u VALUES (1, 1)", "1223"],
  })),
  {
    claim: "UNLOCK TABLES ends the read lock on all tables",
    run: ["FLUSH TABLES WITH READ LOCK", "UNLOCK TABLES"],
    probe: ["INSERT INTO u VALUES (1, 1)", "ok"],
  },
  ...["ROLLBACK", "UNLOCK TABLES", "COMMIT", "DO RELEASE_LOCK('a')"].map((statement): Claim => ({
    claim: `${statement} leaves a lock that GET_LOCK took twice`,
    run: ["BEGIN", "DO GET_LOCK('a', 0), GET_LOCK('a', 0)", statement],
    probe: ["SELECT IS_FREE_LOCK('a')", "0"],
  })),
  {
    claim: "Names of locks are the same in upper and lower case",
    on: "mysql",
    run: ["DO GET_LOCK('a', 0)"],
    probe: ["SELECT IS_FREE_LOCK('A')", "0"],
  },
  {
    claim: "Names of locks differ in upper and lower case",
    on: "mariadb",
    run: ["DO GET_LOCK('a', 0)"],
    probe: ["SELECT IS_FREE_LOCK('A')", "1"],
  },
  ...["DO RELEASE_LOCK('a')", "DO RELEASE_ALL_LOCKS()"].map((statement): Claim => ({
    claim: `${statement} ends GET_LOCK`,
    run: ["DO GET_LOCK('a', 0)", statement],
    probe: ["SELECT IS_FREE_LOCK('a')", "1"],
  })),
  ...[
    "SELECT IF(0, RELEASE_LOCK('a'), 0)",
    "SELECT 0 AND RELEASE_LOCK('a')",
    "SELECT RELEASE_LOCK('a') LIMIT 0",
    "SELECT RELEASE_ALL_LOCKS() FROM t WHERE 0",
    "EXPLAIN SELECT RELEASE_LOCK('a')",
  ].map((statement): Claim => ({
    claim: `${statement} releases nothing`,
    run: ["DO GET_LOCK('a', 0)", statement],
    probe: ["SELECT IS_FREE_LOCK('a')", "0"],
  })),
  {
    claim: "GET_LOCK runs in EXPLAIN",
    run: ["EXPLAIN SELECT * FROM (SELECT GET_LOCK('a', 0)) x"],
    probe: ["SELECT IS_FREE_LOCK('a')", "0"],
  },
  {
    claim: "Functions of the server have quoted names, too",
    run: ["DO `get_lock`('a', 0)"],
    probe: ["SELECT IS_FREE_LOCK('a')", "0"],
  },
  ...["COMMIT", "ROLLBACK", "BEGIN"].map((statement): Claim => ({
    claim: `${statement} leaves handlers open`,
    run: ["HANDLER t OPEN AS h", "HANDLER h READ FIRST", statement],
    probe: ["HANDLER h READ NEXT", "2,2"],
  })),
  {
    claim: "FLUSH TABLES leaves handlers open",
    run: ["HANDLER t OPEN AS h", "HANDLER h READ FIRST", "FLUSH TABLES"],
    probe: ["HANDLER h READ FIRST", "1,1"],
  },
  ...["ALTER TABLE t ADD c INT", "DROP TABLE t", "TRUNCATE t"].map((statement): Claim => ({
    claim: `${statement} closes its handlers`,
    run: ["HANDLER t OPEN", statement],
    probe: ["HANDLER t CLOSE", "1109"],
  })),
];

const IN_TRANSACTION: readonly Claim[] = [
  {
    claim: "SET autocommit = 1 does not end what BEGIN began",
    run: ["BEGIN", "SET autocommit = 1"],
    probe: ["status", "true"],
  },
  {
    claim: "With autocommit = 0, what uses a table begins a transaction",
    run: ["SET autocommit = 0", "SELECT * FROM t"],
    probe: ["status", "true"],
  },
  {
    claim: "With autocommit = 0, what uses no table begins none",
    run: ["SET autocommit = 0", "SELECT 1"],
    probe: ["status", "false"],
  },
  {
    claim: "XA END leaves the transaction",
    run: ["XA START 'x'", "INSERT INTO u VALUES (1, 1)", "XA END 'x'"],
    probe: ["status", "true"],
  },
  {
    claim: "XA PREPARE leaves the transaction in its session",
    on: "mariadb",
    run: ["XA START 'x'", "INSERT INTO u VALUES (1, 1)", "XA END 'x'", "XA PREPARE 'x'"],
    probe: ["status", "true"],
  },
  {
    claim: "XA PREPARE takes the transaction from its session",
    on: "mysql",
    run: ["XA START 'x'", "INSERT INTO u VALUES (1, 1)", "XA END 'x'", "XA PREPARE 'x'"],
    probe: ["status", "false"],
  },
  ...["SELECT * FROM t", "COMMIT", "SET SESSION TRANSACTION READ WRITE"].map(
    (statement): Claim => ({
      claim: `${statement} ends SET TRANSACTION`,
      run: ["SET TRANSACTION READ ONLY", statement],
      probe: ["INSERT INTO u VALUES (1, 1)", "ok"],
    }),
  ),
  {
    claim: "A SELECT without a table leaves SET TRANSACTION",
    run: ["SET TRANSACTION READ ONLY", "SELECT 1"],
    probe: ["INSERT INTO u VALUES (1, 1)", "1792"],
  },
  {
    claim: "COMMIT RELEASE closes the connection",
    run: ["COMMIT RELEASE"],
    probe: ["SELECT 1", "closed"],
  },
];

const FACTS: readonly Claim[] = [
  {
    claim: "ALTER DATABASE sets collation_database, where it is the selected one's",
    run: ["CREATE DATABASE d", "USE d", "ALTER DATABASE d COLLATE latin2_bin"],
    probe: ["SELECT @@collation_database", "latin2_bin"],
  },
  ...["SET @x = 1", "INSERT INTO u VALUES (1, 1)", "COMMIT", "USE test"].map(
    (statement): Claim => ({
      claim: `${statement} leaves FOUND_ROWS()`,
      run: ["SELECT SQL_CALC_FOUND_ROWS * FROM t LIMIT 1", statement],
      probe: ["SELECT FOUND_ROWS()", "2"],
    }),
  ),
  {
    claim: "DO leaves FOUND_ROWS()",
    on: "mariadb",
    run: ["SELECT SQL_CALC_FOUND_ROWS * FROM t LIMIT 1", "DO 1"],
    probe: ["SELECT FOUND_ROWS()", "2"],
  },
  {
    claim: "DO has found one row",
    on: "mysql",
    run: ["SELECT SQL_CALC_FOUND_ROWS * FROM t LIMIT 1", "DO 1"],
    probe: ["SELECT FOUND_ROWS()", "1"],
  },
  {
    claim: "SELECT FOUND_ROWS() is a SELECT",
    run: ["SELECT SQL_CALC_FOUND_ROWS * FROM t LIMIT 1", "SELECT FOUND_ROWS()"],
    probe: ["SELECT FOUND_ROWS()", "1"],
  },
  {
    claim: "SET, USE and PREPARE leave warnings",
    on: "mariadb",
    run: ["SELECT CAST('x' AS SIGNED)", "SET @x = 1", "USE test", "PREPARE s FROM 'SELECT 1'"],
    probe: ["SHOW COUNT(*) WARNINGS", "1"],
  },
  ...["SET @x = 1", "USE test", "PREPARE s FROM 'SELECT 1'"].map((statement): Claim => ({
    claim: `${statement} clears warnings`,
    on: "mysql",
    run: ["SELECT CAST('x' AS SIGNED)", statement],
    probe: ["SHOW COUNT(*) WARNINGS", "0"],
  })),
  {
    claim: "A PREPARE that fails takes the statement of that name away",
    run: ["PREPARE s FROM 'SELECT 1'", "PREPARE S FROM 'SELEC 1'"],
    probe: ["EXECUTE s", "1243"],
  },
  {
    claim: "LAST_INSERT_ID(expr) stays over what generates no id",
    run: ["SELECT LAST_INSERT_ID(77)", "INSERT INTO u VALUES (1, 1)"],
    probe: ["SELECT LAST_INSERT_ID(), @@identity", "77,77"],
  },
  {
    claim: "LASTVAL is the session's",
    on: "mariadb",
    run: ["CREATE TEMPORARY SEQUENCE w", "SELECT NEXTVAL(w)"],
    probe: ["SELECT PREVIOUS VALUE FOR w", "1"],
  },
  {
    claim: "SET STATEMENT ends with its statement",
    on: "mariadb",
    run: ["SET STATEMENT max_error_count = 5 FOR SET @x = @@max_error_count"],
    probe: ["SELECT @x, @@max_error_count", "5,64"],
  },
];

export const CLAIMS: readonly Claim[] = [...TEMPORARY, ...LOCKING, ...IN_TRANSACTION, ...FACTS];

/** A statement and what the server reports of it; see the test for the words. */
export interface Report {
  readonly on?: ServerName;
  /** Before it, not looked at. */
  readonly run?: readonly string[];
  readonly statement: string;
  readonly reported: string;
}

export const REPORTS: readonly Report[] = [
  { statement: "SET @a = 1", reported: "state" },
  { statement: "SELECT @a := 1", reported: "" },
  { statement: "SELECT 1 INTO @a", reported: "" },
  { statement: "DO GET_LOCK('a', 0)", reported: "" },
  { statement: "SELECT LAST_INSERT_ID(5)", reported: "" },
  { statement: "FLUSH TABLES WITH READ LOCK", reported: "" },
  { statement: "HANDLER t OPEN", reported: "" },
  { statement: "SELECT sets_variable()", reported: "state" },
  { statement: "SELECT selects_into()", reported: "" },
  { statement: "SELECT creates_table()", reported: "state" },
  { statement: "INSERT INTO fired VALUES (1)", reported: "state" },
  { statement: "CALL begins()", reported: "begins characteristics" },
  { statement: "CREATE TEMPORARY TABLE w (a INT)", reported: "state" },
  { statement: "CREATE TEMPORARY TABLE w AS SELECT 1", reported: "" },
  {
    run: ["CREATE TEMPORARY TABLE w (a INT)"],
    statement: "DROP TEMPORARY TABLE w",
    reported: "state",
  },
  { run: ["CREATE TEMPORARY TABLE w (a INT)"], statement: "DROP TABLE w", reported: "" },
  { statement: "SET TRANSACTION READ ONLY", reported: "characteristics" },
  { statement: "SET @@transaction_read_only = 1", on: "mysql", reported: "characteristics" },
  { statement: "SET @@tx_read_only = 1", on: "mariadb", reported: "characteristics" },
  { statement: "LOCK TABLES t WRITE", reported: "locks" },
  {
    on: "mysql",
    run: ["LOCK TABLES t WRITE"],
    statement: "ALTER TABLE t ADD c INT",
    reported: "ends",
  },
  {
    on: "mariadb",
    run: ["LOCK TABLES t WRITE"],
    statement: "ALTER TABLE t ADD c INT",
    reported: "",
  },
  {
    on: "mysql",
    run: ["BEGIN"],
    statement: "CREATE TEMPORARY TABLE w (a INT)",
    reported: "state ends characteristics",
  },
  {
    on: "mariadb",
    run: ["BEGIN"],
    statement: "CREATE TEMPORARY TABLE w (a INT)",
    reported: "state",
  },
  { statement: "XA START 'x'", reported: "begins characteristics" },
  {
    run: ["CREATE DATABASE d", "USE d"],
    statement: "ALTER DATABASE d COLLATE latin2_bin",
    reported: "",
  },
  {
    statement: "SET NAMES latin1",
    reported: "character_set_client character_set_connection character_set_results state",
  },
  { statement: "SET collation_connection = latin1_bin", reported: "collation_connection state" },
  { on: "mariadb", statement: "SET @@autocommit = 0", reported: "" },
  { on: "mysql", statement: "SET @@autocommit = 0", reported: "autocommit state" },
  { on: "mariadb", statement: "SET ROLE NONE", reported: "state" },
  { on: "mysql", statement: "SET ROLE NONE", reported: "" },
  {
    on: "mariadb",
    statement: "SET STATEMENT max_error_count = 5 FOR SELECT 1",
    reported: "max_error_count state",
  },
  { statement: "PREPARE s FROM 'SELECT 1'", reported: "state" },
  { statement: "USE test", reported: "schema state" },
];

/** Routines and a table that reports are about. */
export const REPORT_OBJECTS = [
  "DROP TABLE IF EXISTS fired",
  ...["sets_variable", "selects_into", "creates_table"].map((name) =>
    `DROP FUNCTION IF EXISTS ${name}`
  ),
  "DROP PROCEDURE IF EXISTS begins",
  "CREATE TABLE fired (a INT)",
  "CREATE TRIGGER g BEFORE INSERT ON fired FOR EACH ROW SET @a = NEW.a",
  "CREATE FUNCTION sets_variable() RETURNS INT NO SQL BEGIN SET @a = 1; RETURN 1; END",
  "CREATE FUNCTION selects_into() RETURNS INT READS SQL DATA " +
  "BEGIN SELECT 1 INTO @a; RETURN GET_LOCK('a', 0); END",
  "CREATE FUNCTION creates_table() RETURNS INT NO SQL " +
  "BEGIN CREATE TEMPORARY TABLE w (a INT); RETURN 1; END",
  "CREATE PROCEDURE begins() START TRANSACTION",
];
