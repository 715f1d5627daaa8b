/**
 * seekdb 1.4, a small server of the OceanBase family. Its Python wheel is a zip that holds a server
 * program with all it needs, so pip only downloads it and no Python runs it.
 */

import { cachedFolder } from "./cache.ts";
import { run, succeeds, which } from "./command.ts";
import { randomPassword } from "./query.ts";
import { startServer } from "./start_server.ts";
import {
  CommandFailed,
  type EngineRecipe,
  EngineUnavailable,
  type Progress,
  type StartedEngine,
  type StartOptions,
} from "./types.ts";

const wheel = "pylibseekdb";
const wheelVersion = "1.4.0.post1";
/** Of the wheel for x86_64, to say how much is still to come. */
const wheelMegabytes = 54;

export const seekdb: EngineRecipe = {
  async install(onProgress) {
    await findSeekdb(onProgress);
  },
  start: startSeekdb,
};

/**
 * The server ends itself by SIGKILL after a clean stop, so its exit code is 137 then. It listens on
 * all interfaces and cannot be told otherwise: root has no empty password any more once this
 * function returns.
 */
async function startSeekdb(options: StartOptions): Promise<StartedEngine> {
  const onProgress = options.onProgress ?? (() => {});
  const program = await findSeekdb(onProgress);
  const admin = { user: "root", password: randomPassword() };
  onProgress("Starting seekdb 1.4.0");
  return await startServer({
    name: "seekdb",
    admin,
    first: {
      account: { user: "root", password: "" },
      statements: [`ALTER USER root IDENTIFIED BY '${admin.password}'`, ...settings],
    },
    async prepare(folder, port) {
      const base = `${folder}/base`;
      await Deno.mkdir(base);
      const argv = [program, "--nodaemon", "--port", String(port), "--base-dir", base]
        .concat(["--log-level", "ERROR"], parameters.flatMap((text) => ["--parameter", text]))
        .concat(options.args ?? []);
      return { argv, logFiles: [`${folder}/log`, `${base}/log/seekdb.log`] };
    },
  }, options);
}

/** The least that the server starts with. */
const parameters = ["memory_limit=1G", "datafile_size=16M", "log_disk_size=2G"];

/** Fit for tests: large packets, and statements that may take longer than the default 10 s. */
const settings = [
  "SET GLOBAL max_allowed_packet = 1073741824",
  "SET GLOBAL local_infile = 1",
  "SET GLOBAL ob_query_timeout = 3600000000",
  "SET GLOBAL ob_trx_timeout = 3600000000",
];

async function findSeekdb(onProgress: Progress): Promise<string> {
  if (Deno.build.os !== "linux") {
    throw new EngineUnavailable(`Cannot run seekdb on ${Deno.build.os}: needs Linux`);
  }
  const folder = await cachedFolder(
    `seekdb-${wheelVersion}`,
    (folder) => download(folder, onProgress),
    { onProgress },
  );
  return `${folder}/${wheel}/seekdb`;
}

async function download(folder: string, onProgress: Progress): Promise<void> {
  const python = await which("python3");
  if (python === undefined || !await succeeds([python, "-m", "pip", "--version"])) {
    throw new EngineUnavailable(
      "Cannot download seekdb: install python3 with pip, for example by apt-get install python3-pip",
    );
  }
  onProgress(`Downloading seekdb 1.4.0 (${wheelMegabytes} MB)`);
  const watch = setInterval(async () => {
    const megabytes = Math.floor(await folderSize(folder) / 1e6);
    onProgress(`Downloading seekdb 1.4.0: ${megabytes} of ${wheelMegabytes} MB`);
  }, 1000);
  try {
    await run(
      [python, "-m", "pip", "download", `${wheel}==${wheelVersion}`, "--dest", folder]
        // The program depends on no Python, so the wheel for one version serves all.
        .concat(["--no-deps", "--only-binary", ":all:", "--python-version", "311"])
        .concat(["--platform", `manylinux_2_28_${Deno.build.arch}`, "--no-cache-dir"]),
      // pip downloads into its temporary folder and moves the whole file at the end.
      { env: { TMPDIR: folder } },
    );
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    throw new EngineUnavailable(
      `Cannot download seekdb: pip has no ${wheel} ${wheelVersion} for ${Deno.build.target}, or ` +
        "cannot reach its index",
      { cause: error },
    );
  } finally {
    clearInterval(watch);
  }
  for await (const { name } of Deno.readDir(folder)) {
    if (!name.endsWith(".whl")) continue;
    onProgress("Unpacking seekdb 1.4.0");
    await run([python, "-m", "zipfile", "-e", `${folder}/${name}`, folder]);
    await Deno.remove(`${folder}/${name}`);
  }
  await Deno.chmod(`${folder}/${wheel}/seekdb`, 0o755);
}

/** Bytes in all files below a folder that may change meanwhile. */
async function folderSize(folder: string): Promise<number> {
  let size = 0;
  try {
    for await (const entry of Deno.readDir(folder)) {
      const path = `${folder}/${entry.name}`;
      size += entry.isDirectory ? await folderSize(path) : (await Deno.stat(path)).size;
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return size;
}
