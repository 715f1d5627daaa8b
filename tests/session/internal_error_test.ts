/** Defects of the proxy's own: they cost one client, are logged with their cause, and no more. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Account, CredentialSource } from "../../src/session/accounts.ts";
import { LoginKey, verifierOf } from "../../src/protocol/auth.ts";
import { FakeClient, queryBytes } from "../fake/client.ts";
import { FakeServer } from "../fake/server.ts";
import { FakeTransport } from "../fake/transport.ts";
import { SessionBench } from "../support/session_bench.ts";
import { TestProxy } from "../support/test_proxy.ts";

class Defect extends Error {
  override readonly name = "Defect";
}

/** Accounts that break in one place each; user names say which. */
const BROKEN_SOURCE: CredentialSource = {
  needsRsaKey: false,
  find({ user }): Account | undefined {
    const verifier = verifierOf(LoginKey.fromPassword("secret"));
    const account = {
      verifier,
      serverUser: undefined,
      serverKey: LoginKey.fromPassword("secret"),
      learn() {},
    };
    switch (user) {
      case "find":
        throw new Defect("broken in find");
      case "verifier":
        return { ...account, verifier: undefined } as unknown as Account;
      case "learn":
        return {
          ...account,
          verifier: { ...verifier, sha256Twice: undefined } as unknown as Account["verifier"],
          learn: () => {
            throw new Defect("broken in learn");
          },
        };
      case "serverKey":
        return {
          ...account,
          get serverKey(): never {
            throw new Defect("broken in serverKey");
          },
        };
      default:
        return undefined;
    }
  },
};

for (const user of ["find", "verifier", "learn", "serverKey"]) {
  Deno.test(`A defect in ${user} of a login costs one client`, async () => {
    await using server = new FakeServer();
    await using proxy = await TestProxy.start({ servers: [server.port] }, {
      credentials: [BROKEN_SOURCE],
    });
    using other = await FakeClient.logIn(proxy.app);
    await other.ping();
    using client = await FakeClient.connect(proxy.port);
    const login = client.logIn({ user, password: "secret" }).catch(() => undefined);
    const { level, fields } = await proxy.log.first("session ended", "internal_error");
    await login;
    assertEquals([level, fields.code], ["error", 1105]);
    if (user !== "verifier") assertStringIncludes(String(fields.cause), `broken in ${user}`);
    // The cause has its stack, so that the place can be found.
    assertStringIncludes(String(fields.cause), "\n    at ");
    await client.ended();
    await other.ping();
    using next = await FakeClient.logIn(proxy.app);
    await next.ping();
  });
}

/** A client connection on which an operation breaks, in a way that sockets do not. */
class BrokenTransport extends FakeTransport {
  /** What breaks, and how often it works before. */
  breaks: "read" | "write" | "nothing" = "nothing";
  works = 0;

  override read(buffer: Uint8Array): Promise<number | null> {
    if (this.breaks === "read" && this.works-- <= 0) throw new Defect("broken in read");
    return super.read(buffer);
  }

  override write(bytes: Uint8Array): Promise<number> {
    if (this.breaks === "write" && this.works-- <= 0) throw new Defect("broken in write");
    return super.write(bytes);
  }
}

const QUERY = queryBytes("SELECT 1");

for (const breaks of ["read", "write"] as const) {
  Deno.test(`A defect in the first ${breaks} of a client costs one client`, async () => {
    await using server = new FakeServer();
    await using bench = await SessionBench.open({ servers: [server.port] });
    const transport = new BrokenTransport();
    transport.breaks = breaks;
    bench.start(transport);
    const { fields } = await bench.log.first("session ended", "internal_error");
    assertStringIncludes(String(fields.cause), `broken in ${breaks}`);
    assert(transport.isClosed);
  });

  for (let works = 0; works < 6; works++) {
    Deno.test(`A defect in ${breaks} ${works} of the commands costs one client`, async () => {
      await using server = new FakeServer({
        onSession: (peer) =>
          peer.serve((sql, session) =>
            sql === "SELECT 1" ? session.rows(new Array(900).fill("x".repeat(240))) : session.ok()
          ),
      });
      await using bench = await SessionBench.open({ servers: [server.port] });
      const transport = new BrokenTransport();
      // Small, so that a reply takes many.
      transport.writeLimit = 10_000;
      const session = await bench.logIn(transport);
      transport.breaks = breaks;
      transport.works = works;
      for (let sent = 0; sent < 20; sent++) transport.push(QUERY);
      const { level, fields } = await bench.log.first("session ended", "internal_error");
      assertEquals(level, "error");
      assertStringIncludes(String(fields.cause), `broken in ${breaks}`);
      assertEquals([bench.manager.clients.has(session.id), transport.isClosed], [false, true]);
    });
  }
}
