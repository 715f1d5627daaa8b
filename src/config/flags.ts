import { parseArgs } from "@std/cli/parse-args";
import { nearest } from "./nearest.ts";
import { quote } from "./problems.ts";

interface FlagRow {
  readonly flag: string;
  /** Name of its value in the help; absent for a switch. */
  readonly value?: string;
  readonly repeats?: true;
  readonly quickStart?: true;
  readonly help: string;
}

/** Every flag of the command line. */
export const FLAGS = [
  { flag: "config", value: "FILE", help: "Read the configuration from FILE" },
  { flag: "check", help: "Check the configuration and exit" },
  {
    flag: "print-config",
    help: "Print the configuration in effect, or a commented example, and exit",
  },
  {
    flag: "listen",
    value: "HOST:PORT",
    repeats: true,
    quickStart: true,
    help: "Listen here (127.0.0.1:2883)",
  },
  {
    flag: "server",
    value: "HOST:PORT",
    repeats: true,
    quickStart: true,
    help: "Connect clients to this database server",
  },
  {
    flag: "user",
    value: "NAME:PASSWORD",
    repeats: true,
    quickStart: true,
    help: "Let clients log in with this account of the server; NAME alone: no password",
  },
  { flag: "version", help: "Print the version and exit" },
  { flag: "help", help: "Print this text and exit" },
] as const satisfies readonly FlagRow[];

type Row = typeof FLAGS[number];
export type FlagName = Row["flag"];
export type QuickStartFlag = Extract<Row, { readonly quickStart: true }>["flag"];

const ROWS: readonly (FlagRow & { readonly flag: FlagName })[] = FLAGS;

export interface Flags {
  /** Values in the order given; a switch has one empty value each time. */
  readonly given: ReadonlyMap<FlagName, readonly string[]>;
  /** What is wrong with the flags themselves. Never holds a value of a flag. */
  readonly messages: readonly string[];
}

/** Splits the arguments into known flags; everything else becomes a message. */
export function readFlags(args: readonly string[]): Flags {
  const messages = new Set<string>();
  const parsed: Record<string, unknown> = parseArgs(withEmptyValues(args), {
    boolean: ROWS.filter((row) => row.value === undefined).map((row) => row.flag),
    string: ROWS.filter((row) => row.value !== undefined).map((row) => row.flag),
    collect: ROWS.map((row) => row.flag),
    alias: { help: "h" },
    unknown: (arg: string) => {
      messages.add(unknownArgument(arg, args));
      return false;
    },
  });
  // Only what stands after "--" is left; the rest went through `unknown`.
  if (listOf(parsed["_"]).length > 0) messages.add(unknownArgument("", args));
  const given = new Map<FlagName, readonly string[]>();
  for (const row of ROWS) {
    const values = listOf(parsed[row.flag]);
    if (row.value === undefined && args.some((arg) => arg.startsWith(`--${row.flag}=`))) {
      messages.add(`Expected --${row.flag} without a value`);
      continue;
    }
    if (values.length === 0) continue;
    given.set(row.flag, values);
    if (row.value !== undefined && values.includes("")) {
      messages.add(`Expected a value after --${row.flag}: --${row.flag} ${row.value}`);
    }
    if (!row.repeats && values.length > 1 && row.value !== undefined) {
      messages.add(`Expected --${row.flag} ${row.value} once, got it ${values.length} times`);
    }
  }
  return { given, messages: [...messages] };
}

/** The flags with their values, as messages and the help name them. */
export function flagTexts(rows: readonly FlagRow[] = FLAGS): string[] {
  return rows.map((row) => `--${row.flag}${row.value === undefined ? "" : ` ${row.value}`}`);
}

function isSwitch(arg: string): boolean {
  return ROWS.some((row) => row.value === undefined && arg === `--${row.flag}`);
}

function listOf(value: unknown): string[] {
  const values = Array.isArray(value) ? value : value === undefined ? [] : [value];
  return values.filter((item) => item !== false).map((item) => item === true ? "" : String(item));
}

/** `--user ""` as `--user=`: the empty text would be taken for an argument of its own too. */
function withEmptyValues(args: readonly string[]): string[] {
  const joined: string[] = [];
  for (const [index, arg] of args.entries()) {
    const takesValue = (text = "") => ROWS.some((row) => row.value && text === `--${row.flag}`);
    if (arg === "" && takesValue(args[index - 1])) joined[joined.length - 1] += "=";
    else joined.push(arg);
  }
  return joined;
}

/** A word or the path of a file: no digits, of which passwords mostly have some. */
const WORD = /^[A-Za-z.\/][A-Za-z.\/_-]{0,60}$/;

/**
 * What to say about an argument that is no flag of ours. It may be a password, as in `-psecret`:
 * only what is plainly the name of a flag is shown, or a word that stands behind no account.
 */
function unknownArgument(arg: string, args: readonly string[]): string {
  const allowed = `allowed: ${flagTexts().join(", ")}`;
  if (!arg.startsWith("-")) {
    const before = args.slice(0, args.indexOf(arg));
    const isShown = WORD.test(arg) && before.every((one) => WORD.test(one) || isSwitch(one));
    const shown = isShown ? ` ${quote(arg)}` : "";
    return `Unexpected argument${shown} without a flag, such as --config FILE before a file; ` +
      allowed;
  }
  const name = /^--?([A-Za-z][A-Za-z-]{0,30})(?:=|$)/.exec(arg)?.[1] ?? "";
  const like = nearest(name, ROWS.map((row) => row.flag));
  const shown = arg.startsWith("--") ? (name === "" ? "--…" : `--${name}`) : arg.slice(0, 2);
  const hint = like === undefined ? "" : ` (did you mean --${like}?)`;
  return `Unknown flag ${shown}${hint}; ${allowed}`;
}
