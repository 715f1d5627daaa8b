/** The drivers: what each needs from its toolchain, and how its program is run. */

import { cachedFolder } from "../../src/dev/engines/cache.ts";
import { run, which } from "../../src/dev/engines/command.ts";
import {
  type EngineName,
  EngineUnavailable,
  mysqlClientCommand,
} from "../../src/dev/engines/engine.ts";
import { type CommandLine, runCommandLine } from "./command_line_client.ts";
import { type CaseReport, type Driver, ToolMissing } from "./driver.ts";
import { type OwnAccountJob, runOwnAccount } from "./own_account.ts";

type Progress = (text: string) => void;

/** A program says nothing for longer than this: it hangs. */
const SILENCE_LIMIT = 120_000;

const SOURCES = new URL("./drivers/", import.meta.url).pathname;

export const drivers: readonly Driver[] = [
  { name: "mysql2 3.24", hasFullLogin: true, prepare: node("mysql2.mjs") },
  { name: "mariadb (npm) 3.5", hasFullLogin: true, prepare: node("mariadb.mjs") },
  { name: "PyMySQL 1.2", hasFullLogin: true, prepare: python("program_pymysql.py") },
  {
    name: "mysql-connector-python 9.7 (C)",
    hasFullLogin: false,
    prepare: python("program_connector.py"),
  },
  {
    name: "mysql-connector-python 9.7 (pure)",
    hasFullLogin: false,
    prepare: python("program_connector.py", "pure"),
  },
  { name: "go-sql-driver/mysql 1.10", hasFullLogin: true, prepare: go() },
  { name: "MySQL Connector/J 26.10", hasFullLogin: true, prepare: java("Program", "mysql") },
  { name: "MariaDB Connector/J 4.0", hasFullLogin: true, prepare: java("Program", "mariadb") },
  {
    name: "mariadb command line",
    hasFullLogin: true,
    prepare: clientWith(mariadbCommand, runCommandLine),
  },
  {
    name: "mysql command line",
    hasFullLogin: true,
    prepare: clientWith(mysqlCommand, runCommandLine),
  },
];

/** A program that reads the file of a job of either kind. */
type FileProgram = (job: object) => Promise<CaseReport[]>;

interface OwnAccountDriver {
  readonly name: string;
  prepare(onProgress: Progress): Promise<(job: OwnAccountJob) => Promise<CaseReport[]>>;
  /** The engine whose greeting it cannot live with. */
  readonly except?: EngineName;
}

/**
 * The same drivers and one more with the accounts that no server has: the job has the cases of
 * own_account.ts.
 */
export const ownAccountDrivers: readonly OwnAccountDriver[] = [
  { name: "mysql2 3.24", prepare: node("own_account.mjs", "mysql2") },
  { name: "mariadb (npm) 3.5", prepare: node("own_account.mjs", "mariadb") },
  { name: "PyMySQL 1.2", prepare: python("own_account.py", "pymysql") },
  { name: "mysql-connector-python 9.7 (C)", prepare: python("own_account.py", "c") },
  { name: "mysql-connector-python 9.7 (pure)", prepare: python("own_account.py", "pure") },
  { name: "go-sql-driver/mysql 1.10", prepare: go("own") },
  { name: "MySQL Connector/J 26.10", prepare: java("OwnAccount", "jdbc:mysql:") },
  { name: "MariaDB Connector/J 4.0", prepare: java("OwnAccount", "jdbc:mariadb:") },
  {
    name: "OceanBase Connector/J 2.4",
    // It takes MySQL's flag of query attributes for one of OceanBase's: it gets into no such server.
    except: "mysql",
    prepare: java("OwnAccount", "jdbc:oceanbase:"),
  },
  { name: "mariadb command line", prepare: clientWith(mariadbCommand, runOwnAccount) },
  { name: "mysql command line", prepare: clientWith(mysqlCommand, runOwnAccount) },
];

