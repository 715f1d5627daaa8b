import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { renderConfig } from "../../src/config/print.ts";
import { KEYS } from "../../src/config/schema.ts";
import type { Config } from "../../src/config/types.ts";
import { configOf, memorySystem } from "./config_tools.ts";

const PASSWORDS = ["pa#ss", "hash-e5a1", "fr\"om'file", "fromenv", "of server", "of sys"];
const SYSTEM = memorySystem({
  "key.pem": "-----BEGIN RSA PRIVATE KEY-----\n",
  "pw": PASSWORDS[2] ?? "",
}, { PW: PASSWORDS[3] ?? "" });
const HASH = "89ABCDEF0123456789ABCDEF0123456789ABCDEF";

const EVERYTHING = configOf(
  `[proxy]
listen = ["0.0.0.0:3307", "[::1]:3308"]
proxy_id = 17
client_max_connections = 5
user_max_connections = 6
tenant_max_connections = 7
default_inactivity_timeout = "36h"
obproxy_sys_password = "${PASSWORDS[5]}"
inspector_password_hash = "*${HASH}"
skip_proxy_sys_private_check = true
client_session_id_version = 1
internal_cmd_mem_limited = "1536K"
session_pool_default_min_conn = 1
session_pool_default_max_conn = 31
session_pool_server_max_conn = 32
session_pool_default_idle_timeout = "33s"
session_pool_default_blocking_timeout = "34ms"
session_pool_default_life_time = "35m"
session_pool_default_prefill = true
session_pool_prepared_statements = 36
login_timeout = "90s"
connect_timeout = "150ms"
shutdown_grace = "1h"
default_cluster = "b\\\\ \\"\\u00e9\\""
default_authentication_plugin = "mysql_native_password"
mysql_version = "8.0.30 # no comment"
rsa_private_key_file = "key.pem"
[log]
level = "error"
format = "json"
file = "/var/log/sluice.log"
[[clusters]]
name = "a"
servers = ["h:1", { address = "[::1]:2", name = "n", role = "replica", zone = "z", weight = 7, max_connections = 9 }]
[[clusters.tenants]]
name = "t"
servers = ["n", "h:1"]
schema = "s"
max_connections = 3
sharing = "session"
[[clusters]]
name = "b\\\\ \\"\\u00e9\\""
kind = "oceanbase"
sharing = "transaction"
servers = ["h:3"]
[[users]]
name = "u1"
cluster = "a"
tenant = "t"
password = "${PASSWORDS[0]}"
max_connections = 2
sharing = "transaction"
server_user = "s1"
server_password = "${PASSWORDS[4]}"
[[users]]
name = "u2"
password_hash = "*${HASH}"
[[users]]
name = "u3"
password_file = "pw"
[[users]]
name = "u4"
password_env = "PW"
`,
  SYSTEM,
);

Deno.test("renderConfig() writes what reads as the same configuration, passwords apart", () => {
  const masked = { kind: "clear", password: "********" } as const;
  const users = EVERYTHING.users.map((user) => ({
    ...user,
    secret: user.secret.kind === "clear"
      ? masked
      : { kind: "sha1_hash" as const, stage2: new Uint8Array(20) },
    ...(user.server && { server: { ...user.server, password: masked.password } }),
  }));
  const proxy = {
    ...EVERYTHING.proxy,
    obproxySysSecret: masked,
    inspectorSecret: { kind: "sha1_hash" as const, stage2: new Uint8Array(20) },
  };
  const expected: Config = { ...EVERYTHING, proxy, users };
  assertEquals(configOf(renderConfig(EVERYTHING), SYSTEM), expected);
});

Deno.test("renderConfig() shows no password", () => {
  const text = renderConfig(EVERYTHING);
  for (const password of [...PASSWORDS, HASH, HASH.toLowerCase()]) {
    assert(!text.includes(password), password);
    assert(!text.includes(JSON.stringify(password)), password);
  }
  assertStringIncludes(text, 'password = "********"  # hidden\n');
  assertStringIncludes(text, `password_hash = "*${"0".repeat(40)}"  # hidden\n`);
});

Deno.test("renderConfig() writes every key except where a password came from", () => {
  const written = new Set<string>();
  let section = "";
  for (const line of renderConfig(EVERYTHING).split("\n")) {
    section = /^\[+([a-z.]+)\]+$/.exec(line)?.[1] ?? section;
    const key = /^([a-z_]+) = /.exec(line)?.[1];
    if (key !== undefined) written.add(`${section}.${key}`);
  }
  // Servers are written as blocks of their own.
  const left = ["clusters.servers"].concat(
    ["password_file", "password_env", "server_password_file", "server_password_env"]
      .map((key) => `users.${key}`),
    ["obproxy_sys_password_file", "obproxy_sys_password_env", "obproxy_sys_password_hash"]
      .map((key) => `proxy.${key}`),
    ["inspector_password", "inspector_password_file", "inspector_password_env"]
      .map((key) => `proxy.${key}`),
  );
  const expected = KEYS.map(({ section, key }) => `${section}.${key}`);
  assertEquals([...written].sort(), expected.filter((path) => !left.includes(path)).sort());
});
