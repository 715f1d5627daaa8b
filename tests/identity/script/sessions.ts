/** All sessions of the whole script and of the short one. */
import { Capability, Command } from "../../../src/protocol/constants.ts";
import {
  blob,
  changeUser,
  closeStatement,
  command,
  CURSOR,
  emptyRequest,
  execute,
  fetch,
  int,
  longData,
  named,
  prepare,
  refusedDump,
  text,
  unknownCommand,
  untilClose,
} from "../commands.ts";
import { fails, failsOn, masked, needs, on } from "../step.ts";
import { errors } from "./errors.ts";
import { infile } from "./infile.ts";
import { large } from "./large.ts";
import { prepared } from "./prepared.ts";
import { procedures } from "./procedures.ts";
import { progress } from "./progress.ts";
import { queries } from "./queries.ts";
import { rows } from "./rows.ts";
import { schema } from "./schema.ts";
import { SCHEMA, type ScriptSession } from "./script.ts";
import { simpleCommands } from "./simple_commands.ts";
import { tracking } from "./tracking.ts";
import { transactions } from "./transactions.ts";
import { types } from "./types.ts";

/** Clock and zone of every session, so that the time of day is the same for all. */
const CLOCK = ["SET time_zone = '+00:00'", "SET timestamp = 1700000000"];

const main: ScriptSession = {
  name: "main",
  lines: [
    CLOCK,
    schema,
    rows,
    types,
    queries,
    errors,
    transactions,
    procedures,
    prepared,
    infile,
    progress,
    simpleCommands,
    CLOCK,
    named("INIT_DB", SCHEMA),
    tracking,
    command("RESET_CONNECTION"),
    named("INIT_DB", SCHEMA),
    large,
  ],
};

/** Changes of user; ids of statements begin anew on the proxy's fresh server session. */
const changing: ScriptSession = {
  name: "change user",
  database: SCHEMA,
  lines: [
    CLOCK,
    "SET @before = 1",
    masked("login", changeUser("main", { database: SCHEMA })),
    "SELECT @before, DATABASE(), CURRENT_USER(), @@autocommit, @@time_zone",
    masked("login", changeUser("second", { database: SCHEMA })),
    "SELECT CURRENT_USER(), DATABASE()",
    "SELECT n FROM numbers ORDER BY n",
    fails("DELETE FROM numbers"),
    fails("DROP TABLE numbers"),
    masked("login", changeUser("main")),
    "SELECT DATABASE()",
  ],
};

const refusedChange: ScriptSession = {
  name: "refused change of user",
  database: SCHEMA,
  endsByServer: true,
  lines: [
    masked("login", fails(changeUser("second", { password: false }))),
    // MariaDB goes on with the user as before.
    on("mysql seekdb", untilClose("the server's close")),
  ],
};

function endingSession(name: string, lines: ScriptSession["lines"]): ScriptSession {
  return { name, database: SCHEMA, endsByServer: true, lines };
}

const endings: readonly ScriptSession[] = [
  // seekdb closes without a word where the proxy tells its client that the server did.
  endingSession("killed by itself", [
    on(
      "mariadb mysql",
      masked("own", fails("KILL CONNECTION_ID()")),
      untilClose("the server's close"),
    ),
  ]),
  endingSession("binlog that is not there", [
    fails(refusedDump("absent.000001")),
    on("mariadb mysql", untilClose("the server's close")),
  ]),
  endingSession("idle for too long", [
    "SET SESSION wait_timeout = 1",
    failsOn("mysql", untilClose("the server's farewell")),
  ]),
];

/** Nothing of these is known to any server. */
const unknown: readonly ScriptSession[] = [
  Command.SLEEP,
  Command.CONNECT,
  Command.TIME,
  Command.DELAYED_INSERT,
  Command.TABLE_DUMP,
  Command.CONNECT_OUT,
  Command.DAEMON,
  0x50,
  0xfb,
  0xff,
  undefined,
].map((byte): ScriptSession => ({
  name: byte === undefined ? "empty request" : `command 0x${byte.toString(16)}`,
  // seekdb answers 1235 or not at all, where the proxy answers as MySQL does.
  lines: on(
    "mariadb mysql",
    fails(byte === undefined ? emptyRequest() : unknownCommand(byte)),
    // MySQL's next OK would count the error as a warning, had it been its own.
    "SELECT 'behind it'",
  ),
}));

/** The sessions of a class with the whole script, in their order. */
export const WHOLE_SCRIPT: readonly ScriptSession[] = [
  main,
  changing,
  refusedChange,
  ...endings,
  ...unknown,
];

