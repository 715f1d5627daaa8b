/** Client sessions without a listener: their client is a transport that the test holds. */
import { assertEquals } from "@std/assert";
import { Cluster } from "../../src/backend/cluster.ts";
import { LiveConfig } from "../../src/config/live_config.ts";
import { LoginKey, nativeProof } from "../../src/protocol/auth.ts";
import { frame, payloadLength } from "../../src/protocol/bytes.ts";
import { Capability, Head } from "../../src/protocol/constants.ts";
import { decodeGreeting, encodeLogin } from "../../src/protocol/handshake.ts";
import { ConfiguredAccounts } from "../../src/session/accounts.ts";
import { ClientSession } from "../../src/session/client_session.ts";
import { PreparedBook } from "../../src/state/prepared_registry.ts";
import type { SessionContext } from "../../src/session/context.ts";
import { SessionLimits } from "../../src/session/limits.ts";
import { ProxysysAccounts } from "../../src/session/proxysys.ts";
import { makeRsaKey } from "../../src/session/rsa_key.ts";
import { SessionManager } from "../../src/session_manager.ts";
import type { FakeTransport } from "../fake/transport.ts";
import { eventually } from "./eventually.ts";
import { LogRecords } from "./log_records.ts";
import { APP, type TestConfig, testConfig } from "./test_proxy.ts";

export class SessionBench implements AsyncDisposable {
  readonly manager = new SessionManager({ proxyId: 0, isolate: 0 });
  readonly log: LogRecords;
  readonly #context: SessionContext;

  private constructor(config: TestConfig, log: LogRecords) {
    this.log = log;
    const read = testConfig(config);
    const { proxy, clusters, users } = read;
    const { manager } = this;
    const cluster = new Cluster(clusters[0]!, {
      manager,
      connectTimeout: proxy.connectTimeout,
      pools: proxy,
    });
    const accounts = new ConfiguredAccounts(users);
    let arrivals = 0n;
    this.#context = {
      config: proxy,
      manager,
      limits: new SessionLimits(read),
      proxysys: new ProxysysAccounts(),
      proxyView: {
        manager,
        config: new LiveConfig(read),
        clusters: [cluster],
        pid: Deno.pid,
        startedAt: Date.now(),
        isAccepting: true,
      },
      defaultCluster: cluster,
      cluster: (name) => name === clusters[0]!.name ? cluster : undefined,
      account: (name) => accounts.find(name),
      rsaKey: makeRsaKey,
      nextProxySessionId: () => arrivals++,
      preparedBook: new PreparedBook(),
      isAnythingShared: false,
      onSessionEnd: () => {},
    };
  }

  static async open(config: TestConfig): Promise<SessionBench> {
    return new SessionBench(config, await LogRecords.take());
  }

  /** A session that runs with this client. */
  start(transport: FakeTransport): ClientSession {
    const id = this.manager.nextClientId()!;
    const client = { transport, hostname: "test", port: 1 };
    const session = new ClientSession(id, client, this.#context);
    void session.run();
    return session;
  }

  /** The same, logged in; what was written until then is taken away. */
  async logIn(transport: FakeTransport): Promise<ClientSession> {
    const session = this.start(transport);
    const greeting = decodeGreeting(await nextPayload(transport));
    const key = LoginKey.fromPassword(APP.password);
    transport.push(frame(
      encodeLogin({
        // Of a client that knows no plugins: it answers at once, whatever the greeting announces.
        capabilities: Capability.PROTOCOL_41 | Capability.SECURE_CONNECTION |
          Capability.DEPRECATE_EOF,
        extendedCapabilities: 0,
        maxPacketSize: 1 << 24,
        charset: 45,
        user: APP.user,
        authResponse: nativeProof(key, greeting.authData),
        database: "",
        authPlugin: "",
        attributes: new Uint8Array(0),
      }),
      1,
    ));
    assertEquals((await nextPayload(transport))[0], Head.OK);
    return session;
  }

  /** Every session must have ended by itself. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { clients, servers } = this.manager;
    await eventually("all sessions have ended", () => clients.size + servers.size === 0);
  }
}

/** Takes one packet off what the session has written. */
export async function nextPayload(transport: FakeTransport): Promise<Uint8Array> {
  await eventually("there is a packet", () => {
    const { written } = transport;
    return written.length >= 4 && written.length >= 4 + payloadLength(written, 0);
  });
  const end = 4 + payloadLength(transport.written, 0);
  const payload = transport.written.slice(4, end);
  transport.written = transport.written.slice(end);
  return payload;
}
