/** COM_CHANGE_USER against fake servers. */
import { assertEquals } from "@std/assert";
import { ClientAuth, LoginKey, NATIVE, SHA2 } from "../../src/protocol/auth.ts";
import { concat, frame } from "../../src/protocol/bytes.ts";
import { Capability, Command, Head } from "../../src/protocol/constants.ts";
import { type ChangeUser, encodeChangeUser } from "../../src/protocol/handshake.ts";
import { decodeErr } from "../../src/protocol/response.ts";
import { FakeClient, queryBytes } from "../fake/client.ts";
import { FakeServer } from "../fake/server.ts";
import { eventually } from "../support/eventually.ts";
import { TestProxy } from "../support/test_proxy.ts";

const CAPABILITIES = Capability.SECURE_CONNECTION | Capability.PLUGIN_AUTH;

const USERS = [
  { name: "app", password: "secret" },
  { name: "other", password: "other's", server_user: "back", server_password: "secret" },
];

function changeTo(user: string, rest: Partial<ChangeUser> = {}): Uint8Array {
  return encodeChangeUser({
    user,
    authResponse: new Uint8Array(20).fill(7),
    database: "",
    charset: 45,
    authPlugin: SHA2,
    attributes: new Uint8Array(0),
    ...rest,
  }, CAPABILITIES).slice();
}

/** Sends the request and answers what follows. @returns the payload of OK or ERR */
async function change(
  client: FakeClient,
  { user, password, ...rest }: { user: string; password: string } & Partial<ChangeUser>,
): Promise<Uint8Array> {
  client.sequence = 0;
  await client.send(changeTo(user, rest));
  return await answer(client, password);
}

async function answer(client: FakeClient, password: string): Promise<Uint8Array> {
  const auth = new ClientAuth(LoginKey.fromPassword(password));
  auth.start(SHA2, client.greeting!.authData);
  return await client.authenticate(auth);
}

Deno.test("A change of user is a new login on a fresh server session", async () => {
  await using server = new FakeServer();
  await using proxy = await TestProxy.start({ servers: [server.port], users: USERS });
  using client = await FakeClient.logIn(proxy.app);
  await client.ping();
  const before = server.logins.length;
  const last = await change(client, { user: "other", password: "other's", database: "shop" });
  assertEquals(last[0], Head.OK);
  await client.ping();
  assertEquals(server.logins.length, before + 1);
  const { user, database } = server.logins.at(-1)!;
  assertEquals([user, database], ["back", "shop"]);
  await eventually("the former server session is gone", () => proxy.servers === 1);
  const info = proxy.proxy.manager.clients.find(client.greeting!.threadId)!.info();
  assertEquals([info.user, info.schema, info.statements], ["other", "shop", 3]);
});

Deno.test("The plugin of the request is the one that is asked for", async () => {
  await using server = new FakeServer();
  await using proxy = await TestProxy.start({ servers: [server.port] });
  using client = await FakeClient.logIn(proxy.app);
  for (const [authPlugin, asked] of [[NATIVE, NATIVE], [SHA2, SHA2], ["dialog", SHA2]] as const) {
    client.sequence = 0;
    await client.send(changeTo("app", { authPlugin }));
    const request = await client.expect();
    assertEquals(request[0], Head.EOF);
    const text = new TextDecoder().decode(request.subarray(1));
    assertEquals(text.split("\0")[0], asked);
    const auth = new ClientAuth(LoginKey.fromPassword("secret"));
    await client.send(auth.next(request)!);
    assertEquals((await client.authenticate(auth))[0], Head.OK);
  }
});

Deno.test("Each change of user has its own nonce", async () => {
  await using server = new FakeServer();
  await using proxy = await TestProxy.start({ servers: [server.port] });
  using client = await FakeClient.logIn(proxy.app);
  const nonces = new Set([client.greeting!.authData.toHex()]);
  for (let count = 0; count < 3; count++) {
    client.sequence = 0;
    await client.send(changeTo("app", { authPlugin: NATIVE }));
    const request = await client.expect();
    nonces.add(request.slice(-21, -1).toHex());
    const auth = new ClientAuth(LoginKey.fromPassword("secret"));
    await client.send(auth.next(request)!);
    assertEquals((await client.authenticate(auth))[0], Head.OK);
  }
  assertEquals(nonces.size, 4);
});

