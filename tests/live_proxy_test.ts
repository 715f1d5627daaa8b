/** A proxy whose configuration changes while it serves. */
import { assertEquals } from "@std/assert";
import { LiveConfig } from "../src/config/live_config.ts";
import { addOverlay, parseConfig } from "../src/config/load.ts";
import { Proxy } from "../src/proxy.ts";
import { decodeErr } from "../src/protocol/response.ts";
import { memorySystem } from "./config/config_tools.ts";
import { MemoryDisk } from "./config/memory_disk.ts";
import { FakeClient, type FakeLogin } from "./fake/client.ts";
import { FakeServer } from "./fake/server.ts";
import { eventually } from "./support/eventually.ts";
import { LogRecords } from "./support/log_records.ts";
import { APP, configText, type TestConfig } from "./support/test_proxy.ts";

const FILE = "/etc/sluice.toml";

/** A proxy with a file that `edit` writes and `live.reload()` reads. */
class EditedProxy implements AsyncDisposable {
  readonly live: LiveConfig;
  readonly proxy: Proxy;
  readonly #disk: MemoryDisk;

  private constructor(disk: MemoryDisk, live: LiveConfig, proxy: Proxy) {
    this.#disk = disk;
    this.live = live;
    this.proxy = proxy;
  }

  static async start(config: TestConfig): Promise<EditedProxy> {
    await LogRecords.take();
    const disk = new MemoryDisk({ [FILE]: configText(config) });
    const base = parseConfig(configText(config), { ...memorySystem(), file: FILE });
    const layers = addOverlay(base, FILE, disk.system);
    if ("problems" in layers) throw new Error(JSON.stringify(layers.problems));
    const live = new LiveConfig(layers, { system: disk.system, store: disk });
    return new EditedProxy(disk, live, await Proxy.start(live));
  }

  get port(): number {
    return this.proxy.addresses[0]!.port;
  }

  /** Waits until everything has changed that can. */
  async edit(config: TestConfig): Promise<void> {
    this.#disk.files.set(FILE, configText(config));
    assertEquals((await this.live.reload()).kind, "reloaded");
  }

  logIn(login: FakeLogin = APP): Promise<FakeClient> {
    return FakeClient.logIn({ port: this.port, ...login });
  }

  /** Code and message of a login that must be refused. */
  async refused(login: FakeLogin = APP): Promise<readonly [number, string]> {
    using client = await FakeClient.connect(this.port);
    const last = await client.logIn(login);
    assertEquals(last[0], 0xff);
    await client.ended();
    const { code, message } = decodeErr(last);
    return [code, message];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { clients, servers } = this.proxy.manager;
    await eventually("all sessions have ended", () => clients.size + servers.size === 0);
    await this.proxy.stop();
  }
}

async function run(client: FakeClient, sql = "SELECT 1"): Promise<void> {
  await client.query(sql);
  assertEquals((await client.expect())[0], 0x00);
}

Deno.test("client_max_connections is in force for the next login, and sessions stay", async () => {
  await using server = new FakeServer();
  await using proxy = await EditedProxy.start({ servers: [server.port] });
  using first = await proxy.logIn();
  using second = await proxy.logIn();
  await proxy.live.set("client_max_connections", "2");
  const full = "Too many sessions, at most 2 (client_max_connections)";
  assertEquals(await proxy.refused(), [1203, full]);
  await proxy.live.set("client_max_connections", "1");
  await Promise.all([run(first), run(second)]);
  await proxy.live.set("client_max_connections", "");
  using third = await proxy.logIn();
  await run(third);
});

Deno.test("mysql_version is what the next client is told", async () => {
  await using server = new FakeServer({ serverVersion: "8.0.1" });
  await using proxy = await EditedProxy.start({ servers: [server.port] });
  const versions: string[] = [];
  for (const value of ["5.7.99-a", "9.9.9-b", ""]) {
    await proxy.live.set("mysql_version", value);
    using client = await proxy.logIn();
    versions.push(client.greeting!.serverVersion);
  }
  assertEquals(versions, ["5.7.99-a", "9.9.9-b", "8.0.1"]);
});

Deno.test("login_timeout is in force for clients that are there already", async () => {
  await using server = new FakeServer();
  await using proxy = await EditedProxy.start({
    servers: [server.port],
    proxy: { login_timeout: "10m" },
  });
  using client = await FakeClient.connect(proxy.port);
  await client.greet();
  await proxy.live.set("login_timeout", "100ms");
  await client.ended();
});

Deno.test("Accounts change with the file; sessions of those that are gone go on", async () => {
  await using server = new FakeServer();
  const config = { servers: [server.port] };
  await using proxy = await EditedProxy.start(config);
  using old = await proxy.logIn();
  await run(old);
  // The servers' own password is the same still: only the proxy's accounts change here.
  const users = [{ name: "new", password: "p", server_user: "app", server_password: "secret" }];
  await proxy.edit({ ...config, users });
  assertEquals((await proxy.refused())[0], 1045);
  using fresh = await proxy.logIn({ user: "new", password: "p" });
  await Promise.all([run(fresh), run(old)]);
  await proxy.edit({ ...config, users: [{ ...users[0], password: "q" }] });
  assertEquals((await proxy.refused({ user: "new", password: "p" }))[0], 1045);
  using again = await proxy.logIn({ user: "new", password: "q" });
  await run(again);
});

Deno.test("Logins without a cluster go to the default one of the moment", async () => {
  await using first = new FakeServer();
  await using second = new FakeServer();
  const clusters = [first, second].map((server, index) => ({
    name: `c${index}`,
    servers: [`127.0.0.1:${server.port}`],
  }));
  await using proxy = await EditedProxy.start({ clusters });
  using before = await proxy.logIn();
  await run(before, "BEFORE");
  await proxy.live.set("default_cluster", "c1");
  using after = await proxy.logIn();
  await run(after, "AFTER");
  await run(before, "STILL");
  assertEquals([first.queries, second.queries], [["BEFORE", "STILL"], ["AFTER"]]);
});

Deno.test("Roles of servers and schemas of tenants change with the file", async () => {
  await using left = new FakeServer();
  await using right = new FakeServer();
  const config = (roles: readonly string[], schema: string) => ({
    clusters: [{
      name: "main",
      servers: [left, right].map((server, index) => ({
        address: `127.0.0.1:${server.port}`,
        role: roles[index],
      })),
      tenants: [{ name: "t", schema }],
    }],
  });
  await using proxy = await EditedProxy.start(config(["primary", "replica"], "one"));
  const user = `${APP.user}@t`;
  using before = await proxy.logIn({ ...APP, user });
  await run(before);
  await proxy.edit(config(["replica", "primary"], "two"));
  using after = await proxy.logIn({ ...APP, user });
  await run(after);
  assertEquals(
    [left, right].map((server) => server.logins.map(({ database }) => database)),
    [["one"], ["two"]],
  );
});

Deno.test("connect_timeout is in force for the next connect", async () => {
  await using server = new FakeServer({
    onConnection: (peer) => peer.stall(),
  });
  await using proxy = await EditedProxy.start({
    servers: [server.port],
    // The greeting needs no server then.
    proxy: { connect_timeout: "100ms", default_authentication_plugin: "mysql_native_password" },
  });
  assertEquals((await proxy.refused())[1].includes("no login within 100 ms"), true);
  await proxy.live.set("connect_timeout", "150ms");
  assertEquals((await proxy.refused())[1].includes("no login within 150 ms"), true);
});
