/** Limits of sessions as clients meet them. */
import { assertEquals } from "@std/assert";
import { ClientAuth, LoginKey, NATIVE, SHA2 } from "../../src/protocol/auth.ts";
import { Capability } from "../../src/protocol/constants.ts";
import { decodeAuthSwitch, encodeChangeUser, encodeLogin } from "../../src/protocol/handshake.ts";
import { decodeErr } from "../../src/protocol/response.ts";
import { FakeClient, type FakeLogin } from "../fake/client.ts";
import { FakeServer } from "../fake/server.ts";
import { eventually } from "../support/eventually.ts";
import { APP, type TestConfig, TestProxy } from "../support/test_proxy.ts";

const ROOT = { user: "root@proxysys", password: "" };

async function refused(proxy: TestProxy, login: FakeLogin): Promise<readonly [number, string]> {
  using client = await FakeClient.connect(proxy.port);
  const last = await client.logIn(login);
  assertEquals(last[0], 0xff);
  await client.ended();
  const { code, message } = decodeErr(last);
  return [code, message];
}

/** COM_CHANGE_USER to the account `app`. */
async function changeUser(client: FakeClient): Promise<void> {
  client.sequence = 0;
  await client.send(encodeChangeUser({
    user: APP.user,
    authResponse: new Uint8Array(20),
    database: "",
    charset: 45,
    authPlugin: SHA2,
    attributes: new Uint8Array(0),
  }, Capability.SECURE_CONNECTION | Capability.PLUGIN_AUTH));
  const auth = new ClientAuth(LoginKey.fromPassword(APP.password));
  auth.start(SHA2, client.greeting!.authData);
  assertEquals((await client.authenticate(auth))[0], 0x00);
}

async function start(server: FakeServer, rest: TestConfig = {}): Promise<TestProxy> {
  return await TestProxy.start({ servers: [server.port], ...rest });
}

Deno.test("A login too many is refused before its password, but root@proxysys gets in", async () => {
  await using server = new FakeServer();
  await using proxy = await start(server, { proxy: { client_max_connections: 2 } });
  using root = await FakeClient.logIn({ port: proxy.port, ...ROOT });
  using first = await FakeClient.logIn(proxy.app);
  using second = await FakeClient.logIn(proxy.app);
  const full = "Too many sessions, at most 2 (client_max_connections)";
  for (const password of [APP.password, "wrong"]) {
    assertEquals(await refused(proxy, { ...APP, password }), [1203, full]);
  }
  using another = await FakeClient.logIn({ port: proxy.port, ...ROOT });
  second.close();
  await eventually("its place is free", () => proxy.clients === 3);
  using third = await FakeClient.logIn(proxy.app);
  for (const client of [root, another, first, third]) client.close();
});

Deno.test("An account too often is refused by name, and only with the right password", async () => {
  await using server = new FakeServer();
  const users = [{ name: "app", password: "secret", max_connections: 1 }];
  await using proxy = await start(server, { users });
  using first = await FakeClient.logIn(proxy.app);
  const says = "Too many sessions of user app#main, at most 1 (its own max_connections)";
  assertEquals(await refused(proxy, APP), [1203, says]);
  assertEquals((await refused(proxy, { ...APP, password: "wrong" }))[0], 1045);
  assertEquals(await refused(proxy, APP), [1203, says]);
  first.close();
  await eventually("its place is free", () => proxy.clients === 0);
  using again = await FakeClient.logIn(proxy.app);
  again.close();
});

Deno.test("A change to the same account takes no second place", async () => {
  await using server = new FakeServer();
  await using proxy = await start(server, { proxy: { user_max_connections: 1 } });
  using client = await FakeClient.logIn(proxy.app);
  for (let round = 0; round < 3; round++) {
    await changeUser(client);
    await client.query("SELECT 1");
    assertEquals((await client.expect())[0], 0x00);
  }
});

Deno.test("Places of logins that come to nothing are free again", async () => {
  await using server = new FakeServer({ password: "another" });
  await using proxy = await start(server, { proxy: { user_max_connections: 1 } });
  for (let round = 0; round < 3; round++) assertEquals((await refused(proxy, APP))[0], 1045);
});

Deno.test("A client that says nothing for too long is told so, one at work is not", async () => {
  await using server = new FakeServer({
    onSession: (peer) =>
      peer.serve((sql, session) => sql === "SLEEP" ? session.stall() : session.ok()),
  });
  await using proxy = await start(server, { proxy: { default_inactivity_timeout: "100ms" } });
  using busy = await FakeClient.logIn(proxy.app);
  await busy.query("SLEEP");
  using idle = await FakeClient.logIn(proxy.app);
  assertEquals((await idle.expectErr()).code, 4031);
  assertEquals(await idle.ended(), 0);
  assertEquals(proxy.clients, 1);
  busy.close();
});

Deno.test("Whoever knows root@proxysys by its hash need not see the password", async () => {
  await using server = new FakeServer({ plugin: SHA2 });
  // SELECT PASSWORD('secret') of MariaDB
  const hash = "*14E65567ABDB5135D0CFD9A70B3032C179A49EE7";
  await using proxy = await start(server, { proxy: { obproxy_sys_password_hash: hash } });
  using client = await FakeClient.connect(proxy.port);
  const greeting = await client.greet();
  const auth = new ClientAuth(LoginKey.fromPassword("secret"));
  const { response } = auth.start(SHA2, greeting.authData);
  await client.send(encodeLogin({
    capabilities: Capability.PROTOCOL_41 | Capability.SECURE_CONNECTION | Capability.PLUGIN_AUTH,
    extendedCapabilities: 0,
    maxPacketSize: 1 << 24,
    charset: 45,
    user: ROOT.user,
    authResponse: response,
    database: "",
    authPlugin: SHA2,
    attributes: new Uint8Array(0),
  }));
  const request = await client.expect();
  assertEquals(decodeAuthSwitch(request).plugin, NATIVE);
  await client.send(auth.next(request)!);
  assertEquals((await client.expect())[0], 0x00);
});
