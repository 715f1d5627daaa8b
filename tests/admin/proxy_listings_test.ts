import { assert, assertEquals, assertMatch } from "@std/assert";
import type { ProxyView } from "../../src/admin/scope.ts";
import { Cluster } from "../../src/backend/cluster.ts";
import { LiveConfig } from "../../src/config/live_config.ts";
import { VERSION } from "../../src/version.ts";
import { configOf } from "../config/config_tools.ts";
import {
  addServer,
  caller,
  FakeClient,
  newManager,
  outcome,
  rowsOf,
  run,
  scopeOf,
} from "./tools.ts";

const OPERATOR = caller({ id: 99, identity: "proxysys", tenant: "proxysys", user: "root" });

function scopeWith(proxy: Partial<ProxyView> = {}, manager = newManager()) {
  return scopeOf(manager, OPERATOR, proxy);
}

const CONFIG = `
  [proxy]
  listen = ["127.0.0.1:2883"]
  client_max_connections = 500
  obproxy_sys_password = "hidden"

  [[clusters]]
  name = "main"
  [[clusters.servers]]
  name = "db1"
  address = "127.0.0.1:3306"
  zone = "z1"
  weight = 3
  [[clusters.servers]]
  address = "127.0.0.1:3307"
  role = "replica"
  [[clusters.tenants]]
  name = "t1"
  [[clusters.tenants]]
  name = "t2"
  servers = ["db1"]

  [[clusters]]
  name = "other"
  servers = ["127.0.0.1:3308"]

  [[users]]
  name = "app"
  password = "secret"
`;

Deno.test("SHOW PROXYCONFIG lists parameters", async () => {
  const scope = scopeWith({ config: new LiveConfig(configOf(CONFIG)) });
  const [row, ...more] = await rowsOf("SHOW PROXYCONFIG LIKE 'client\\_max%'", scope);
  assertEquals([row, more], [undefined, []]);
  assertEquals(await rowsOf("SHOW PROXYCONFIG LIKE 'client_max_%'", scope), [{
    name: "client_max_connections",
    value: "500",
    info: "Most client sessions at a time; 0: no limit",
    "need_reboot": "false",
    "visible_level": "USER",
    range: "[0,262144]",
    "config_level": "LEVEL_GLOBAL",
    "pending_value": null,
  }]);
  const names = async (sql: string) => (await rowsOf(sql, scope)).map(({ name }) => name);
  const changed = ["client_max_connections", "obproxy_sys_password"];
  assertEquals(await names("SHOW PROXYCONFIG DIFF"), changed);
  assertEquals(await names("SHOW PROXYCONFIG DIFF USER"), changed.slice(0, 1));
  assertEquals(await names("SHOW PROXYCONFIG DIFF LIKE '%password'"), changed.slice(1));
  const [secret] = await rowsOf("SHOW PROXYCONFIG LIKE 'obproxy_sys_password'", scope);
  assertEquals([secret!.value, secret!.visible_level], ["***", "SYS"]);
  assert((await names("SHOW PROXYCONFIG")).length > 15);
});

Deno.test("SHOW PROXYCONFIG ALL lists what differs by tenant and address, which nothing does", async () => {
  const scope = scopeWith({ config: new LiveConfig(configOf(CONFIG)) });
  const answer = await run("SHOW PROXYCONFIG ALL", scope);
  if (answer.kind !== "rows") throw new Error(answer.kind);
  assertEquals(answer.rows, []);
  assertEquals(
    answer.columns.map(({ name }) => name).join(),
    [
      "vid,vip,vport,tenant_name,cluster_name,name,value,config_level",
    ].join(),
  );
});

