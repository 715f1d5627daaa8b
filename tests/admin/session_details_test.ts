import { assertEquals } from "@std/assert";
import type { Value } from "../../src/protocol/binary_value.ts";
import { addServer, caller, FakeClient, newManager, outcome, rowsOf, scopeOf } from "./tools.ts";

const HEAD = ["attribute_name", "value", "info"];

async function groups(
  sql: string,
  scope: ReturnType<typeof scopeOf>,
): Promise<Record<string, Record<string, Value>>> {
  const found: Record<string, Record<string, Value>> = {};
  for (const row of await rowsOf(sql, scope)) {
    assertEquals(Object.keys(row), HEAD);
    (found[String(row.info)] ??= {})[String(row.attribute_name)] = row.value!;
  }
  return found;
}

Deno.test("SHOW PROXYSESSION has the columns and values that operators know", async () => {
  const manager = newManager();
  new FakeClient(manager, { id: 7, serverSessionIds: [70, 71], isEncrypted: true });
  new FakeClient(manager, { id: 6, schema: "", phase: "greeting" });
  const rows = await rowsOf("SHOW PROXYSESSION", scopeOf(manager));
  assertEquals(rows, [
    {
      "proxy_sessid": 0x7f000001_0b43_0006n,
      Id: 6,
      Cluster: "main",
      Tenant: "",
      User: "app",
      Host: "127.0.0.1:40006",
      db: null,
      "trans_count": 2,
      "svr_session_count": 0,
      state: "MCS_INIT",
      tid: 4711,
      pid: 4711,
      "using_ssl": 0,
    },
    {
      "proxy_sessid": 0x7f000001_0b43_0007n,
      Id: 7,
      Cluster: "main",
      Tenant: "",
      User: "app",
      Host: "127.0.0.1:40007",
      db: "shop",
      "trans_count": 2,
      "svr_session_count": 2,
      state: "MCS_ACTIVE_READER",
      tid: 4711,
      pid: 4711,
      "using_ssl": 1,
    },
  ]);
});

Deno.test("Attributes tell of the client session and of each of its server sessions", async () => {
  const manager = newManager();
  const scope = scopeOf(manager);
  const client = new FakeClient(manager, {
    id: 1,
    peer: "[::1]:40000",
    serverSessionIds: [11, 12, 13],
    phase: "executing",
    isInTransaction: true,
    phaseSince: 1_000,
    connectedSince: 0,
  });
  addServer(manager, { id: 11, threadId: 3_221_579_563, openedSince: 0, isInTransaction: true });
  addServer(manager, { id: 12, phase: "idle", address: "[fe80::2]:3307", schema: "" });
  addServer(manager, { id: 13, phase: "connecting", threadId: 0, localAddress: "" });
  const found = await groups("SHOW PROXYSESSION ATTRIBUTE", scope);
  assertEquals(found, {
    "cs common": {
      "proxy_sessid": String(0x7f000001_0b43_0001n),
      "cs_id": "1",
      cluster: "main",
      tenant: "",
      user: "app",
      "host_ip": "::1",
      "host_port": "40000",
      db: "shop",
      "total_trans_cnt": "2",
      "svr_session_cnt": "3",
      active: "true",
      "read_state": "MCS_ACTIVE_READER",
      tid: "4711",
      pid: "4711",
      "using_ssl": "false",
    },
    "cs phase": {
      phase: "executing",
      "phase_since": "1970-01-01T00:00:01.000Z",
      "waits_for": "server",
      command: "COM_QUERY",
      "in_transaction": "true",
      pins: "",
      route: "",
      "connected_since": "1970-01-01T00:00:00.000Z",
    },
    "cs stat": { statements: "5", "bytes_in": "100", "bytes_out": "2000" },
    "curr used ss": {
      "server_ip": "127.0.0.1",
      "server_port": "3306",
      "server_name": "db1",
      "server_sessid": "3221579563",
      "ss_id": "11",
      state: "MSS_ACTIVE",
      phase: "in_use",
      user: "app",
      db: "shop",
      "in_transaction": "true",
      "opened_since": "1970-01-01T00:00:00.000Z",
      "local_address": "127.0.0.1:50001",
      statements: "4",
      "bytes_in": "90",
      "bytes_out": "1900",
    },
    "ss pool [0]": {
      ...found["ss pool [0]"],
      "server_ip": "fe80::2",
      "server_port": "3307",
      "ss_id": "12",
      state: "MSS_KA_SHARED",
      db: null,
    },
    "ss pool [1]": { ...found["ss pool [1]"], state: "MSS_INIT", "local_address": "" },
  });
  client.change({ phase: "idle", serverSessionIds: [11] });
  const idle = await groups("SHOW PROXYSESSION ATTRIBUTE 1", scope);
  assertEquals(Object.keys(idle), ["cs common", "cs phase", "cs stat", "last used ss"]);
  assertEquals(idle["last used ss"]!.state, "MSS_KA_CLIENT_SLAVE");
  assertEquals([idle["cs common"]!.active, idle["cs phase"]!.waits_for], ["false", "client"]);
});

