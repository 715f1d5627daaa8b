/** What a key can be set to when a configuration is written. */
export type TomlValue = string | number | boolean | readonly string[];

/**
 * A value in TOML's syntax. Escapes of JSON are escapes of TOML's basic strings; DEL, which TOML
 * alone forbids, is escaped too.
 */
export function tomlValue(value: TomlValue): string {
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (typeof value === "string") return JSON.stringify(value).replaceAll("\x7f", "\\u007f");
  return `[${value.map(tomlValue).join(", ")}]`;
}
