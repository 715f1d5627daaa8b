/** What a client may ask of its last statement, and who can tell: the server session or the proxy. */
import { assertEquals } from "@std/assert";
import type { Conditions } from "../../src/backend/read_conditions.ts";
import type { ServerSession } from "../../src/backend/server_session.ts";
import { ServerState } from "../../src/backend/server_state.ts";
import { Command } from "../../src/protocol/constants.ts";
import { LastStatement } from "../../src/session/last_statement.ts";
import type { PlannedCommand } from "../../src/session/planned_command.ts";
import { PLAIN } from "../../src/sql/classified.ts";
import { Ask } from "../../src/sql/effects.ts";
import type { Dialect } from "../../src/state/dialect.ts";

/** How the reply to a statement was. */
interface Outcome {
  readonly errorCode?: number;
  readonly warnings?: number;
  /** How many rows it had, where it had any result. */
  readonly rows?: number;
  readonly rowCount?: number;
  readonly asks?: number;
  /** Of a command that is no statement. */
  readonly command?: number;
}

/** A client on one server session, of which only what it has last told is there. */
class Stage {
  readonly last: LastStatement;
  readonly #server: { dialect: Dialect; state: ServerState; tracker: object };

  constructor(dialect: Dialect, asked: number = Ask.foundRows) {
    this.last = new LastStatement({ asked });
    this.#server = { dialect, state: new ServerState(dialect), tracker: {} };
  }

  get server(): ServerSession {
    return this.#server as unknown as ServerSession;
  }

  run(sql: string, outcome: Outcome = {}): void {
    const { errorCode = 0, warnings = 0, rows, asks = 0 } = outcome;
    const hasRows = rows !== undefined;
    this.#server.tracker = {
      errorCode,
      warnings,
      hasWarned: warnings > 0,
      hasRows,
      rows: rows ?? 0,
      rowCount: outcome.rowCount ?? (hasRows ? -1 : 0),
    };
    const command: PlannedCommand = {
      command: outcome.command ?? Command.QUERY,
      classified: PLAIN,
      mode: { ansiQuotes: false, noBackslashEscapes: false, charset: 45 },
      isAlone: true,
      statementId: undefined,
      several: undefined,
      need: undefined,
      textUpTo: (characters) => sql.slice(0, characters),
    };
    this.last.learn(this.server, command, asks);
  }

  /** ROW_COUNT(), FOUND_ROWS() and how many warnings there were, as they are known here. */
  get known(): unknown[] {
    const { rowCount, foundRows } = this.last.factsFor(0, false)!;
    return [rowCount, foundRows, this.last.warnings];
  }
}

const DIALECTS: readonly Dialect[] = ["mysql", "mariadb", "oceanbase"];

Deno.test("What replies tell is known", () => {
  for (const dialect of DIALECTS) {
    const stage = new Stage(dialect);
    assertEquals(stage.known, [0, 0, 0]);
    stage.run("SELECT 1 UNION SELECT 2", { rows: 2, warnings: 1 });
    assertEquals(stage.known, [-1, 2, 1]);
    stage.run("INSERT INTO t VALUES (1), (2), (3)", { rowCount: 3 });
    assertEquals(stage.known, [3, 2, 0]);
    stage.run("BOTCHED", { errorCode: 1064 });
    // To OceanBase that was no statement.
    assertEquals(stage.known, [dialect === "oceanbase" ? 3 : -1, 2, undefined]);
    stage.last.forget();
    assertEquals(stage.known, [0, 0, 0]);
  }
});

Deno.test("The server session is asked where it can tell", () => {
  for (const dialect of DIALECTS) {
    const { last } = new Stage(dialect);
    assertEquals(last.factsFor(Ask.rowCount, true), undefined, dialect);
    assertEquals(last.factsFor(Ask.rowCount, false)?.rowCount, 0);
  }
});

Deno.test("FOUND_ROWS() of a statement that leaves it is the client's before", () => {
  for (const dialect of DIALECTS) {
    const stage = new Stage(dialect);
    stage.run("SELECT 1", { rows: 1 });
    assertEquals(stage.last.factsFor(Ask.foundRows, true), undefined);
    stage.last.goElsewhere();
    stage.run("INSERT INTO t VALUES (1)", { rowCount: 1 });
    assertEquals(stage.last.factsFor(Ask.foundRows, true)?.foundRows, 1);
    assertEquals(stage.last.hasFactsOn(stage.server), false);
    stage.run("SELECT 1 INTO @a", { rowCount: 1 });
    assertEquals(stage.last.factsFor(Ask.foundRows, true), undefined);
    assertEquals(stage.last.hasFactsOn(stage.server), true);
  }
});

