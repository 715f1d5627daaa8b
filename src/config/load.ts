import { buildConfig } from "./build.ts";
import { emptyOverlay, overlayPath, overlayValues, readOverlay, withOverlay } from "./overlay.ts";
import { type ConfigProblem, ProblemList } from "./problems.ts";
import { type ConfigSystem, denoSystem, readFileText } from "./system.ts";
import { readToml, type TomlTable } from "./toml_document.ts";
import type { Config } from "./types.ts";

/** Everything that is wrong, by line; never empty, never with a password. */
export interface ConfigFailure {
  readonly problems: readonly ConfigProblem[];
}

/** `config` is deeply frozen, except for the bytes of password hashes. */
export type ConfigResult = { readonly config: Config } | ConfigFailure;

/** A configuration by the layers that it is made of. */
export interface ConfigLayers {
  /** Undefined for a start without a file. */
  readonly file: string | undefined;
  /** The file's, or the command line's. */
  readonly base: Config;
  /** What ALTER PROXYCONFIG has set, which stands above it. */
  readonly overlay: TomlTable;
  /** Both together. */
  readonly config: Config;
}

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

/** What a configuration file and the overlay beside it come to. */
export function addOverlay(
  base: ConfigResult,
  file: string,
  system: ConfigSystem = denoSystem,
): ConfigLayers | ConfigFailure {
  const clusters = "config" in base ? base.config.clusters : [];
  const problems = new ProblemList(overlayPath(file));
  const overlay = readOverlay(system, problems);
  const values = overlay && overlayValues(overlay, clusters, { system, problems });
  if ("problems" in base || !overlay || !values || !problems.isEmpty) {
    const ofBase = "problems" in base ? base.problems : [];
    return { problems: [...ofBase, ...problems.sorted()] };
  }
  return { file, base: base.config, overlay, config: withOverlay(base.config, values) };
}

/** A configuration that there is no file of. */
export function withoutFile(config: Config): ConfigLayers {
  return { file: undefined, base: config, overlay: emptyOverlay(), config };
}
