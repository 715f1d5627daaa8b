/** What is in the databases before a run, and names that all clients use. */
import type { EngineName } from "../../src/dev/engines/engine.ts";

export const SCHEMAS = ["one", "two"] as const;

export const ACCOUNT_STATEMENTS: readonly string[] = [
  "CREATE USER app@'%' IDENTIFIED BY 'secret'",
  "GRANT ALL ON *.* TO app@'%'",
  "CREATE ROLE reader",
  "GRANT reader TO app@'%'",
];

/** Names that clients share, so that one could see the other's. */
export const USER_VARIABLES = ["a", "b", "c", "value of", "ünï"] as const;
export const PREPARED_NAMES = ["p", "q"] as const;
export const TEMPORARY_TABLES = ["temp", "fixed"] as const;
export const LOCKS = ["lock1", "lock2", "lock3"] as const;

/** Of the servers behind the proxy, as its configuration has them. */
export const SERVER_NAMES = ["first", "second"] as const;

/** Their places among `SERVER_NAMES`. */
export type ServerAt = 0 | 1;

/**
 * The client's own table for what it does on that server, of which there is one in every schema:
 * servers do not see each other's data, and the one for private connections has them all.
 */
export function tableOf(client: number, at: ServerAt): string {
  return `${TABLES[at]}${client}`;
}

/** The lock is taken by nobody on another server. */
export function lockOf(name: string, at: ServerAt): string {
  return at === 0 ? name : `${name}_${SERVER_NAMES[at]}`;
}

const TABLES = ["t", "u"] as const;
const OWN_TABLE = /\b([tu])\d+\b/;

/** The server that has the client's own table that the statement is about; undefined for any. */
export function serverOf(sql: string): ServerAt | undefined {
  const letter = OWN_TABLE.exec(sql)?.[1];
  return letter === undefined ? undefined : letter === TABLES[0] ? 0 : 1;
}

export interface DataOptions {
  readonly engine: EngineName;
  /** Those that need tables of their own. */
  readonly clients: Iterable<number>;
  /** Whose data it is. */
  readonly servers: readonly ServerAt[];
}

/** Everything anew, as far as these clients need it. */
export function dataStatements({ engine, clients, servers }: DataOptions): string[] {
  const other = engine === "seekdb" ? "utf8mb4 COLLATE utf8mb4_bin" : "latin1";
  const routines = engine === "seekdb" ? ROUTINES.filter(isKnownToSeekdb) : ROUTINES;
  const own = [...clients].flatMap((client) => servers.map((at) => tableOf(client, at)));
  return SCHEMAS.flatMap((schema, at) => [
    `DROP DATABASE IF EXISTS ${schema}`,
    `CREATE DATABASE ${schema} CHARACTER SET ${at === 0 ? "utf8mb4" : other}`,
    `USE ${schema}`,
    `CREATE TABLE ${schema}.fixed (id INT PRIMARY KEY, name VARCHAR(20), amount DECIMAL(8,2))`,
    `INSERT INTO ${schema}.fixed VALUES (1, 'uno', 1.50), (2, 'dos', NULL), (3, 'três', -7)`,
    // Whether a plan sorts shows in the flags of columns; servers would count rows at any time.
    ...(engine === "seekdb" ? [] : [`ANALYZE TABLE ${schema}.fixed`]),
    `CREATE TABLE ${schema}.probe (v INT)`,
    `CREATE TABLE ${schema}.watched (v INT)`,
    ...own.map((table) =>
      `CREATE TABLE ${schema}.${table} (id INT PRIMARY KEY AUTO_INCREMENT, ` +
      `v INT, s VARCHAR(12), d DATETIME) AUTO_INCREMENT = ${1 + 1000 * at}`
    ),
    ...routines.map((text) => text.replaceAll("$", schema)),
  ]);
}

/** Its functions create no tables. */
function isKnownToSeekdb(routine: string): boolean {
  return !/FUNCTION.*CREATE TEMPORARY/.test(routine);
}

/**
 * Numbers that they keep are texts: a number has the collation of the session that created the
 * routine, which shows in what NULL it becomes.
 */
const ROUTINES: readonly string[] = [
  "CREATE PROCEDURE $.twice (INOUT n INT) SET n = n * 2",
  "CREATE PROCEDURE $.say (IN text VARCHAR(20)) BEGIN SELECT text; SELECT LENGTH(text) AS size; END",
  "CREATE PROCEDURE $.keep (IN v INT) SET @a = CONCAT(v, '.5'), @c = CONCAT('kept ', v)",
  "CREATE PROCEDURE $.tune (IN v INT) SET SESSION div_precision_increment = v",
  "CREATE PROCEDURE $.last () SELECT LAST_INSERT_ID() AS id",
  "CREATE PROCEDURE $.fail () BEGIN SET @b = 'before'; SET SESSION div_precision_increment = 3; " +
  "SELECT * FROM $.missing; END",
  "CREATE PROCEDURE $.warn () BEGIN SIGNAL SQLSTATE '01234' SET MESSAGE_TEXT = 'look'; END",
  "CREATE FUNCTION $.adjust (v INT) RETURNS INT NO SQL " +
  "BEGIN SET SESSION div_precision_increment = v; RETURN v; END",
  "CREATE FUNCTION $.remember (v INT) RETURNS INT NO SQL BEGIN SET @b = CONCAT(v); RETURN v + 1; END",
  "CREATE PROCEDURE $.make () CREATE TEMPORARY TABLE made (v INT)",
  "CREATE PROCEDURE $.copy () CREATE TEMPORARY TABLE made SELECT 1 AS v",
  "CREATE FUNCTION $.making () RETURNS INT NO SQL " +
  "BEGIN CREATE TEMPORARY TABLE made (v INT); RETURN 1; END",
  "CREATE TRIGGER $.watch BEFORE INSERT ON $.watched FOR EACH ROW " +
  "BEGIN SET @b = CONCAT(NEW.v); IF NEW.v > 5 THEN SET SESSION div_precision_increment = NEW.v; END IF; END",
];
