/**
 * What ALTER PROXYCONFIG has set: a file in TOML beside the configuration file, whose values stand
 * above those of that file.
 */
import { readLog, readProxy } from "./build.ts";
import type { Setting } from "./alter_value.ts";
import { deepFreeze } from "./freeze.ts";
import type { KeyRow } from "./key_row.ts";
import { ProblemList } from "./problems.ts";
import { PROXY_PROPERTIES } from "./properties.ts";
import { keysOf, type SectionValues } from "./schema.ts";
import { secretKeys } from "./secrets.ts";
import { type ConfigSystem, readFileText } from "./system.ts";
import { keyText, readToml, type TomlNode, type TomlTable, tomlTable } from "./toml_document.ts";
import { type TomlValue, tomlValue } from "./toml_text.ts";
import type { ClusterConfig, Config, LogConfig, ProxyConfig } from "./types.ts";

const SECTIONS = ["proxy", "log"] as const;

/** The overlay of a configuration file. */
export function overlayPath(configFile: string): string {
  return `${configFile}.overlay.toml`;
}

export function emptyOverlay(): TomlTable {
  return tomlTable(1, "header");
}

/** The document of an overlay file, empty where there is no file; undefined after a problem. */
export function readOverlay(system: ConfigSystem, problems: ProblemList): TomlTable | undefined {
  const file = readFileText(problems.file, system);
  if (file.ok) return readToml(file.text, problems);
  if (file.missing) return emptyOverlay();
  problems.add(0, "", `Cannot read what ALTER PROXYCONFIG has set: ${file.reason}`);
  return undefined;
}

/** The values that an overlay sets, in the form of the configuration. */
export interface OverlayValues {
  readonly proxy: Partial<ProxyConfig>;
  readonly log: Partial<LogConfig>;
}

/** What an overlay sets, by the rules of the file; only good when `problems` stayed empty. */
export function overlayValues(
  overlay: TomlTable,
  clusters: readonly ClusterConfig[],
  { system, problems }: { readonly system: ConfigSystem; readonly problems: ProblemList },
): OverlayValues {
  for (const [key, { line }] of overlay.entries) {
    if (SECTIONS.some((section) => section === key)) continue;
    problems.add(line, keyText([key]), "Expected nothing but [proxy] and [log] in an overlay");
  }
  const proxy = readProxy(overlay, clusters, { system, problems });
  const log = readLog(overlay, { system, problems });
  return {
    proxy: only(proxy, keysSet(overlay, "proxy").map((key) => PROXY_PROPERTIES[key])),
    log: only(log, keysSet(overlay, "log")),
  };
}

/** The configuration with what the overlay sets. */
export function withOverlay(base: Config, { proxy, log }: OverlayValues): Config {
  return deepFreeze({
    ...base,
    proxy: { ...base.proxy, ...proxy },
    log: { ...base.log, ...log },
  });
}

function only<T extends object>(values: T, keys: readonly (keyof T)[]): Partial<T> {
  const picked: Partial<T> = {};
  for (const key of keys) picked[key] = values[key];
  return picked;
}

/** The known keys that an overlay sets in a section. */
function keysSet<S extends typeof SECTIONS[number]>(
  overlay: TomlTable,
  section: S,
): (keyof SectionValues<S> & string)[] {
  const node = overlay.entries.get(section)?.node;
  const rows = keysOf(section).filter(({ key }) => node?.kind === "table" && node.entries.has(key));
  // The keys of the rows of a section are those of its values.
  return rows.map(({ key }) => key) as (keyof SectionValues<S> & string)[];
}

/** The keys that an overlay sets. */
export function overlayKeys(overlay: TomlTable): Pick<KeyRow, "section" | "key">[] {
  return SECTIONS.flatMap((section) => keysSet(overlay, section).map((key) => ({ section, key })));
}

/** The overlay without the key of `row`, all forms of it where it is a password. */
export function withoutKey(overlay: TomlTable, row: KeyRow): TomlTable {
  const left = copyOf(overlay);
  const section = left.entries.get(row.section)?.node;
  for (const key of row.type === "secret" ? secretKeys(row.key) : [row.key]) {
    if (section?.kind === "table") section.entries.delete(key);
  }
  return left;
}

/** The overlay with one more setting, in place of what it had of that key. */
export function withSetting(overlay: TomlTable, { row, node }: Setting): TomlTable {
  const grown = copyOf(overlay);
  const known = grown.entries.get(row.section)?.node;
  const section = known?.kind === "table" ? known : tomlTable(0, "header");
  grown.entries.set(row.section, { line: section.line, node: section });
  section.entries.set(row.key, { line: node.line, node });
  return grown;
}

/** Both sections are new tables; what is in them is shared. */
function copyOf(overlay: TomlTable): TomlTable {
  const copy = emptyOverlay();
  for (const [name, { line, node }] of overlay.entries) {
    const own = node.kind === "table" ? { ...node, entries: new Map(node.entries) } : node;
    copy.entries.set(name, { line, node: own });
  }
  return copy;
}

/** The text of the overlay file of `configFile`. */
export function renderOverlay(overlay: TomlTable, configFile: string): string {
  const name = configFile.slice(configFile.lastIndexOf("/") + 1);
  const blocks = SECTIONS.map((section) => {
    const node = overlay.entries.get(section)?.node;
    const lines = keysOf(section).flatMap(({ key }) => {
      const entry = node?.kind === "table" ? node.entries.get(key) : undefined;
      return entry === undefined ? [] : [`${key} = ${tomlValue(valueOf(entry.node))}\n`];
    });
    return lines.length === 0 ? "" : `\n[${section}]\n${lines.join("")}`;
  });
  return `\
# What ALTER PROXYCONFIG has set. These values stand above those of ${name}, which lies beside this
# file; sluice --check shows the difference. Each ALTER PROXYCONFIG writes this file anew, without
# comments of yours. To take a value back: ALTER PROXYCONFIG SET name = '', or delete its line and
# send the running proxy SIGHUP.
${blocks.join("")}`;
}

function valueOf(node: TomlNode): TomlValue {
  switch (node.kind) {
    case "list":
      return node.items.map((item) => String(valueOf(item)));
    case "table":
    case "date":
      throw new TypeError(`Expected a value that a key can have, got a ${node.kind}`);
    default:
      return node.value;
  }
}
