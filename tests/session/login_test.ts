/** Logins against fake servers: who is let in, as whom on which server, and who is told what. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { NATIVE, type PluginName, SHA2 } from "../../src/protocol/auth.ts";
import { Capability } from "../../src/protocol/constants.ts";
import { FakeClient } from "../fake/client.ts";
import { FakeServer, type FakeServerOptions } from "../fake/server.ts";
import { encodeAttributes } from "../support/codec/requests.ts";
import { proxyFor, refused, useOnce, USERS } from "../support/logins.ts";
import { TestProxy } from "../support/test_proxy.ts";

const SERVERS: readonly (readonly [name: string, options: FakeServerOptions])[] = [
  ["native", { plugin: NATIVE }],
  ["sha2", { plugin: SHA2 }],
  ["sha2 that asks for the password", { plugin: SHA2, asksFully: true }],
];

const PLUGINS: readonly PluginName[] = [NATIVE, SHA2];

for (const [serverName, options] of SERVERS) {
  for (const plugin of PLUGINS) {
    for (const kind of ["clear", "other", "hashOther", "empty"] as const) {
      Deno.test(`A client with ${plugin} uses account "${kind}" on a server with ${serverName}`, async () => {
        await using server = new FakeServer(options);
        await using proxy = await proxyFor(server, { users: [USERS[kind]] });
        const password = { clear: "secret", other: "front", hashOther: "secret", empty: "" }[kind];
        const login = { user: "app", password, plugin };
        await useOnce(proxy, login);
        await useOnce(proxy, login);
        const users = server.logins.map(({ user }) => user);
        assertEquals(users, kind === "clear" ? ["app", "app"] : ["back", "back"]);
        const wrong = await refused(proxy, { ...login, password: "wrong" });
        assertEquals(wrong.code, 1045);
      });
    }
  }
}

Deno.test("With a hash the first login shows the password, and the next ones are short", async () => {
  await using server = new FakeServer();
  await using proxy = await proxyFor(server, { users: [USERS.hash] });
  const login = { user: "app", password: "secret", plugin: SHA2 } as const;
  const wrong = { ...login, password: "wrong" };
  assertEquals((await refused(proxy, wrong)).code, 1045);
  const steps: number[] = [];
  for (let count = 0; count < 3; count++) {
    using client = await FakeClient.connect(proxy.port);
    assertEquals((await client.logIn(login))[0], 0x00);
    // The number of the OK tells how many packets the login took.
    steps.push(client.sequence);
    await client.query("SELECT 1");
    assertEquals((await client.expect())[0], 0x00);
  }
  // Login, full authentication, request, key, password, OK; then login, fast, OK.
  assertEquals(steps, [7, 4, 4]);
  assertEquals((await refused(proxy, wrong)).code, 1045);
});

Deno.test("With a hash and a native login, servers are logged in to by native", async () => {
  await using server = new FakeServer({ plugin: NATIVE });
  await using proxy = await proxyFor(server, { users: [USERS.hash] });
  await useOnce(proxy, { user: "app", password: "secret", plugin: NATIVE });
  assertEquals(server.logins.map(({ authPlugin }) => authPlugin), [NATIVE]);
});

Deno.test("With a hash and a native login, a server that wants more has the client asked for it", async () => {
  await using server = new FakeServer({ plugin: SHA2 });
  await using proxy = await proxyFor(server, { users: [USERS.hash] });
  await useOnce(proxy, { user: "app", password: "secret", plugin: NATIVE });
  assertEquals(server.logins.map(({ authPlugin }) => authPlugin), [SHA2]);
});

Deno.test("A short login that a server refuses has its packets in order", async () => {
  await using server = new FakeServer({ plugin: SHA2, password: "another" });
  await using proxy = await proxyFor(server, { users: [USERS.clear] });
  const error = await refused(proxy, { user: "app", password: "secret", plugin: SHA2 });
  assertEquals(error.code, 1045);
  assertStringIncludes(error.message, `127.0.0.1:${server.port}`);
});

Deno.test("A client that names a foreign plugin is asked to switch", async () => {
  await using server = new FakeServer();
  for (const plugin of PLUGINS) {
    await using proxy = await proxyFor(server, {
      proxy: { default_authentication_plugin: plugin },
    });
    using client = await FakeClient.connect(proxy.port);
    const last = await client.logIn({
      user: "app",
      password: "secret",
      login: { authPlugin: "client_ed25519", authResponse: new Uint8Array(32) },
    });
    assertEquals(last[0], 0x00);
    assertEquals(client.greeting?.authPlugin, plugin);
  }
});

for (const [announced, named] of [[NATIVE, SHA2], [SHA2, NATIVE]] as const) {
  Deno.test(`A client that names ${named} where ${announced} was announced answers anew`, async () => {
    await using server = new FakeServer({ plugin: announced });
    await using proxy = await proxyFor(server, { users: [USERS.clear] });
    // Nothing yet: the nonce of the greeting is for the other plugin.
    const login = { authPlugin: named, authResponse: new Uint8Array(0) };
    await useOnce(proxy, { user: "app", password: "secret", login });
    const wrong = await refused(proxy, { user: "app", password: "wrong", login });
    assertEquals([wrong.code, wrong.message.endsWith("(using password: YES)")], [1045, true]);
  });
}

Deno.test("A client that knows no plugins logs in by native", async () => {
  await using server = new FakeServer();
  await using proxy = await proxyFor(server);
  const capabilities = Capability.PROTOCOL_41 | Capability.SECURE_CONNECTION;
  using client = await FakeClient.connect(proxy.port);
  const last = await client.logIn({
    user: "app",
    password: "secret",
    plugin: NATIVE,
    login: { capabilities },
  });
  assertEquals(last[0], 0x00);
  await client.ping();
});

Deno.test("The RSA key comes from the file that the configuration names", async () => {
  const file = await Deno.makeTempFile();
  try {
    const { privateKey } = await crypto.subtle.generateKey(
      {
        name: "RSA-OAEP",
        hash: "SHA-1",
        modulusLength: 2048,
        publicExponent: Uint8Array.of(1, 0, 1),
      },
      true,
      ["encrypt", "decrypt"],
    );
    const der = new Uint8Array(await crypto.subtle.exportKey("pkcs8", privateKey));
    const base64 = der.toBase64().replaceAll(/.{64}/g, "$&\n");
    await Deno.writeTextFile(
      file,
      `-----BEGIN PRIVATE KEY-----\n${base64}\n-----END PRIVATE KEY-----\n`,
    );
    await using server = new FakeServer();
    await using proxy = await proxyFor(server, {
      proxy: { rsa_private_key_file: file },
      users: [USERS.hash],
    });
    await useOnce(proxy, { user: "app", password: "secret", plugin: SHA2 });
  } finally {
    await Deno.remove(file);
  }
});

// ---- refusals ----

Deno.test("Unknown users and wrong passwords read alike", async () => {
  await using server = new FakeServer();
  await using proxy = await proxyFor(server);
  for (const plugin of PLUGINS) {
    for (const user of ["app", "nobody"]) {
      for (const [password, using] of [["wrong", "YES"], ["", "NO"]] as const) {
        assertEquals(await refused(proxy, { user, password, plugin }), {
          code: 1045,
          sqlState: "28000",
          message: `Access denied for user '${user}'@'127.0.0.1' (using password: ${using})`,
        });
      }
    }
  }
  assertEquals(server.logins.length, 0);
});

Deno.test("Unknown tenants and clusters read like unknown users", async () => {
  await using server = new FakeServer();
  await using proxy = await proxyFor(server);
  for (const user of ["app@nowhere", "app#nowhere", "nowhere:x:app", "app@"]) {
    const error = await refused(proxy, { user, password: "wrong" });
    assertEquals(
      error.message,
      `Access denied for user '${user}'@'127.0.0.1' (using password: YES)`,
    );
  }
  assertEquals((await refused(proxy, { user: "app@nowhere", password: "secret" })).code, 1045);
});

Deno.test("A refusal is one warning with who, from where and why", async () => {
  await using server = new FakeServer();
  await using proxy = await proxyFor(server);
  await refused(proxy, { user: "app", password: "hunter2", login: { database: "shop" } });
  const { level, fields } = await proxy.log.first("login refused");
  assertEquals(level, "warning");
  assertEquals(fields.user, "app");
  assertEquals(fields.code, 1045);
  assertEquals(fields.reason, "login_refused");
  assertMatch(String(fields.peer), /^127\.0\.0\.1:\d+$/);
  assertStringIncludes(String(fields.error), "Access denied for user 'app'@'127.0.0.1'");
  assert(Number.isInteger(fields.duration_ms));
  assertEquals(proxy.log.of("login refused").length, 1);
  assert(!proxy.log.text.includes("hunter2"), "the log has a password");
});

Deno.test("The log tells why a login was refused, of which the client hears nothing", async () => {
  await using server = new FakeServer();
  await using proxy = await TestProxy.start({
    clusters: [
      { name: "main", servers: [`127.0.0.1:${server.port}`], tenants: [{ name: "reports" }] },
    ],
    users: [{ name: "app", password: "secret", tenant: "reports" }],
  });
  const cases: readonly [user: string, password: string, cause: string][] = [
    ["app@reports", "wrong", "wrong password"],
    ["app@reports", "", "no password"],
    ["app", "secret", "unknown account"],
    ["nobody@reports", "secret", "unknown account"],
    ["app@nowhere", "secret", "unknown tenant nowhere of cluster main"],
    ["app@reports#other", "secret", "unknown cluster other"],
    ["admin@proxysys", "secret", "unknown account of proxysys"],
    ["root@proxysys", "secret", "wrong password"],
  ];
  for (const [index, [user, password, cause]] of cases.entries()) {
    const { code, message } = await refused(proxy, { user, password });
    const using = password === "" ? "NO" : "YES";
    const told = `Access denied for user '${user}'@'127.0.0.1' (using password: ${using})`;
    assertEquals([code, message], [1045, told]);
    assertEquals(proxy.log.of("login refused")[index]?.fields.cause, cause);
  }
});

Deno.test("A server that cannot be reached costs the log a line, and no stack", async () => {
  const closed = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  closed.close();
  await using proxy = await TestProxy.start({
    servers: [closed.addr.port],
    proxy: { default_authentication_plugin: NATIVE },
  });
  assertEquals((await refused(proxy, { user: "app", password: "secret" })).code, 1429);
  const { fields } = await proxy.log.first("login refused");
  assertMatch(String(fields.cause), /^[^\n]*refused[^\n]*$/);
});

Deno.test("More clients than allowed are refused", async () => {
  await using server = new FakeServer();
  await using proxy = await proxyFor(server, { proxy: { client_max_connections: 2 } });
  using first = await FakeClient.logIn(proxy.app);
  using _second = await FakeClient.logIn(proxy.app);
  const error = await refused(proxy, { user: "app", password: "secret" });
  assertEquals([error.code, error.sqlState], [1203, "42000"]);
  first.close();
  await proxy.log.first("session ended");
  using _third = await FakeClient.logIn(proxy.app);
});

// ---- where a name leads ----

Deno.test("Login names lead to tenants and clusters", async () => {
  await using main = new FakeServer();
  await using reports = new FakeServer();
  await using other = new FakeServer();
  const address = (server: FakeServer) => `127.0.0.1:${server.port}`;
  await using proxy = await TestProxy.start({
    proxy: { default_cluster: "main" },
    clusters: [
      { name: "other", servers: [address(other)] },
      {
        name: "main",
        servers: [
          { name: "one", address: address(main) },
          { name: "two", address: address(reports) },
        ],
        tenants: [
          { name: "reports", servers: ["two"], schema: "warehouse" },
          { name: "sales", servers: ["one"] },
        ],
      },
    ],
    users: [
      { name: "app", password: "secret" },
      { name: "a.b.c", password: "secret" },
      {
        name: "boss",
        password: "boss's",
        tenant: "reports",
        server_user: "boss",
        server_password: "secret",
      },
    ],
  });
  const cases: [user: string, server: FakeServer, asUser: string, schema: string][] = [
    ["app", main, "app", ""],
    ["app@sales", main, "app", ""],
    ["app@reports", reports, "app", "warehouse"],
    ["app@reports#main", reports, "app", "warehouse"],
    ["main:reports:app", reports, "app", "warehouse"],
    ["app#other", other, "app", ""],
    // Configured as it stands, so it is not taken apart.
    ["a.b.c", main, "a.b.c", ""],
  ];
  for (const [user, server, asUser, schema] of cases) {
    const before = server.logins.length;
    await useOnce(proxy, { user, password: "secret" });
    const { user: seen, database } = server.logins[before]!;
    assertEquals([seen, database], [asUser, schema], user);
  }
  const own = { user: "app@reports", password: "secret", login: { database: "own" } };
  await useOnce(proxy, own);
  assertEquals(reports.logins.at(-1)?.database, "own");
  await useOnce(proxy, { user: "boss@reports", password: "boss's" });
  assertEquals((await refused(proxy, { user: "boss", password: "boss's" })).code, 1045);
});

Deno.test("Tenants of OceanBase are part of the user name on the server", async () => {
  await using server = new FakeServer();
  await using proxy = await TestProxy.start({
    clusters: [{ name: "ob", kind: "oceanbase", servers: [`127.0.0.1:${server.port}`] }],
    users: [{ name: "app", password: "secret" }],
  });
  await useOnce(proxy, { user: "app@mysql#ob", password: "secret" });
  await useOnce(proxy, { user: "ob:sys:app", password: "secret" });
  assertEquals(server.logins.map(({ user }) => user), ["app@mysql", "app@sys"]);
});

// ---- the greeting and what servers are told ----

Deno.test("The greeting is the cluster's, with the session's own id", async () => {
  await using server = new FakeServer({ serverVersion: "9.9.9-test", plugin: NATIVE });
  await using proxy = await proxyFor(server, { proxy: { proxy_id: 3 } });
  using client = await FakeClient.connect(proxy.port);
  const greeting = await client.greet();
  assertEquals(greeting.serverVersion, "9.9.9-test");
  assertEquals(greeting.threadId, (3 << 18) + 1);
  assert(proxy.proxy.manager.clients.has(greeting.threadId));
  const unoffered = Capability.SSL | Capability.COMPRESS | Capability.ZSTD_COMPRESSION;
  assertEquals(greeting.capabilities & unoffered, 0);
});

Deno.test("The version of the greeting can be configured", async () => {
  await using server = new FakeServer();
  await using proxy = await proxyFor(server, { proxy: { mysql_version: "5.7.99" } });
  using client = await FakeClient.connect(proxy.port);
  assertEquals((await client.greet()).serverVersion, "5.7.99");
});

Deno.test("Servers get the client's schema, character set, packet size and attributes", async () => {
  await using server = new FakeServer();
  await using proxy = await proxyFor(server);
  const capabilities = Capability.LONG_PASSWORD | Capability.PROTOCOL_41 |
    Capability.SECURE_CONNECTION | Capability.PLUGIN_AUTH | Capability.CONNECT_WITH_DB |
    Capability.CONNECT_ATTRS | Capability.FOUND_ROWS | Capability.PLUGIN_AUTH_LENENC_CLIENT_DATA;
  await useOnce(proxy, {
    ...proxy.app,
    login: {
      capabilities,
      database: "shop",
      charset: 33,
      maxPacketSize: 12_345_678,
      attributes: encodeAttributes([["program_name", "test"], ["__proxy_x", "1"]]),
    },
  });
  const seen = server.logins[0]!;
  assertEquals(
    [seen.database, seen.charset, seen.maxPacketSize],
    ["shop", 33, 12_345_678],
  );
  assertEquals(seen.attributes, encodeAttributes([["program_name", "test"]]));
  assert((seen.capabilities & Capability.FOUND_ROWS) !== 0);
  assertEquals(seen.capabilities & Capability.DEPRECATE_EOF, 0);
});

Deno.test("A server that refuses the account is named in the refusal", async () => {
  await using server = new FakeServer({ password: "changed" });
  await using proxy = await proxyFor(server);
  const error = await refused(proxy, { user: "app", password: "secret" });
  assertEquals([error.code, error.sqlState], [1045, "28000"]);
  assertStringIncludes(error.message, `Server 127.0.0.1:${server.port}: Access denied`);
});

Deno.test("After a refusal by the server the next login is proven again", async () => {
  await using server = new FakeServer();
  await using proxy = await proxyFor(server);
  await useOnce(proxy, proxy.app);
  assertEquals(server.logins.length, 1);
  // Proven: the server session waits for the first statement.
  using client = await FakeClient.logIn(proxy.app);
  assertEquals(server.logins.length, 1);
  await client.query("SELECT 1");
  await client.expect();
  assertEquals(server.logins.length, 2);
});