for (const [user, password] of [["app", "wrong"], ["nobody", "secret"], ["app", ""]] as const) {
  Deno.test(`A change to ${user} with password "${password}" is refused and closed`, async () => {
    await using server = new FakeServer();
    await using proxy = await TestProxy.start({ servers: [server.port] });
    using client = await FakeClient.logIn(proxy.app);
    await client.ping();
    const { code, message } = decodeErr(await change(client, { user, password }));
    const using = password === "" ? "NO" : "YES";
    assertEquals(code, 1045);
    assertEquals(
      message,
      `Access denied for user '${user}'@'127.0.0.1' (using password: ${using})`,
    );
    await client.ended();
    await proxy.log.first("login refused");
  });
}

Deno.test("A change of user that is cut short is refused and closed", async () => {
  await using server = new FakeServer();
  await using proxy = await TestProxy.start({ servers: [server.port] });
  for (const payload of [Uint8Array.of(Command.CHANGE_USER), changeTo("app").slice(0, 9)]) {
    using client = await FakeClient.logIn(proxy.app);
    client.sequence = 0;
    await client.send(payload);
    assertEquals((await client.expectErr()).code, 1043);
    await client.ended();
  }
});

Deno.test("A change of user behind a query waits for the query", async () => {
  const { promise: mayAnswer, resolve: allow } = Promise.withResolvers<void>();
  await using server = new FakeServer({
    onSession: (peer) =>
      peer.serve(async (sql, session) => {
        if (sql === "SELECT 'slow'") await mayAnswer;
        await session.rows([sql]);
      }),
  });
  await using proxy = await TestProxy.start({ servers: [server.port], users: USERS });
  using client = await FakeClient.logIn(proxy.app);
  await client.sendRaw(concat([
    queryBytes("SELECT 'slow'"),
    frame(changeTo("other"), 0),
  ]));
  await eventually("the query runs", () => server.queries.length === 1);
  allow();
  for (let count = 0; count < 4; count++) await client.expect();
  assertEquals((await answer(client, "other's"))[0], Head.OK);
  await client.query("SELECT 'after'");
  for (let count = 0; count < 4; count++) await client.expect();
  assertEquals(server.queries, ["SELECT 'slow'", "SELECT 'after'"]);
  assertEquals(server.logins.map(({ user }) => user), ["app", "back"]);
});

Deno.test("Commands behind a change of user wait for it", async () => {
  await using server = new FakeServer();
  await using proxy = await TestProxy.start({ servers: [server.port], users: USERS });
  using client = await FakeClient.connect(proxy.port);
  // A client that knows no plugins answers with the greeting's nonce, in the request itself.
  const capabilities = Capability.PROTOCOL_41 | Capability.SECURE_CONNECTION;
  const login = {
    user: "app",
    password: "secret",
    plugin: NATIVE,
    login: { capabilities },
  } as const;
  assertEquals((await client.logIn(login))[0], Head.OK);
  const key = LoginKey.fromPassword("other's");
  const { response } = new ClientAuth(key).start(NATIVE, client.greeting!.authData);
  const request = encodeChangeUser({
    user: "other",
    authResponse: response,
    database: "",
    charset: 45,
    authPlugin: "",
    attributes: new Uint8Array(0),
  }, Capability.SECURE_CONNECTION);
  await client.sendRaw(concat([frame(request, 0), queryBytes("SELECT 1"), queryBytes("SELECT 2")]));
  for (let count = 0; count < 3; count++) assertEquals((await client.expect())[0], Head.OK);
  assertEquals(server.queries, ["SELECT 1", "SELECT 2"]);
  assertEquals(server.logins.at(-1)?.user, "back");
});

Deno.test("A change of user that stops has until login_timeout, counted from its begin", async () => {
  await using server = new FakeServer();
  await using proxy = await TestProxy.start({
    servers: [server.port],
    proxy: { login_timeout: "2s" },
  });
  using client = await FakeClient.logIn(proxy.app);
  const [entry] = proxy.proxy.manager.clients.values();
  const { connectedSince } = entry!.info();
  await eventually("some time has passed", () => Date.now() > connectedSince + 20);
  client.sequence = 0;
  await client.send(changeTo("app"));
  await client.expect();
  const { phaseSince } = entry!.info();
  // The sweep is told the time: the limit of the login has passed then, that of the change has not.
  entry!.sweep(phaseSince + 1999);
  assertEquals(proxy.clients, 1);
  entry!.sweep(phaseSince + 2000);
  assertEquals(proxy.clients, 0);
  await client.ended();
  await proxy.log.first("session ended", "login_timeout");
});
