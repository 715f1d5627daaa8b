/**
 * Prepared statements of clients whose server sessions are shared, on real servers: each client is
 * answered as its twin on a connection of its own, wherever its statements run, and nothing stays
 * bound to a server session but for cursors and parts of values.
 */
import { assertEquals } from "@std/assert";
import type { StartedEngine } from "../../src/dev/engines/engine.ts";
import { startEngine } from "../../src/dev/engines/engine.ts";
import type { Value } from "../../src/protocol/binary_value.ts";
import { ColumnType } from "../../src/protocol/constants.ts";
import type { Parameter } from "../../src/protocol/prepared.ts";
import { PARAMETERS } from "../differential/prepared_features.ts";
import { prepareServers, run } from "../differential/runner.ts";
import type { Op, Step } from "../differential/steps.ts";
import { isAvailable } from "../support/shared_engine.ts";
import { CLASSIC, MODERN } from "../support/wire_client.ts";
import { Capability } from "../../src/protocol/constants.ts";

interface Scenario {
  readonly title: string;
  /** How many server sessions there are. */
  readonly sessions: number;
  readonly script: readonly Line[];
  readonly engines?: readonly string[];
}

/** Who does what; `holds` where something is left open behind it. */
type Line = readonly [client: number, op: Op, holds?: "holds"];

const ask = (sql: string): Op => ({ kind: "query", sql });
const prepare = (slot: number, sql: string): Op => ({ kind: "prepare", slot, sql });
const close = (slot: number): Op => ({ kind: "close", slot });
const reset = (slot: number): Op => ({ kind: "resetStatement", slot });
const fetch = (slot: number, rows: number): Op => ({ kind: "fetch", slot, rows });

function execute(slot: number, ...parameters: Parameter[]): Op {
  return { kind: "execute", slot, parameters, hasTypes: true };
}

/** Without types: they are those of the last execution. */
function again(slot: number, ...parameters: Parameter[]): Op {
  return { kind: "execute", slot, parameters, hasTypes: false };
}

function open(slot: number): Op {
  return { kind: "execute", slot, parameters: [], hasTypes: true, opensCursor: true };
}

function send(slot: number, parameter: number, data: string): Op {
  return { kind: "longData", slot, parameter, data };
}

function one(type: number, value: Value | undefined): Parameter {
  return { type, unsigned: false, name: "", value };
}

const int = (value: number | null) => one(ColumnType.LONG, value);
const text = (value: string) => one(ColumnType.VAR_STRING, value);
const sent = one(ColumnType.BLOB, undefined);

/** Has the client go on with another one of two server sessions than the one that it had last. */
function elsewhere(client: number): Line[] {
  const other = client + 100;
  return [
    [client, ask("BEGIN"), "holds"],
    [other, ask("BEGIN"), "holds"],
    [client, ask("COMMIT")],
    [client + 200, ask("BEGIN"), "holds"],
    [other, ask("COMMIT")],
  ];
}

/** Ends that. */
const back = (client: number): Line => [client + 200, ask("COMMIT")];

/** Prepared in another schema than the client's, and not on the server session that it goes on with. */
const PREPARED_IN_TWO: readonly Line[] = [
  [1, ask("USE two")],
  [1, prepare(1, "SELECT * FROM fixed ORDER BY id")],
  [1, ask("USE one")],
  ...elsewhere(1),
];

