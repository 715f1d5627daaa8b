import { VERSION } from "../version.ts";
import { exampleConfig } from "./example.ts";
import { findConfig } from "./find_config.ts";
import { FLAGS, type Flags, flagTexts, readFlags } from "./flags.ts";
import { helpText, STARTING_POINTS } from "./help.ts";
import {
  addOverlay,
  type ConfigFailure,
  type ConfigLayers,
  loadConfigFile,
  parseConfig,
  withoutFile,
} from "./load.ts";
import { overlayKeys, overlayPath } from "./overlay.ts";
import { parameterOf, parameterTexts } from "./parameters.ts";
import { type OverlayNote, renderConfig } from "./print.ts";
import { enumerate, formatProblem } from "./problems.ts";
import { quickStart } from "./quick_start.ts";
import { type ConfigSystem, denoSystem } from "./system.ts";
import type { Config } from "./types.ts";

/** What the command line asks for. Nothing is printed and nothing exits here. */
export type CommandLine =
  /** Print `text` to standard output and exit with 0. */
  | { readonly kind: "help" | "version"; readonly text: string }
  /** As above; `config` is what was checked or printed. */
  | {
    readonly kind: "check" | "print";
    readonly text: string;
    readonly config: Config;
    readonly source: string;
  }
  /** Serve. `source`: the file, or "the command line". */
  | {
    readonly kind: "run";
    readonly config: Config;
    readonly source: string;
    readonly layers: ConfigLayers;
  }
  /** Print each message to standard error and exit. */
  | { readonly kind: "error"; readonly exitCode: 2; readonly messages: readonly string[] };

const QUICK_START = ["listen", "server", "user"] as const;
const COMMAND_LINE = "the command line";

/**
 * Reads the arguments, and the configuration that they name or leave to be found. Texts end with a
 * line end, messages do not; neither holds a password.
 */
export function parseCommandLine(
  args: readonly string[],
  system: ConfigSystem = denoSystem,
): CommandLine {
  const { given, messages } = readFlags(args);
  if (given.has("help")) return { kind: "help", text: helpText() };
  if (messages.length > 0) return failed(messages);
  if (given.has("version")) return { kind: "version", text: `sluice ${VERSION}\n` };
  const clash = clashes(given);
  if (clash.length > 0) return failed(clash);
  const kind = given.has("check") ? "check" : given.has("print-config") ? "print" : "run";
  if (QUICK_START.some((flag) => given.has(flag))) return fromFlags(kind, given, system);
  const file = given.get("config")?.[0];
  if (file !== undefined) {
    return answer(kind, addOverlay(loadConfigFile(file, system), file, system), file);
  }
  return fromSearch(kind, system);
}

type Kind = "run" | "check" | "print";

/** Flags that do not go together. */
function clashes(given: Flags["given"]): string[] {
  const quick = QUICK_START.filter((flag) => given.has(flag)).map((flag) => `--${flag}`);
  const messages: string[] = [];
  if (given.has("config") && quick.length > 0) {
    const whole = flagTexts(FLAGS.filter((row) => "quickStart" in row));
    messages.push(
      `Expected either --config FILE or the flags of a start without a file ` +
        `(${whole.join(", ")}), got --config and ${enumerate(quick)}`,
    );
  }
  if (given.has("check") && given.has("print-config")) {
    messages.push("Expected either --check or --print-config, got both");
  }
  return messages;
}

function fromFlags(kind: Kind, given: Flags["given"], system: ConfigSystem): CommandLine {
  const [listen, server, user] = QUICK_START.map((flag) => given.get(flag) ?? []);
  const values = { listen: listen ?? [], server: server ?? [], user: user ?? [] };
  const result = quickStart(values, system);
  if (!result.ok) return failed(result.messages);
  return answer(kind, withoutFile(result.config), COMMAND_LINE);
}

function fromSearch(kind: Kind, system: ConfigSystem): CommandLine {
  const found = findConfig(system, kind === "print");
  if (found.kind === "found") {
    const base = parseConfig(found.text, { ...system, file: found.path });
    return answer(kind, addOverlay(base, found.path, system), found.path);
  }
  if (found.kind === "unreadable") {
    return failed([`${found.path}: Cannot read the configuration file: ${found.reason}`]);
  }
  if (kind === "print") return printExample(system);
  return failed([
    `No configuration found. Looked for:\n${
      found.looked.map((place) => `  ${place}\n`).join("")
    }\n${STARTING_POINTS.trimEnd()}`,
  ]);
}

function printExample(system: ConfigSystem): CommandLine {
  const source = "the example";
  const text = exampleConfig();
  const result = parseConfig(text, { ...system, file: source });
  if ("problems" in result) return failed(result.problems.map(formatProblem));
  return { kind: "print", text, config: result.config, source };
}

function answer(kind: Kind, result: ConfigLayers | ConfigFailure, source: string): CommandLine {
  if ("problems" in result) return failed(result.problems.map(formatProblem));
  const { config } = result;
  if (kind === "run") return { kind, config, source, layers: result };
  const text = kind === "print"
    ? renderConfig(config, overlayNote(result))
    : `${source}: ${validText(config)}\n${overlayText(result)}`;
  return { kind, text, config, source };
}

/** What stands in the file, and what ALTER PROXYCONFIG has set in its place. */
function overlayText({ file = "", base, overlay, config }: ConfigLayers): string {
  const names = new Set(overlayKeys(overlay).map(parameterOf));
  if (names.size === 0) return "";
  const [before, after] = [parameterTexts(base), parameterTexts(config)];
  const lines = [...names].map((name) =>
    `  ${name}: ${valueText(before.get(name))} -> ${valueText(after.get(name))}\n`
  );
  return `${overlayPath(file)}: set by ALTER PROXYCONFIG, in place of the file's value:\n` +
    lines.join("");
}

function valueText(value = ""): string {
  return value === "" ? '""' : value;
}

function overlayNote({ file = "", overlay }: ConfigLayers): OverlayNote {
  return { keys: overlayKeys(overlay), file: overlayPath(file) };
}

/** "configuration is valid: 1 cluster, 2 servers, 3 users" */
function validText({ clusters, users }: Config): string {
  const servers = clusters.reduce((sum, cluster) => sum + cluster.servers.length, 0);
  const counts = [
    [clusters.length, "cluster"],
    [servers, "server"],
    [users.length, "user"],
  ] as const;
  const texts = counts.map(([count, what]) => `${count} ${what}${count === 1 ? "" : "s"}`);
  return `configuration is valid: ${texts.join(", ")}`;
}

function failed(messages: readonly string[]): CommandLine {
  return { kind: "error", exitCode: 2, messages };
}
