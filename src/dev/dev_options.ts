/** Command line of the development environment. */

import { parseArgs } from "@std/cli/parse-args";
import { parseAddress } from "../config/address.ts";
import type { Address } from "../config/types.ts";
import type { EngineName } from "./engines/engine.ts";
import type { Account } from "./engines/query.ts";

export type DevDatabaseChoice =
  /** Engines to try in this order. */
  | { readonly kind: "engines"; readonly names: readonly EngineName[] }
  | { readonly kind: "server"; readonly address: Address; readonly account: Account };

export interface DevOptions {
  readonly listen: Address;
  readonly database: DevDatabaseChoice;
}

export const HELP = `Usage: deno task dev [options]

Starts a real database server with an empty data folder, and the proxy in front of it, and prints
how to connect. Ctrl-C stops both and removes what they wrote.

  --engine NAME         seekdb (the default), mariadb or mysql; installed when missing
  --server HOST:PORT    use this running server instead
  --user NAME:PASSWORD  account of that server; clients log in at the proxy with the same;
                        NAME alone: no password
  --listen HOST:PORT    address of the proxy (default 127.0.0.1:2883)
  --help                this text
`;

/** seekdb needs neither root nor apt, MariaDB runs on more kinds of machines. */
const defaultEngines: readonly EngineName[] = ["seekdb", "mariadb"];

const engineNames: readonly string[] = ["seekdb", "mariadb", "mysql"];

/** Thrown for a command line that cannot be used; the message says what is allowed. */
export class OptionError extends Error {
  override readonly name = "OptionError";
}

/** @returns undefined where help was asked for. @throws {OptionError} */
export function parseDevOptions(args: string[]): DevOptions | undefined {
  const flags = parseArgs(args, {
    boolean: ["help"],
    string: ["engine", "server", "user", "listen"],
    unknown: (argument: string) => {
      throw new OptionError(`Cannot use ${argument}: no such option, see --help`);
    },
  });
  if (flags.help) return undefined;
  const listen = readAddress("--listen", flags.listen ?? "127.0.0.1:2883");
  return { listen, database: readDatabase(flags) };
}

function readDatabase(
  { engine, server, user }: { engine?: string; server?: string; user?: string },
): DevDatabaseChoice {
  if (server === undefined) {
    if (user !== undefined) throw new OptionError("Cannot use --user without --server");
    if (engine === undefined) return { kind: "engines", names: defaultEngines };
    if (!engineNames.includes(engine)) {
      throw new OptionError(
        `Cannot use --engine ${engine}: wanted ${engineNames.slice(0, -1).join(", ")} or ` +
          `${engineNames.at(-1)}`,
      );
    }
    return { kind: "engines", names: [engine as EngineName] };
  }
  if (engine !== undefined) throw new OptionError("Cannot use both --engine and --server");
  if (user === undefined) {
    throw new OptionError("Cannot use --server without --user NAME:PASSWORD, an account of it");
  }
  return { kind: "server", address: readAddress("--server", server), account: readAccount(user) };
}

function readAddress(flag: string, text: string): Address {
  const parsed = parseAddress(text, 1);
  if (parsed.ok) return parsed.address;
  throw new OptionError(`Cannot use ${flag} ${text}: wanted HOST:PORT, ${parsed.note}`);
}

function readAccount(text: string): Account {
  const colon = text.indexOf(":");
  if (colon < 0 && text !== "") return { user: text, password: "" };
  // The message must not repeat what may be a password.
  if (colon < 1) throw new OptionError("Cannot use --user: wanted NAME:PASSWORD or NAME");
  return { user: text.slice(0, colon), password: text.slice(colon + 1) };
}
