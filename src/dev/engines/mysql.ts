/**
 * MySQL 9, which Debian 12 does not carry: from the PATH, or from Debian sid in a folder of its own
 * that the programs run in by chroot.
 */

import { aptInstall, canAptInstall, debianMirror } from "./apt.ts";
import { cachedFolder } from "./cache.ts";
import { atMostEachSecond, isRoot, run, succeeds, which } from "./command.ts";
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

const debianPackages = ["mysql-server-core", "mysql-client"];

/** Where MySQL's programs run. */
interface MysqlHome {
  /** Root folder of the programs, empty when they are installed on this machine itself. */
  readonly root: string;
  /** Put before a program to run it there. */
  readonly prefix: readonly string[];
  readonly server: string;
  readonly version: string;
}

export const mysql: EngineRecipe = {
  async install(onProgress) {
    await findMysql(onProgress);
  },
  start: startMysql,
};

/** How to run the `mysql` client of the same installation; its files are those of the chroot. */
export async function mysqlClientCommand(): Promise<string[]> {
  const { prefix } = await findMysql(() => {});
  return [...prefix, "mysql"];
}

async function startMysql(options: StartOptions): Promise<StartedEngine> {
  const onProgress = options.onProgress ?? (() => {});
  const home = await findMysql(onProgress);
  const template = await cachedFolder(
    `mysql-${home.version}-data-${templateVersion}`,
    (folder) => buildTemplate(home, folder, onProgress),
    { onProgress },
  );
  const admin = { user: "root", password: randomPassword() };
  onProgress(`Starting MySQL ${home.version}`);
  return await startServer({
    name: "mysql",
    ...(home.root === "" ? {} : { parent: `${home.root}/tmp` }),
    admin,
    async prepare(folder, port) {
      await run(["cp", "-R", `${template}/data`, `${folder}/data`]);
      await Deno.writeTextFile(`${folder}/init.sql`, initStatements(admin.password), {
        mode: 0o600,
      });
      const inside = folder.slice(home.root.length);
      const argv = [...home.prefix, home.server, "--no-defaults", ...asRoot()]
        .concat([`--datadir=${inside}/data`, `--tmpdir=${inside}`, `--socket=${inside}/socket`])
        .concat([`--pid-file=${inside}/pid`, `--port=${port}`, `--init-file=${inside}/init.sql`])
        .concat(serverOptions, options.args ?? []);
      return { argv, logFiles: [`${folder}/log`] };
    },
  }, options);
}

/** One per line, run before the server listens. The account that exists has no password. */
function initStatements(password: string): string {
  return `RENAME USER root@localhost TO root@'%';
ALTER USER root@'%' IDENTIFIED BY '${password}';
CREATE DATABASE test;
`;
}

/** Fit for tests and benchmarks: many clients, large packets, no waiting for the disk. */
const serverOptions = [
  "--bind-address=127.0.0.1",
  "--mysqlx=OFF",
  "--secure-file-priv=",
  "--skip-name-resolve",
  "--local-infile=1",
  "--max-connections=10000",
  // Tests break logins on purpose; the default blocks 127.0.0.1 after 100 of them.
  "--max-connect-errors=4294967295",
  "--back-log=4096",
  "--max-allowed-packet=1G",
  "--skip-log-bin",
  "--innodb-buffer-pool-size=256M",
  "--innodb-flush-log-at-trx-commit=0",
  "--innodb-flush-method=nosync",
  "--innodb-doublewrite=OFF",
  // Kernel queues are few and shared by all servers of the machine.
  "--innodb-use-native-aio=OFF",
];

async function findMysql(onProgress: Progress): Promise<MysqlHome> {
  const own = await lookForMysql();
  if (own) return own;
  if (Deno.build.os !== "linux" || !isRoot()) {
    throw new EngineUnavailable(
      "Cannot find MySQL 9: put its mysqld and mysql on the PATH, or run this as root on Debian, " +
        "where they are installed into a cache folder",
    );
  }
  const root = await cachedFolder(
    "mysql-root",
    (folder) => buildRoot(folder, onProgress),
    { onProgress },
  );
  const prefix = [(await which("chroot"))!, root];
  const server = "/usr/sbin/mysqld";
  const version = versionOf(await run([...prefix, server, "--no-defaults", "--version"]));
  return { root, prefix, server, version: version! };
}

/** An installed server, if it is MySQL's and at least version 9. */
async function lookForMysql(): Promise<MysqlHome | undefined> {
  const server = await which("mysqld");
  if (server === undefined || await which("mysql") === undefined) return undefined;
  const version = versionOf(await run([server, "--no-defaults", "--version"]));
  if (version === undefined || parseInt(version) < 9) return undefined;
  return { root: "", prefix: [], server, version };
}

/** From `mysqld  Ver 9.7.0 for Linux`; MariaDB's says `Ver 10.11.19-MariaDB`. */
function versionOf(text: string): string | undefined {
  return /Ver (\d+\.\d+\.\d+)(?!\S*MariaDB)/.exec(text)?.[1];
}

/** A minimal Debian sid with MySQL's server and client; 750 MB. */
async function buildRoot(folder: string, onProgress: Progress): Promise<void> {
  if (!await canAptInstall()) {
    throw new EngineUnavailable(
      "Cannot install MySQL 9: needs Debian or a system that has apt-get",
    );
  }
  if (await which("debootstrap") === undefined) await aptInstall(["debootstrap"], onProgress);
  onProgress("Installing MySQL 9 from Debian sid into a folder of its own (about 2 minutes)");
  const onLine = atMostEachSecond((line) => onProgress(`debootstrap: ${line.trim()}`));
  const mirror = await debianMirror();
  // A temporary folder of this machine does not exist in the new root.
  const env = { DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C", TMPDIR: "/tmp" };
  try {
    await run(
      // In a mount namespace of its own, what an interrupted run has mounted goes away with it.
      [...await ownMounts(), (await which("debootstrap"))!, "--variant=minbase", "--no-check-gpg"]
        .concat(["sid", folder], mirror === undefined ? [] : [mirror]),
      { env, onLine },
    );
    await run(
      [...await ownMounts(), (await which("chroot"))!, folder, "apt-get", "install", "-y"]
        .concat(["--no-install-recommends", ...debianPackages]),
      { env, onLine },
    );
    await run([(await which("chroot"))!, folder, "apt-get", "clean"]);
  } catch (error) {
    throw new EngineUnavailable("Cannot install MySQL 9 from Debian sid", { cause: error });
  }
}

async function ownMounts(): Promise<string[]> {
  const unshare = ["unshare", "--mount"];
  return await succeeds([...unshare, "true"]) ? unshare : [];
}

/** A data folder with the system tables, TLS and RSA keys, and root@localhost without password. */
async function buildTemplate(
  home: MysqlHome,
  folder: string,
  onProgress: Progress,
): Promise<void> {
  onProgress("Preparing an empty MySQL data folder");
  const work = await Deno.makeTempDir({
    prefix: "sluice-mysql-data-",
    ...(home.root === "" ? {} : { dir: `${home.root}/tmp` }),
  });
  try {
    const inside = work.slice(home.root.length);
    await run(
      [...home.prefix, home.server, "--no-defaults", ...asRoot(), "--initialize-insecure"]
        .concat([`--datadir=${inside}/data`, `--tmpdir=${inside}`])
        .concat("--innodb-flush-method=nosync"),
    );
    await run(["cp", "-R", `${work}/data`, `${folder}/data`]);
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

/** The server refuses to run as root unless told that this is meant. */
function asRoot(): string[] {
  return isRoot() ? ["--user=root"] : [];
}