Deno.test("ALTER PROXYCONFIG changes what is in force and says what is not", async () => {
  const config = new LiveConfig(configOf(CONFIG));
  const scope = scopeWith({ config });
  const note = "the change is lost when the proxy stops: it has no configuration file";
  for (const value of ["77", "'77'", "`77`"]) {
    await config.set("client_max_connections", "500");
    const sql = `ALTER PROXYCONFIG SET client_max_connections = ${value}`;
    assertEquals(await run(sql, scope), { kind: "ok", message: note });
    assertEquals(config.current.proxy.clientMaxConnections, 77, value);
  }
  await run("alter proxyconfig set login_timeout=1500ms", scope);
  assertEquals(config.current.proxy.loginTimeout, 1_500);
  await run("ALTER PROXYCONFIG SET client_max_connections = ?", scope, [78]);
  assertEquals(config.current.proxy.clientMaxConnections, 78);
  await run("ALTER PROXYCONFIG SET client_max_connections =", scope);
  assertEquals(config.current.proxy.clientMaxConnections, 500);
});

Deno.test("Wrong parameters and values are refused and change nothing", async () => {
  const config = new LiveConfig(configOf(CONFIG));
  const scope = scopeWith({ config });
  const before = config.current;
  const cases = [
    ["nosuch=1", "5099"],
    ["client_max_connections = -1", "4147"],
    ["client_max_connections = 262145", "4147"],
    ["client_max_connections = many", "4147"],
    ["login_timeout = 5", "4147"],
    ["login_timeout = '1 day'", "4147"],
  ] as const;
  for (const [setting, code] of cases) {
    assertEquals(
      (await outcome(`ALTER PROXYCONFIG SET ${setting}`, scope)).slice(0, 4),
      code,
      setting,
    );
  }
  assertEquals(config.current, before);
});

Deno.test("SHOW PROXYSTAT adds up the sessions that are and those that were", async () => {
  const manager = newManager();
  new FakeClient(manager, { id: 1, phase: "executing", isInTransaction: true });
  new FakeClient(manager, { id: 2 });
  addServer(manager, { id: 11, isInTransaction: true });
  const { ended } = manager;
  Object.assign(ended, {
    clients: 8,
    servers: 3,
    statements: 1_000,
    transactions: 36,
    bytesIn: 5_000,
    bytesOut: 70_000,
  });
  const scope = scopeWith({}, manager);
  const rows = await rowsOf("SHOW PROXYSTAT", scope);
  const stats = Object.fromEntries(rows.map((row) => [row.stat_name, row.value]));
  assert(Number(stats.uptime_seconds) >= 3_600);
  assertEquals({ ...stats, "uptime_seconds": 0 }, {
    "current_client_connections": 2,
    "current_active_client_connections": 1,
    "current_client_transactions": 1,
    "current_server_connections": 1,
    "current_server_transactions": 1,
    "total_client_connections": 10,
    "total_server_connections": 4,
    "total_transaction_count": 40,
    "client_requests": 1_011,
    "client_completed_requests": 1_010,
    "client_request_total_size": 5_200,
    "client_response_total_size": 74_000,
    "avg_transactions_per_client_connection": 4,
    "avg_transactions_per_server_connection": 10,
    "uptime_seconds": 0,
  });
  assertEquals(rows.every((row) => row.persist_type === null), true);
  const some = await rowsOf("SHOW PROXYSTAT REFRESH LIKE '%server_conn%'", scope);
  assertEquals(some.map((row) => row.stat_name), [
    "current_server_connections",
    "total_server_connections",
    "avg_transactions_per_server_connection",
  ]);
});

Deno.test("SHOW PROXYCLUSTER lists the servers of each cluster", async () => {
  const manager = newManager();
  const { clusters: configs, proxy: pools } = configOf(CONFIG);
  const clusters = configs.map((config) =>
    new Cluster(config, { manager, connectTimeout: 10, pools })
  );
  clusters[0]!.backends[1]!.report(false, Date.now() + 1e9);
  addServer(manager, { id: 1 });
  const scope = scopeWith({ clusters }, manager);
  const known = { "cluster_id": null, "rs_url": null, "replica_type": null };
  const rows = await rowsOf("SHOW PROXYCLUSTER", scope);
  assertEquals(rows.slice(0, 2), [
    {
      "cluster_name": "main",
      ...known,
      "root_addr": "127.0.0.1:3306",
      role: "PRIMARY",
      kind: "mysql",
      "server_name": "db1",
      zone: "z1",
      weight: 3,
      state: "ACTIVE",
      "server_sessions": 1,
      tenants: "t1;t2",
    },
    {
      "cluster_name": "main",
      ...known,
      "root_addr": "127.0.0.1:3307",
      role: "REPLICA",
      kind: "mysql",
      "server_name": "127.0.0.1:3307",
      zone: "",
      weight: 1,
      state: "SUSPECT",
      "server_sessions": 0,
      tenants: "t1",
    },
  ]);
  const others = await rowsOf("SHOW PROXYCLUSTER LIKE 'o%'", scope);
  assertEquals(others.map((row) => row.root_addr), ["127.0.0.1:3308"]);
});

