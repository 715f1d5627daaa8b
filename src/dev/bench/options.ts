import { parseArgs } from "@std/cli/parse-args";

/** Names of the parts that `--only` takes, in the order they run. */
export const PARTS = [
  "start",
  "queries",
  "churn",
  "stream",
  "beside",
  "idle",
  "listing",
  "sharing-queries",
  "sharing-churn",
  "sharing-catch-up",
  "sharing-memory",
  "sharing-oltp",
] as const;
export type Part = typeof PARTS[number];

/** Parts that are asked for by one name ahead of the options. */
const GROUPS: ReadonlyMap<string, readonly Part[]> = new Map([
  ["sharing", PARTS.filter((part) => part.startsWith("sharing-"))],
]);

export interface BenchOptions {
  readonly parts: ReadonlySet<Part>;
  /** Rounds of the interleaved loads. */
  readonly rounds: number;
  /** Length of one load in one round. */
  readonly seconds: number;
  /** Length of each of the loads that warm a proxy up. */
  readonly warmUpSeconds: number;
  /** Repetitions of the memory figures; each starts fresh processes. */
  readonly memoryRounds: number;
  /** Length of one run of transactions, in which a thousand clients must get their turn. */
  readonly oltpSeconds: number;
  /** How long idle clients are watched; V8 tidies an idle heap up after some 25 s. */
  readonly idleSeconds: number;
  readonly json: boolean;
  /** The compiled file; undefined means `./sluice`, compiled where missing or out of date. */
  readonly sluicePath: string | undefined;
  /** Words that start sluice uncompiled, for development. */
  readonly sluiceCommand: readonly string[] | undefined;
  /** Further sluices in columns of their own, such as another version or other flags. */
  readonly variants: readonly Variant[];
}

export interface Variant {
  readonly name: string;
  readonly command: readonly string[];
}

export const HELP = `Usage: deno task bench [GROUP] [options]

Measures direct connections, HAProxy and sluice side by side and prints one table. GROUP stands
for several parts: ${
  [...GROUPS].map(([group, parts]) => `${group} for ${parts.join(", ")}`).join("; ")
}.

  --quick                short version, about 5 minutes
  --only PART            may repeat or list several:
                         ${PARTS.join(", ")}
  --rounds N             rounds of the interleaved loads (default 9)
  --seconds N            whole seconds of each load in a round (default 2)
  --json                 print JSON instead of the table
  --sluice PATH          measure this compiled file
  --sluice-command TEXT  measure sluice as started by this command, for example
                         "deno run -A main.ts"
  --variant NAME=TEXT    measure this command too, in a column NAME; may repeat
  --help                 this text`;

/** Thrown for a command line that cannot be used; the message says what is allowed. */
export class OptionError extends Error {
  override readonly name = "OptionError";
}

/** @returns undefined where help was asked for. @throws {OptionError} */
export function parseOptions(args: string[]): BenchOptions | undefined {
  const grouped: Part[] = [];
  const flags = parseArgs(args, {
    boolean: ["help", "json", "quick"],
    string: ["only", "rounds", "seconds", "sluice", "sluice-command", "variant"],
    collect: ["only", "variant"],
    unknown: (argument: string) => {
      const group = GROUPS.get(argument);
      if (group !== undefined) return void grouped.push(...group);
      throw new OptionError(`Cannot use ${argument}: no such option, see --help`);
    },
  }) as Record<string, unknown>;
  if (flags["help"] === true) return undefined;
  const quick = flags["quick"] === true;
  const command = text(flags, "sluice-command");
  return {
    parts: parts(flags["only"] as string[], grouped),
    rounds: count(flags, "rounds", quick ? 2 : 9),
    seconds: count(flags, "seconds", quick ? 1 : 2),
    warmUpSeconds: quick ? 2 : 6,
    memoryRounds: quick ? 1 : 2,
    oltpSeconds: quick ? 4 : 12,
    idleSeconds: quick ? 3 : 30,
    json: flags["json"] === true,
    sluicePath: text(flags, "sluice"),
    sluiceCommand: command === undefined ? undefined : words(command),
    variants: (flags["variant"] as string[]).map(variant),
  };
}

function words(command: string): string[] {
  return command.split(/\s+/).filter((word) => word !== "");
}

function variant(value: string): Variant {
  const [, name, command] = value.match(/^([^=|]+)=(.*\S.*)$/) ?? [];
  if (name !== undefined) return { name, command: words(command!) };
  throw new OptionError(`Cannot use --variant ${value}: expected NAME=COMMAND`);
}

function text(flags: Record<string, unknown>, name: string): string | undefined {
  const value = flags[name];
  if (value === "") throw new OptionError(`Cannot use --${name}: a value is needed`);
  return value as string | undefined;
}

function count(flags: Record<string, unknown>, name: string, fallback: number): number {
  const value = text(flags, name);
  if (value === undefined) return fallback;
  const number = Number(value);
  if (Number.isInteger(number) && number >= 1 && number <= 1000) return number;
  throw new OptionError(`Cannot use --${name} ${value}: a whole number from 1 to 1000 is needed`);
}

function parts(values: string[], grouped: readonly Part[]): Set<Part> {
  const names = values.flatMap((value) => value.split(",")).map((name) => name.trim());
  if (names.length + grouped.length === 0) return new Set(PARTS);
  for (const name of names) {
    if ((PARTS as readonly string[]).includes(name)) continue;
    throw new OptionError(`Cannot use --only ${name}: expected one of ${PARTS.join(", ")}`);
  }
  return new Set([...grouped, ...names as Part[]]);
}
