import { buildConfig } from "./build.ts";
import type { QuickStartFlag } from "./flags.ts";
import { ProblemList } from "./problems.ts";
import type { ConfigSystem } from "./system.ts";
import { type TomlNode, type TomlTable, tomlTable, type TomlText } from "./toml_document.ts";
import type { Config } from "./types.ts";

export type QuickStart =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly messages: readonly string[] };

const CLUSTER = "main";

/** Keys of a configuration that the flags stand for. */
const FLAG_OF_KEY: Readonly<Record<string, QuickStartFlag>> = {
  "proxy.listen": "listen",
  "clusters.servers.address": "server",
  "users.name": "user",
  "users.tenant": "user",
};

/**
 * The configuration that the quick-start flags stand for: one cluster with the servers, checked by
 * the same rules as a file. An account `name@tenant` makes it an OceanBase cluster.
 */
export function quickStart(
  values: Readonly<Record<QuickStartFlag, readonly string[]>>,
  system: ConfigSystem,
): QuickStart {
  const messages: string[] = [];
  if (values.server.length === 0) {
    messages.push("Expected at least one --server HOST:PORT, got none");
  }
  if (values.user.length === 0) {
    messages.push("Expected at least one --user NAME:PASSWORD, got none");
  }
  if (messages.length > 0) return { ok: false, messages };
  const users = values.user.map(splitUser);
  const cluster = table({
    name: text(CLUSTER),
    servers: list(values.server.map((address) => table({ address: text(address) }))),
    kind: text(users.some(({ tenant }) => tenant !== "") ? "oceanbase" : "mysql"),
  });
  const root = table({
    proxy: table(values.listen.length === 0 ? {} : { listen: list(values.listen.map(text)) }),
    clusters: list([cluster]),
    users: list(
      users.map(({ name, tenant, password }) =>
        table({ name: text(name), tenant: text(tenant), password: text(password) })
      ),
    ),
  });
  const problems = new ProblemList("");
  const config = buildConfig(root, system, problems);
  if (config !== undefined) return { ok: true, config };
  for (const { key, problem } of problems.sorted()) {
    messages.push(`--${FLAG_OF_KEY[key] ?? key}: ${problem}`);
  }
  return { ok: false, messages };
}

/** `name:password`, split at the first colon: passwords may have more. */
function splitUser(value: string): { name: string; tenant: string; password: string } {
  const colon = value.indexOf(":");
  const account = colon < 0 ? value : value.slice(0, colon);
  const at = account.indexOf("@");
  return {
    name: at < 0 ? account : account.slice(0, at),
    tenant: at < 0 ? "" : account.slice(at + 1),
    password: colon < 0 ? "" : value.slice(colon + 1),
  };
}

/** Line 0 stands for the command line. */
function text(value: string): TomlText {
  return { kind: "text", line: 0, value };
}

function list(items: TomlNode[]): TomlNode {
  return { kind: "list", line: 0, items, byHeaders: false };
}

function table(values: Readonly<Record<string, TomlNode>>): TomlTable {
  const made = tomlTable(0, "inline");
  for (const [key, node] of Object.entries(values)) made.entries.set(key, { line: 0, node });
  return made;
}
