/** Logins that come to something or not, as tests of logins have them. */
import { assertEquals } from "@std/assert";
import { decodeErr, type ErrPacket } from "../../src/protocol/response.ts";
import { FakeClient, type FakeLogin } from "../fake/client.ts";
import type { FakeServer } from "../fake/server.ts";
import { type TestConfig, TestProxy } from "./test_proxy.ts";

/** `SELECT PASSWORD('secret')` of MariaDB. */
export const HASH_OF_SECRET = "*14E65567ABDB5135D0CFD9A70B3032C179A49EE7";

/** One account in the ways to configure it. */
export const USERS = {
  clear: { name: "app", password: "secret" },
  hash: { name: "app", password_hash: HASH_OF_SECRET },
  other: { name: "app", password: "front", server_user: "back", server_password: "secret" },
  hashOther: {
    name: "app",
    password_hash: HASH_OF_SECRET,
    server_user: "back",
    server_password: "secret",
  },
  empty: { name: "app", password: "", server_user: "back", server_password: "secret" },
} as const;

/** Logs in, expects OK, runs a query and leaves. */
export async function useOnce(proxy: TestProxy, login: FakeLogin): Promise<void> {
  using client = await FakeClient.logIn({ port: proxy.port, ...login });
  await client.query("SELECT 1");
  assertEquals((await client.expect())[0], 0x00);
}

/** Logs in and expects ERR, then the end of the connection. */
export async function refused(proxy: TestProxy, login: FakeLogin): Promise<ErrPacket> {
  using client = await FakeClient.connect(proxy.port);
  const last = await client.logIn(login);
  assertEquals(last[0], 0xff);
  assertEquals(await client.ended(), 0);
  return decodeErr(last);
}

/** A proxy in front of this server. */
export async function proxyFor(server: FakeServer, rest: TestConfig = {}): Promise<TestProxy> {
  return await TestProxy.start({ servers: [server.port], ...rest });
}
