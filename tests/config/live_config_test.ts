import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { LiveConfig } from "../../src/config/live_config.ts";
import { PROXY_KEYS } from "../../src/config/proxy_keys.ts";
import type { Config } from "../../src/config/types.ts";
import { SluiceError } from "../../src/errors.ts";
import { LogRecords } from "../support/log_records.ts";
import { configOf } from "./config_tools.ts";
import { MemoryDisk } from "./memory_disk.ts";
import { FILE, OVERLAY, row, startOn, startWith, stateOf, VALID } from "./live_tools.ts";

async function refusal(action: () => Promise<unknown>): Promise<[string, string]> {
  const error = await assertRejects(action, SluiceError);
  return [error.kind, error.message];
}

// ---- SHOW ----

Deno.test("rows() has each parameter once with its default, range and level", () => {
  const { live } = startWith(`${VALID}[proxy]\nproxy_id = 3\nlogin_timeout = "10000ms"\n`);
  const rows = live.rows();
  const forms = /^(obproxy_sys|inspector)_password_(file|env|hash)$/;
  assertEquals(
    rows.map(({ name }) => name),
    PROXY_KEYS.filter(({ key }) => !forms.test(key))
      .map(({ section, key }) => section === "log" ? `log_${key}` : key),
  );
  assertEquals(rows.filter(({ isChanged }) => isChanged).map(({ name }) => name), ["proxy_id"]);
  assertEquals(row(live, "proxy_id"), {
    name: "proxy_id",
    value: "3",
    defaultValue: "0",
    info: "Number of this proxy, part of every session id; distinct for each proxy of a group",
    needsRestart: true,
    visibleLevel: "USER",
    range: "[0,8191]",
    isChanged: true,
  });
  const ranges = ["login_timeout", "internal_cmd_mem_limited", "skip_proxy_sys_private_check"]
    .concat(["log_level", "mysql_version", "default_inactivity_timeout"]);
  assertEquals(ranges.map((name) => [row(live, name).value, row(live, name).range]), [
    ["10s", "[100ms,10m]"],
    ["16M", "[0,64M]"],
    ["false", "true, false"],
    ["info", "debug, info, warning, error"],
    ["", ""],
    ["50h", "[0s,30d]"],
  ]);
  assertEquals(row(live, "skip_proxy_sys_private_check").visibleLevel, "SYS");
  assertEquals([row(live, "default_cluster").value, row(live, "default_cluster").isChanged], [
    "main",
    false,
  ]);
});

Deno.test("rows() shows that there is a password, whatever form it has, and not which", () => {
  for (const form of ['password = "hunter2"', 'password_file = "pw"', 'password_env = "PW"']) {
    const disk = new MemoryDisk({ [FILE]: `${VALID}[proxy]\ninspector_${form}\n` });
    disk.files.set("/etc/sluice/pw", "hunter2");
    disk.env["PW"] = "hunter2";
    const live = startOn(disk);
    assertEquals(row(live, "inspector_password").value, "***");
    assertEquals(row(live, "inspector_password").isChanged, true);
    assertEquals(row(live, "obproxy_sys_password").value, "");
    assert(!JSON.stringify(live.rows()).includes("hunter2"));
  }
});

// ---- ALTER: values ----