function node(file: string, ...args: string[]) {
  return async (onProgress: Progress): Promise<FileProgram> => {
    await need("node", "20");
    await need("npm", "8");
    const packages = await installed("node", "package.json", {
      async build(folder) {
        const quiet = ["--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock"];
        await run(["npm", "install", ...quiet], { cwd: folder });
      },
      onProgress,
    });
    const folder = await sourceCopy("node", ".mjs");
    await Deno.symlink(`${packages}/node_modules`, `${folder}/node_modules`);
    return program(["node", `${folder}/${file}`], { args });
  };
}

function python(file: string, ...args: string[]) {
  return async (onProgress: Progress): Promise<FileProgram> => {
    await need("python3", "3.9");
    const packages = await installed("python", "requirements.txt", {
      async build(folder) {
        const pip = ["python3", "-m", "pip", "install", "--quiet", "--only-binary", ":all:"];
        await run([...pip, "--target", `${folder}/packages`, "-r", `${folder}/requirements.txt`]);
      },
      onProgress,
    });
    const env = { PYTHONPATH: `${packages}/packages`, PYTHONDONTWRITEBYTECODE: "1" };
    return program(["python3", `${SOURCES}python/${file}`], { args, env });
  };
}

function go(...args: string[]) {
  return async (onProgress: Progress): Promise<FileProgram> => {
    await need("go", "1.24");
    onProgress("Building the Go program");
    const folder = await sourceCopy("go", ".go", "go.mod", "go.sum");
    const options = { cwd: folder, env: { GOTOOLCHAIN: "local", GOFLAGS: "-mod=readonly" } };
    await install("Go modules", () => run(["go", "mod", "download"], options));
    await run(["go", "build", "-o", "program", "."], options);
    return program([`${folder}/program`], { args });
  };
}

function java(main: string, ...args: string[]) {
  return async (onProgress: Progress): Promise<FileProgram> => {
    await need("javac", "17");
    await need("mvn", "3");
    const libraries = await installed("java", "pom.xml", {
      async build(folder) {
        const goal = ["dependency:copy-dependencies", "-DoutputDirectory=libraries"];
        await run(["mvn", "--quiet", "--batch-mode", ...goal], { cwd: folder });
      },
      onProgress,
    });
    const folder = await sourceCopy("java", ".java");
    const path = `${folder}:${libraries}/libraries/*`;
    await run(["javac", "-encoding", "UTF-8", "-cp", path, `${main}.java`], { cwd: folder });
    // Short runs: little compilation, one collector thread.
    const options = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx1g"];
    const argv = ["java", ...options, "-Duser.timezone=UTC", "-cp", path, main];
    return program(argv, { args });
  };
}

/** A command-line client as a program, by what runs the cases with it. */
function clientWith<AnyJob>(
  command: () => Promise<CommandLine>,
  run: (line: CommandLine, job: AnyJob) => Promise<CaseReport[]>,
) {
  return async () => {
    const line = await command();
    return (job: AnyJob) => run(line, job);
  };
}

export async function mariadbCommand(): Promise<CommandLine> {
  const command = [await need("mariadb", "10")];
  return { command, options: ["--skip-ssl"], root: "", canReset: false };
}

export async function mysqlCommand(): Promise<CommandLine> {
  let command: string[];
  try {
    command = await mysqlClientCommand();
  } catch (error) {
    if (error instanceof EngineUnavailable) throw new ToolMissing(error.message);
    throw error;
  }
  const root = command[0]!.endsWith("chroot") ? command[1]! : "";
  const options = ["--ssl-mode=DISABLED", "--get-server-public-key", "--commands"];
  return { command, options, root, canReset: true };
}

