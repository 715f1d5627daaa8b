/**
 * Prepared statements of clients whose server sessions are shared, on real servers: each client is
 * answered as its twin on a connection of its own, wherever its statements run, and nothing stays
 * bound to a server session but for cursors and parts of values.
 */
import { assertEquals } from "@std/assert";
import type { StartedEngine } from "../../src/dev/engines/engine.ts";
import { startEngine } from "../../src/dev/engines/engine.ts";
import { Capability, ColumnType } from "../../src/protocol/constants.ts";
import { PARAMETERS } from "../differential/prepared_features.ts";
import { prepareServers, run } from "../differential/runner.ts";
import type { Step } from "../differential/steps.ts";
import { isAvailable } from "../support/shared_engine.ts";
import { CLASSIC, MODERN } from "../support/wire_client.ts";
import { PREPARED_AGAIN } from "./prepared_again_scenarios.ts";
import {
  again,
  ask,
  back,
  close,
  elsewhere,
  execute,
  fetch,
  int,
  type Line,
  one,
  open,
  prepare,
  reset,
  type Scenario,
  send,
  sent,
  text,
} from "./prepared_script.ts";

const SCENARIOS: readonly Scenario[] = [
  ...PREPARED_AGAIN,
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