Deno.test("A session says whose turn it is", async () => {
  const manager = newManager();
  const client = new FakeClient(manager, { id: 1 });
  const turns = [
    [{ phase: "connecting" }, "server session"],
    [{ phase: "executing", isBlockedByClient: true }, "client"],
    [{ phase: "login", isBlockedByClient: false }, "client"],
    [{ phase: "closed" }, ""],
  ] as const;
  for (const [info, expected] of turns) {
    client.change(info);
    const [row] = await rowsOf("SHOW PROXYSESSION ATTRIBUTE LIKE 'waits_for'", scopeOf(manager));
    assertEquals(row!.value, expected);
  }
});

Deno.test("Details are found by either id and filtered by name", async () => {
  const manager = newManager();
  new FakeClient(manager, { id: 1 });
  new FakeClient(manager, { id: 2, serverSessionIds: [21] });
  addServer(manager, { id: 21, threadId: 900 });
  const scope = scopeOf(manager);
  for (const id of ["2", "'2'", "900"]) {
    const rows = await rowsOf(`SHOW PROXYSESSION ATTRIBUTE ${id} LIKE '_s_id'`, scope);
    assertEquals(rows.map((row) => row.value), ["2", "21"], id);
  }
  const own = await rowsOf("SHOW PROXYSESSION ATTRIBUTE LIKE cs_id", scope);
  assertEquals(own.map((row) => row.value), ["1"]);
  const prepared = await rowsOf("SHOW PROXYSESSION ATTRIBUTE ? LIKE ?", scope, [2, "cs_id"]);
  assertEquals(prepared.map((row) => row.value), ["2"]);
  assertEquals(await rowsOf("SHOW PROXYSESSION ATTRIBUTE LIKE 'CS_ID'", scope), []);
  assertEquals(await outcome("SHOW PROXYSESSION STAT 77", scope), "1094 Unknown thread id: 77");
});

Deno.test("STAT sums up a session", async () => {
  const manager = newManager();
  new FakeClient(manager, { id: 1, serverSessionIds: [11, 12], phase: "executing" });
  addServer(manager, { id: 11 });
  addServer(manager, { id: 12 });
  const rows = await rowsOf("SHOW PROXYSESSION STAT LIKE '%e%'", scopeOf(manager));
  const stats = Object.fromEntries(rows.map((row) => [row.stat_name, row.value]));
  assertEquals({ ...stats, "connected_ms": 0, "phase_ms": 0 }, {
    "client_requests": 6,
    "client_completed_requests": 5,
    "client_request_total_size": 100,
    "client_response_total_size": 2_000,
    "server_requests": 8,
    "server_request_total_size": 3_800,
    "server_response_total_size": 180,
    "connected_ms": 0,
    "phase_ms": 0,
  });
});

Deno.test("VARIABLES are what servers have reported", async () => {
  const manager = newManager();
  new FakeClient(manager, { id: 1, serverSessionIds: [11, 12] });
  addServer(manager, {
    id: 11,
    variables: new Map([["time_zone", "it's"], ["autocommit", "OFF"], ["wait_timeout", "60"]]),
  });
  addServer(manager, { id: 12, variables: new Map([["time_zone", "UTC"], ["sql_mode", ""]]) });
  const scope = scopeOf(manager);
  const rows = await rowsOf("SHOW PROXYSESSION VARIABLES", scope);
  assertEquals(rows.map((row) => Object.values(row).slice(0, 4)), [
    ["autocommit", "'OFF'", "changed sys var", "hot modified vars"],
    ["sql_mode", "''", "changed sys var", "cold modified vars"],
    ["time_zone", "'it''s'", "changed sys var", "cold modified vars"],
    ["wait_timeout", "60", "changed sys var", "cold modified vars"],
  ]);
  const [all] = await rowsOf("SHOW PROXYSESSION VARIABLES ALL 1 LIKE 'sql%'", scope);
  assertEquals(Object.values(all!).slice(2), [
    "sys var",
    "cold modified vars",
    " && session_scope",
  ]);
  const other = scopeOf(manager, caller({ id: 5, tenant: "t2" }));
  assertEquals(await outcome("SHOW PROXYSESSION VARIABLES 1", other), "1094 Unknown thread id: 1");
});