Deno.test("ROW_COUNT() behind an error is not asked for on another server session of OceanBase", () => {
  for (const dialect of DIALECTS) {
    const stage = new Stage(dialect);
    stage.run("UPDATE t SET n = 1", { rowCount: 4 });
    stage.run("BOTCHED", { errorCode: 1064 });
    assertEquals(stage.last.factsFor(Ask.rowCount, true), undefined);
    stage.run("UPDATE t SET n = 1", { rowCount: 4 });
    stage.last.goElsewhere();
    stage.run("BOTCHED", { errorCode: 1064 });
    const facts = stage.last.factsFor(Ask.rowCount, true);
    assertEquals(facts?.rowCount, dialect === "oceanbase" ? 4 : undefined);
  }
});

Deno.test("Commands that are no statements leave what they leave on servers", () => {
  const rowCounts = { mysql: [4, 0, 4, -1], mariadb: [4, 0, 4, -1], oceanbase: [4, 4, 4, 4] };
  const warned = {
    mysql: [true, true, false, true],
    mariadb: [true, true, true, true],
    oceanbase: [true, true, false, true],
  };
  for (const dialect of DIALECTS) {
    const { STATISTICS, PING, STMT_PREPARE, SET_OPTION } = Command;
    const commands = [STATISTICS, PING, STMT_PREPARE, SET_OPTION];
    for (const [at, command] of commands.entries()) {
      const stage = new Stage(dialect);
      stage.run("SELECT 1", { rows: 3 });
      stage.run("UPDATE t SET n = 1", { rowCount: 4, warnings: 1 });
      stage.last.factsFor(0, false)!.conditions = { warnings: 1, errors: 0 } as Conditions;
      stage.last.goElsewhere();
      stage.run("", { command });
      const facts = stage.last.factsFor(0, false)!;
      assertEquals([facts.rowCount, facts.foundRows], [rowCounts[dialect][at], 3], dialect);
      assertEquals(facts.conditions !== undefined, warned[dialect][at], dialect);
    }
  }
});

Deno.test("Warnings hold the server session until they are gone", () => {
  const left: Readonly<Record<Dialect, boolean>> = { mysql: false, mariadb: true, oceanbase: true };
  for (const dialect of DIALECTS) {
    const stage = new Stage(dialect, 0);
    stage.run("SELECT 1", { rows: 1 });
    assertEquals(stage.last.hasFactsOn(stage.server), false);
    stage.run("SELECT 1/0", { rows: 1, warnings: 1 });
    assertEquals(stage.last.hasFactsOn(stage.server), true);
    stage.run("SET @a = 1");
    assertEquals(stage.last.hasFactsOn(stage.server), left[dialect], dialect);
  }
});

Deno.test("Warnings that were read are told until a statement ends them", () => {
  for (const dialect of DIALECTS) {
    const stage = new Stage(dialect);
    stage.run("SELECT 1/0", { rows: 1, warnings: 1 });
    const conditions = { warnings: 1, errors: 0 } as Conditions;
    const told = () => stage.last.factsFor(Ask.diagnostics, true)?.conditions;
    assertEquals(told(), undefined);
    stage.last.factsFor(Ask.diagnostics, false)!.conditions = conditions;
    assertEquals(told(), conditions);
    stage.run("SET @a = 1");
    assertEquals(told(), dialect === "mariadb" ? conditions : undefined);
    stage.run("SELECT * FROM t", { rows: 1 });
    assertEquals(told(), undefined);
  }
});

Deno.test("What has been read out is told from here until the next statement", async () => {
  for (const dialect of DIALECTS) {
    const stage = new Stage(dialect, 0);
    stage.run("SELECT 1", { rows: 1 });
    await stage.last.readOut(stage.server);
    assertEquals(stage.last.factsFor(Ask.rowCount, true)?.rowCount, -1);
    stage.run("DO 1");
    assertEquals(stage.last.factsFor(Ask.rowCount, true), undefined);
  }
});
