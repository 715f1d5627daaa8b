/**
 * GET DIAGNOSTICS of a client whose server session has been used by somebody else meanwhile, beside
 * a client with a connection of its own: whatever they ask, and whatever comes after it, they are
 * answered the same.
 */
import { assert, assertEquals } from "@std/assert";
import { Command } from "../../src/protocol/constants.ts";
import { CONDITION_ITEMS } from "../../src/sql/get_diagnostics.ts";
import { mysqlSqlState } from "../../src/state/mysql_sqlstates.ts";
import { isAvailable, sharedEngine } from "../support/shared_engine.ts";
import { APP, TestProxy } from "../support/test_proxy.ts";
import { CLASSIC, WireClient, type WirePacket } from "../support/wire_client.ts";

const ENGINES = ["mariadb", "mysql"] as const;

type EngineName = typeof ENGINES[number];

/** Statements that leave something, the last one of each. */
const CAUSES: Readonly<Record<string, readonly string[]>> = {
  "nothing": ["DO 0"],
  "rows": ["SELECT 1 UNION SELECT 2"],
  "changed rows": ["UPDATE one.t SET v = v + 1"],
  "an error": ["SELECT * FROM one.missing"],
  "a syntax error": ["SELEC 1"],
  "a duplicate key": ["INSERT INTO one.t (id, v) VALUES (70, 1), (1, 1)"],
  "truncated data": [
    "SET sql_mode = ''",
    "UPDATE one.t SET s = LEFT(UUID(), 8)",
    "UPDATE one.t SET s = 'longer than that é'",
  ],
  "many warnings": ["SELECT CAST('1x' AS SIGNED), CAST('2é' AS SIGNED), 1 / 0, CAST('' AS SIGNED)"],
  "notes": ["DROP TABLE IF EXISTS one.missing, one.missing2"],
  "more than are kept": [
    "SET max_error_count = 2",
    "SELECT CAST('1x' AS SIGNED), CAST('2x' AS SIGNED), CAST('3x' AS SIGNED)",
  ],
  "none kept": ["SET max_error_count = 0", "SELECT CAST('1x' AS SIGNED)"],
  "SIGNAL with all items": [
    "SIGNAL SQLSTATE '45000' SET CLASS_ORIGIN = 'a', SUBCLASS_ORIGIN = 'b', MESSAGE_TEXT = 'cé', " +
    "MYSQL_ERRNO = 1062, CONSTRAINT_CATALOG = 'd', CONSTRAINT_SCHEMA = 'e', " +
    "CONSTRAINT_NAME = 'f', CATALOG_NAME = 'g', SCHEMA_NAME = 'h', TABLE_NAME = 'i', " +
    "COLUMN_NAME = 'j', CURSOR_NAME = 'k'",
  ],
  "SIGNAL of a warning": ["SIGNAL SQLSTATE '01234' SET TABLE_NAME = 'it''s \\\\'"],
  "SIGNAL of nothing found": ["SIGNAL SQLSTATE '02000'"],
  "RESIGNAL in a procedure": ["CALL one.signals()"],
  "SIGNAL in a trigger": ["INSERT INTO one.watched VALUES ('1x'), ('2x'), ('3x')"],
  "an error in a text of several": ["DO 1; SELECT * FROM one.missing; DO 2"],
  "an error beside a warning": ["SELECT missing || 'a' FROM one.t"],
  "a result behind a change": ["UPDATE one.t SET v = v + 1; SELECT 1"],
  "a change behind a result": ["SELECT 1; UPDATE one.t SET v = v + 1"],
  "a procedure with a result": ["USE one", "CALL shows()"],
  "warnings in a text of several": ["SELECT CAST('1x' AS SIGNED); SET @a = 1"],
  "latin1": ["SET NAMES latin1", "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = _latin1 x'6de9c0'"],
  "texts of 16 bits": ["SET character_set_results = utf16", "SELECT * FROM one.missing"],
  "unconverted texts": ["SET character_set_results = NULL", "SELECT * FROM one.missing"],
};

const ALL_ITEMS = CONDITION_ITEMS.map((item, at) => `@i${at} = ${item}`).join(", ");
const READ_ALL = "SELECT " +
  CONDITION_ITEMS.map((_, at) => `@i${at}, COLLATION(@i${at}), COERCIBILITY(@i${at})`).join();

const FOUND_ROWS = "found rows behind it";

