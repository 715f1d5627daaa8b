/** The executable: exit codes, signals, and the log as it is written. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Head } from "../src/protocol/constants.ts";
import { VERSION } from "../src/version.ts";
import { FakeClient } from "./fake/client.ts";
import { FakeServer } from "./fake/server.ts";
import { eventually } from "./support/eventually.ts";
import { ProxyProcess } from "./support/proxy_process.ts";
import { APP, configText } from "./support/test_proxy.ts";

async function run(args: readonly string[], folder: string): Promise<ProxyProcess> {
  const process = new ProxyProcess(args, {
    cwd: folder,
    env: { XDG_CONFIG_HOME: `${folder}/none`, SLUICE_CONFIG: "" },
  });
  await process.ended;
  return process;
}

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "sluice-test-" });
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function login(port: number) {
  return FakeClient.logIn({ port, ...APP });
}

/** Answers everything but "SLEEP" with OK. */
function sleepyServer(): FakeServer {
  return new FakeServer({
    onSession: (peer) =>
      peer.serve((sql, session) => sql === "SLEEP" ? session.stall() : session.ok()),
  });
}

Deno.test("Without a configuration it says where it looked, and exits with 2", async () => {
  await inFolder(async (folder) => {
    await using process = await run([], folder);
    assertEquals((await process.ended).code, 2);
    assertStringIncludes(process.stderr, "./sluice.toml");
    assertStringIncludes(process.stderr, "/etc/sluice/sluice.toml");
    assertStringIncludes(process.stderr, "--server");
    assertEquals(process.stdout, "");
  });
});

Deno.test("--version prints the version, and nothing is started", async () => {
  await inFolder(async (folder) => {
    await using process = await run(["--version"], folder);
    assertEquals((await process.ended).code, 0);
    assertStringIncludes(process.stdout, VERSION);
    assertEquals(process.stderr, "");
  });
});