/** Path of a tool that runs and has at least this version. */
async function need(tool: string, least: string): Promise<string> {
  const path = await which(tool);
  if (path === undefined) {
    throw new ToolMissing(`no ${tool} on the PATH: install version ${least} or newer`);
  }
  let told: string;
  try {
    told = await run([path, tool === "go" ? "version" : "--version"]);
  } catch (error) {
    throw new ToolMissing(`${path} does not run: ${(error as Error).message}`);
  }
  // Such as `go version go1.26.8`, `javac 21`, `mariadb  Ver 15.1 Distrib 10.11.19-MariaDB`.
  const patterns = [/(?<=Distrib )\d+\.\d+/, /\d+\.\d+/, /\d+/];
  const found = patterns.map((pattern) => pattern.exec(told)?.[0]).find(Boolean) ?? "unknown";
  if (isAtLeast(found, least)) return path;
  throw new ToolMissing(`${path} is version ${found}: install ${least} or newer`);
}

function isAtLeast(found: string, least: string): boolean {
  const [major = 0, minor = 0] = found.split(".").map(Number);
  const [leastMajor = 0, leastMinor = 0] = least.split(".").map(Number);
  return major > leastMajor || (major === leastMajor && minor >= leastMinor);
}

/** A cached folder with what `manifest` lists; a changed manifest makes another one. */
async function installed(
  language: string,
  manifest: string,
  { build, onProgress }: { build(folder: string): Promise<void>; onProgress: Progress },
): Promise<string> {
  const text = await Deno.readTextFile(`${SOURCES}${language}/${manifest}`);
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  const key = Array.from(new Uint8Array(digest, 0, 4), (byte) => byte.toString(16)).join("");
  return await cachedFolder(`e2e-${language}-${key}`, async (folder) => {
    onProgress(`Installing the drivers of ${language}/${manifest}`);
    await Deno.writeTextFile(`${folder}/${manifest}`, text);
    await install(manifest, () => build(folder));
  }, { onProgress });
}

async function install(what: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    throw new ToolMissing(`cannot install ${what}: ${(error as Error).message}`);
  }
}

/** A temporary folder with the files of one language whose names end so. */
async function sourceCopy(language: string, ...endings: string[]): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: `sluice-e2e-${language}-` });
  temporaryFolders.push(folder);
  for await (const { name } of Deno.readDir(SOURCES + language)) {
    if (!endings.some((ending) => name.endsWith(ending))) continue;
    await Deno.copyFile(`${SOURCES}${language}/${name}`, `${folder}/${name}`);
  }
  return folder;
}

const temporaryFolders: string[] = [];

export async function removeTemporaryFolders(): Promise<void> {
  for (const folder of temporaryFolders.splice(0)) await Deno.remove(folder, { recursive: true });
}

/** A program that takes the path of the job's file and prints one line of JSON for each case. */
function program(
  argv: readonly string[],
  { args = [], env = {} }: { args?: readonly string[]; env?: Record<string, string> } = {},
): FileProgram {
  return async (job) => {
    const file = await Deno.makeTempFile({ prefix: "sluice-e2e-job-", suffix: ".json" });
    try {
      await Deno.writeTextFile(file, JSON.stringify(job));
      return await reports([...argv, file, ...args], env);
    } finally {
      await Deno.remove(file);
    }
  };
}

async function reports(
  [command, ...args]: readonly string[],
  env: Record<string, string>,
): Promise<CaseReport[]> {
  const child = new Deno.Command(command!, { args, env, stdout: "piped", stderr: "piped" })
    .spawn();
  const errors = new Response(child.stderr).text();
  const found: CaseReport[] = [];
  let rest = "";
  const kill = () => child.kill("SIGKILL");
  let silence = setTimeout(kill, SILENCE_LIMIT);
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    clearTimeout(silence);
    silence = setTimeout(kill, SILENCE_LIMIT);
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    found.push(...lines.filter((line) => line !== "").map((line) => JSON.parse(line)));
  }
  clearTimeout(silence);
  const { success, code, signal } = await child.status;
  const tail = (await errors).slice(-2000);
  if (success) return found;
  const after = found.at(-1)?.case ?? "its start";
  throw new Error(`${command} ended with ${signal ?? code} after ${after}, last output:\n${tail}`);
}
