import type { Milliseconds } from "./types.ts";

const UNITS = [["d", 86_400_000], ["h", 3_600_000], ["m", 60_000], ["s", 1_000], [
  "ms",
  1,
]] as const;
const DURATION = /^(\d{1,15})(ms|s|m|h|d)$/;

/** Milliseconds of a text such as `"500ms"`, `"10s"`, `"5m"`, `"1h"` or `"2d"`; undefined for any other. */
export function parseDuration(text: string): Milliseconds | undefined {
  const match = DURATION.exec(text);
  const unit = UNITS.find(([name]) => name === match?.[2]);
  if (match === null || unit === undefined) return undefined;
  return Number(match[1]) * unit[1];
}

/** The shortest text that {@linkcode parseDuration} turns back into the same whole number. */
export function formatDuration(milliseconds: Milliseconds): string {
  if (milliseconds === 0) return "0s";
  const [name, size] = UNITS.find(([, size]) => milliseconds % size === 0) ?? UNITS[4];
  return `${milliseconds / size}${name}`;
}