Deno.test("All that is wrong with a configuration is told at once, with exit code 2", async () => {
  await inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/sluice.toml`, "[proxy]\nlisten = 5\nno_such_key = 1\n");
    for (const args of [[], ["--check"], ["--config", `${folder}/sluice.toml`]]) {
      await using process = await run(args, folder);
      assertEquals((await process.ended).code, 2);
      assertStringIncludes(process.stderr, "listen");
      assertStringIncludes(process.stderr, "no_such_key");
      assertStringIncludes(process.stderr, "clusters");
    }
  });
});

Deno.test("A port that is in use is named, with exit code 1", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await inFolder(async (folder) => {
    const address = `127.0.0.1:${taken.addr.port}`;
    await using process = await run(
      ["--listen", address, "--server", "127.0.0.1:9", "--user", "app:secret"],
      folder,
    );
    assertEquals((await process.ended).code, 1);
    assertStringIncludes(process.stderr, `Cannot listen on ${address}: `);
    assert(!process.stderr.includes("    at "), process.stderr);
  });
});

Deno.test("A key of another kind than RSA is named, with exit code 1", async () => {
  await inFolder(async (folder) => {
    const file = `${folder}/key.pem`;
    const algorithm = { name: "ECDSA", namedCurve: "P-256" };
    const { privateKey } = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
    const der = new Uint8Array(await crypto.subtle.exportKey("pkcs8", privateKey));
    const text = der.toBase64().replaceAll(/.{64}/g, "$&\n");
    await Deno.writeTextFile(
      file,
      `-----BEGIN PRIVATE KEY-----\n${text}\n-----END PRIVATE KEY-----\n`,
    );
    const config = configText({ servers: [9], proxy: { rsa_private_key_file: file } });
    await Deno.writeTextFile(`${folder}/sluice.toml`, config);
    await using process = await run([], folder);
    assertEquals((await process.ended).code, 1);
    assertStringIncludes(process.stderr, file);
    assertStringIncludes(process.stderr, "expected an RSA private key");
  });
});

Deno.test("A log file that cannot be written is a problem of the configuration", async () => {
  await inFolder(async (folder) => {
    const config = `${folder}/sluice.toml`;
    await Deno.writeTextFile(config, configText({ servers: [9] }));
    for (const [file, reason] of [["missing/log", "no such folder"], [".", "it is a folder"]]) {
      await Deno.writeTextFile(`${config}.overlay.toml`, `[log]\nfile = "${folder}/${file}"\n`);
      for (const args of [[], ["--check"]]) {
        await using process = await run(["--config", config, ...args], folder);
        assertEquals((await process.ended).code, 2);
        assertEquals(
          process.stderr,
          `${config}.overlay.toml:2: log.file: Expected a file to add lines to, ` +
            `got ${reason} at "${folder}/${file}"\n`,
        );
      }
    }
  });
});

Deno.test("A log file that cannot be opened is named once, with where that is set, and exit code 1", async () => {
  await inFolder(async (folder) => {
    const file = `${folder}/socket`;
    using _listener = Deno.listen({ transport: "unix", path: file });
    const config = `${folder}/sluice.toml`;
    await Deno.writeTextFile(config, configText({ servers: [9] }));
    await Deno.writeTextFile(`${config}.overlay.toml`, `[log]\nfile = "${file}"\n`);
    await using process = await run(["--config", config], folder);
    assertEquals((await process.ended).code, 1);
    const place = `${file} (log.file of ${config}.overlay.toml)`;
    assertStringIncludes(process.stderr, `sluice: Cannot open the log file ${place}: `);
    assertEquals(process.stderr.split(file).length, 2, process.stderr);
  });
});

Deno.test("The quick start serves without any file", async () => {
  await using server = sleepyServer();
  await using process = new ProxyProcess([
    ...["--listen", "127.0.0.1:0"],
    ...["--server", `127.0.0.1:${server.port}`],
    ...["--user", "app:secret"],
  ]);
  using client = await login(await process.port());
  await client.ping();
  process.signal("SIGTERM");
  assertEquals(await process.ended, { code: 0, signal: null });
});

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  Deno.test(`${signal} closes idle clients, lets busy ones finish, and ends with 0`, async () => {
    let answer = () => {};
    await using server = new FakeServer({
      onSession: (peer) =>
        peer.serve(async (sql, session) => {
          if (sql === "WAIT") await new Promise<void>((resolve) => answer = resolve);
          await session.ok();
        }),
    });
    await using process = await ProxyProcess.start({ servers: [server.port] });
    const port = await process.port();
    using idle = await login(port);
    using busy = await login(port);
    await busy.query("WAIT");
    await eventually("the statement runs", () => server.queries.includes("WAIT"));
    process.signal(signal);
    assertEquals(await idle.ended(), 0);
    answer();
    assertEquals((await busy.expect())[0], Head.OK);
    assertEquals(await busy.ended(), 0);
    assertEquals(await process.ended, { code: 0, signal: null });
    assertStringIncludes(process.stderr, signal);
  });
}

Deno.test("A statement that goes on past the grace period is told 1053, and the end is 0", async () => {
  await using server = sleepyServer();
  await using process = await ProxyProcess.start({
    servers: [server.port],
    proxy: { shutdown_grace: "100ms" },
  });
  using client = await login(await process.port());
  await client.query("SLEEP");
  await eventually("the statement runs", () => server.queries.includes("SLEEP"));
  process.signal("SIGTERM");
  assertEquals((await client.expectErr()).code, 1053);
  assertEquals(await process.ended, { code: 0, signal: null });
  assert(server.queries.at(-1)?.startsWith("KILL "));
});

/** A proxy that stops and would wait for an hour, and a client of it whose statement goes on. */
async function stopping(
  server: FakeServer,
  use: (process: ProxyProcess, client: FakeClient) => Promise<void>,
): Promise<void> {
  await using process = await ProxyProcess.start({
    servers: [server.port],
    proxy: { shutdown_grace: "1h" },
  });
  using client = await login(await process.port());
  await client.query("SLEEP");
  await eventually("the statement runs", () => server.queries.includes("SLEEP"));
  process.signal("SIGTERM");
  await eventually("it is stopping", () => process.lines("stopping").length > 0);
  await use(process, client);
}

Deno.test("A second signal ends the grace period: 1053, a cancel, all lines, and 0", async () => {
  await using server = sleepyServer();
  await stopping(server, async (process, client) => {
    process.signal("SIGINT");
    assertEquals((await client.expectErr()).code, 1053);
    await client.ended();
    assertEquals(await process.ended, { code: 0, signal: null });
    assert(server.queries.at(-1)?.startsWith("KILL "));
    assertEquals(process.lines("session ended").length, 1);
    assertEquals(process.lines("stopped").length, 1);
  });
});

Deno.test("A third signal waits for nothing", async () => {
  await using server = new FakeServer({
    onSession: (peer) => peer.serve((_, session) => session.stall()),
  });
  await stopping(server, async (process) => {
    process.signal("SIGINT");
    process.signal("SIGTERM");
    assertEquals((await process.ended).signal, null);
    assert([128 + 2, 128 + 15].includes((await process.ended).code));
    assertEquals(process.lines("signal received").length, 3);
    assertEquals(process.lines("stopped"), []);
  });
});

/** Lines of a whole life: a session, a refusal, a lost client, start and stop. */
async function liveOnce(process: ProxyProcess, server: FakeServer): Promise<void> {
  const port = await process.port();
  using client = await login(port);
  await client.query("SELECT 'hunter2 in a statement'");
  await client.expect();
  await client.sendRaw(Uint8Array.of(1, 0, 0, 0, 1));
  await client.ended();
  using wrong = await FakeClient.connect(port);
  await wrong.logIn({ user: 'o"dd\nname=x', password: "hunter3" });
  await wrong.ended();
  const lost = await login(port);
  await lost.query("SLEEP");
  await eventually("the statement runs", () => server.queries.includes("SLEEP"));
  lost.close();
  await eventually("it is killed", () => server.queries.at(-1)?.startsWith("KILL "));
  process.signal("SIGTERM");
  assertEquals(await process.ended, { code: 0, signal: null });
}

Deno.test("The log in logfmt has one line an event, and no secrets", async () => {
  await using server = sleepyServer();
  await using process = await ProxyProcess.start({ servers: [server.port] });
  await liveOnce(process, server);
  const lines = process.stderr.trimEnd().split("\n");
  for (const line of lines) assertMatch(line, /^\S+=(?:"(?:[^"\\]|\\.)*"|\S*)(?: \S+?=|$)/);
  const count = (pattern: RegExp) => lines.filter((line) => pattern.test(line)).length;
  assertEquals(count(/"?started"? .*version=0/), 1);
  assertEquals(count(/reason=quit\b/), 1);
  assertEquals(count(/reason=login_refused\b/), 1);
  assertEquals(count(/reason=client_lost\b/), 1);
  assertEquals(count(/stopped/), 1);
  const quit = lines.find((line) => line.includes("reason=quit"))!;
  for (const key of ["cs_id", "peer", "user", "duration_ms", "bytes_in", "bytes_out"]) {
    assertMatch(quit, new RegExp(` ${key}=\\S`));
  }
  assertMatch(quit, / statements=1\b/);
  assert(!/hunter|secret|SELECT/.test(process.stderr), process.stderr);
});

Deno.test("The log in JSON goes to a file, one object a line", async () => {
  await inFolder(async (folder) => {
    const file = `${folder}/log`;
    await Deno.writeTextFile(file, '{"message":"from before"}\n');
    await using server = sleepyServer();
    const config = configText({ servers: [server.port], log: { file, format: "json" } });
    await Deno.writeTextFile(`${folder}/sluice.toml`, config);
    await using process = new ProxyProcess(["--config", `${folder}/sluice.toml`]);
    await eventually("it serves", async () => {
      process.stderr = await Deno.readTextFile(file);
      return process.stderr.includes("started");
    });
    const before = process.stderr;
    await liveOnce(process, server);
    assertEquals(process.stderr, before, "the log went to standard error too");
    const text = await Deno.readTextFile(file);
    const lines = text.trimEnd().split("\n").map((line) => JSON.parse(line));
    const messages = lines.map(({ message }) => message);
    assertEquals(messages.filter((message) => message === "from before").length, 1);
    for (const message of ["started", "login refused", "stopping", "stopped"]) {
      assertEquals(messages.filter((one) => one === message).length, 1, message);
    }
    const ended = lines.filter(({ message }) => message === "session ended");
    assertEquals(ended.map(({ properties }) => properties.reason).sort(), ["client_lost", "quit"]);
    const refused = lines.find(({ message }) => message === "login refused").properties;
    assertEquals([refused.code, refused.user], [1045, 'o"dd\nname=x']);
    assert(!/hunter|SELECT/.test(text), text);
  });
});
