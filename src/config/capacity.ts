const UNITS = [["G", 2 ** 30], ["M", 2 ** 20], ["K", 2 ** 10], ["", 1]] as const;
const CAPACITY = /^(\d{1,15})(?:([KMG])B?)?$/i;

/** Bytes of a text such as `"0"`, `"512K"`, `"16M"` or `"1G"`; undefined for any other. */
export function parseCapacity(text: string): number | undefined {
  const match = CAPACITY.exec(text);
  if (match === null) return undefined;
  const name = match[2]?.toUpperCase() ?? "";
  const [, size] = UNITS.find(([unit]) => unit === name) ?? UNITS[3];
  return Number(match[1]) * size;
}

/** The shortest text that {@linkcode parseCapacity} turns back into the same whole number. */
export function formatCapacity(bytes: number): string {
  if (bytes === 0) return "0";
  const [name, size] = UNITS.find(([, size]) => bytes % size === 0) ?? UNITS[3];
  return `${bytes / size}${name}`;
}
