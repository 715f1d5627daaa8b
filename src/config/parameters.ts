import { SluiceError } from "../errors.ts";
import { formatCapacity } from "./capacity.ts";
import { formatDuration } from "./duration.ts";
import type { KeyRow } from "./key_row.ts";
import { nearest } from "./nearest.ts";
import { logValues, proxyValues } from "./print.ts";
import { quote } from "./problems.ts";
import { PROXY_KEYS } from "./proxy_keys.ts";
import { secretKeys } from "./secrets.ts";
import type { TomlValue } from "./toml_text.ts";
import type { Config } from "./types.ts";

/** A key of `[proxy]` or `[log]` as SHOW and ALTER PROXYCONFIG name it. */
export interface Parameter {
  readonly name: string;
  readonly row: KeyRow;
}

/** One parameter as SHOW PROXYCONFIG lists it. Passwords are `***`. */
export interface ParameterRow {
  readonly name: string;
  /** In force now. */
  readonly value: string;
  readonly defaultValue: string;
  readonly info: string;
  readonly needsRestart: boolean;
  readonly visibleLevel: "USER" | "SYS";
  /** `[0,8191]`, `true, false`, the choices; empty where any text will do. */
  readonly range: string;
  /** Whether the value in force, or the one that waits, is not the default. */
  readonly isChanged: boolean;
  /** Set, and in force from the next start on. */
  readonly pending?: string;
}

/** The other forms of a password are ways to write it in a file, not parameters of their own. */
const OTHER_FORMS: ReadonlySet<string> = new Set(
  PROXY_KEYS.filter(({ type }) => type === "secret").flatMap(({ key }) => secretKeys(key).slice(1)),
);

/** Every parameter, in the order of the example file. */
export const PARAMETERS: readonly Parameter[] = PROXY_KEYS
  .filter(({ key }) => !OTHER_FORMS.has(key))
  .map((row) => ({ name: row.section === "log" ? `log_${row.key}` : row.key, row }));

/** Names that people bring along: the file's, and ODP's. */
const ALIASES: Readonly<Record<string, string>> = {
  ...Object.fromEntries(PARAMETERS.map(({ name, row }) => [`${row.section}.${row.key}`, name])),
  "syslog_level": "log_level",
};

/** @throws {SluiceError} unknown_config, with the name that was probably meant */
export function findParameter(name: string): Parameter {
  const asked = name.toLowerCase();
  const known = Object.hasOwn(ALIASES, asked) ? ALIASES[asked] : asked;
  const found = PARAMETERS.find((parameter) => parameter.name === known);
  if (found !== undefined) return found;
  const like = nearest(asked, PARAMETERS.map((parameter) => parameter.name));
  const hint = like === undefined ? "; SHOW PROXYCONFIG lists them" : `, did you mean ${like}?`;
  throw new SluiceError("unknown_config", `Unknown parameter ${quote(name)}${hint}`);
}

/** The parameter that a key belongs to; the forms of a password belong to one. */
export function parameterOf({ section, key }: Pick<KeyRow, "section" | "key">): string {
  const found = PARAMETERS.find(({ row }) =>
    row.section === section &&
    (row.key === key || (row.type === "secret" && secretKeys(row.key).includes(key)))
  );
  return found?.name ?? key;
}

/** What each parameter is set to, by name. */
export function parameterTexts(config: Config): ReadonlyMap<string, string> {
  const values: Readonly<Record<KeyRow["section"] | string, Record<string, unknown>>> = {
    proxy: proxyValues(config.proxy),
    log: logValues(config.log),
  };
  return new Map(PARAMETERS.map(({ name, row }) => {
    const section = values[row.section];
    if (row.type !== "secret") return [name, textOf(section?.[row.key] as TomlValue)];
    const isSet = secretKeys(row.key).some((key) => section?.[key] !== undefined);
    return [name, isSet ? "***" : ""];
  }));
}

/** Lists as ODP writes them. */
function textOf(value: TomlValue): string {
  return Array.isArray(value) ? value.join(";") : String(value);
}

/** All parameters. `wanted`: what the next start would begin with. */
export function parameterRows(
  configs: { readonly current: Config; readonly wanted: Config; readonly defaults: Config },
): readonly ParameterRow[] {
  const [current, wanted, defaults] = [configs.current, configs.wanted, configs.defaults]
    .map(parameterTexts);
  return PARAMETERS.map(({ name, row }) => {
    const value = current?.get(name) ?? "";
    const next = wanted?.get(name) ?? "";
    const defaultValue = defaults?.get(name) ?? "";
    return {
      name,
      value,
      defaultValue,
      info: row.description,
      needsRestart: row.apply === "restart",
      visibleLevel: row.visible ?? "USER",
      range: rangeOf(row),
      isChanged: value !== defaultValue || next !== defaultValue,
      ...(next === value ? {} : { pending: next }),
    };
  });
}

function rangeOf({ type, min = 0, max = 0, choices }: KeyRow): string {
  if (type === "integer") return `[${min},${max}]`;
  if (type === "duration") return `[${formatDuration(min)},${formatDuration(max)}]`;
  if (type === "capacity") return `[${formatCapacity(min)},${formatCapacity(max)}]`;
  if (type === "boolean") return "true, false";
  return choices?.join(", ") ?? "";
}
