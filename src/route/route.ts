/** Which server a command goes to that is not bound to a server session, and why. */
import { SluiceError } from "../errors.ts";

/** The user variable by which a client chooses a server for its statements. */
export const SERVER_VARIABLE = "sluice_server";

/** Why, in the order in which it is looked for. */
export type RouteReason =
  /** It asks for nothing but what the last statement has left there. */
  | "last statement"
  /** A comment of the statement names it: `/* sluice: server=NAME`. */
  | "hint"
  /** `SET @sluice_server = 'NAME'` */
  | "@sluice_server"
  | "first healthy server";

/** A server, as far as routes go. */
export interface RouteTarget {
  readonly config: { readonly name: string };
}

export interface RouteRequest<Target extends RouteTarget> {
  /** Where the last statement ran, if that is what this one is about. */
  readonly last: Target | undefined;
  /** What the comment names. */
  readonly hint: string | undefined;
  /** The value of the variable, as an expression; undefined where it was never set. */
  readonly chosen: string | undefined;
  /** All that the client may use. */
  readonly servers: readonly Target[];
}

export interface Route<Target extends RouteTarget> {
  /** Undefined: whichever serves. */
  readonly server: Target | undefined;
  readonly reason: RouteReason;
}

/** @throws {SluiceError} unknown_server */
export function routeOf<Target extends RouteTarget>(request: RouteRequest<Target>): Route<Target> {
  const { last, hint, chosen, servers } = request;
  if (last !== undefined) return { server: last, reason: "last statement" };
  if (hint !== undefined) return { server: serverOf(hint, servers), reason: "hint" };
  const name = nameOf(chosen, servers);
  if (name !== undefined) return { server: serverOf(name, servers), reason: "@sluice_server" };
  return { server: undefined, reason: "first healthy server" };
}

/**
 * Whether the variable can be set to this.
 * @param literal as statements have it; undefined for what is computed
 * @throws {SluiceError} unknown_server where not
 */
export function checkChoice(literal: string | undefined, servers: readonly RouteTarget[]): void {
  const name = nameOf(literal ?? "a computed value", servers);
  if (name !== undefined) serverOf(name, servers);
}

function serverOf<Target extends RouteTarget>(name: string, servers: readonly Target[]): Target {
  const server = servers.find(({ config }) => config.name === name);
  if (server !== undefined) return server;
  throw unknown(`"${name}"`, servers);
}

/** A string, with its character set and collation or without; bytes that were read back are hex. */
const STRING = /^(?:_[a-z0-9]+ ?)?'((?:[^']|'')*)'(?: COLLATE \w+)?$/i;
/** States give a NULL the type of the value before by a further assignment. */
const NULL = /(?:^|:=)NULL$/;
const HEX = /^(?:_([a-z0-9]+) ?)?X'((?:[0-9a-f]{2})*)'(?: COLLATE \w+)?$/i;

/** Labels of decoders; the names of all other character sets are given in ASCII. */
const ENCODINGS: Readonly<Record<string, string>> = {
  utf8: "utf-8",
  utf8mb3: "utf-8",
  utf8mb4: "utf-8",
  ucs2: "utf-16be",
  utf16: "utf-16be",
  utf16le: "utf-16le",
};

/** Characters of an expression; longer ones name no server. */
const LONGEST = 1_000;

/** @returns undefined where nothing is chosen */
function nameOf(
  expression: string | undefined,
  servers: readonly RouteTarget[],
): string | undefined {
  if (expression === undefined || NULL.test(expression)) return undefined;
  const { length } = expression;
  if (length > LONGEST) throw unknown(`a value of ${length} characters`, servers);
  const text = STRING.exec(expression)?.[1]?.replaceAll("''", "'") ?? readBack(expression);
  if (text === undefined) throw unknown(expression, servers);
  return text === "" ? undefined : text;
}

/** A string that a server has told, byte for byte. */
function readBack(expression: string): string | undefined {
  const [, charset = "utf8mb4", hex] = HEX.exec(expression) ?? [];
  if (hex === undefined) return undefined;
  const bytes = Uint8Array.fromHex(hex);
  const encoding = ENCODINGS[charset.toLowerCase()];
  if (encoding !== undefined) return new TextDecoder(encoding).decode(bytes);
  // What utf32 has beside the characters of ASCII is zeros.
  return String.fromCharCode(...bytes.filter((byte) => byte !== 0 || charset !== "utf32"));
}

function unknown(given: string, servers: readonly RouteTarget[]): SluiceError {
  const names = servers.map(({ config }) => config.name).join(", ");
  return new SluiceError(
    "unknown_server",
    `Cannot choose a server: expected the name of one of ${names}, got ${given}`,
  );
}
