/** Commands that connect to a proxy, for people to copy. */

import type { Address } from "../config/types.ts";
import { run, which } from "./engines/command.ts";
import type { Account } from "./engines/query.ts";

export interface ConnectTarget {
  readonly address: Address;
  readonly login: Account;
  /** Whether the password may be shown; otherwise the client asks for it. */
  readonly showPassword: boolean;
  /** Empty for none. */
  readonly schema: string;
}

/** A line for each client program on the PATH; where there is none, lines for those one can get. */
export async function connectLines(target: ConnectTarget, find = which): Promise<string[]> {
  const lines: string[] = [];
  const mariadb = await find("mariadb");
  if (mariadb) lines.push(clientLine("mariadb", target));
  const mysql = await find("mysql");
  if (mysql) {
    const isMariadb = (await run([mysql, "--version"])).includes("MariaDB");
    // Debian has MariaDB's client under both names.
    if (!isMariadb) lines.push(mysqlLine(target));
    else if (!mariadb) lines.push(clientLine("mysql", target));
  }
  if (lines.length > 0) return lines;
  return [
    clientLine("mariadb", target),
    mysqlLine(target),
    "Neither client is installed here; this works without one:",
    denoLine(target),
  ];
}

function clientLine(
  program: string,
  { address, login, showPassword, schema }: ConnectTarget,
  flags = "",
): string {
  const password = login.password === "" ? "" : showPassword ? ` -p${login.password}` : " -p";
  const host = `-h${address.hostname} -P${address.port}`;
  return `${program} ${host} -u${login.user}${password}${flags} ${schema}`.trim();
}

/** Without TLS this client asks for the key that its password is sent under only when told so. */
function mysqlLine(target: ConnectTarget): string {
  return clientLine("mysql", target, " --get-server-public-key");
}

function denoLine({ address, login, showPassword, schema }: ConnectTarget): string {
  const settings = {
    host: address.hostname,
    port: address.port,
    user: login.user,
    password: showPassword ? login.password : "PASSWORD",
    ...(schema === "" ? {} : { database: schema }),
  };
  const program = `import { createConnection } from "npm:mysql2@3/promise";
    const client = await createConnection(${JSON.stringify(settings)});
    console.table((await client.query("SELECT VERSION(), CURRENT_USER()"))[0]);
    await client.end();`;
  // Started in a project folder, it would write into that project's lock file.
  return `${Deno.execPath()} eval --no-config --no-lock '${program.replaceAll(/\s+/g, " ")}'`;
}
