import { buildConfig } from "./build.ts";
import { type ConfigProblem, ProblemList } from "./problems.ts";
import { type ConfigSystem, denoSystem, readFileText } from "./system.ts";
import { readToml } from "./toml_document.ts";
import type { Config } from "./types.ts";

export type ConfigResult =
  /** Deeply frozen, except for the bytes of password hashes. */
  | { readonly config: Config }
  /** Everything that is wrong, by line; never empty, never with a password. */
  | { readonly problems: readonly ConfigProblem[] };

export interface ParseOptions extends Partial<ConfigSystem> {
  /** Named in problems; relative paths in the text count from its folder. */
  readonly file: string;
}

/**
 * Reads a configuration in TOML. Never throws: what is wrong comes back as problems, all at once
 * unless the text is no TOML, whose first breach ends the reading.
 */
export function parseConfig(text: string, options: ParseOptions): ConfigResult {
  const { file, readFile = denoSystem.readFile, env = denoSystem.env } = options;
  const problems = new ProblemList(file);
  const root = readToml(text, problems);
  const config = root && buildConfig(root, { readFile, env }, problems);
  return config === undefined ? { problems: problems.sorted() } : { config };
}

/** Reads a configuration file; a file that cannot be read is a problem like any other. */
export function loadConfigFile(path: string, system: ConfigSystem = denoSystem): ConfigResult {
  const file = readFileText(path, system);
  if (file.ok) return parseConfig(file.text, { ...system, file: path });
  const problem = `Cannot read the configuration file: ${file.reason}`;
  return { problems: [{ file: path, line: 0, key: "", problem }] };
}
