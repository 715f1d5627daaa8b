import type { SectionName } from "./key_row.ts";
import { enumerate, type ProblemList, quote } from "./problems.ts";
import { besideConfig, type ConfigSystem, readFileText } from "./system.ts";
import type { TomlTable } from "./toml_document.ts";
import type { Secret } from "./types.ts";

/** Where the passwords of one table come from, and where their problems go. */
export interface SecretSource {
  readonly section: SectionName;
  readonly table: TomlTable;
  /** What the table reads as. */
  readonly values: Readonly<Record<string, unknown>>;
  readonly system: ConfigSystem;
  readonly problems: ProblemList;
}

/** The keys that may hold one password: `key` itself, a file, an environment variable, a hash. */
export function secretKeys(key: string): readonly string[] {
  return [...clearKeys(key), `${key}_hash`];
}

function clearKeys(key: string): readonly string[] {
  return [key, `${key}_file`, `${key}_env`];
}

/** What the proxy checks a client's password against; undefined after a problem. */
export function readClientSecret(source: SecretSource): Secret | undefined {
  const given = onlyOne(source, secretKeys("password"), "exactly");
  return given === undefined ? undefined : readSecret(source, "password", given);
}

/** The same of an account of the proxy itself; undefined also where it has no password. */
export function readOwnSecret(source: SecretSource, key: string): Secret | undefined {
  const given = onlyOne(source, secretKeys(key), "at most");
  const secret = given === undefined ? undefined : readSecret(source, key, given);
  return secret?.kind === "clear" && secret.password === "" ? undefined : secret;
}

/** The account towards the servers; undefined when none is set, or after a problem. */
export function readServerAccount(
  source: SecretSource,
): { user: string; password: string } | undefined {
  const { table, values, problems } = source;
  const user = values["server_user"];
  const keys = clearKeys("server_password");
  if (typeof user !== "string" || user === "") {
    for (const key of keys) {
      const entry = table.entries.get(key);
      if (entry === undefined) continue;
      problems.add(entry.line, `users.${key}`, "Expected server_user beside it, got none");
    }
    return undefined;
  }
  const given = onlyOne(source, keys, "exactly");
  const password = given === undefined ? undefined : readClear(source, "server_password", given);
  return password === undefined ? undefined : { user, password };
}

/** The one of `keys` that is set; undefined for none, and for several, which is a problem. */
function onlyOne(
  { table, section, problems }: SecretSource,
  keys: readonly string[],
  count: "exactly" | "at most",
): string | undefined {
  const found = keys.filter((key) => table.entries.has(key));
  const wanted = `Expected ${count} one of ${enumerate(keys)}`;
  const [first, second] = found;
  if (first === undefined && count === "exactly") {
    problems.add(table.line, `${section}.${keys[0]}`, `${wanted}, got none`);
  }
  if (second === undefined) return first;
  const line = table.entries.get(second)?.line ?? table.line;
  problems.add(line, `${section}.${second}`, `${wanted}, got ${enumerate(found)}`);
  return undefined;
}

function readSecret(source: SecretSource, key: string, given: string): Secret | undefined {
  if (given === `${key}_hash`) {
    const stage2 = source.values[given];
    return stage2 instanceof Uint8Array ? { kind: "sha1_hash", stage2 } : undefined;
  }
  const password = readClear(source, key, given);
  return password === undefined ? undefined : { kind: "clear", password };
}

/** The password that `given`, which is one of the keys of `key`, leads to. */
function readClear(source: SecretSource, key: string, given: string): string | undefined {
  const { section, values, system, problems, table } = source;
  const from = values[given];
  // Not read: its problem is on the list already.
  if (typeof from !== "string") return undefined;
  if (given === key) return from;
  const outcome = given.endsWith("_file")
    ? readPasswordFile(from, problems.file, system)
    : readPasswordEnv(from, system);
  if ("password" in outcome) return outcome.password;
  // An empty file or variable is nearly always a mistake that would leave an account open.
  const note = outcome.isEmpty ? `; an account without one has ${key} = ""` : "";
  const line = table.entries.get(given)?.line ?? table.line;
  problems.add(line, `${section}.${given}`, outcome.problem + note);
  return undefined;
}

type Outcome =
  | { readonly password: string }
  | { readonly problem: string; readonly isEmpty: boolean };

function readPasswordFile(from: string, configFile: string, system: ConfigSystem): Outcome {
  const path = besideConfig(from, configFile);
  const file = readFileText(path, system);
  const shown = isPlainlyPath(from) ? quote(path) : "that it names beside the configuration";
  const wanted = `Expected a password in the file ${shown}`;
  if (!file.ok) return { problem: `${wanted}: ${file.reason}`, isEmpty: false };
  const password = file.text.replace(/\r?\n$/, "");
  return password === "" ? { problem: `${wanted}, got none`, isEmpty: true } : { password };
}

/** A bare word, and anything with a digit in it, may be a password under the wrong key. */
function isPlainlyPath(text: string): boolean {
  return /^\.{0,2}\//.test(text) || /^[A-Za-z_/-]+\.[A-Za-z]+$/.test(text);
}

function readPasswordEnv(name: string, system: ConfigSystem): Outcome {
  const password = system.env(name);
  if (password !== undefined && password !== "") return { password };
  const shown = /^[A-Z][A-Z0-9_]*$/.test(name) ? `variable ${name}` : "variable";
  const isEmpty = password === "";
  const got = isEmpty ? "it is empty" : "it is not set";
  return { problem: `Expected a password in the environment ${shown}, but ${got}`, isEmpty };
}