/** What is asked, and what shows that the answer and everything behind it is right. */
const ASKS: Readonly<Record<string, readonly string[]>> = {
  "statement information": [
    "GET DIAGNOSTICS @n = NUMBER, @r = ROW_COUNT",
    "SELECT @n, @r, COLLATION(@n), COLLATION(@r)",
  ],
  "row count behind it": ["GET DIAGNOSTICS @n = NUMBER", "SELECT ROW_COUNT()"],
  "row count behind a miss": ["GET DIAGNOSTICS CONDITION 9 @n = MYSQL_ERRNO", "SELECT ROW_COUNT()"],
  [FOUND_ROWS]: ["GET CURRENT DIAGNOSTICS @n = NUMBER", "SELECT FOUND_ROWS()"],
  "condition 1": [`GET DIAGNOSTICS CONDITION 1 ${ALL_ITEMS}`, READ_ALL],
  "condition 2": [`GET DIAGNOSTICS CONDITION 2 ${ALL_ITEMS}`, READ_ALL],
  "condition 3": [`GET DIAGNOSTICS CONDITION 3 ${ALL_ITEMS}`, READ_ALL],
  "condition 4": [`GET DIAGNOSTICS CONDITION 4 ${ALL_ITEMS}`, READ_ALL],
  "row number": ["GET DIAGNOSTICS CONDITION 1 @n = ROW_NUMBER, @n2 = ROW_NUMBER", "SELECT @n, @n2"],
  "again": [
    "GET DIAGNOSTICS @n = NUMBER",
    "GET DIAGNOSTICS CONDITION 1 @n = MYSQL_ERRNO, @m = MESSAGE_TEXT",
    "GET DIAGNOSTICS CONDITION 1 @m2 = MESSAGE_TEXT;",
    "GET DIAGNOSTICS @r = ROW_COUNT",
    "SELECT @n, @m, @m2, @r",
  ],
  "lists behind it": [
    "GET DIAGNOSTICS CONDITION 1 @n = MYSQL_ERRNO",
    "SHOW WARNINGS",
    "SHOW COUNT(*) ERRORS",
    "GET DIAGNOSTICS @n = NUMBER",
    "SHOW ERRORS",
    "SELECT @n, @@warning_count, @@error_count",
  ],
  "lists behind a miss": [
    "GET DIAGNOSTICS CONDITION 7 @n = MYSQL_ERRNO",
    "SHOW WARNINGS",
    "SHOW COUNT(*) WARNINGS",
    "SHOW COUNT(*) ERRORS",
    "GET DIAGNOSTICS @n = NUMBER, @r = ROW_COUNT",
    "GET DIAGNOSTICS CONDITION 2 @m = MESSAGE_TEXT, @s = RETURNED_SQLSTATE, @c = CLASS_ORIGIN",
    "SHOW WARNINGS",
    "SELECT @n, @m, @r, @s, @c",
  ],
  "number in a variable": [
    "GET DIAGNOSTICS CONDITION @one @`a b` = MYSQL_ERRNO, @'c' = RETURNED_SQLSTATE",
    "SELECT @`a b`, @c, @one",
  ],
  "numbers of all kinds": [
    "GET DIAGNOSTICS CONDITION @text @a = MESSAGE_TEXT",
    "GET DIAGNOSTICS CONDITION @half @b = MESSAGE_TEXT",
    "GET DIAGNOSTICS CONDITION '2' @c = MESSAGE_TEXT",
    "GET DIAGNOSTICS CONDITION 1.5 @d = MESSAGE_TEXT",
    "GET DIAGNOSTICS CONDITION x'01' @e = MESSAGE_TEXT",
    "GET DIAGNOSTICS CONDITION TRUE @f = MESSAGE_TEXT",
    "GET DIAGNOSTICS CONDITION 2.5e0 @g = MESSAGE_TEXT",
    "SHOW WARNINGS",
    "SELECT @a, @b, @c, @d, @e, @f, @g",
  ],
  "number of the last": [
    "GET DIAGNOSTICS CONDITION @@warning_count @a = MESSAGE_TEXT",
    "GET DIAGNOSTICS CONDITION @@error_count @b = MESSAGE_TEXT",
    "GET DIAGNOSTICS CONDITION @@session.warning_count @c = MESSAGE_TEXT",
    "SELECT @a, @b, @c",
  ],
  "number NULL": ["GET DIAGNOSTICS CONDITION NULL @a = MESSAGE_TEXT", "SHOW WARNINGS"],
  "number of nothing": ["GET DIAGNOSTICS CONDITION @never @a = MESSAGE_TEXT", "SELECT @a"],
  "number 0": ["GET DIAGNOSTICS CONDITION 0 @a = MESSAGE_TEXT", "SHOW WARNINGS", "SELECT @a"],
  "the same variable": [
    "SET @a = 2",
    "GET DIAGNOSTICS CONDITION 1 @a = MYSQL_ERRNO, @a = MESSAGE_TEXT",
    "SELECT @a",
  ],
  "a text of several": [
    "GET DIAGNOSTICS @n = NUMBER; GET DIAGNOSTICS CONDITION 1 @m = MESSAGE_TEXT",
    "GET DIAGNOSTICS CONDITION @n @m2 = MESSAGE_TEXT; SELECT @n, @m, @m2",
  ],
  "behind a comment": ["/* nothing */", "SHOW WARNINGS"],
  "behind several that use no table": [
    "SET @a = 1; SELECT 'a;b'; USE one;",
    "SHOW WARNINGS",
  ],
  "behind several, one with a table": [
    "SET @a = 1; UPDATE one.t SET v = v WHERE id = 99; SET @b = 2",
    "SHOW WARNINGS",
  ],
  "behind a long statement": [`SELECT ${"1, ".repeat(600)}1`, "SHOW WARNINGS"],
  "behind a long statement with a table": [
    `SELECT ${"1, ".repeat(600)}COUNT(*) FROM one.t`,
    "SHOW WARNINGS",
  ],
  "stacked": ["GET STACKED DIAGNOSTICS @n = NUMBER", "SHOW WARNINGS", "SELECT @n"],
  "stacked, and the count": ["GET STACKED DIAGNOSTICS @n = NUMBER", "SELECT ROW_COUNT()"],
  "no item": ["GET DIAGNOSTICS CONDITION 1 @n = NUMBER", "SHOW WARNINGS"],
  "no user variable": ["GET DIAGNOSTICS CONDITION 1 local = MESSAGE_TEXT", "SHOW WARNINGS"],
  "no number": ["GET DIAGNOSTICS CONDITION 1 + 0 @n = MESSAGE_TEXT", "SHOW WARNINGS"],
  "no list": ["GET DIAGNOSTICS @n = NUMBER @r = ROW_COUNT", "GET DIAGNOSTICS @n = NUMBER"],
  "behind another question": [
    "SHOW WARNINGS",
    "GET DIAGNOSTICS CONDITION 1 @m = MESSAGE_TEXT",
    "SELECT @m",
  ],
};