const SCENARIOS: readonly Scenario[] = [
  {
    title: "a reset behind an error tells whether there is a transaction",
    sessions: 2,
    script: [
      [1, ask("SET autocommit = 0"), "holds"],
      [1, prepare(1, "UPDATE one.fixed SET amount = 1 WHERE id > ?"), "holds"],
      [1, execute(1, text("other")), "holds"],
      [1, reset(1), "holds"],
      [1, ask("ROLLBACK"), "holds"],
      [1, ask("SELECT nonsense"), "holds"],
      [1, reset(1), "holds"],
      [1, ask("SET autocommit = 1")],
      [1, execute(1, text("other"))],
      [1, reset(1)],
    ],
  },
  {
    title: "a reset leaves the warnings, and servers count none of them behind it",
    sessions: 1,
    script: [
      [1, prepare(1, "SELECT id FROM one.fixed WHERE id >= ?")],
      [1, execute(1, text("x"))],
      [1, reset(1)],
      [1, { kind: "schema", name: "one" }],
      [1, ask("SHOW WARNINGS")],
      [1, execute(1, text("x"))],
      [2, ask("SELECT 1")],
      [1, reset(1)],
      [1, { kind: "ping" }],
      [1, ask("SHOW WARNINGS")],
    ],
  },
  {
    title: "a reset of a cursor, and its rows, leave the warnings of who opened it",
    sessions: 1,
    script: [
      [1, prepare(1, "SELECT id, CAST('x' AS SIGNED) FROM one.fixed")],
      [1, open(1), "holds"],
      [1, fetch(1, 1), "holds"],
      [1, { kind: "ping" }, "holds"],
      [1, reset(1)],
      [1, { kind: "ping" }],
      [2, ask("SHOW WARNINGS")],
      [1, ask("SHOW WARNINGS")],
    ],
  },
  {
    title: "what is refused as it is prepared again is its client's to ask about",
    sessions: 2,
    script: [
      [1, prepare(1, "SELECT v FROM one.probe")],
      ...elsewhere(1),
      [2, ask("DROP TABLE one.probe")],
      [1, execute(1)],
      [2, ask("SHOW WARNINGS")],
      [1, ask("SHOW WARNINGS")],
      [1, ask("SELECT ROW_COUNT()")],
      [1, execute(1)],
      [1, ask("SHOW COUNT(*) ERRORS")],
      back(1),
    ],
  },
  {
    title: "what is refused as a name is prepared again is its client's to ask about",
    sessions: 2,
    script: [
      [1, ask("PREPARE p FROM 'SELECT v FROM one.probe'")],
      ...elsewhere(1),
      [2, ask("DROP TABLE one.probe")],
      [1, ask("EXECUTE p")],
      [2, ask("SHOW WARNINGS")],
      [1, ask("SHOW WARNINGS")],
      [1, ask("EXECUTE p")],
      [1, ask("GET DIAGNOSTICS CONDITION 1 @m = MESSAGE_TEXT")],
      [1, ask("SELECT @m")],
      back(1),
    ],
  },
  {
    title: "prepared again with a function of another schema, which is not run",
    sessions: 2,
    script: [
      [1, ask("USE one")],
      [1, ask("SET SESSION collation_database = utf8mb4_bin")],
      [1, prepare(1, "SELECT IF(?, two.adjust(1), 2)")],
      [1, ask("SET SESSION collation_database = utf8mb4_bin")],
      ...elsewhere(1),
      [1, execute(1, int(0))],
      [1, ask("SELECT @@collation_database")],
      back(1),
    ],
  },
  {
    title: "statements of several clients on one server session",
    sessions: 1,
    script: [
      [1, prepare(1, "SELECT ?, 'one'")],
      [2, prepare(1, "SELECT ?, 'two'")],
      [3, prepare(1, "SELECT ?, 'one'")],
      [1, execute(1, int(1))],
      [2, execute(1, int(2))],
      [3, execute(1, text("three"))],
      [1, again(1, int(4))],
      [2, again(1, int(5))],
      [3, again(1, text("six"))],
      [1, close(1)],
      [3, again(1, text("seven"))],
      [1, prepare(2, "SELECT ?, 'two'")],
      [1, execute(2, int(8))],
      [2, close(1)],
      [1, again(2, int(9))],
      [3, close(1)],
      [3, ask("SELECT 1")],
      [1, close(2)],
    ],
  },
  {
    title: "prepared again behind a routine, which may have left anything",
    sessions: 2,
    script: [
      ...PREPARED_IN_TWO,
      [1, ask("SET @a = 4, sql_mode = 'ANSI_QUOTES'")],
      [1, ask("CALL one.twice(@a)")],
      [1, execute(1)],
      [1, ask("SELECT @a, DATABASE(), @@sql_mode")],
      back(1),
    ],
  },
  {
    title: "prepared again while the server has not told yet what was set",
    sessions: 2,
    script: [
      ...PREPARED_IN_TWO,
      [1, ask("CALL one.fail()")],
      [1, execute(1)],
      [1, ask("SELECT @b, @@div_precision_increment")],
      back(1),
      [2, ask("SELECT @@div_precision_increment")],
      [1, ask("SELECT @b, @@div_precision_increment")],
    ],
  },
  {
    title: "prepared again behind a failure to set what no session can set",
    sessions: 2,
    script: [
      ...PREPARED_IN_TWO,
      [1, ask("SET auto_increment_increment = 3, @@port = 1")],
      [1, execute(1)],
      [1, ask("SELECT @@auto_increment_increment, @@port > 0")],
      back(1),
    ],
  },
  {
    title: "the proxy's own replies have the flags of the session",
    sessions: 1,
    script: [
      [1, prepare(1, "SELECT 1")],
      [1, reset(1)],
      [1, ask("SET sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'")],
      [1, reset(1)],
      [1, ask("SET autocommit = 0"), "holds"],
      [1, reset(1), "holds"],
      [1, ask("SET autocommit = 1, sql_mode = ''")],
      [1, reset(1)],
    ],
  },
  {
    title: "prepared again where nobody knows what the session has",
    sessions: 2,
    script: [
      ...PREPARED_IN_TWO,
      [1, ask("BINLOG 'x'"), "holds"],
      [1, execute(1), "holds"],
      [1, ask("SELECT DATABASE()"), "holds"],
      [1, { kind: "reset" }],
      back(1),
    ],
  },
  {
    title: "the next server session prepares again",
    sessions: 2,
    script: [
      [1, prepare(1, "SELECT id, name FROM one.fixed WHERE id > ? ORDER BY id")],
      [1, execute(1, int(1))],
      ...elsewhere(1),
      [1, again(1, int(2))],
      [1, execute(1, text("0"))],
      back(1),
      [1, again(1, text("1"))],
      [1, reset(1)],
      [1, close(1)],
    ],
  },
  {
    title: "types that were never bound",
    sessions: 1,
    script: [
      [1, prepare(1, "SELECT id FROM one.fixed WHERE id = ?")],
      [2, prepare(1, "SELECT id FROM one.fixed WHERE id = ?")],
      [1, execute(1, int(1))],
      [2, again(1, int(2))],
      [1, again(1, int(3))],
      [2, execute(1, int(2))],
    ],
  },
  {
    title: "texts mean what they meant when they were prepared",
    sessions: 2,
    script: [
      [1, ask("USE one")],
      [1, ask("SET sql_mode='ansi_quotes'")],
      [1, prepare(1, 'SELECT DATABASE(), "id", @@sql_mode FROM fixed ORDER BY 2')],
      [1, ask("SET sql_mode=''")],
      [1, ask("USE two")],
      [1, execute(1)],
      ...elsewhere(1),
      [1, execute(1)],
      [1, ask('SELECT DATABASE(), "id", @@sql_mode')],
      back(1),
      [1, execute(1)],
    ],
  },
  {
    title: "inside of a transaction with autocommit off",
    sessions: 2,
    script: [
      [1, prepare(1, "INSERT INTO one.t1 (v, s) VALUES (?, ?)")],
      ...elsewhere(1),
      [1, ask("SET sql_mode='ansi_quotes', autocommit=0")],
      [1, ask("INSERT INTO one.t1 (v) VALUES (1)"), "holds"],
      [1, execute(1, int(2), text("b")), "holds"],
      [1, ask("ROLLBACK")],
      [1, ask("SELECT COUNT(*) FROM one.t1"), "holds"],
      [1, ask("ROLLBACK")],
      back(1),
    ],
  },
  {
    title: "what cannot be prepared inside of a transaction",
    sessions: 2,
    script: [
      [1, prepare(1, "INSERT INTO one.t1 (v, s) VALUES (?, ?)")],
      [1, execute(1, int(1), text("a"))],
      ...elsewhere(1),
      [1, ask("START TRANSACTION READ ONLY"), "holds"],
      [1, execute(1, int(2), text("b")), "holds"],
      [1, ask("SELECT COUNT(*) FROM one.t1"), "holds"],
      [1, ask("COMMIT")],
      [1, execute(1, int(3), text("c"))],
      back(1),
    ],
  },
  {
    title: "cursors hold their server session, and nobody else's statement",
    sessions: 2,
    script: [
      [1, prepare(1, "SELECT id FROM one.fixed ORDER BY id")],
      [1, prepare(2, "SELECT id FROM one.fixed ORDER BY id")],
      [1, fetch(1, 1)],
      [1, open(1), "holds"],
      [1, fetch(1, 1), "holds"],
      [2, prepare(1, "SELECT id FROM one.fixed ORDER BY id")],
      [2, execute(1)],
      [1, execute(2), "holds"],
      [1, fetch(1, 1), "holds"],
      [1, fetch(1, 5)],
      [1, fetch(1, 1)],
      [1, open(1), "holds"],
      [1, reset(1)],
      [1, fetch(1, 1)],
      [1, open(1), "holds"],
      [1, close(1)],
      [1, execute(2)],
      [2, execute(1)],
    ],
  },
  {
    title: "parts of values hold their server session until they are used",
    sessions: 2,
    script: [
      [1, prepare(1, "SELECT ?, ?")],
      [2, prepare(1, "SELECT ?, ?")],
      [1, send(1, 0, "first "), "holds"],
      [2, execute(1, text("a"), text("b"))],
      [1, send(1, 0, "second"), "holds"],
      [1, ask("SELECT 'between'"), "holds"],
      [1, execute(1, sent, text("x"))],
      [2, again(1, text("c"), text("d"))],
      [1, execute(1, text("y"), text("z"))],
      [1, send(1, 1, "lost"), "holds"],
      [1, reset(1)],
      [1, execute(1, text("y"), text("z"))],
      [1, send(1, 1, "lost"), "holds"],
      [1, close(1)],
      [2, again(1, text("e"), text("f"))],
      [2, send(1, 7, "nowhere"), "holds"],
      [2, execute(1, text("e"), text("f"))],
    ],
  },
  {
    title: "tables that change, go and come back",
    sessions: 2,
    script: [
      [1, ask("CREATE TABLE one.short (a INT)")],
      [1, ask("INSERT INTO one.short VALUES (1)")],
      [1, prepare(1, "SELECT * FROM one.short")],
      [1, execute(1)],
      [1, ask("ALTER TABLE one.short ADD b VARCHAR(5) DEFAULT 'x'")],
      [1, execute(1)],
      ...elsewhere(1),
      [1, execute(1)],
      [1, ask("DROP TABLE one.short")],
      [1, execute(1)],
      back(1),
      [1, execute(1)],
      [1, ask("CREATE TABLE one.short (c DATE)")],
      [1, execute(1)],
    ],
  },
  {
    title: "what an execution does is known from its text",
    sessions: 2,
    script: [
      [1, prepare(1, "SET @a = ?, @b = 'b'")],
      [1, execute(1, int(5))],
      ...elsewhere(1),
      [1, ask("SELECT @a, @b")],
      [1, prepare(2, "CREATE TEMPORARY TABLE one.temp (a INT)")],
      [1, execute(2), "holds"],
      [1, ask("SELECT COUNT(*) FROM one.temp"), "holds"],
      [1, ask("DROP TEMPORARY TABLE one.temp")],
      [1, prepare(3, "SELECT GET_LOCK(?, 0)")],
      [1, execute(3, text("held")), "holds"],
      [1, ask("SELECT RELEASE_ALL_LOCKS()")],
      back(1),
    ],
  },
  {
    title: "statements that are not there",
    sessions: 1,
    script: [
      [1, prepare(1, "SELECT 1")],
      [2, prepare(1, "SELECT 2")],
      [2, prepare(2, "SELECT 3")],
      [1, prepare(2, "SELECT nothing FROM nowhere")],
      [1, execute(1)],
      [1, { kind: "reset" }],
      [1, ask("SELECT 1")],
      [1, prepare(3, "SELECT 4")],
      [1, execute(3)],
      [2, execute(1)],
      [1, { kind: "changeUser" }],
      [1, prepare(4, "SELECT 5")],
      [1, execute(4)],
      [2, execute(2)],
    ],
  },
  {
    title: "texts that can be had where they were prepared only",
    sessions: 2,
    script: [
      [1, prepare(1, "SELECT DATABASE(), 1"), "holds"],
      [1, execute(1), "holds"],
      [1, ask("USE one"), "holds"],
      [1, execute(1), "holds"],
      [1, prepare(2, "SELECT DATABASE(), 1"), "holds"],
      [1, execute(2), "holds"],
      [1, execute(1), "holds"],
      [1, close(1), "holds"],
      [1, ask("SELECT 1")],
      [1, execute(2)],
      [2, ask("PREPARE p FROM 'SELECT DATABASE()'"), "holds"],
      [2, ask("USE two"), "holds"],
      [2, ask("EXECUTE p"), "holds"],
      [2, ask("DEALLOCATE PREPARE p")],
    ],
  },
  {
    title: "names of several clients on one server session",
    sessions: 1,
    script: [
      [1, ask("PREPARE p FROM 'SELECT ?, 1'")],
      [1, ask("SET @a = 'x'")],
      [2, ask("EXECUTE p USING @a")],
      [2, ask("PREPARE P FROM 'SELECT 2'")],
      [1, ask("EXECUTE p USING @a")],
      [2, ask("EXECUTE p")],
      [3, ask("DEALLOCATE PREPARE p")],
      [2, ask("EXECUTE p")],
      [2, ask("PREPARE p FROM 'SELECT nothing FROM nowhere'")],
      [2, ask("EXECUTE p")],
      [1, ask("EXECUTE p USING @a")],
      [1, ask("DROP PREPARE p")],
      [1, ask("EXECUTE p")],
      [1, ask("PREPARE q FROM 'SET @a = 5'")],
      [1, ask("EXECUTE q")],
      [2, ask("SELECT @a")],
      [1, ask("SELECT @a")],
      [1, { kind: "reset" }],
      [1, ask("EXECUTE q")],
    ],
  },
  {
    title: "names on the next server session",
    sessions: 2,
    script: [
      [1, ask("USE one")],
      [1, ask("SET sql_mode='ansi_quotes'")],
      [1, ask(`PREPARE p FROM 'SELECT "id", DATABASE(), ? FROM fixed ORDER BY 1'`)],
      [1, ask("SET sql_mode='', @a = 1.5")],
      [1, ask("USE two")],
      ...elsewhere(1),
      [1, ask("EXECUTE p USING @a")],
      [1, ask(`SELECT "id", DATABASE()`)],
      [1, ask("PREPARE t FROM 'CREATE TEMPORARY TABLE one.temp (a INT)'")],
      [1, ask("EXECUTE t"), "holds"],
      [1, ask("EXECUTE t"), "holds"],
      [1, ask("DROP TEMPORARY TABLE one.temp")],
      back(1),
      [1, ask("EXECUTE p USING @a")],
      ...elsewhere(1),
      [1, ask("PREPARE gone FROM 'SELECT 1'")],
      back(1),
      ...elsewhere(1),
      [1, ask("DEALLOCATE PREPARE gone")],
      [1, ask("EXECUTE gone")],
      back(1),
      [1, ask("EXECUTE gone")],
      [1, ask("SET @text = 'SELECT 9'")],
      [2, ask("PREPARE p FROM 'SELECT 2'")],
      [1, ask("PREPARE p FROM @text"), "holds"],
      [1, ask("SET @text = 'SELECT 10'"), "holds"],
      [1, ask("EXECUTE p"), "holds"],
    ],
  },
  {
    title: "every type of parameters, with and without types",
    sessions: 2,
    script: PARAMETERS.filter(([type]) => type !== ColumnType.YEAR).flatMap(
      ([type, values], index): Line[] => {
        const sql = `SELECT CAST(? AS CHAR) x, 't${index}'`;
        const lines: Line[] = [[1, prepare(index, sql)], [2, prepare(index, sql)]];
        values.forEach((value, at) => {
          const make = at === 0 ? execute : again;
          lines.push([1, make(index, one(type, value))], [2, make(index, one(type, value))]);
        });
        lines.push(...elsewhere(1), [1, again(index, one(type, values[0]))]);
        lines.push([1, again(index, one(type, null))], back(1));
        return lines;
      },
    ),
  },
];

for (const name of ["mariadb", "mysql"] as const) {
  const ignore = !await isAvailable(name);
  Deno.test(
    { name: `${name}: prepared statements on shared server sessions`, ignore },
    async (t) => {
      await using direct: StartedEngine = await startEngine(name);
      await using shared: StartedEngine = await startEngine(name);
      await prepareServers({ direct, shared: [shared] });
      for (const { title, sessions, script } of SCENARIOS) {
        for (const capabilities of [CLASSIC, MODERN & ~Capability.SESSION_TRACK]) {
          await t.step(title, async () => {
            const steps = script.map(([client, op, holds], group): Step => ({
              client,
              group,
              feature: "prepared",
              op,
              server: undefined,
              isHinted: false,
              isFree: holds === undefined,
            }));
            const found = await run({ direct, shared: [shared] }, steps, {
              servers: 1,
              sessions,
              isConcurrent: false,
              capabilities,
              mustShare: true,
              probeEvery: 0,
            });
            const told = found &&
              `${found.index + 1}: ${found.title}\n  ${found.difference.direct}\n` +
                `  ${found.difference.shared}`;
            assertEquals(told, undefined);
          });
        }
      }
    },
  );
}
