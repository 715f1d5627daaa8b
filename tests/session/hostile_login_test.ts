/** Logins that are broken, in pieces, or never end. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { LoginKey, NATIVE, nativeProof, SHA2 } from "../../src/protocol/auth.ts";
import { frame } from "../../src/protocol/bytes.ts";
import { Capability } from "../../src/protocol/constants.ts";
import { encodeLogin, type Login } from "../../src/protocol/handshake.ts";
import { FakeClient } from "../fake/client.ts";
import { FakeServer } from "../fake/server.ts";
import { eventually } from "../support/eventually.ts";
import { proxyFor, USERS } from "../support/logins.ts";

function request(change: Partial<Login> = {}): Uint8Array {
  return encodeLogin({
    capabilities: Capability.PROTOCOL_41 | Capability.SECURE_CONNECTION | Capability.PLUGIN_AUTH,
    extendedCapabilities: 0,
    maxPacketSize: 1 << 24,
    charset: 45,
    user: "app",
    authResponse: new Uint8Array(20),
    database: "",
    authPlugin: NATIVE,
    attributes: new Uint8Array(0),
    ...change,
  }).slice();
}

const TLS_REQUEST = request({
  capabilities: Capability.PROTOCOL_41 | Capability.SECURE_CONNECTION | Capability.SSL,
}).slice(0, 32);

const BROKEN: readonly (readonly [name: string, bytes: Uint8Array, code: number])[] = [
  ["an empty packet", Uint8Array.of(0, 0, 0, 1), 1251],
  ["three bytes", frame(Uint8Array.of(1, 2, 3), 1), 1251],
  ["the old protocol", frame(request({ capabilities: 0 }), 1), 1251],
  ["no secure login", frame(request({ capabilities: Capability.PROTOCOL_41 }), 1), 1251],
  ["half a request", frame(request().subarray(0, 40), 1), 1043],
  ["a name without end", frame(request().subarray(0, 35), 1), 1043],
  [
    "an answer that is longer than the packet",
    frame(request().with(36, 200), 1),
    1043,
  ],
  ["a wrong number", frame(request(), 7), 1156],
  ["number 0", frame(request(), 0), 1156],
  ["a request for TLS", frame(TLS_REQUEST, 1), 1043],
  ["more than a login can be", frame(new Uint8Array(80 * 1024 + 1), 1), 1043],
  ["the header of 16 MiB", Uint8Array.of(0xff, 0xff, 0xff, 1), 1043],
  [
    "attributes that end early",
    frame(
      request({
        capabilities: Capability.PROTOCOL_41 | Capability.SECURE_CONNECTION |
          Capability.CONNECT_ATTRS,
        attributes: Uint8Array.of(200, 1, 2),
      }),
      1,
    ),
    1043,
  ],
];

for (const [name, bytes, code] of BROKEN) {
  Deno.test(`A login of ${name} is refused with ${code}`, async () => {
    await using server = new FakeServer();
    await using proxy = await proxyFor(server);
    using client = await FakeClient.connect(proxy.port);
    await client.greet();
    await client.sendRaw(bytes);
    assertEquals((await client.expectErr()).code, code);
    await client.ended();
    const { fields } = await proxy.log.first("login refused");
    assertEquals(fields.code, code);
    assertEquals(server.logins.length, 0);
  });
}

Deno.test("A login byte by byte is a login", async () => {
  await using server = new FakeServer({ plugin: NATIVE });
  await using proxy = await proxyFor(server);
  using client = await FakeClient.connect(proxy.port);
  const greeting = await client.greet();
  const proof = nativeProof(LoginKey.fromPassword("secret"), greeting.authData);
  await client.trickle(frame(request({ authResponse: proof }), 1));
  assertEquals((await client.expect())[0], 0x00);
  await client.ping();
});

Deno.test("A first command right behind the login is answered behind its OK", async () => {
  await using server = new FakeServer({ plugin: NATIVE });
  await using proxy = await proxyFor(server);
  using client = await FakeClient.connect(proxy.port);
  const greeting = await client.greet();
  const proof = nativeProof(LoginKey.fromPassword("secret"), greeting.authData);
  const ping = Uint8Array.of(1, 0, 0, 0, 0x0e);
  await client.sendRaw(
    Uint8Array.of(...frame(request({ authResponse: proof }), 1), ...ping, ...ping),
  );
  for (let count = 0; count < 3; count++) assertEquals((await client.expect())[0], 0x00);
});

const LEAVINGS: readonly (readonly [name: string, bytes: Uint8Array])[] = [
  ["without a word", new Uint8Array(0)],
  ["in a header", Uint8Array.of(90, 0)],
  ["in the request", frame(request(), 1).subarray(0, 30)],
];

for (const [name, bytes] of LEAVINGS) {
  Deno.test(`A client may leave its login ${name}`, async () => {
    await using server = new FakeServer();
    await using proxy = await proxyFor(server);
    const client = await FakeClient.connect(proxy.port);
    await client.greet();
    await client.sendRaw(bytes);
    client.close();
    const { level } = await proxy.log.first("session ended", "client_lost");
    assertEquals(level, "info");
  });

  Deno.test(`A client that stops its login ${name} has until login_timeout`, async () => {
    await using server = new FakeServer();
    await using proxy = await proxyFor(server, { proxy: { login_timeout: "200ms" } });
    using client = await FakeClient.connect(proxy.port);
    await client.greet();
    await client.sendRaw(bytes);
    await client.ended();
    const { level, fields } = await proxy.log.first("session ended", "login_timeout");
    assertEquals(level, "warning");
    assertStringIncludes(String(fields.error), "No login within 200 ms");
  });
}

Deno.test("A client that stops in the middle of an authentication has until login_timeout", async () => {
  await using server = new FakeServer();
  await using proxy = await proxyFor(server, {
    proxy: { login_timeout: "200ms" },
    users: [USERS.hash],
  });
  using client = await FakeClient.connect(proxy.port);
  await client.greet();
  client.sequence = 1;
  await client.send(request({ authPlugin: SHA2, authResponse: new Uint8Array(32) }));
  assertEquals(await client.expect(), Uint8Array.of(1, 4));
  await client.ended();
  await proxy.log.first("session ended", "login_timeout");
});

Deno.test("A client that leaves before its greeting is noticed at once", async () => {
  await using server = new FakeServer({ onConnection: (peer) => peer.stall() });
  await using proxy = await proxyFor(server, { proxy: { connect_timeout: "10m" } });
  const client = await FakeClient.connect(proxy.port);
  await eventually("it has arrived", () => proxy.clients === 1);
  client.close();
  await proxy.log.first("session ended", "client_lost");
  server.drop();
});