Deno.test("SHOW PROXYNET lists connections to both sides", async () => {
  const manager = newManager();
  new FakeClient(manager, { id: 2, connectedSince: 0 });
  new FakeClient(manager, { id: 1, phase: "closed" });
  addServer(manager, { id: 9, localAddress: "", phase: "closing" });
  const scope = scopeWith({}, manager);
  const rows = await rowsOf("SHOW PROXYNET CONNECTION", scope);
  assertEquals(rows.map((row) => [row.connect_id, row.type, row.shutdown, row.comments]), [
    [1, "accepted", 1, "closed"],
    [2, "accepted", 0, "not closed"],
    [9, "connected", 1, "not closed"],
  ]);
  const [, client, server] = rows;
  assert(Number(client!["alive_time(sec)"]) > 1e9);
  assertEquals(
    [client!.src_ip, client!.src_port, client!.dst_ip, client!.dst_port],
    ["127.0.0.1", 40_002, "127.0.0.1", 2_883],
  );
  assertEquals([client!.read_ndone, client!.write_ndone], [100, 2_000]);
  assertEquals(
    [server!.src_ip, server!.src_port, server!.dst_ip, server!.dst_port],
    [null, null, "127.0.0.1", 3_306],
  );
  const ids = async (end: string) =>
    (await rowsOf(`SHOW PROXYNET CONNECTION ${end}`, scope)).map((row) => row.connect_id);
  assertEquals(await ids("0"), [1, 2, 9]);
  assertEquals(await ids("0 LIMIT 2"), [1, 2]);
  assertEquals(await ids("0 LIMIT 1, 1"), [2]);
  assertEquals(await ids("0 LIMIT 5 OFFSET 2"), [9]);
  assertEquals(await ids("0 LIMIT -1"), [1, 2, 9]);
  assertEquals(await ids("1"), []);
  const [thread] = await rowsOf("SHOW PROXYNET THREAD", scope);
  assertEquals(Object.values(thread!), [0, 3, 2, 2, 3, 200, 4_000]);
});

Deno.test("The process says what it is and has", async () => {
  const manager = newManager();
  new FakeClient(manager, { id: 1 });
  const scope = scopeWith({}, manager);
  const [binary] = await rowsOf("SHOW PROXYINFO BINARY", scope);
  assertEquals(binary!.name, "binary info");
  assertMatch(String(binary!.info), new RegExp(`^sluice-${VERSION}\ndeno: \\d`));
  const memory = await rowsOf("SHOW PROXYMEMORY 5", scope);
  assertEquals(memory.map((row) => row.mod_name), [
    "PROCESS",
    "HEAP",
    "OUTSIDE_OF_HEAP",
    "CLIENT_SESSION",
    "SERVER_SESSION",
  ]);
  assertMatch(String(memory[0]!.hold), /^\d{1,3}(,\d{3})+$/);
  assertEquals(memory[3]!.count, "1");
  assertEquals(await rowsOf("SELECT proxy_version()", scope), [{ "proxy_version()": VERSION }]);
  assertEquals(await rowsOf("SELECT proxy_version() v", scope), [{ v: VERSION }]);
  assertEquals(await rowsOf("SELECT PROXY_STATUS()", scope), [{ "proxy_status": "RUNNING" }]);
  assertEquals(await outcome("PING PROXY", scope), "ok");
  const stopping = scopeWith({ isAccepting: false });
  assertEquals(await outcome("PING PROXY", stopping), "1053 Server shutdown in progress");
  assertEquals(await rowsOf("SELECT PROXY_STATUS()", stopping), [{ "proxy_status": "STOPPING" }]);
});
