import { assert, assertEquals, assertRejects } from "@std/assert";
import { writeAtomically } from "../../src/config/atomic_file.ts";
import { run } from "../../src/dev/engines/command.ts";
import { eventually } from "../support/eventually.ts";
import { LogRecords } from "../support/log_records.ts";
import { MemoryDisk } from "./memory_disk.ts";

const FILE = "/etc/sluice.toml.overlay.toml";
/** Long enough for several writes. */
const NEW = `new\n${"x".repeat(200)}\n`;

/** Steps of one write where nothing fails. */
async function allSteps(): Promise<string[]> {
  const disk = new MemoryDisk({ [FILE]: "old" });
  await writeAtomically(FILE, NEW, disk);
  return disk.steps;
}

Deno.test("A file is on the disk before its name, and its name before the write is done", async () => {
  const steps = await allSteps();
  assertEquals(steps.filter((step, index) => step !== steps[index - 1]), [
    "names",
    "create",
    "write",
    "sync",
    "rename",
    "sync folder",
  ]);
  assert(steps.filter((step) => step === "write").length > 1);
});

Deno.test("Whatever step fails, there is the old text or the new one, and the next write works", async () => {
  const log = await LogRecords.take();
  const steps = await allSteps();
  for (const forGood of [false, true]) {
    for (const [at, step] of steps.entries()) {
      const disk = new MemoryDisk({ [FILE]: "old", "/etc/other.new-1": "other" });
      disk.fails = { at, forGood };
      if (step === "sync folder") await writeAtomically(FILE, NEW, disk);
      else await assertRejects(() => writeAtomically(FILE, NEW, disk), Error, `broken at ${step}`);
      assertEquals(disk.files.get(FILE), step === "sync folder" ? NEW : "old", step);
      // What a dead machine left behind goes with the next write, what one step left at once.
      assertEquals(disk.files.size === 2, !forGood || !["write", "sync", "rename"].includes(step));
      disk.fails = undefined;
      await writeAtomically(FILE, "newer", disk);
      assertEquals(Object.fromEntries(disk.files), {
        [FILE]: "newer",
        "/etc/other.new-1": "other",
      });
    }
  }
  assertEquals(log.lines.map(({ message }) => message), Array(2).fill("cannot sync folder"));
});

const ROUNDS = 40;
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;
const MODULE = new URL("../../src/config/atomic_file.ts", import.meta.url).href;

/** The current folder belongs to a whole process, and other tests run in this one. */
const IN_CURRENT_FOLDER = `
const { writeAtomically } = await import(${JSON.stringify(MODULE)});
await writeAtomically("a", "1");
await writeAtomically("./a", "2");
`;

Deno.test("A file in the current folder is written, and only its owner reads it", async () => {
  await using folder = await temporaryFolder();
  await Deno.writeTextFile(`${folder.path}/a.new-left`, "");
  await using script = await temporaryFolder();
  await Deno.writeTextFile(`${script.path}/script.ts`, IN_CURRENT_FOLDER);
  await run(program(`${script.path}/script.ts`), { cwd: folder.path });
  const file = `${folder.path}/a`;
  assertEquals(await Deno.readTextFile(file), "2");
  assertEquals((await Deno.stat(file)).mode! & 0o777, 0o600);
  assertEquals((await Array.fromAsync(Deno.readDir(folder.path))).map(({ name }) => name), ["a"]);
});

/** Writes 1, 2, 3 … with a long tail each, and says so after each. */
const WRITER = `
const { writeAtomically } = await import(${JSON.stringify(MODULE)});
for (let number = Number(Deno.args[1]); ; number++) {
  await writeAtomically(Deno.args[0], number + "\\n" + String(number).repeat(20_000));
  Deno.stdout.writeSync(new TextEncoder().encode(number + "\\n"));
}
`;

Deno.test("A writer that is killed leaves what it wrote last, or the next, and never half of it", async () => {
  await using folder = await temporaryFolder();
  const script = `${folder.path}/writer.ts`;
  const file = `${folder.path}/overlay`;
  await Deno.writeTextFile(script, WRITER);
  let last = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const [deno, ...args] = program(script);
    const child = new Deno.Command(deno!, {
      args: [...args, file, String(last + 1)],
      stdout: "piped",
    }).spawn();
    let said = "";
    const reading = (async () => {
      for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) said += text;
    })();
    const first = last;
    await eventually("it writes", () => said.split("\n").length > 2 + round, {
      within: 30_000,
      every: 1,
    });
    child.kill("SIGKILL");
    await Promise.all([child.status, reading]);
    last = Number(said.trimEnd().split("\n").at(-1));
    const text = await Deno.readTextFile(file);
    const number = Number(text.slice(0, text.indexOf("\n")));
    assert(last > first && (number === last || number === last + 1), `${number} after ${last}`);
    assertEquals(text, `${number}\n${String(number).repeat(20_000)}`);
    last = number;
  }
  await writeAtomically(file, "done");
  const names = await Array.fromAsync(Deno.readDir(folder.path));
  assertEquals(names.map(({ name }) => name).sort(), ["overlay", "writer.ts"]);
});

/** How to run a script that imports what the project does. */
function program(script: string): string[] {
  return [Deno.execPath(), "run", "-A", "--no-check", "--config", CONFIG, script];
}

async function temporaryFolder() {
  const path = await Deno.makeTempDir();
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}
