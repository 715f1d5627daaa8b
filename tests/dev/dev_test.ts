import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { run, which } from "../../src/dev/engines/command.ts";
import {
  type EngineName,
  EngineUnavailable,
  ensureEngine,
  startEngine,
} from "../../src/dev/engines/engine.ts";
import { query } from "../../src/dev/engines/query.ts";

const program = new URL("../../src/dev/dev.ts", import.meta.url).pathname;
const dev = { user: "dev", password: "dev" };

const engines: EngineName[] = ["seekdb", "mariadb", "mysql"];
for (const name of engines) {
  const ignore = !await install(name);
  Deno.test(`the development environment serves ${name} until Ctrl-C`, { ignore }, async () => {
    await using running = await startDev(["--engine", name]);
    const { port } = running;
    const rows = await query(port, dev, [
      "CREATE TABLE test.t (a INT PRIMARY KEY)",
      "INSERT INTO test.t VALUES (42)",
      "SELECT a, CURRENT_USER() AS user, @@port AS port FROM test.t",
    ]);
    const { port: serverPort, ...row } = rows[0]!;
    assertEquals(row, { a: 42, user: "sluice_dev@%" });
    await assertRejects(() => query(Number(serverPort), dev, ["SELECT 1"]), Error, "denied");
    await assertRejects(() => query(port, { ...dev, password: "x" }, ["SELECT 1"]));
    for (const line of running.output.split("\n").filter((line) => line.startsWith("  "))) {
      const output = await run([(await which("sh"))!, "-c", line], {
        input: "SELECT CURRENT_USER()",
      });
      assertStringIncludes(output, "sluice_dev@%");
    }
    assertEquals((await running.processes()).length > 0, true);
    running.signal("SIGINT");
    assertEquals(await running.ended(), 0, running.output);
    await running.nothingLeft();
  });
}

Deno.test("the development environment serves a running server by its own account", async () => {
  await using engine = await startEngine("mariadb");
  const app = { user: "app", password: "secret" };
  await query(engine, engine.admin, ["CREATE USER app@'%' IDENTIFIED BY 'secret'"]);
  await using running = await startDev([`--server=127.0.0.1:${engine.port}`, "--user=app:secret"]);
  const rows = await query(running.port, app, ["SELECT CURRENT_USER() AS user, @@port AS port"]);
  assertEquals(rows, [{ user: "app@%", port: engine.port }]);
  assert(!running.output.includes("secret"), running.output);
  running.signal("SIGTERM");
  assertEquals(await running.ended(), 0);
  await running.nothingLeft();
  await query(engine, engine.admin, ["SELECT 1"]);
});

Deno.test("the development environment ends with its server or its proxy", async () => {
  for (
    const [victim, message] of [["--datadir=", "The database server"], ["main.ts", "The proxy"]]
  ) {
    await using running = await startDev(["--engine", "mariadb"]);
    const processes = await running.processes();
    const { pid } = processes.find(({ args }) => args.includes(victim!))!;
    Deno.kill(pid, "SIGKILL");
    assertEquals(await running.ended(), 1);
    assertStringIncludes(running.output, `${message} ended with exit code 137, its log ends with:`);
    await running.nothingLeft();
  }
});

Deno.test("the development environment stops in the midst of its start", async () => {
  await using running = await startDev(["--engine", "mariadb"], "Starting MariaDB");
  running.signal("SIGTERM");
  assertEquals(await running.ended(), 0);
  await running.nothingLeft();
});

Deno.test("the development environment names a port in use", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using running = await startDev([], "in use", { port: listener.addr.port });
  assertEquals(await running.ended(), 1);
  assertEquals(
    running.output,
    `Cannot listen on 127.0.0.1:${listener.addr.port}: the port is in use. ` +
      "Choose another address by --listen HOST:PORT\n",
  );
});

Deno.test("MariaDB takes over where pip cannot download seekdb", async () => {
  await using machine = await machineWithout(/^(python|pip)/);
  await using running = await startDev([], "Ctrl-C", { env: machine.env });
  assertStringIncludes(running.output, "Cannot download seekdb: install python3");
  const [row] = await query(running.port, dev, ["SELECT VERSION() AS version"]);
  assertStringIncludes(String(row!.version), "MariaDB");
});

async function install(name: EngineName): Promise<boolean> {
  try {
    await ensureEngine(name);
    return true;
  } catch (error) {
    if (!(error instanceof EngineUnavailable)) throw error;
    const line = `Skipped: the development environment with ${name}. ${error.message}\n`;
    Deno.stderr.writeSync(new TextEncoder().encode(line));
    return false;
  }
}

/** Runs the program with a temporary folder of its own until it has printed `until`. */
async function startDev(
  args: string[],
  until = "Ctrl-C",
  { port = freePort(), env = {} }: { port?: number; env?: Record<string, string> } = {},
) {
  const folder = await Deno.makeTempDir();
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", program, "--listen", `127.0.0.1:${port}`, ...args],
    env: { ...env, TMPDIR: folder },
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const chunks = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const running = {
    port,
    output: "",
    signal: (signal: Deno.Signal) => child.kill(signal),
    processes: () => processesUsing(folder),
    async ended(): Promise<number> {
      while (await readMore());
      return (await child.status).code;
    },
    /** The last steps of a start that was broken off happen after the program's end. */
    async nothingLeft(): Promise<void> {
      const deadline = Date.now() + 10_000;
      for (;;) {
        const files = await Array.fromAsync(Deno.readDir(folder), (entry) => entry.name);
        const processes = await processesUsing(folder);
        if (files.length + processes.length === 0) return;
        const left = Deno.inspect({ files, processes });
        assert(Date.now() < deadline, `Still there: ${left}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    async [Symbol.asyncDispose]() {
      await chunks.cancel();
      try {
        child.kill("SIGKILL");
      } catch {
        // It has ended, as it should.
      }
      await child.status;
      await running.nothingLeft();
      await Deno.remove(folder, { recursive: true });
    },
  };
  async function readMore(): Promise<boolean> {
    const { value = "", done } = await chunks.read();
    running.output += value;
    return !done;
  }
  while (!running.output.includes(until)) {
    if (!await readMore()) break;
  }
  assertStringIncludes(running.output, until);
  return running;
}

/** The environment of a machine with an empty cache, on which programs with such names are missing. */
async function machineWithout(names: RegExp) {
  const folder = await Deno.makeTempDir();
  await Deno.mkdir(`${folder}/bin`);
  for await (const { name } of Deno.readDir("/usr/bin")) {
    if (!names.test(name)) await Deno.symlink(`/usr/bin/${name}`, `${folder}/bin/${name}`);
  }
  return {
    env: { PATH: `${folder}/bin`, XDG_CACHE_HOME: folder, DENO_DIR: await denoFolder() },
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

/** Where the packages are that the program imports. */
async function denoFolder(): Promise<string> {
  return JSON.parse(await run([Deno.execPath(), "info", "--json"])).denoDir;
}

/** Live processes with this temporary folder in their environment. */
async function processesUsing(folder: string): Promise<{ pid: number; args: string }[]> {
  const found: { pid: number; args: string }[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const environment = await readOrNothing(`/proc/${name}/environ`);
    if (!environment.split("\0").includes(`TMPDIR=${folder}`)) continue;
    const args = await readOrNothing(`/proc/${name}/cmdline`);
    found.push({ pid: Number(name), args: args.replaceAll("\0", " ") });
  }
  return found;
}

/** Processes end, and some belong to others. */
async function readOrNothing(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch {
    return "";
  }
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
