import { assertEquals } from "@std/assert";
import { killConnection } from "../../src/admin/kill.ts";
import type { AdminScope } from "../../src/admin/scope.ts";
import { addServer, caller, FakeClient, newManager, outcome, scopeOf } from "./tools.ts";

function stage() {
  const manager = newManager();
  const own = new FakeClient(manager, { id: 1 });
  const other = new FakeClient(manager, { id: 2, serverSessionIds: [21, 22] });
  const foreign = new FakeClient(manager, { id: 3, user: "boss", serverSessionIds: [31] });
  const remote = new FakeClient(manager, { id: 4, tenant: "t2", serverSessionIds: [41] });
  addServer(manager, { id: 21, threadId: 900 });
  addServer(manager, { id: 22, threadId: 901 });
  addServer(manager, { id: 31, threadId: 902 });
  addServer(manager, { id: 41, threadId: 903 });
  return { manager, own, other, foreign, remote };
}

const BY_APP = "kill: Killed by session 1 of app";

Deno.test("KILL ends the session of the id, in all its spellings", async () => {
  const spellings = [
    "KILL 2",
    "kill connection 2",
    "KILL HARD CONNECTION 2",
    "kill/* one */soft\n\t2",
    "KILL '2'",
    "KILL 0x2",
    "KILL 900",
    "KILL 901",
  ];
  for (const sql of spellings) {
    const { manager, other } = stage();
    assertEquals(await outcome(sql, scopeOf(manager)), "ok", sql);
    assertEquals(other.done, [BY_APP], sql);
  }
});

Deno.test("KILL takes its id from a parameter of a prepared statement", async () => {
  for (const id of [2, 2n, "2", new TextEncoder().encode("2"), "901"]) {
    const { manager, other } = stage();
    assertEquals(await outcome("KILL ?", scopeOf(manager), [id]), "ok");
    assertEquals(other.done, [BY_APP]);
  }
  const scope = scopeOf(newManager());
  assertEquals(await outcome("KILL ?", scope, [null]), "1094 Unknown thread id: 0");
  assertEquals(
    await outcome("KILL ?", scope, ["x1"]),
    "5010 Unknown operator, bad internal cmd: wanted a whole number, got 'x1'",
  );
});

Deno.test("KILL of the own session ends the caller", async () => {
  const { manager, own } = stage();
  own.change({ serverSessionIds: [21] });
  for (const sql of ["KILL 1", "KILL CONNECTION_ID()", "KILL CONNECTION '1'"]) {
    assertEquals(await outcome(sql, scopeOf(manager)), "ends_caller", sql);
  }
  assertEquals(own.done, []);
});

Deno.test("KILL QUERY leaves the session", async () => {
  const { manager, own, other } = stage();
  const scope = scopeOf(manager);
  assertEquals(await outcome("KILL QUERY 2", scope), "ok");
  assertEquals(await outcome("KILL QUERY 900", scope), "ok");
  assertEquals(other.done, ["killQuery", "killQuery"]);
  assertEquals(await outcome("KILL QUERY 1", scope), "1317 Query execution was interrupted");
  assertEquals(own.done, []);
  assertEquals(await outcome("KILL QUERY ID 12", scope), "1957 Unknown query id: 12");
});

Deno.test("KILL names ids that mean no session", async () => {
  const { manager } = stage();
  const cases = [
    ["KILL 0", "1094 Unknown thread id: 0"],
    ["KILL -1", "1094 Unknown thread id: 18446744073709551615"],
    ["KILL 77", "1094 Unknown thread id: 77"],
    ["KILL 18446744073709551615", "1094 Unknown thread id: 18446744073709551615"],
    ["KILL QUERY 4294967295", "1094 Unknown thread id: 4294967295"],
    ["KILL 3", "1095 You are not owner of thread 3"],
    ["KILL QUERY 902", "1095 You are not owner of thread 902"],
    ["KILL 4", "1094 Unknown thread id: 4"],
    ["KILL 903", "1094 Unknown thread id: 903"],
  ] as const;
  for (const [sql, expected] of cases) {
    assertEquals(await outcome(sql, scopeOf(manager)), expected, sql);
  }
});

Deno.test("The id of a server counts where it means one session of those that one may end", async () => {
  const { manager, other } = stage();
  new FakeClient(manager, { id: 5, serverSessionIds: [51] });
  new FakeClient(manager, { id: 900, tenant: "t2" });
  addServer(manager, { id: 51, threadId: 901, server: "db2" });
  assertEquals(
    await outcome("KILL 901", scopeOf(manager)),
    "1094 Unknown thread id: 901: servers gave it to connections of the sessions 2, 5",
  );
  // The session 900 is nobody for this caller.
  assertEquals(await outcome("KILL 900", scopeOf(manager)), "ok");
  assertEquals(other.done, [BY_APP]);
});

