import { type ConfigSystem, readFileText } from "./system.ts";

export type FoundConfig =
  | { readonly kind: "found"; readonly path: string; readonly text: string }
  /** A file is there, or was asked for, and cannot be read. */
  | { readonly kind: "unreadable"; readonly path: string; readonly reason: string }
  /** `looked`: every place in the order of the search, as a person reads it. */
  | { readonly kind: "none"; readonly looked: readonly string[] };

/**
 * The configuration of a start without flags: `$SLUICE_CONFIG`, then the first file that exists of
 * `./sluice.toml`, `$XDG_CONFIG_HOME/sluice/sluice.toml` (`~/.config` when it is not set) and
 * `/etc/sluice/sluice.toml`.
 *
 * @param passEmpty whether empty files count as missing: in `sluice --print-config > sluice.toml`
 * the shell has made one before the program starts
 */
export function findConfig(system: ConfigSystem, passEmpty: boolean): FoundConfig {
  const asked = system.env("SLUICE_CONFIG") ?? "";
  const defaults = ["./sluice.toml", ...userPlace(system), "/etc/sluice/sluice.toml"];
  for (const path of asked === "" ? defaults : [asked]) {
    const file = readFileText(path, system);
    if (file.ok && file.text === "" && passEmpty) continue;
    if (file.ok) return { kind: "found", path, text: file.text };
    if (asked !== "") {
      return { kind: "unreadable", path, reason: `${file.reason}, but $SLUICE_CONFIG names it` };
    }
    if (!file.missing) return { kind: "unreadable", path, reason: file.reason };
  }
  return { kind: "none", looked: ["$SLUICE_CONFIG (not set)", ...defaults] };
}

/** https://specifications.freedesktop.org/basedir-spec/latest/: relative values do not count. */
function userPlace({ env }: ConfigSystem): string[] {
  const home = env("HOME") ?? "";
  const xdg = env("XDG_CONFIG_HOME") ?? "";
  if (xdg.startsWith("/")) return [`${xdg}/sluice/sluice.toml`];
  return home === "" ? [] : [`${home}/.config/sluice/sluice.toml`];
}
