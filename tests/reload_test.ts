/** The program reads its configuration again on SIGHUP, and has what ALTER PROXYCONFIG left. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { decodeErr } from "../src/protocol/response.ts";
import { FakeClient, type FakeLogin } from "./fake/client.ts";
import { FakeServer } from "./fake/server.ts";
import { eventually } from "./support/eventually.ts";
import { ProxyProcess } from "./support/proxy_process.ts";
import { APP, configText, type TestConfig } from "./support/test_proxy.ts";

/** A process with a file that can be written. */
class ConfiguredProcess implements AsyncDisposable {
  readonly process: ProxyProcess;
  readonly #folder: string;
  #signals = 0;

  private constructor(process: ProxyProcess, folder: string) {
    this.process = process;
    this.#folder = folder;
  }

  static async start(config: TestConfig, overlay?: string): Promise<ConfiguredProcess> {
    const folder = await Deno.makeTempDir({ prefix: "sluice-test-" });
    const file = `${folder}/sluice.toml`;
    await Deno.writeTextFile(file, configText(config));
    if (overlay !== undefined) await Deno.writeTextFile(`${file}.overlay.toml`, overlay);
    const started = new ConfiguredProcess(new ProxyProcess(["--config", file]), folder);
    await started.process.port();
    return started;
  }

  get file(): string {
    return `${this.#folder}/sluice.toml`;
  }

  /** Writes the file, sends SIGHUP, and waits for the line of the log that says what came of it. */
  async reload(text: string): Promise<string> {
    await Deno.writeTextFile(this.file, text);
    this.process.signal("SIGHUP");
    this.#signals++;
    return await eventually("the signal has been answered", () => {
      const lines = [
        ...this.process.lines("configuration reloaded"),
        ...this.process.lines("configuration not reloaded"),
      ];
      return lines.length === this.#signals && lines.at(-1);
    });
  }

  async logIn(login: FakeLogin = APP): Promise<FakeClient> {
    return await FakeClient.logIn({ port: await this.process.port(), ...login });
  }

  async refused(login: FakeLogin = APP): Promise<number> {
    using client = await FakeClient.connect(await this.process.port());
    const last = await client.logIn(login);
    await client.ended();
    return decodeErr(last).code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.process[Symbol.asyncDispose]();
    await Deno.remove(this.#folder, { recursive: true });
  }
}

Deno.test("SIGHUP brings live keys into force, and names those that wait for a restart", async () => {
  await using server = new FakeServer();
  const config = { servers: [server.port], log: { level: "info" } };
  await using proxy = await ConfiguredProcess.start(config);
  using running = await proxy.logIn();
  await running.query("ONE");
  await running.expect();
  const other = { user: "other", password: "secret" };
  const line = await proxy.reload(configText({
    ...config,
    proxy: { listen: ["127.0.0.1:1"], client_max_connections: 2 },
    users: [{ name: "other", password: "secret" }],
  }));
  assertStringIncludes(line, "changed=client_max_connections,users");
  assertStringIncludes(line, "needs_restart=listen");
  assertEquals(await proxy.refused(), 1045);
  using fresh = await proxy.logIn(other);
  assertEquals(await proxy.refused(other), 1203);
  for (const client of [running, fresh]) {
    await client.query("TWO");
    assertEquals((await client.expect())[0], 0x00);
  }
});

Deno.test("SIGHUP changes the level of the log", async () => {
  await using server = new FakeServer();
  const config = { servers: [server.port] };
  await using proxy = await ConfiguredProcess.start(config);
  using client = await proxy.logIn();
  const users = [{ name: "new", password: "secret" }];
  const quiet = configText({ ...config, log: { level: "error" }, users });
  // The last line of the old level.
  assertStringIncludes(await proxy.reload(quiet), "changed=log_level,users");
  using _fresh = await proxy.logIn({ user: "new", password: "secret" });
  const before = proxy.process.lines("session ended").length;
  client.close();
  assertStringIncludes(
    await proxy.reload(quiet.replace("error", "loud")),
    "configuration not reloaded",
  );
  proxy.process.signal("SIGTERM");
  assertEquals(await proxy.process.ended, { code: 0, signal: null });
  assertEquals(proxy.process.lines("session ended").length, before);
  assertEquals(proxy.process.lines("stopped"), []);
});

Deno.test("SIGHUP with a broken file changes nothing, and the log says what is wrong where", async () => {
  await using server = new FakeServer();
  const config = { servers: [server.port] };
  await using proxy = await ConfiguredProcess.start(config);
  const broken = configText({ ...config, users: [{ name: "other", password: "hunter2" }] });
  const line = await proxy.reload(broken.replace("other", "oth@er"));
  assertStringIncludes(line, `file=${proxy.file}`);
  assertStringIncludes(line, "key=users.name");
  assert(/ line=\d+ /.test(line), line);
  assert(!line.includes("hunter2"), line);
  using client = await proxy.logIn();
  await client.query("STILL");
  assertEquals((await client.expect())[0], 0x00);
  await proxy.reload(broken);
  assertEquals(await proxy.refused(), 1045);
});

Deno.test("SIGHUP without a file leaves the program as it is", async () => {
  await using server = new FakeServer();
  await using process = new ProxyProcess([
    ...["--listen", "127.0.0.1:0"],
    ...["--server", `127.0.0.1:${server.port}`],
    ...["--user", "app:secret"],
  ]);
  const port = await process.port();
  process.signal("SIGHUP");
  await eventually("it says so", () => process.lines("configuration not reloaded")[0]);
  using client = await FakeClient.logIn({ port, ...APP });
  await client.query("STILL");
  assertEquals((await client.expect())[0], 0x00);
});

Deno.test("A start has what the overlay says, and a broken one is a problem of the start", async () => {
  await using server = new FakeServer();
  const config = { servers: [server.port] };
  {
    await using proxy = await ConfiguredProcess.start(
      config,
      "[proxy]\nclient_max_connections = 1\n",
    );
    using client = await proxy.logIn();
    assertEquals(await proxy.refused(), 1203);
    client.close();
  }
  const folder = await Deno.makeTempDir({ prefix: "sluice-test-" });
  try {
    const file = `${folder}/sluice.toml`;
    await Deno.writeTextFile(file, configText(config));
    await Deno.writeTextFile(`${file}.overlay.toml`, "\n[proxy]\nclient_max_conns = 1\n");
    for (const flags of [[], ["--check"], ["--print-config"]]) {
      await using process = new ProxyProcess(["--config", file, ...flags]);
      assertEquals((await process.ended).code, 2);
      assertStringIncludes(
        process.stderr,
        `${file}.overlay.toml:3: proxy.client_max_conns: Unknown key`,
      );
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
