import { assert, assertEquals } from "@std/assert";
import { commandName, processList } from "../../src/admin/process_list.ts";
import { ColumnType } from "../../src/protocol/constants.ts";
import { commandRow } from "../../src/protocol/replies.ts";
import type { ClientSessionInfo } from "../../src/session_manager.ts";
import { caller, FakeClient, newManager, readAnswer, rowsOf, run, scopeOf } from "./tools.ts";

Deno.test("SHOW PROCESSLIST tells what each session is doing in MySQL's words", async () => {
  const manager = newManager();
  const scope = scopeOf(manager, caller({ identity: "proxysys", id: 99 }));
  type Case = readonly [Partial<ClientSessionInfo>, string | undefined, readonly unknown[]];
  const cases: readonly Case[] = [
    [{ phase: "idle", schema: "" }, undefined, ["app", null, "Sleep", "", null]],
    [{ phase: "executing" }, "SELECT 1", ["app", "shop", "Query", "executing", "SELECT 1"]],
    [
      { phase: "executing", isBlockedByClient: true, command: "COM_STMT_EXECUTE" },
      "SELECT 2",
      ["app", "shop", "Execute", "Sending to client", "SELECT 2"],
    ],
    [
      { phase: "connecting", command: "COM_STMT_PREPARE" },
      "SELECT ?",
      ["app", "shop", "Prepare", "waiting for a server session", "SELECT ?"],
    ],
    [{ phase: "executing", command: "COM_PING" }, undefined, [
      "app",
      "shop",
      "Ping",
      "executing",
      null,
    ]],
    [{ phase: "login" }, undefined, ["app", "shop", "Change user", "login", null]],
    [{ phase: "closed" }, undefined, ["app", "shop", "Quit", "closing", null]],
    [
      { phase: "greeting", isLoggedIn: false, user: "", cluster: "", schema: "" },
      undefined,
      ["unauthenticated user", null, "Connect", "login", null],
    ],
    [
      { phase: "login", isLoggedIn: false, user: "root", schema: "shop" },
      undefined,
      ["unauthenticated user", null, "Connect", "login", null],
    ],
  ];
  // Added backwards: the list is in the order of the ids.
  cases.toReversed().forEach(([info, statement], index) => {
    const client = new FakeClient(manager, { id: cases.length - index, ...info });
    client.statement = statement;
  });
  const rows = await rowsOf("SHOW PROCESSLIST", scope);
  assertEquals(rows.map(({ Id }) => Id), cases.map((_, index) => index + 1));
  rows.forEach((row, index) => {
    assertEquals([row.User, row.db, row.Command, row.State, row.Info], cases[index]![2]);
    assertEquals(row.Host, `127.0.0.1:${40_001 + index}`);
  });
});

Deno.test("Time counts whole seconds in the present phase", async () => {
  const manager = newManager();
  const before = Date.now();
  const client = new FakeClient(manager, { id: 1, phaseSince: before - 7_999 });
  const [row] = await rowsOf("SHOW PROCESSLIST", scopeOf(manager));
  const passed = Date.now() - before;
  assert(Number(row!.Time) >= 7 && Number(row!.Time) <= Math.floor((7_999 + passed) / 1000));
  // A clock that was set back.
  client.change({ phaseSince: Date.now() + 60_000 });
  assertEquals((await rowsOf("SHOW PROCESSLIST", scopeOf(manager)))[0]!.Time, 0);
});

Deno.test("Info is cut without FULL", async () => {
  const manager = newManager();
  const scope = scopeOf(manager);
  const client = new FakeClient(manager, { id: 1, phase: "executing" });
  client.statement = `SELECT '${"ä".repeat(200)}'`;
  const [short] = await rowsOf("SHOW PROCESSLIST", scope);
  assertEquals([...String(short!.Info)].length, 100);
  const [full] = await rowsOf("SHOW FULL PROCESSLIST", scope);
  assertEquals(full!.Info, client.statement);
  const answer = readAnswer(await processList(scope));
  assertEquals(answer.kind === "rows" && answer.rows[0]![7], short!.Info);
});

Deno.test("The columns of SHOW PROCESSLIST are MySQL's", async () => {
  const scope = scopeOf(newManager());
  const types = async (sql: string) => {
    const answer = await run(sql, scope);
    return answer.kind === "rows"
      ? answer.columns.map(({ name, type, flags }) => `${name} ${type} ${flags}`)
      : [];
  };
  // As MySQL 9.7 defines them: 1 NOT NULL, 128 binary.
  const common = [
    `Id ${ColumnType.LONGLONG} 129`,
    `User ${ColumnType.VAR_STRING} 1`,
    `Host ${ColumnType.VAR_STRING} 1`,
    `db ${ColumnType.VAR_STRING} 0`,
    `Command ${ColumnType.VAR_STRING} 1`,
    `Time ${ColumnType.LONG} 129`,
    `State ${ColumnType.VAR_STRING} 0`,
  ];
  assertEquals(await types("SHOW PROCESSLIST"), [...common, `Info ${ColumnType.VAR_STRING} 0`]);
  assertEquals(await types("SHOW FULL PROCESSLIST"), [...common, `Info ${ColumnType.LONG_BLOB} 0`]);
});

Deno.test("Every command has MySQL's name", () => {
  for (let byte = 0; byte < 256; byte++) {
    const row = commandRow(byte);
    if (row !== undefined) assertEquals(/^COM_/.test(commandName(row.name)), false, row.name);
  }
});