/** What is typed, and what SHOW PROXYCONFIG says then; the third: what the overlay has. */
const VALUES: readonly (readonly [name: string, typed: string, shown: string, line: string])[] = [
  ["client_max_connections", "100", "100", "client_max_connections = 100"],
  ["CLIENT_MAX_CONNECTIONS", "+7", "7", "client_max_connections = 7"],
  ["proxy.user_max_connections", "0007", "7", "user_max_connections = 7"],
  ["login_timeout", "1500ms", "1500ms", 'login_timeout = "1500ms"'],
  ["default_inactivity_timeout", "180000s", "50h", 'default_inactivity_timeout = "180000s"'],
  ["internal_cmd_mem_limited", "64MB", "64M", 'internal_cmd_mem_limited = "64MB"'],
  ["internal_cmd_mem_limited", "0", "0", 'internal_cmd_mem_limited = "0"'],
  ["skip_proxy_sys_private_check", "True", "true", "skip_proxy_sys_private_check = true"],
  ["skip_proxy_sys_private_check", "1", "true", "skip_proxy_sys_private_check = true"],
  ["skip_proxy_sys_private_check", "off", "false", "skip_proxy_sys_private_check = false"],
  ["log_level", "DEBUG", "debug", 'level = "debug"'],
  ["log.level", "error", "error", 'level = "error"'],
  ["syslog_level", "WARN", "warning", 'level = "warning"'],
  ["syslog_level", "trace", "debug", 'level = "debug"'],
  ["default_cluster", "main", "main", 'default_cluster = "main"'],
  ["mysql_version", '8.0.1 "\\ é', '8.0.1 "\\ é', 'mysql_version = "8.0.1 \\"\\\\ é"'],
];

for (const [name, typed, shown, line] of VALUES) {
  Deno.test(`ALTER PROXYCONFIG SET ${name} = '${typed}' is in force at once, and kept`, async () => {
    const { disk, live } = startWith();
    const outcome = await live.set(name, typed);
    assertEquals([outcome.needsRestart, outcome.isKept], [false, true]);
    assertEquals(row(live, outcome.name).value, shown);
    assert(Object.isFrozen(live.current.proxy));
    const lines = disk.files.get(OVERLAY)!.split("\n");
    const section = outcome.name.startsWith("log_") ? "[log]" : "[proxy]";
    assertEquals(lines.filter((one) => one !== "" && !one.startsWith("#")), [section, line]);
    assertEquals(startOn(disk).rows(), live.rows());
  });
}

/** What is typed, and what the answer says. */
const WRONG_VALUES: readonly (readonly [name: string, typed: string, says: string])[] = [
  ["client_max_connections", "-1", "Expected a whole number between 0 and 262144, got -1"],
  ["client_max_connections", "1e3", 'Expected a whole number between 0 and 262144, got "1e3"'],
  ["client_max_connections", "9".repeat(20), "got 100000000000000000000"],
  ["proxy_id", "8192", "Expected a whole number between 0 and 8191, got 8192"],
  ["login_timeout", "5", 'Expected a duration such as "10s" between 100ms and 10m, got "5"'],
  ["login_timeout", "1d", 'between 100ms and 10m, got "1d"'],
  ["internal_cmd_mem_limited", "1G", 'Expected a size such as "16M" between 0 and 64M, got "1G"'],
  ["skip_proxy_sys_private_check", "maybe", 'Expected true or false, got "maybe"'],
  ["log_level", "loud", 'Expected "debug", "info", "warning" or "error", got "loud"'],
  ["default_cluster", "mian", 'got "mian" (did you mean "main"?)'],
  ["listen", "127.0.0.1", '"host:port" with a port between 0 and 65535, got "127.0.0.1"'],
  ["listen", "h:1;H:1", 'Expected each address once, got "h:1" again'],
  ["listen", "h:1;", 'got ""'],
  ["listen", "h:1;0.0.0.0:2,127.0.0.1:2", 'got "127.0.0.1:2" beside "0.0.0.0:2"'],
  ["mysql_version", "foo", 'Expected a version such as "8.0.36", got "foo"'],
  ["mysql_version", "8.0.1\n", 'Expected a version such as "8.0.36", got "8.0.1\\n"'],
  ["log_file", "/missing/log", 'a file to add lines to, got no such folder at "/missing/log"'],
  ["session_pool_default_min_conn", "21", "at most 20, which is session_pool_default_max_conn"],
  ["rsa_private_key_file", "none.pem", "Expected a PEM file with an unencrypted private key"],
];

