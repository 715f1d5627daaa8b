/** MariaDB as found on the machine, or from the Debian packages without service files. */

import { aptInstall, canAptInstall } from "./apt.ts";
import { cachedFolder } from "./cache.ts";
import { isRoot, run, which } from "./command.ts";
import { randomPassword } from "./query.ts";
import { startServer } from "./start_server.ts";
import {
  type EngineRecipe,
  EngineUnavailable,
  type Progress,
  type StartedEngine,
  type StartOptions,
} from "./types.ts";

/** Raised when the steps of `buildTemplate` change. */
const templateVersion = 1;

/** These two hold all that a server with a private data folder needs, and start no service. */
const debianPackages = ["mariadb-server-core", "mariadb-client-core"];

export const mariadb: EngineRecipe = {
  async install(onProgress) {
    await findMariadb(onProgress);
  },
  start: startMariadb,
};

async function startMariadb(options: StartOptions): Promise<StartedEngine> {
  const onProgress = options.onProgress ?? (() => {});
  const { program, version } = await findMariadb(onProgress);
  const template = await cachedFolder(
    `mariadb-${version}-data-${templateVersion}`,
    (folder) => buildTemplate(folder, onProgress),
    { onProgress },
  );
  const admin = { user: "root", password: randomPassword() };
  onProgress(`Starting MariaDB ${version}`);
  return await startServer({
    name: "mariadb",
    admin,
    async prepare(folder, port) {
      await run(["cp", "-R", template, `${folder}/data`]);
      await Deno.writeTextFile(`${folder}/init.sql`, initStatements(admin.password), {
        mode: 0o600,
      });
      const argv = [program, "--no-defaults", ...asRoot(), `--datadir=${folder}/data`]
        .concat(`--tmpdir=${folder}`)
        .concat([`--socket=${folder}/socket`, `--pid-file=${folder}/pid`, `--port=${port}`])
        .concat([`--init-file=${folder}/init.sql`], serverOptions, options.args ?? []);
      return { argv, logFiles: [`${folder}/log`] };
    },
  }, options);
}

/** One per line, run before the server listens. The accounts that exist have no password. */
function initStatements(password: string): string {
  return `DELETE FROM mysql.global_priv WHERE user IN ('', 'root');
FLUSH PRIVILEGES;
CREATE USER root@'%' IDENTIFIED BY '${password}';
GRANT ALL ON *.* TO root@'%' WITH GRANT OPTION;
CREATE DATABASE test;
`;
}

/** Fit for tests and benchmarks: many clients, large packets, no waiting for the disk. */
const serverOptions = [
  "--bind-address=127.0.0.1",
  "--skip-name-resolve",
  "--local-infile=1",
  "--max-connections=10000",
  // Tests break logins on purpose; the default blocks 127.0.0.1 after 100 of them.
  "--max-connect-errors=4294967295",
  "--back-log=4096",
  "--max-allowed-packet=1G",
  "--innodb-buffer-pool-size=256M",
  "--innodb-flush-log-at-trx-commit=0",
  "--innodb-flush-method=nosync",
  "--innodb-doublewrite=0",
  // Kernel queues are few and shared by all servers of the machine.
  "--innodb-use-native-aio=0",
];

async function findMariadb(onProgress: Progress): Promise<{ program: string; version: string }> {
  const found = await lookForMariadb();
  if (found) return found;
  if (!await canAptInstall()) {
    throw new EngineUnavailable(
      "Cannot find MariaDB: put mariadbd and mariadb-install-db on the PATH, for example by " +
        "apt-get install mariadb-server",
    );
  }
  await aptInstall(debianPackages, onProgress);
  const installed = await lookForMariadb();
  if (installed) return installed;
  throw new EngineUnavailable(
    `Cannot find mariadbd after the installation of ${debianPackages.join(" ")}`,
  );
}

async function lookForMariadb(): Promise<{ program: string; version: string } | undefined> {
  if (await installScript() === undefined) return undefined;
  for (const name of ["mariadbd", "mysqld"]) {
    const program = await which(name);
    if (program === undefined) continue;
    // mysqld may be MySQL's: mysqld  Ver 10.11.19-MariaDB-0+deb12u1 for ... against ... Ver 9.7.1
    const text = await run([program, "--no-defaults", "--version"]);
    const version = /Ver ([\d.]+)-MariaDB/.exec(text)?.[1];
    if (version !== undefined) return { program, version };
  }
  return undefined;
}

async function installScript(): Promise<string | undefined> {
  return await which("mariadb-install-db") ?? await which("mysql_install_db");
}

/** A data folder with the system tables and no account but root@localhost. */
async function buildTemplate(folder: string, onProgress: Progress): Promise<void> {
  onProgress("Preparing an empty MariaDB data folder");
  const script = await installScript();
  await run(
    [script!, "--no-defaults", ...asRoot(), `--datadir=${folder}`, "--skip-test-db"]
      .concat(["--auth-root-authentication-method=normal", "--skip-name-resolve"]),
  );
}

/** The server refuses to run as root unless told that this is meant. */
function asRoot(): string[] {
  return isRoot() ? ["--user=root"] : [];
}