Deno.test("KILL PROXYSESSION ends a session or one of its server sessions", async () => {
  const { manager, foreign, remote } = stage();
  const scope = scopeOf(
    manager,
    caller({ identity: "proxysys", user: "root", tenant: "proxysys" }),
  );
  assertEquals(await outcome("KILL PROXYSESSION 4", scope), "ok");
  assertEquals(remote.done, ["kill: Killed by session 1 of root"]);
  assertEquals(await outcome("KILL PROXYSESSION 902 31", scope), "ok");
  assertEquals(await outcome("KILL PROXYSESSION 3 99", scope), "1094 Unknown thread id: 99");
  assertEquals(foreign.done, ["killServer 31", "killServer 99"]);
  assertEquals(await outcome("KILL PROXYSESSION 1", scope), "ends_caller");
  assertEquals(await outcome("KILL PROXYSESSION 99 1", scope), "1094 Unknown thread id: 99");
});

Deno.test("KILL USER ends all sessions of a user, or none", async () => {
  const { manager, own, other, foreign, remote } = stage();
  assertEquals(
    await outcome("KILL USER boss", scopeOf(manager)),
    "1095 You are not owner of thread 3",
  );
  const boss = scopeOf(manager, caller({ id: 3, user: "boss", ends: true }));
  assertEquals(await outcome("KILL QUERY USER 'app'", boss), "ok");
  assertEquals([own.done, other.done], [["killQuery"], ["killQuery"]]);
  assertEquals(await outcome("KILL USER app", boss), "ok");
  assertEquals(await outcome("KILL USER nobody", boss), "ok");
  assertEquals(other.done, ["killQuery", "kill: Killed by session 3 of boss"]);
  assertEquals(await outcome("KILL USER boss", boss), "ends_caller");
  assertEquals([foreign.done, remote.done], [[], []]);
});

Deno.test("COM_PROCESS_KILL is KILL CONNECTION", async () => {
  const { manager, other } = stage();
  assertEquals((await killConnection(2n, scopeOf(manager))).kind, "ok");
  assertEquals(other.done, [BY_APP]);
});

Deno.test("Who may end whom", async () => {
  type Row = readonly [string, Partial<Parameters<typeof caller>[0]>, string, string, string];
  // Sessions: 2 of the own user, 3 of another one, 4 of another tenant, 5 of another cluster.
  const rows: readonly Row[] = [
    ["ordinary", {}, "ok", "1095", "1094 1094"],
    ["who sees all", { sees: true }, "ok", "1095", "1094 1094"],
    ["who ends all", { ends: true }, "ok", "ok", "1094 1094"],
    ["user of sys", { tenant: "SYS" }, "ok", "ok", "ok 1095"],
    ["root of sys", { tenant: "sys", identity: "root_sys", user: "root" }, "ok", "ok", "ok 1095"],
    ["proxysys", { tenant: "proxysys", cluster: "", identity: "proxysys" }, "ok", "ok", "ok ok"],
  ];
  for (const [who, given, own, other, remote] of rows) {
    const results: string[] = [];
    for (const id of [2, 3, 4, 5]) {
      const { manager } = stage();
      new FakeClient(manager, { id: 5, cluster: "second" });
      const scope: AdminScope = scopeOf(manager, caller({ id: 9, ...given }));
      results.push((await outcome(`KILL ${id}`, scope)).slice(0, 4));
    }
    assertEquals(results.join(" "), `${own} ${other} ${remote}`, who);
  }
});

Deno.test("Servers are asked for privileges only for sessions of others", async () => {
  const { manager } = stage();
  const who = caller();
  const scope = scopeOf(manager, who);
  await outcome("KILL QUERY 2", scope);
  await outcome("KILL 77", scope);
  await outcome("KILL 4", scope);
  assertEquals(who.asked, 0);
  await outcome("KILL 3", scope);
  assertEquals(who.asked, 1);
});

Deno.test("A session that changes its user while a server is asked is judged anew", async () => {
  const { manager, foreign } = stage();
  const who = caller({ ends: true });
  const scope = scopeOf(manager, {
    ...who,
    privileges: () => {
      foreign.change({ tenant: "t2" });
      return who.privileges();
    },
  });
  assertEquals(await outcome("KILL 3", scope), "1094 Unknown thread id: 3");
  assertEquals(foreign.done, []);
});