for (const [name, typed, says] of WRONG_VALUES) {
  Deno.test(`ALTER PROXYCONFIG SET ${name} = ${JSON.stringify(typed)} is refused`, async () => {
    const { disk, live } = startWith();
    const before = stateOf(live, disk);
    const [kind, message] = await refusal(() => live.set(name, typed));
    assertEquals(kind, "invalid_config");
    assertEquals(message.slice(0, name.length + 2), `${name}: `);
    assertStringIncludes(message, says);
    assertEquals(stateOf(live, disk), before);
    assertEquals(disk.steps, []);
  });
}

Deno.test("The sizes of pools are held against each other, wherever each one is from", async () => {
  const [least, most] = ["session_pool_default_min_conn", "session_pool_default_max_conn"] as const;
  const { disk, live } = startWith(`${VALID}[proxy]\n${most} = 30\n`);
  await live.set(least, "25");
  const before = stateOf(live, disk);
  assertEquals(await refusal(() => live.set(most, "24")), [
    "invalid_config",
    `${most}: Expected 0 or at least 25, which is ${least}, got 24`,
  ]);
  assertEquals((await refusal(() => live.set(least, "31")))[1].split(":")[0], least);
  assertEquals(stateOf(live, disk), before);
  await live.set(most, "0");
  await live.set(least, "31");
  // What the file has is not enough any more.
  assertEquals((await refusal(() => live.set(most, "")))[1].split(":")[0], most);
  disk.files.set(FILE, `${VALID}[proxy]\n${least} = 5\n`);
  disk.files.set(OVERLAY, `[proxy]\n${most} = 4\n`);
  const outcome = await live.reload();
  const problems = outcome.kind === "refused" ? outcome.problems : [];
  assertEquals(problems, [{
    file: OVERLAY,
    line: 2,
    key: `proxy.${most}`,
    problem: `Expected 0 or at least 5, which is ${least}, got 4`,
  }]);
});

Deno.test("Parameters that there are none of are refused with the one that was meant", async () => {
  const { disk, live } = startWith();
  const expected: readonly (readonly [string, string])[] = [
    ["nosuch", 'Unknown parameter "nosuch"; SHOW PROXYCONFIG lists them'],
    ["client_max_connection", "did you mean client_max_connections?"],
    ["level", "; SHOW PROXYCONFIG lists them"],
    ["loglevel", "did you mean log_level?"],
    ["obproxy_sys_password_file", 'Unknown parameter "obproxy_sys_password_file"'],
    ["", 'Unknown parameter ""'],
    ["__proto__", 'Unknown parameter "__proto__"'],
    ["x".repeat(100_000), `Unknown parameter "${"x".repeat(60)}…"`],
  ];
  for (const [name, says] of expected) {
    const [kind, message] = await refusal(() => live.set(name, "hunter2"));
    assertEquals(kind, "unknown_config");
    assertStringIncludes(message, says);
    assert(!message.includes("hunter2"));
  }
  assertEquals(disk.steps, []);
});

// ---- ALTER: effect ----

Deno.test("Listeners hear of what is in force with what was before", async () => {
  const { live } = startWith();
  const heard: [Config, Config][] = [];
  live.onChange((next, previous) => heard.push([next, previous]));
  const first = live.current;
  await live.set("client_max_connections", "5");
  const second = live.current;
  assertEquals([first.proxy.clientMaxConnections, second.proxy.clientMaxConnections], [8192, 5]);
  // The same once more, and what waits for a restart, change nothing.
  await live.set("client_max_connections", "5");
  await live.set("proxy_id", "1");
  assert(live.current === second);
  assert(heard.length === 1 && heard[0]![0] === second && heard[0]![1] === first);
  assert(second.users === first.users && second.clusters[0] === first.clusters[0]);
});

