import { assert, assertEquals, assertThrows } from "@std/assert";
import { loadConfigFile, parseConfig } from "../../src/config/load.ts";
import { formatProblem } from "../../src/config/problems.ts";
import type { Config } from "../../src/config/types.ts";
import { CLUSTER, configOf, memorySystem, problemLines, USER } from "./config_tools.ts";

Deno.test("parseConfig() fills in the defaults", () => {
  const expected: Config = {
    proxy: {
      listen: [{ hostname: "127.0.0.1", port: 2883 }],
      proxyId: 0,
      clientMaxConnections: 8192,
      userMaxConnections: 0,
      tenantMaxConnections: 0,
      loginTimeout: 10_000,
      defaultInactivityTimeout: 180_000_000,
      connectTimeout: 3_000,
      shutdownGrace: 10_000,
      defaultCluster: "main",
      defaultAuthenticationPlugin: "server",
      serverVersion: "",
      rsaPrivateKeyFile: "",
      obproxySysSecret: undefined,
      inspectorSecret: undefined,
      skipProxySysPrivateCheck: false,
      clientSessionIdVersion: 2,
      internalCmdMemLimited: 16 * 1024 * 1024,
      poolMinConnections: 0,
      poolMaxConnections: 20,
      poolServerMaxConnections: 0,
      poolIdleTimeout: 1_800_000,
      poolBlockingTimeout: 10_000,
      poolLifeTime: 3_600_000,
      poolPrefill: false,
      poolPreparedStatements: 200,
    },
    log: { level: "info", format: "logfmt", file: "" },
    clusters: [{
      name: "main",
      kind: "mysql",
      sharing: "session",
      servers: [{
        name: "127.0.0.1:3306",
        address: { hostname: "127.0.0.1", port: 3306 },
        role: "primary",
        zone: "",
        weight: 1,
      }],
      tenants: [],
    }],
    users: [{
      name: "app",
      cluster: "",
      tenant: "",
      secret: { kind: "clear", password: "secret" },
    }],
  };
  assertEquals(configOf(CLUSTER + USER), expected);
});

Deno.test("parseConfig() reads every key", () => {
  const system = memorySystem(
    { "/etc/sluice/key.pem": "-----BEGIN PRIVATE KEY-----\n", "/etc/sluice/pw": "from file\r\n" },
    { APP_PASSWORD: "from environment" },
  );
  const text = `
[proxy]
listen = ["0.0.0.0:3307", "[::0]:3308", "db.example.com.:0"]
proxy_id = 8191
client_max_connections = 0
user_max_connections = 7
tenant_max_connections = 70
default_inactivity_timeout = "1d"
obproxy_sys_password_file = "pw"
inspector_password_hash = "*0123456789abcdefABCDEF000000000000000001"
skip_proxy_sys_private_check = true
client_session_id_version = 1
internal_cmd_mem_limited = "64K"
session_pool_default_min_conn = 2
session_pool_default_max_conn = 200
session_pool_server_max_conn = 300
session_pool_default_idle_timeout = "1m"
session_pool_default_blocking_timeout = "500ms"
session_pool_default_life_time = "0s"
session_pool_default_prefill = true
session_pool_prepared_statements = 50
login_timeout = "1500ms"
connect_timeout = "1m"
shutdown_grace = "0s"
default_cluster = "ob"
default_authentication_plugin = "mysql_native_password"
mysql_version = "5.7.25-OceanBase-v4.2.1.0"
rsa_private_key_file = "key.pem"

[log]
level = "debug"
format = "json"
file = "log/sluice.log"

[[clusters]]
name = "my"
servers = ["a:1", { address = "[2001:DB8::1]:2", name = "b", role = "replica", zone = "z", weight = 0 }]

[[clusters.tenants]]
name = "reports"
servers = ["b"]
schema = "sales"
max_connections = 20
sharing = "session"

[[clusters]]
name = "ob"
kind = "oceanbase"
sharing = "transaction"
[[clusters.servers]]
address = "c:3"
max_connections = 400

[[users]]
name = "a"
cluster = "my"
tenant = "reports"
password_file = "pw"
[[users]]
name = "b"
password_env = "APP_PASSWORD"
max_connections = 0
sharing = "transaction"
server_user = "real"
server_password_file = "/etc/sluice/pw"
[[users]]
name = "c"
tenant = "any tenant of OceanBase"
password_hash = "*0123456789abcdefABCDEF000000000000000001"
[[users]]
name = "d"
password = ""
server_user = "real"
server_password = "of server"
`;
  const result = parseConfig(text, { ...system, file: "/etc/sluice/sluice.toml" });
  assertEquals(problemLines(result), []);
  const config = (result as { config: Config }).config;
  const stage2 = new Uint8Array(20);
  stage2.set([0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0xab, 0xcd, 0xef]);
  stage2[19] = 1;
  assertEquals(config.proxy, {
    listen: [
      { hostname: "0.0.0.0", port: 3307 },
      { hostname: "::", port: 3308 },
      { hostname: "db.example.com.", port: 0 },
    ],
    proxyId: 8191,
    clientMaxConnections: 0,
    userMaxConnections: 7,
    tenantMaxConnections: 70,
    loginTimeout: 1500,
    defaultInactivityTimeout: 86_400_000,
    connectTimeout: 60_000,
    shutdownGrace: 0,
    defaultCluster: "ob",
    defaultAuthenticationPlugin: "mysql_native_password",
    serverVersion: "5.7.25-OceanBase-v4.2.1.0",
    rsaPrivateKeyFile: "/etc/sluice/key.pem",
    obproxySysSecret: { kind: "clear", password: "from file" },
    inspectorSecret: { kind: "sha1_hash", stage2 },
    skipProxySysPrivateCheck: true,
    clientSessionIdVersion: 1,
    internalCmdMemLimited: 65_536,
    poolMinConnections: 2,
    poolMaxConnections: 200,
    poolServerMaxConnections: 300,
    poolIdleTimeout: 60_000,
    poolBlockingTimeout: 500,
    poolLifeTime: 0,
    poolPrefill: true,
    poolPreparedStatements: 50,
  });
  assertEquals(config.log, {
    level: "debug",
    format: "json",
    file: "/etc/sluice/log/sluice.log",
  });
  assertEquals(config.clusters.map((cluster) => [cluster.name, cluster.kind, cluster.sharing]), [
    ["my", "mysql", "session"],
    ["ob", "oceanbase", "transaction"],
  ]);
  assertEquals(config.clusters.flatMap((cluster) => cluster.servers), [
    {
      name: "a:1",
      address: { hostname: "a", port: 1 },
      role: "primary",
      zone: "",
      weight: 1,
    },
    {
      name: "b",
      address: { hostname: "2001:db8::1", port: 2 },
      role: "replica",
      zone: "z",
      weight: 0,
    },
    {
      name: "c:3",
      address: { hostname: "c", port: 3 },
      role: "primary",
      zone: "",
      weight: 1,
      maxConnections: 400,
    },
  ]);
  assertEquals(config.clusters[0]?.tenants, [
    { name: "reports", servers: ["b"], schema: "sales", maxConnections: 20, sharing: "session" },
  ]);
  assertEquals(config.users, [
    {
      name: "a",
      cluster: "my",
      tenant: "reports",
      secret: { kind: "clear", password: "from file" },
    },
    {
      name: "b",
      cluster: "",
      tenant: "",
      secret: { kind: "clear", password: "from environment" },
      maxConnections: 0,
      sharing: "transaction",
      server: { user: "real", password: "from file" },
    },
    {
      name: "c",
      cluster: "",
      tenant: "any tenant of OceanBase",
      secret: { kind: "sha1_hash", stage2 },
    },
    {
      name: "d",
      cluster: "",
      tenant: "",
      secret: { kind: "clear", password: "" },
      server: { user: "real", password: "of server" },
    },
  ]);
});

