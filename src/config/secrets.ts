import { enumerate, type ProblemList, quote } from "./problems.ts";
import type { SectionValues } from "./schema.ts";
import { besideConfig, type ConfigSystem, readFileText } from "./system.ts";
import type { TomlTable } from "./toml_document.ts";
import type { Secret } from "./types.ts";

type UserValues = SectionValues<"users">;

const CLIENT_KEYS = ["password", "password_file", "password_env"] as const;
const SERVER_KEYS = ["server_password", "server_password_file", "server_password_env"] as const;
/** Keys of a password in clear: literal, file, environment. */
type ClearKeys = typeof CLIENT_KEYS | typeof SERVER_KEYS;

/** Where the passwords of one account come from, and where their problems go. */
export interface SecretSource {
  readonly table: TomlTable;
  readonly values: UserValues;
  readonly system: ConfigSystem;
  readonly problems: ProblemList;
}

/** What the proxy checks the client's password against; undefined after a problem. */
export function readClientSecret(source: SecretSource): Secret | undefined {
  const { values } = source;
  const given = onlyOne(source, [...CLIENT_KEYS, "password_hash"]);
  if (given === "password_hash") {
    const stage2 = values.password_hash;
    return stage2 === undefined ? undefined : { kind: "sha1_hash", stage2 };
  }
  const password = given === undefined ? undefined : readClear(source, CLIENT_KEYS, given);
  return password === undefined ? undefined : { kind: "clear", password };
}

/** The account towards the servers; undefined when none is set, or after a problem. */
export function readServerAccount(
  source: SecretSource,
): { user: string; password: string } | undefined {
  const { table, values, problems } = source;
  const user = values.server_user;
  if (user === "") {
    for (const key of SERVER_KEYS) {
      const entry = table.entries.get(key);
      if (entry === undefined) continue;
      problems.add(entry.line, `users.${key}`, "Expected server_user beside it, got none");
    }
    return undefined;
  }
  const given = onlyOne(source, SERVER_KEYS);
  const password = given === undefined ? undefined : readClear(source, SERVER_KEYS, given);
  return password === undefined ? undefined : { user, password };
}

/** The one of `keys` that is set. */
function onlyOne<K extends keyof UserValues>(
  { table, problems }: SecretSource,
  keys: readonly K[],
): K | undefined {
  const found = keys.filter((key) => table.entries.has(key));
  const wanted = `Expected exactly one of ${enumerate(keys)}`;
  const [first, second] = found;
  if (first === undefined) problems.add(table.line, `users.${keys[0]}`, `${wanted}, got none`);
  if (second === undefined) return first;
  const line = table.entries.get(second)?.line ?? table.line;
  problems.add(line, `users.${second}`, `${wanted}, got ${enumerate(found)}`);
  return undefined;
}

function readClear(source: SecretSource, keys: ClearKeys, given: string): string | undefined {
  const { values, system, problems, table } = source;
  const [passwordKey, fileKey, envKey] = keys;
  if (given === passwordKey) return values[passwordKey];
  const key = given === fileKey ? fileKey : envKey;
  // Undefined: its problem is on the list already.
  const from = values[key];
  if (from === undefined) return undefined;
  const outcome = key === fileKey
    ? readPasswordFile(from, problems.file, system)
    : readPasswordEnv(from, system);
  if ("password" in outcome) return outcome.password;
  problems.add(table.entries.get(key)?.line ?? table.line, `users.${key}`, outcome.problem);
  return undefined;
}

type Outcome = { readonly password: string } | { readonly problem: string };

function readPasswordFile(from: string, configFile: string, system: ConfigSystem): Outcome {
  const path = besideConfig(from, configFile);
  const file = readFileText(path, system);
  // A bare word may be a password under the wrong key: only what is plainly a path is shown.
  const shown = /^\.{0,2}\//.test(from) ? quote(path) : "beside the configuration";
  if (!file.ok) return { problem: `Expected a password in the file ${shown}: ${file.reason}` };
  const password = file.text.replace(/\r?\n$/, "");
  if (password !== "") return { password };
  return { problem: `Expected a password in the file ${shown}, got none${FOR_EMPTY}` };
}

function readPasswordEnv(name: string, system: ConfigSystem): Outcome {
  const password = system.env(name);
  if (password !== undefined && password !== "") return { password };
  const shown = /^[A-Z][A-Z0-9_]*$/.test(name) ? `variable ${name}` : "variable";
  const got = password === undefined ? "it is not set" : `it is empty${FOR_EMPTY}`;
  return { problem: `Expected a password in the environment ${shown}, but ${got}` };
}

/** An empty file or variable is nearly always a mistake that would leave an account open. */
const FOR_EMPTY = '; an account without one has password = ""';