Deno.test("What takes a restart is kept for it, shown as pending, and can be taken back", async () => {
  const { disk, live } = startWith();
  assertEquals(await live.set("listen", "127.0.0.1:1, [::1]:2"), {
    name: "listen",
    needsRestart: true,
    isKept: true,
  });
  const { value, pending, isChanged } = row(live, "listen");
  assertEquals([value, pending, isChanged], ["127.0.0.1:2883", "127.0.0.1:1;[::1]:2", true]);
  assertEquals(live.current.proxy.listen[0]?.port, 2883);
  assertStringIncludes(disk.files.get(OVERLAY)!, 'listen = ["127.0.0.1:1", "[::1]:2"]\n');
  const restarted = startOn(disk);
  assertEquals(restarted.current.proxy.listen.map(({ port }) => port), [1, 2]);
  assertEquals(row(restarted, "listen").pending, undefined);
  assertEquals((await live.set("listen", "127.0.0.1:2883")).needsRestart, false);
  assertEquals(row(live, "listen").pending, undefined);
  assertEquals((await live.set("listen", "")).needsRestart, false);
  assertEquals(startOn(disk).current.proxy.listen[0]?.port, 2883);
});

Deno.test("The empty value brings back the file's value, or else the default", async () => {
  const { disk, live } = startWith(`${VALID}[proxy]\nclient_max_connections = 50\n`);
  await live.set("client_max_connections", "5");
  await live.set("login_timeout", "1s");
  await live.set("client_max_connections", "");
  assertEquals(row(live, "client_max_connections").value, "50");
  assertEquals(row(live, "login_timeout").value, "1s");
  await live.set("login_timeout", "");
  assertEquals(row(live, "login_timeout").value, "10s");
  assert(!/^[^#\n]/m.test(disk.files.get(OVERLAY)!), "settings are left in the overlay");
  await live.set("login_timeout", "");
});

Deno.test("The overlay is a file to read: what it is for, and one line a setting", async () => {
  const { disk, live } = startWith();
  await live.set("log_level", "debug");
  await live.set("proxy_id", "12");
  await live.set("login_timeout", "5s");
  assertEquals(
    disk.files.get(OVERLAY),
    `# What ALTER PROXYCONFIG has set. These values stand above those of sluice.toml, which lies beside this
# file; sluice --check shows the difference. Each ALTER PROXYCONFIG writes this file anew, without
# comments of yours. To take a value back: ALTER PROXYCONFIG SET name = '', or delete its line and
# send the running proxy SIGHUP.

[proxy]
proxy_id = 12
login_timeout = "5s"

[log]
level = "debug"
`,
  );
});

Deno.test("A password leaves only its hash, in place of every form that the file has", async () => {
  const log = await LogRecords.take();
  const disk = new MemoryDisk({
    [FILE]: `${VALID}[proxy]\nobproxy_sys_password_env = "PW"\n`,
  });
  disk.env["PW"] = "from environment";
  const live = startOn(disk);
  // SELECT PASSWORD('hunter2') of MariaDB
  const hash = "58815970BE77B3720276F63DB198B1FA42E5CC02";
  await live.set("obproxy_sys_password", "hunter2");
  const stage2 = Uint8Array.fromHex(hash);
  assertEquals(live.current.proxy.obproxySysSecret, { kind: "sha1_hash", stage2 });
  assertStringIncludes(disk.files.get(OVERLAY)!, `\nobproxy_sys_password_hash = "*${hash}"\n`);
  assertEquals(startOn(disk).current.proxy.obproxySysSecret, { kind: "sha1_hash", stage2 });
  assertEquals(row(live, "obproxy_sys_password").value, "***");
  // A form that somebody wrote into the overlay by hand goes too.
  disk.files.set(OVERLAY, '[proxy]\nobproxy_sys_password = "by hand"\n');
  await live.set("obproxy_sys_password", "hunter2");
  await live.set("obproxy_sys_password", "");
  const secret = { kind: "clear", password: "from environment" } as const;
  assertEquals(live.current.proxy.obproxySysSecret, secret);
  const everything = stateOf(live, disk) + log.text;
  assert(!everything.includes("hunter2") && !log.text.includes(hash), everything);
  assertEquals(log.of("parameter set").map(({ fields }) => fields.value), ["***", "***", "***"]);
});

Deno.test("Settings without a file are for this run, and those for the next are refused", async () => {
  const live = new LiveConfig(configOf(VALID));
  assertEquals(await live.set("client_max_connections", "5"), {
    name: "client_max_connections",
    needsRestart: false,
    isKept: false,
  });
  await live.set("login_timeout", "1s");
  assertEquals([row(live, "client_max_connections").value, row(live, "login_timeout").value], [
    "5",
    "1s",
  ]);
  await live.set("client_max_connections", "");
  assertEquals([row(live, "client_max_connections").value, row(live, "login_timeout").value], [
    "8192",
    "1s",
  ]);
  const before = stateOf(live);
  const [kind, message] = await refusal(() => live.set("proxy_id", "5"));
  assertEquals(kind, "not_supported");
  assertStringIncludes(message, "Cannot set proxy_id: it takes a restart");
  assertEquals(stateOf(live), before);
  assertEquals(await live.reload(), { kind: "no_file" });
});

Deno.test("Settings in the overlay file of another hand stay, and are in force with the next", async () => {
  const { disk, live } = startWith();
  await live.set("client_max_connections", "5");
  disk.files.set(OVERLAY, "[proxy]\nuser_max_connections = 6\n");
  await live.set("tenant_max_connections", "7");
  const { clientMaxConnections, userMaxConnections, tenantMaxConnections } = live.current.proxy;
  assertEquals([clientMaxConnections, userMaxConnections, tenantMaxConnections], [8192, 6, 7]);
  for (const broken of ["[proxy\n", "[proxy]\nold_key = 1\n", "[[users]]\n"]) {
    disk.files.set(OVERLAY, broken);
    const before = stateOf(live, disk);
    const [kind, message] = await refusal(() => live.set("tenant_max_connections", "8"));
    assertEquals(kind, "invalid_config");
    assertStringIncludes(message, `Cannot set anything above a broken overlay: ${OVERLAY}:`);
    assertEquals(stateOf(live, disk), before);
  }
  // The wrong value itself can be set right.
  disk.files.set(OVERLAY, "[proxy]\ntenant_max_connections = -1\n");
  await live.set("tenant_max_connections", "8");
  assertEquals(live.current.proxy.tenantMaxConnections, 8);
});

Deno.test("Where the overlay cannot be written nothing changes, in force or kept", async () => {
  const { disk, live } = startWith();
  await live.set("client_max_connections", "5");
  const count = disk.steps.length;
  const before = stateOf(live, disk);
  const heard: Config[] = [];
  live.onChange((next) => heard.push(next));
  // All steps but the last, after which the new overlay is there.
  for (let step = 0; step < count - 1; step++) {
    disk.fails = { at: disk.steps.length + step, forGood: false };
    const [kind, message] = await refusal(() => live.set("client_max_connections", "6"));
    assertEquals(kind, "cannot_write");
    assertStringIncludes(message, `Cannot write ${OVERLAY}: disk is broken at `);
    assertEquals(stateOf(live, disk), before);
  }
  disk.fails = undefined;
  assertEquals(heard, []);
  await live.set("client_max_connections", "6");
  assertEquals(startOn(disk).rows(), live.rows());
});

Deno.test("Changes at the same time wait for each other, and none is lost", async () => {
  const { disk, live } = startWith();
  const names = ["client_max_connections", "user_max_connections", "tenant_max_connections"];
  const sets = names.flatMap((name) => [1, 2, 3].map((value) => live.set(name, String(value))));
  const wrong = assertRejects(() => live.set("proxy_id", "x"), SluiceError);
  disk.files.set(FILE, `${VALID}[log]\nlevel = "error"\n`);
  const [reloaded] = await Promise.all([live.reload(), ...sets, wrong]);
  assertEquals(reloaded.kind, "reloaded");
  assertEquals(names.map((name) => row(live, name).value), ["3", "3", "3"]);
  assertEquals(live.current.log.level, "error");
  assertEquals(startOn(disk).rows(), live.rows());
});

// ---- reload ----
