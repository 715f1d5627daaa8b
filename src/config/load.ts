import { addSizeConflict, buildConfig } from "./build.ts";
import type { KeyRow } from "./key_row.ts";
import {
  emptyOverlay,
  overlayKeys,
  overlayPath,
  overlayValues,
  readOverlay,
  withOverlay,
} from "./overlay.ts";
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
  const { file, ...given } = options;
  const problems = new ProblemList(file);
  const root = readToml(text, problems);
  const config = root && buildConfig(root, { ...denoSystem, ...given }, problems);
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
  const config = "config" in base && values && withOverlay(base.config, values);
  if (config && problems.isEmpty) addSizeConflict(config.proxy, overlay, problems);
  if ("problems" in base || !overlay || !config || !problems.isEmpty) {
    const ofBase = "problems" in base ? base.problems : [];
    return { problems: [...ofBase, ...problems.sorted()] };
  }
  return { file, base: base.config, overlay, config };
}

/** The file that a value is from; undefined for a default, and for a start without a file. */
export function originOf(
  { file, overlay }: Pick<ConfigLayers, "file" | "overlay">,
  { section, key }: Pick<KeyRow, "section" | "key">,
): string | undefined {
  if (file === undefined) return undefined;
  const isAbove = overlayKeys(overlay).some((set) => set.section === section && set.key === key);
  return isAbove ? overlayPath(file) : file;
}

/** A configuration that there is no file of. */
export function withoutFile(config: Config): ConfigLayers {
  return { file: undefined, base: config, overlay: emptyOverlay(), config };
}
