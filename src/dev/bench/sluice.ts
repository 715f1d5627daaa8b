import { formatAddress } from "../../config/address.ts";
import type { Address } from "../../config/types.ts";
import { run } from "../engines/command.ts";
import type { LoadAccount } from "./load_connection.ts";
import { versionOf } from "./load_tools.ts";
import { type BenchOptions, OptionError, type Variant } from "./options.ts";
import type { ProxyKind, SharedPool } from "./proxy.ts";
import { say } from "./say.ts";

const ROOT = new URL("../../../", import.meta.url).pathname;

/** The sluice to judge and its variants, each with one listener, one server and one account. */
export async function sluiceKinds(
  options: BenchOptions,
  account: LoadAccount,
): Promise<ProxyKind[]> {
  const judged = options.sluiceCommand ?? [options.sluicePath ?? await compiledFile()];
  const all = [{ name: "sluice", command: judged }, ...options.variants];
  return await Promise.all(all.map((variant) => sluiceKind(variant, account)));
}

async function sluiceKind({ name, command }: Variant, account: LoadAccount): Promise<ProxyKind> {
  const kind = {
    name,
    version: await versionOfSluice(command),
    loginsWithoutServer: true,
  };
  return {
    ...kind,
    command(listen, server) {
      return Promise.resolve([
        ...command,
        "--listen",
        formatAddress(listen),
        "--server",
        formatAddress(server),
        "--user",
        `${account.user}:${account.password}`,
      ]);
    },
    shared: (pool) => ({
      ...kind,
      async command(listen, server, folder) {
        const file = `${folder}/sluice-${listen.port}.toml`;
        await Deno.writeTextFile(file, sharingConfig(pool, { listen, server, account }));
        return [...command, "--config", file];
      },
    }),
  };
}

function sharingConfig(
  { sessions, waitSeconds }: SharedPool,
  { listen, server, account }: {
    readonly listen: Address;
    readonly server: Address;
    readonly account: LoadAccount;
  },
): string {
  return `[proxy]
listen = ["${formatAddress(listen)}"]
session_pool_default_max_conn = ${sessions}
session_pool_default_blocking_timeout = "${waitSeconds}s"

[[clusters]]
name = "main"
sharing = "transaction"
servers = ["${formatAddress(server)}"]

[[users]]
name = "${account.user}"
password = "${account.password}"
`;
}

async function versionOfSluice(program: readonly string[]): Promise<string> {
  try {
    return await versionOf([...program, "--version"]);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new OptionError(`Cannot measure sluice: no program ${program[0]}`);
  }
}

/** `./sluice`, compiled anew where it is missing or older than a source. */
async function compiledFile(): Promise<string> {
  const file = `${ROOT}sluice`;
  const built = (await Deno.stat(file).catch(() => undefined))?.mtime?.getTime() ?? 0;
  if (built >= await newestSource()) return file;
  say(built === 0 ? "Compiling ./sluice" : "Compiling ./sluice anew: a source is newer");
  await run([Deno.execPath(), "task", "compile"], { cwd: ROOT });
  return file;
}

async function newestSource(): Promise<number> {
  let newest = 0;
  async function look(path: string): Promise<void> {
    const info = await Deno.stat(path);
    if (!info.isDirectory) {
      newest = Math.max(newest, info.mtime?.getTime() ?? 0);
    } else if (path !== `${ROOT}src/dev`) { // developer tools are not compiled in
      for await (const entry of Deno.readDir(path)) await look(`${path}/${entry.name}`);
    }
  }
  for (const name of ["main.ts", "deno.json", "deno.lock", "src"]) await look(`${ROOT}${name}`);
  return newest;
}