/** What {@link SHORT_SCRIPT} finds in {@link SCHEMA}. */
export const SHORT_SETUP: readonly string[] = [
  `CREATE DATABASE ${SCHEMA} CHARACTER SET utf8mb4`,
  `USE ${SCHEMA}`,
  "CREATE TABLE numbers (n INT PRIMARY KEY, word VARCHAR(20) NOT NULL DEFAULT 'none', big BIGINT NULL)",
  "INSERT INTO numbers VALUES (1, 'one', 1), (2, 'two', 9223372036854775807), (3, 'three', NULL)",
  "CREATE TABLE loaded (a INT, b VARCHAR(600))",
  "CREATE PROCEDURE two_results() BEGIN SELECT n FROM numbers ORDER BY n; SELECT 'x' AS x; END",
  "CREATE PROCEDURE with_out(IN a INT, OUT b INT, INOUT c VARCHAR(20)) " +
  "BEGIN SELECT a AS a; SET b = a + 1; SET c = CONCAT(c, '!'); END",
];

const { LOCAL_FILES, MULTI_RESULTS, MULTI_STATEMENTS } = Capability;

/** Leaves everything as it was. */
export const SHORT_SCRIPT: readonly ScriptSession[] = [{
  name: "short",
  database: SCHEMA,
  lines: [
    CLOCK,
    "SELECT n, word, big FROM numbers ORDER BY n",
    "SELECT n FROM numbers WHERE n > 100",
    "SELECT 'grüße \u{1F600}', x'ff'",
    "SELECT @@character_set_client, @@collation_connection, DATABASE()",
    fails("SELECT * FROM absent"),
    fails("SELEC 1"),
    fails("SELECT n, 9223372036854775806 + n FROM numbers"),
    "BEGIN",
    "INSERT INTO numbers (n) VALUES (7), (8)",
    "UPDATE numbers SET word = 'x' WHERE n > 6",
    "UPDATE numbers SET word = 'x' WHERE n > 6",
    "ROLLBACK",
    "SELECT CAST('1x' AS SIGNED)",
    "SHOW WARNINGS",
    // SHOW COLUMNS fails with CLIENT_NO_SCHEMA: servers cannot name their own views then.
    "SHOW CREATE TABLE numbers",
    "SET autocommit = 0",
    "SET autocommit = 1",
    "USE information_schema",
    `USE ${SCHEMA}`,
    "SET @c = 'c'",
    needs(
      { capabilities: MULTI_RESULTS },
      "CALL two_results()",
      "CALL with_out(1, @b, @c)",
    ),
    "SELECT @b, @c",
    needs(
      { capabilities: MULTI_STATEMENTS },
      "SELECT 1; SELECT n FROM numbers ORDER BY n; SET @x = 1; SELECT 2",
      fails("SELECT 1; SELECT * FROM absent; SELECT 2"),
      "SET time_zone = '+01:00'; SELECT 1; SET time_zone = '+00:00'",
    ),
    "SELECT COUNT(*) FROM numbers",
    prepare("find", "SELECT n, word, big FROM numbers WHERE n > ? ORDER BY n"),
    execute("find", [int(1)]),
    execute("find", [int(2)], { hasTypes: false }),
    execute("find", [int(0)], CURSOR),
    fetch("find", 1),
    fetch("find", 5),
    closeStatement("find"),
    masked("digits", fails(execute("find", [int(1)]))),
    prepare("set", "SET @long = ?"),
    longData("set", 0, new Uint8Array(600).fill(0x61)),
    execute("set", [blob(undefined)]),
    "SELECT LENGTH(@long)",
    prepare("call", "CALL two_results()"),
    needs({ capabilities: MULTI_RESULTS }, execute("call")),
    prepare("out", "CALL with_out(?, ?, ?)"),
    needs({ capabilities: MULTI_RESULTS }, execute("out", [int(5), int(null), text("c")])),
    fails(prepare("broken", "SELEC ?")),
    "BEGIN",
    needs(
      { capabilities: LOCAL_FILES },
      "LOAD DATA LOCAL INFILE 'rows.csv' INTO TABLE loaded FIELDS TERMINATED BY ','",
      fails("LOAD DATA LOCAL INFILE 'rows.csv' INTO TABLE absent"),
    ),
    "SELECT COUNT(*) FROM loaded",
    "ROLLBACK",
    command("PING"),
    named("INIT_DB", SCHEMA),
    command("RESET_CONNECTION"),
    "SELECT REPEAT('x', 100000)",
  ],
}];
