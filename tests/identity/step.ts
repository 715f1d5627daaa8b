/**
 * What the identity script is made of: one command each, with the engines that have it and whether
 * it is meant to fail. A step that succeeds where it shall fail, or fails where it shall not, is an
 * error of the script: otherwise a script of nothing but errors would compare well.
 */
import type { EngineName } from "../../src/dev/engines/engine.ts";
import { Capability } from "../../src/protocol/constants.ts";
import type { PreparedStatement, WireClient } from "../support/wire_client.ts";
import type { MaskName } from "./masks.ts";

/** What a session of the script knows while it runs. */
export interface StepContext {
  readonly client: WireClient;
  readonly engine: EngineName;
  readonly accounts: IdentityAccounts;
  /** By the names that the script gives them. */
  readonly statements: Map<string, PreparedStatement>;
}

export interface Account {
  readonly user: string;
  readonly password: string;
}

/** Accounts that the script logs in with; the proxy must be configured with both. */
export interface IdentityAccounts {
  /** May do everything. */
  readonly main: Account;
  /** May read the script's own schema. */
  readonly second: Account;
}

/** Where a step runs. */
export interface Where {
  readonly engine: EngineName;
  /** Agreed with the server. */
  readonly capabilities: number;
  readonly extendedCapabilities: number;
}

export interface Step {
  readonly title: string;
  /** Left out elsewhere. */
  readonly isFor: (where: Where) => boolean;
  readonly fails: (where: Where) => boolean;
  readonly mask: MaskName | undefined;
  /** Sends the command and reads its reply; what comes over the wire is recorded by itself. */
  readonly run: (context: StepContext) => Promise<unknown>;
}

/** Text is a statement for COM_QUERY. */
export type Line = string | Step | readonly Line[];

const ALWAYS = () => true;
const NEVER = () => false;

export function step(title: string, run: Step["run"]): Step {
  return { title, run, isFor: ALWAYS, fails: NEVER, mask: undefined };
}

function query(sql: string): Step {
  const title = sql.length > 300 ? `${sql.slice(0, 300)}… (${sql.length} characters)` : sql;
  return step(`COM_QUERY ${title}`, ({ client }) => client.query(sql));
}

/** The steps of lines, in their order. */
export function stepsOf(lines: readonly Line[]): Step[] {
  return lines.flatMap((line): Step[] => {
    if (typeof line === "string") return [query(line)];
    return isStep(line) ? [line] : stepsOf(line);
  });
}

function isStep(line: Step | readonly Line[]): line is Step {
  return !Array.isArray(line);
}

/** Only on these engines, separated by blanks. */
export function on(engines: string, ...lines: Line[]): Step[] {
  const names = engines.split(" ");
  return stepsOf(lines).map((one) => ({
    ...one,
    isFor: (where) => names.includes(where.engine) && one.isFor(where),
  }));
}

/** Only in classes that have all these capabilities. */
export function having(capabilities: number, ...lines: Line[]): Step[] {
  return stepsOf(lines).map((one) => ({
    ...one,
    isFor: (where) => has(where.capabilities, capabilities) && one.isFor(where),
  }));
}

/** Meant to be answered by ERR, at once or behind rows. */
export function fails(...lines: Line[]): Step[] {
  return stepsOf(lines).map((one) => ({ ...one, fails: ALWAYS }));
}

/** Meant to fail on these engines only. */
export function failsOn(engines: string, ...lines: Line[]): Step[] {
  const names = engines.split(" ");
  return stepsOf(lines).map((one) => ({ ...one, fails: ({ engine }) => names.includes(engine) }));
}

/** Meant to fail in classes without one of these capabilities, where the server insists on it. */
export function needs(
  { capabilities = 0, extended = 0 }: { capabilities?: number; extended?: number },
  ...lines: Line[]
): Step[] {
  return stepsOf(lines).map((one) => ({
    ...one,
    fails: (where) =>
      !has(where.capabilities, enforcedBy(where.engine, capabilities)) ||
      !has(where.extendedCapabilities, extended) || one.fails(where),
  }));
}

export function masked(mask: MaskName, ...lines: Line[]): Step[] {
  return stepsOf(lines).map((one) => ({ ...one, mask }));
}

/** What a server refuses to clients that have not asked for it; the rest it sends to everybody. */
const ENFORCED: Record<EngineName, (capabilities: number) => number> = {
  mariadb: (capabilities) => capabilities,
  // MySQL goes by MULTI_RESULTS for prepared statements too.
  mysql: (capabilities) =>
    (capabilities & Capability.PS_MULTI_RESULTS) === 0
      ? capabilities
      : (capabilities & ~Capability.PS_MULTI_RESULTS) | Capability.MULTI_RESULTS,
  seekdb: (capabilities) => capabilities & Capability.LOCAL_FILES,
};

function enforcedBy(engine: EngineName, capabilities: number): number {
  return ENFORCED[engine](capabilities);
}

function has(flags: number, wanted: number): boolean {
  return (flags & wanted) === wanted;
}
