import { assertEquals } from "@std/assert";
import type { Cluster } from "../../src/backend/cluster.ts";
import { SluiceError } from "../../src/errors.ts";
import type { TenantConfig } from "../../src/config/types.ts";
import { LogRecords } from "../support/log_records.ts";
import { addServer, caller, FakeClient, newManager, outcome, rowsOf, scopeOf } from "./tools.ts";

function cluster(name: string, tenants: readonly TenantConfig[] = []): Cluster {
  return { config: { name, kind: "mysql", tenants }, backends: [] } as unknown as Cluster;
}

/**
 * 1 and 2: the caller's own user, 3: another user, 4: another tenant, 5: another cluster, 6: about
 * to log in under the caller's name.
 */
function stage() {
  const manager = newManager();
  new FakeClient(manager, { id: 1 });
  new FakeClient(manager, { id: 2, serverSessionIds: [21] });
  new FakeClient(manager, { id: 3, user: "boss" });
  new FakeClient(manager, { id: 4, tenant: "t2" });
  new FakeClient(manager, { id: 5, cluster: "second" });
  new FakeClient(manager, { id: 6, isLoggedIn: false, phase: "login" });
  addServer(manager, { id: 21, threadId: 900 });
  return manager;
}

const CALLERS = {
  ordinary: caller(),
  sees: caller({ sees: true }),
  ends: caller({ ends: true }),
  otherTenant: caller({ id: 4, tenant: "t2", sees: true, ends: true }),
  ofSys: caller({ id: 9, tenant: "sys" }),
  rootSys: caller({ id: 9, tenant: "sys", user: "root", identity: "root_sys" }),
  proxysys: caller({ id: 9, tenant: "proxysys", cluster: "", user: "root", identity: "proxysys" }),
};

Deno.test("Who sees which sessions", async () => {
  const expected: Readonly<Record<keyof typeof CALLERS, readonly number[]>> = {
    ordinary: [1, 2],
    sees: [1, 2, 3],
    ends: [1, 2],
    otherTenant: [4],
    ofSys: [1, 2, 3, 4, 5, 6],
    rootSys: [1, 2, 3, 4, 5, 6],
    proxysys: [1, 2, 3, 4, 5, 6],
  };
  for (const [who, ids] of Object.entries(expected)) {
    const scope = scopeOf(stage(), CALLERS[who as keyof typeof CALLERS]);
    for (const sql of ["SHOW PROCESSLIST", "SHOW PROXYSESSION"]) {
      assertEquals((await rowsOf(sql, scope)).map(({ Id }) => Id), ids, `${who}: ${sql}`);
    }
    for (const form of ["ATTRIBUTE", "STAT", "VARIABLES"]) {
      for (let id = 1; id <= 6; id++) {
        assertEquals(
          await outcome(`SHOW PROXYSESSION ${form} ${id}`, scope),
          ids.includes(id) ? "rows" : `1094 Unknown thread id: ${id}`,
          `${who}: ${form} ${id}`,
        );
      }
    }
  }
});

Deno.test("Who is about to log in belongs to the only place there is", async () => {
  const sees = async (clusters: readonly Cluster[]) => {
    const scope = scopeOf(stage(), caller({ sees: true, ends: true }), { clusters });
    const rows = await rowsOf("SHOW PROXYSESSION", scope);
    return [rows.some(({ Id }) => Id === 6), (await outcome("KILL 6", scope)).slice(0, 4)];
  };
  const tenant = { name: "t", servers: [], schema: "" };
  assertEquals(await sees([cluster("main")]), [true, "ok"]);
  assertEquals(await sees([cluster("main", [tenant])]), [false, "1094"]);
  assertEquals(await sees([cluster("main"), cluster("second")]), [false, "1094"]);
  // Its name is only claimed.
  const ordinary = scopeOf(stage(), caller(), { clusters: [cluster("main")] });
  assertEquals(await outcome("KILL 6", ordinary), "1095 You are not owner of thread 6");
});

Deno.test("Lists ask for privileges only when there are sessions of others", async () => {
  const manager = newManager();
  new FakeClient(manager, { id: 1 });
  new FakeClient(manager, { id: 4, tenant: "t2" });
  const who = caller();
  await rowsOf("SHOW PROCESSLIST", scopeOf(manager, who));
  assertEquals(who.asked, 0);
  new FakeClient(manager, { id: 3, user: "boss" });
  await rowsOf("SHOW PROCESSLIST", scopeOf(manager, who));
  assertEquals(who.asked, 1);
});

Deno.test("Where no server tells privileges, lists show the own sessions", async () => {
  const logs = await LogRecords.take();
  const who = caller();
  const scope = scopeOf(stage(), {
    ...who,
    privileges: () => Promise.reject(new SluiceError("server_unreachable", "Can't connect")),
  });
  assertEquals((await rowsOf("SHOW PROXYSESSION", scope)).map(({ Id }) => Id), [1, 2]);
  assertEquals(await outcome("KILL 3", scope), "1429 Can't connect");
  assertEquals(logs.of("privileges unknown").length, 1);
});
