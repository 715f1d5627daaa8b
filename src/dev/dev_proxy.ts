/** The proxy of the development environment, as a program of its own with a generated file. */

import { stringify } from "@std/toml";
import { formatAddress } from "../config/address.ts";
import type { Address } from "../config/types.ts";
import type { DevDatabase } from "./dev_database.ts";
import { OwnFolder } from "./engines/own_folder.ts";
import { ServerProcess } from "./engines/server_process.ts";
import { followFile } from "./follow_file.ts";

export interface DevProxy extends AsyncDisposable {
  /** Where clients on this machine reach it. */
  readonly address: Address;
  /** Fulfilled with the reason once the proxy has ended. */
  readonly ended: Promise<string>;
}

const mainFile = new URL("../../main.ts", import.meta.url).pathname;

/**
 * Starts the proxy, proves that a login passes it to the server, and copies its log to standard
 * error. Throws `ServerFailed` when it cannot serve.
 */
export async function startProxy(listen: Address, database: DevDatabase): Promise<DevProxy> {
  const folder = new OwnFolder("sluice-dev-");
  const configFile = `${folder.path}/config.toml`;
  const logFile = `${folder.path}/log`;
  await Deno.writeTextFile(configFile, proxyConfig(listen, database), { mode: 0o600 });
  const argv = [Deno.execPath(), "run", "-A", mainFile, "--config", configFile];
  const proxy = new ServerProcess({ argv, logFiles: [logFile] }, folder);
  const address = reachable(listen);
  await proxy.ready(address, database.login);
  const log = await followFile(logFile, Deno.stderr);
  return {
    address,
    ended: proxy.exited.then(async (code) =>
      `The proxy ended with exit code ${code}, its log ends with:\n${await proxy.logTail()}`
    ),
    async [Symbol.asyncDispose]() {
      // The log stays open while its folder goes, so its last lines are still copied.
      await proxy.stop();
      await log[Symbol.asyncDispose]();
    },
  };
}

/** The clients' account exists only here; towards the server it is another one. */
function proxyConfig(listen: Address, { address, login, serverAccount }: DevDatabase): string {
  return stringify({
    proxy: { listen: [formatAddress(listen)], shutdown_grace: "2s" },
    clusters: [{ name: "dev", servers: [formatAddress(address)] }],
    users: [{
      name: login.user,
      password: login.password,
      server_user: serverAccount.user,
      server_password: serverAccount.password,
    }],
  });
}

/** Every interface includes the loopback one. */
function reachable({ hostname, port }: Address): Address {
  if (hostname === "0.0.0.0") return { hostname: "127.0.0.1", port };
  if (hostname === "::") return { hostname: "::1", port };
  return { hostname, port };
}
