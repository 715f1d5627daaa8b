import { formatProblem } from "../../src/config/problems.ts";
import { type ConfigResult, parseConfig } from "../../src/config/load.ts";
import type { ConfigSystem } from "../../src/config/system.ts";
import type { Config } from "../../src/config/types.ts";

/** A machine of files and environment variables held in memory; an error is what its file gives. */
export function memorySystem(
  files: Readonly<Record<string, string | Error>> = {},
  env: Readonly<Record<string, string>> = {},
): ConfigSystem {
  return {
    readFile: (path) => {
      const file = Object.hasOwn(files, path) ? files[path] : undefined;
      if (typeof file === "string") return file;
      throw file ?? new Deno.errors.NotFound(`No such file: ${path}`);
    },
    env: (name) => Object.hasOwn(env, name) ? env[name] : undefined,
    tryWriting: (path) => {
      const file = Object.hasOwn(files, path) ? files[path] : undefined;
      if (file instanceof Error) throw file;
    },
  };
}

export const CLUSTER = `[[clusters]]\nname = "main"\nservers = ["127.0.0.1:3306"]\n`;
export const USER = `[[users]]\nname = "app"\npassword = "secret"\n`;

/** The configuration of a text that has no problems. */
export function configOf(text: string, system: ConfigSystem = memorySystem()): Config {
  const result = parseConfig(text, { ...system, file: "config.toml" });
  if ("config" in result) return result.config;
  throw new Error(`Expected a valid configuration, got:\n${problemLines(result).join("\n")}`);
}

/** The problems of a result as a person reads them; none for a valid configuration. */
export function problemLines(result: ConfigResult): string[] {
  return "problems" in result ? result.problems.map(formatProblem) : [];
}
