import { formatCapacity } from "./capacity.ts";
import { formatDuration } from "./duration.ts";
import type { KeyRow } from "./key_row.ts";
import { enumerate } from "./problems.ts";
import { keysOf, type SectionRow, SECTIONS } from "./schema.ts";
import { tomlValue } from "./toml_text.ts";
import { headerOf } from "./wanted.ts";

const INTRODUCTION = `\
# Configuration of sluice. Change the servers and the account below, then:
#   sluice --config sluice.toml --check
#   sluice --config sluice.toml
#
# A line such as "#proxy_id = 0" shows a setting that is not set: its default, or, where it has
# none, an example. Take the "#" away to set it.
# Durations are text with a unit: "500ms", "10s", "5m", "1h", "2d"; sizes too: "64K", "16M", "1G",
# or, which is the same, "16m", "16MB".
# Relative paths of files count from the folder of this file.
# What ALTER PROXYCONFIG sets lies beside this file and stands above it: sluice --check shows it.
`;

const ONE_SECRET = "At most one of the next four may be set.";

/** Comments of keys that only make sense beside others. */
const NOTES: Readonly<Record<string, string>> = {
  "proxy.obproxy_sys_password": ONE_SECRET,
  "proxy.inspector_password": ONE_SECRET,
  "users.password":
    "Exactly one of password, password_file, password_env and password_hash must be set.",
  "users.server_user":
    "For another account towards the servers, set server_user and exactly one password for it.",
};

/**
 * The text of `config.example.toml`: a valid configuration in which each key of the schema appears
 * with its default and what it means.
 */
export function exampleConfig(): string {
  return [INTRODUCTION, ...SECTIONS.map(sectionText)].join("\n");
}

function sectionText(section: SectionRow): string {
  const off = section.optional ? "#" : "";
  const keys = keysOf(section.name).map((row) => keyLines(row, off));
  return `# ${section.description}\n${off}${headerOf(section)}\n${keys.join("")}`;
}

function keyLines(row: KeyRow, off: string): string {
  const note = NOTES[`${row.section}.${row.key}`];
  const value = tomlValue(row.default ?? row.example ?? "");
  const mark = row.required || row.shown ? off : "#";
  return `${note === undefined ? "" : `# ${note}\n`}` +
    `# ${row.description}${rangeText(row)}\n${mark}${row.key} = ${value}\n`;
}

function rangeText({ type, min = 0, max = 0, choices }: KeyRow): string {
  if (type === "integer") return ` (${min} to ${max})`;
  if (type === "duration") return ` (${formatDuration(min)} to ${formatDuration(max)})`;
  if (type === "capacity") return ` (${formatCapacity(min)} to ${formatCapacity(max)})`;
  if (type === "boolean") return " (false or true)";
  if (choices === undefined || choices.length < 2) return "";
  return ` (${enumerate(choices.map(tomlValue), "or")})`;
}