/** What leaves conditions, and FOUND_ROWS() too: a server forgets the one when asked for the other. */
const EITHER: Readonly<Record<EngineName, readonly string[]>> = {
  mariadb: [],
  mysql: ["truncated data", "an error in a text of several"],
};

/** Where others use the server session. */
type Pauses = "never" | "behind the cause" | "everywhere";

/** What a run has been answered, with what differs between any two connections left out. */
async function answersOf(
  client: WireClient,
  statements: readonly string[],
  pause: (at: number) => Promise<void>,
): Promise<string[]> {
  const answers: string[] = [];
  for (const [at, sql] of statements.entries()) {
    if (at > 0) await pause(at);
    const packets = await client.query(sql);
    answers.push([sql, ...packets.map(({ payload }) => readable(payload))].join("\n"));
  }
  const ping = await client.simple(Command.PING);
  answers.push(["ping", ...ping.map(({ payload }) => readable(payload))].join("\n"));
  return answers;
}

function readable(payload: Uint8Array): string {
  return new TextDecoder("latin1").decode(payload).replaceAll(
    /[^ -~\xa0-\xff]/g,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}

/** With one server session for all. */
function startProxy(port: number): Promise<TestProxy> {
  return TestProxy.start({
    clusters: [{ name: "main", servers: [`127.0.0.1:${port}`], sharing: "transaction" }],
    proxy: {
      session_pool_default_max_conn: 1,
      session_pool_default_blocking_timeout: "5s",
    },
  });
}

/** A COM_STMT_EXECUTE without parameters, behind its first byte. */
function execution(statementId: number): Uint8Array {
  return Uint8Array.of(statementId, statementId >>> 8, statementId >>> 16, 0, 0, 1, 0, 0, 0);
}

for (const name of ENGINES) {
  if (!await isAvailable(name)) continue;
  const engine = await sharedEngine(name, [
    "CREATE USER app@'%' IDENTIFIED BY 'secret'",
    "GRANT ALL ON *.* TO app@'%'",
    "CREATE DATABASE one",
    "CREATE TABLE one.t (id INT PRIMARY KEY AUTO_INCREMENT, v INT, s VARCHAR(12))",
    "INSERT INTO one.t (v, s) VALUES (1, 'a'), (2, 'b'), (3, 'c')",
    "CREATE TABLE one.watched (s VARCHAR(12))",
    "CREATE TRIGGER one.watch BEFORE INSERT ON one.watched FOR EACH ROW BEGIN " +
    "IF NEW.s = '3x' THEN SIGNAL SQLSTATE '45000' SET TABLE_NAME = 'watched'; END IF; " +
    "SIGNAL SQLSTATE '01000' SET MYSQL_ERRNO = 1265, COLUMN_NAME = 's'; END",
    "CREATE PROCEDURE one.shows() BEGIN UPDATE one.t SET v = v + 1; SELECT 1; END",
    "CREATE PROCEDURE one.signals() BEGIN " +
    "DECLARE EXIT HANDLER FOR SQLEXCEPTION RESIGNAL SQLSTATE '46000' SET CURSOR_NAME = 'c'; " +
    "SIGNAL SQLSTATE '45000' SET CONSTRAINT_NAME = 'key'; END",
  ]);

  const test = (title: string, pauses: Pauses, options: { readonly ansi?: boolean } = {}) =>
    Deno.test({
      name: `${name}: GET DIAGNOSTICS, ${title}`,
      ignore: engine.ignore,
      fn: async () => {
        await using proxy = await startProxy(engine.engine.port);
        const login = { ...APP, capabilities: CLASSIC, charset: 45 };
        using other = await WireClient.connect({ ...login, port: proxy.port });
        // Until somebody has asked, nobody reads them.
        await other.query("SELECT FOUND_ROWS()");
        const disturb = async () => {
          await other.query("SELECT * FROM one.others_fault");
          await other.query("SET @n = 'other', @m = 'other', @one = 5");
          await other.query("SELECT CAST('other' AS SIGNED) UNION SELECT 2 UNION SELECT 3");
        };
        for (const [cause, before] of Object.entries(CAUSES)) {
          for (const [ask, statements] of Object.entries(ASKS)) {
            if (ask === FOUND_ROWS && EITHER[name].includes(cause)) continue;
            const first = [
              // Before its first result, a session says of found rows what another one had.
              "SELECT 1 UNION SELECT 2",
              "SET @one = 1, @text = '1x', @half = 2.5",
              ...(options.ansi ? [`SET sql_mode = ${ANSI[name]}`] : []),
            ];
            const all = [...first, ...before, ...statements];
            const begin = first.length + before.length;
            using direct = await WireClient.connect({ ...login, port: engine.engine.port });
            using shared = await WireClient.connect({ ...login, port: proxy.port });
            const expected = await answersOf(direct, all, () => Promise.resolve());
            const actual = await answersOf(shared, all, async (at) => {
              if (pauses !== "never" && at === begin) await disturb();
              if (pauses === "everywhere" && at > begin) await disturb();
            });
            assertEquals(actual, expected, `${cause}: ${ask}`);
            await shared.quit();
          }
        }
        assertEquals(proxy.servers, 1);
      },
    });

  if (name === "mysql") {
    Deno.test({
      name: "mysql: SQLSTATEs are those of the table",
      ignore: engine.ignore,
      fn: async () => {
        const rows = await engine.admin(
          "SELECT ERROR_NUMBER AS code, SQL_STATE AS state " +
            "FROM performance_schema.events_errors_summary_global_by_error " +
            "WHERE ERROR_NUMBER BETWEEN 1000 AND 9999",
        ) as { code: number; state: string }[];
        assert(rows.length > 1000);
        const wrong = rows.filter(({ code, state }) => mysqlSqlState(code) !== state);
        assertEquals(wrong, []);
      },
    });
  }

  if (name === "mariadb") {
    Deno.test({
      name: "mariadb: GET DIAGNOSTICS, prepared",
      ignore: engine.ignore,
      fn: async () => {
        await using proxy = await startProxy(engine.engine.port);
        const login = { ...APP, capabilities: CLASSIC, charset: 45 };
        using other = await WireClient.connect({ ...login, port: proxy.port });
        const told = async (port: number) => {
          using client = await WireClient.connect({ ...login, port });
          const [count, first] = [
            await client.prepare("GET DIAGNOSTICS @n = NUMBER, @r = ROW_COUNT"),
            await client.prepare("GET DIAGNOSTICS CONDITION 1 @s = RETURNED_SQLSTATE"),
          ];
          const answers: string[] = [];
          const answered = (packets: readonly WirePacket[]) =>
            answers.push(packets.map(({ payload }) => readable(payload)).join("\n"));
          await client.query("SELECT CAST('1x' AS SIGNED), CAST('2x' AS SIGNED)");
          for (const { statementId } of [count, first, count]) {
            await other.query("SELECT * FROM one.others_fault");
            answered(await client.simple(Command.STMT_EXECUTE, execution(statementId)));
          }
          answered(await client.query("SHOW WARNINGS"));
          answered(await client.query("SELECT @n, @r, @s"));
          await client.quit();
          return answers;
        };
        assertEquals(await told(proxy.port), await told(engine.engine.port));
        assertEquals(proxy.servers, 1);
      },
    });
  }

  test("alone", "never");
  test("behind others", "behind the cause");
  test("with others everywhere", "everywhere");
  test("in another sql_mode", "behind the cause", { ansi: true });
}

/** Modes that read quotes and empty strings otherwise. */
const ANSI: Readonly<Record<EngineName, string>> = {
  mariadb: "'ORACLE,EMPTY_STRING_IS_NULL,NO_BACKSLASH_ESCAPES'",
  mysql: "'ANSI,NO_BACKSLASH_ESCAPES'",
};
