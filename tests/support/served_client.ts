/** A client, the proxy and a scripted server, as most tests of faults need them. */
import { FakeClient } from "../fake/client.ts";
import { type FakePeer, FakeServer } from "../fake/server.ts";
import { TestProxy } from "./test_proxy.ts";

/** A proxy, a server with this script, and a logged-in client. */
export async function serve(
  script: (sql: string, peer: FakePeer) => Promise<void>,
  run: (client: FakeClient, proxy: TestProxy, server: FakeServer) => Promise<void>,
): Promise<void> {
  await using server = new FakeServer({ onSession: (peer) => peer.serve(script) });
  await using proxy = await TestProxy.start({ servers: [server.port] });
  using client = await FakeClient.logIn(proxy.app);
  await run(client, proxy, server);
}
