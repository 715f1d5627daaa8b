import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { createConnection } from "mysql2";
import {
  type EngineName,
  EngineUnavailable,
  ensureEngine,
  mysqlClientCommand,
  type StartedEngine,
  startEngine,
} from "../../src/dev/engines/engine.ts";
import { exists } from "../../src/dev/engines/cache.ts";
import { run } from "../../src/dev/engines/command.ts";

const engines: [EngineName, RegExp][] = [
  ["mariadb", /^\d+\.\d+\.\d+-MariaDB/],
  ["mysql", /^9\.\d+\.\d+/],
  ["seekdb", /^5\.7\.25-OceanBase seekdb/],
];

const installed = new Map<EngineName, boolean>();
for (const [name] of engines) installed.set(name, await install(name));

for (const [name, version] of engines) {
  Deno.test(`${name} starts, answers and leaves nothing behind`, skip(name), async () => {
    const engine = await startEngine(name);
    const folder = await folderOf(engine);
    try {
      assertEquals(engine.name, name);
      assert(version.test(engine.version), engine.version);
      const root = engine.admin;
      assert(root.password.length >= 32);
      assertEquals(await ask(engine, root, "SELECT 6 * 7 AS answer"), [{ answer: 42 }]);
      await ask(engine, root, "CREATE USER app@'%' IDENTIFIED BY 'secret'");
      await ask(engine, root, "GRANT ALL ON test.* TO app@'%' WITH GRANT OPTION");
      const app = { user: "app", password: "secret" };
      await ask(engine, app, "CREATE TABLE test.t (a INT)");
      assertEquals(await ask(engine, app, "SHOW TABLES IN test"), [{ Tables_in_test: "t" }]);
      await assertRejects(() => ask(engine, { user: "root", password: "" }, "SELECT 1"));
      assert(await exists(`/proc/${engine.pid}`));
    } finally {
      await engine.stop();
    }
    assert(!await exists(`/proc/${engine.pid}`), "the process is still there");
    assert(!await exists(folder), `${folder} is still there`);
  });

  Deno.test(`${name} can be killed, and stop removes its folder`, skip(name), async () => {
    await using engine = await startEngine(name);
    const folder = await folderOf(engine);
    await engine.kill();
    assert(!await exists(`/proc/${engine.pid}`), "the process is still there");
    assertEquals(await engine.exited, 128 + 9);
    assert(await exists(folder));
    await engine.stop();
    assert(!await exists(folder), `${folder} is still there`);
  });

  Deno.test(`${name} refuses a port in use`, skip(name), async () => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    const error = await assertRejects(() => startEngine(name, { port }), Error);
    assertStringIncludes(error.message, `port ${port} is in use`);
  });
}

Deno.test("A server that fails at start shows its log", skip("mariadb"), async () => {
  const args = ["--no-such-option"];
  const error = await assertRejects(() => startEngine("mariadb", { args }), Error);
  assertStringIncludes(error.message, "unknown option '--no-such-option'");
});

Deno.test("A server goes with the process that started it", skip("mariadb"), async () => {
  const holder = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", new URL("hold_engine.ts", import.meta.url).pathname],
    stdout: "piped",
  }).spawn();
  const reader = holder.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value } = await reader.read();
  await reader.cancel();
  const pid = parseInt(value ?? "");
  const folder = await folderOf({ name: "mariadb", pid });
  holder.kill("SIGKILL");
  await holder.status;
  const deadline = Date.now() + 10_000;
  while (await isRunning(pid) || await exists(folder)) {
    assert(Date.now() < deadline, `process ${pid} or ${folder} is still there`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
});

Deno.test("The mysql client reaches its server", skip("mysql"), async () => {
  await using engine = await startEngine("mysql");
  const command = await mysqlClientCommand();
  const output = await run(
    [...command, "-h127.0.0.1", `-P${engine.port}`, `-u${engine.admin.user}`, "-N", "-B"]
      .concat([`-p${engine.admin.password}`, "-e", "SELECT 6 * 7"]),
  );
  assertEquals(output.trim(), "42");
});

async function install(name: EngineName): Promise<boolean> {
  try {
    await ensureEngine(name, say);
    return true;
  } catch (error) {
    if (!(error instanceof EngineUnavailable)) throw error;
    say(`Skipped: the tests of ${name}. ${error.message}`);
    return false;
  }
}

function skip(name: EngineName): { ignore: boolean } {
  return { ignore: !installed.get(name) };
}

function say(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`${text}\n`));
}

async function ask(
  engine: StartedEngine,
  account: { user: string; password: string },
  statement: string,
): Promise<unknown> {
  const { hostname: host, port } = engine;
  const connection = await createConnection({ host, port, ...account });
  const [rows] = await connection.query(statement);
  await connection.end();
  return rows;
}

/** The server's folder, from its command line; below its root folder if it runs in one. */
async function folderOf(engine: { name: string; pid: number }): Promise<string> {
  const arguments_ = await Deno.readTextFile(`/proc/${engine.pid}/cmdline`);
  const inside = new RegExp(`/[^\\0=]*/sluice-${engine.name}-[0-9a-f]+`).exec(arguments_)![0];
  const root = await Deno.readLink(`/proc/${engine.pid}/root`);
  const folder = `${root === "/" ? "" : root}${inside}`;
  assert(await exists(folder));
  return folder;
}

/** Whether a process is neither gone nor dead and waiting to be collected. */
async function isRunning(pid: number): Promise<boolean> {
  if (!await exists(`/proc/${pid}`)) return false;
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`).catch(() => "0 () Z");
  return !/\) [ZX]/.test(stat);
}