Deno.test("parseConfig() cuts one line end from a password file, and only one", () => {
  const passwords = [["p\n", "p"], ["p\r\n", "p"], ["p\n\n", "p\n"], [" p ", " p "], ["p", "p"]];
  for (const [file = "", password] of passwords) {
    const text = `${CLUSTER}[[users]]\nname = "a"\npassword_file = "/pw"\n`;
    const config = configOf(text, memorySystem({ "/pw": file }));
    assertEquals(config.users[0]?.secret, { kind: "clear", password });
  }
});

Deno.test("parseConfig() tells everything that is wrong, by line", () => {
  const text = `[log]\nlevel = 1\n[proxy]\nproxy_id = "x"\nfoo = 1\n[bar]\n` +
    `[[clusters]]\nname = "a"\nservers = ["x"]\n[[users]]\nname = ""\n`;
  const result = parseConfig(text, { file: "c.toml" });
  const problems = "problems" in result ? result.problems : [];
  assertEquals(problems.map(({ line, key }) => [line, key]), [
    [2, "log.level"],
    [4, "proxy.proxy_id"],
    [5, "proxy.foo"],
    [6, "bar"],
    [9, "clusters.servers"],
    [10, "users.password"],
    [11, "users.name"],
  ]);
  assert(problems.every(({ file }) => file === "c.toml"));
});

Deno.test("parseConfig() returns a deeply frozen value", () => {
  const config = configOf(
    `${CLUSTER}${USER}[[users]]\nname = "b"\npassword_hash = "*${"00".repeat(20)}"\n`,
  );
  let objects = 0;
  const walk = (value: unknown) => {
    if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return;
    assert(Object.isFrozen(value), JSON.stringify(value));
    objects++;
    Object.values(value).forEach(walk);
  };
  walk(config);
  assertEquals(objects, 16);
  assertThrows(() => (config.users as unknown[]).push({}), TypeError);
});

Deno.test("loadConfigFile() reads a file, and paths in it count from its folder", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/sluice.toml`;
    await Deno.writeTextFile(`${folder}/pw`, "p4\n");
    await Deno.writeTextFile(path, `${CLUSTER}[[users]]\nname = "a"\npassword_file = "pw"\n`);
    const result = loadConfigFile(path);
    assertEquals(problemLines(result), []);
    const { users } = (result as { config: Config }).config;
    assertEquals(users[0]?.secret, { kind: "clear", password: "p4" });
    assertEquals(problemLines(loadConfigFile(`${folder}/none.toml`)), [
      `${folder}/none.toml: Cannot read the configuration file: no such file`,
    ]);
    assertEquals(problemLines(loadConfigFile(folder)), [
      `${folder}: Cannot read the configuration file: it is a folder`,
    ]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("formatProblem() names file, line and key as far as there are any", () => {
  const problem = { file: "f", line: 3, key: "a.b", problem: "Wrong" };
  assertEquals(formatProblem(problem), "f:3: a.b: Wrong");
  assertEquals(formatProblem({ ...problem, line: 0 }), "f: a.b: Wrong");
  assertEquals(formatProblem({ ...problem, line: 0, key: "" }), "f: Wrong");
});
