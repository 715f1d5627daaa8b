/**
 * The identity script: runs the same commands directly against a server and through the proxy, in
 * many capability classes, and compares every byte of every reply packet.
 */
import type { Address } from "../../src/config/types.ts";
import type { EngineName } from "../../src/dev/engines/engine.ts";
import { randomPassword } from "../../src/dev/engines/query.ts";
import { WireClient, WireError } from "../support/wire_client.ts";
import { type CapabilityClass, classesOf } from "./classes.ts";
import { compare } from "./compare.ts";
import type { MaskName } from "./masks.ts";
import { perform, type Performance, type PerformOptions } from "./perform.ts";
import { SCHEMA, type ScriptSession } from "./script/script.ts";
import { SHORT_SCRIPT, SHORT_SETUP, WHOLE_SCRIPT } from "./script/sessions.ts";
import type { Account, IdentityAccounts } from "./step.ts";

export interface IdentityOptions {
  readonly engine: EngineName;
  /** Administrator of the server, by whom accounts and schemas are made and dropped. */
  readonly admin: Account;
  /** From {@link makeIdentityAccounts}; the proxy must know both, with these passwords. */
  readonly accounts: IdentityAccounts;
  /** Classes to run; all of the engine unless given. */
  readonly classes?: readonly CapabilityClass[];
  /** Called when a class is done. */
  readonly onClass?: (report: ClassReport) => void;
  /** No step may take longer; half a minute unless given. Milliseconds. */
  readonly stepLimit?: number;
}

export interface ClassReport {
  readonly engine: EngineName;
  readonly name: string;
  /** Commands whose replies were compared. */
  readonly commands: number;
  /** Masks of those whose replies were compared but for a part, one for each command. */
  readonly masked: readonly MaskName[];
  readonly differences: readonly string[];
}

export interface IdentityReport {
  readonly engine: EngineName;
  readonly classes: readonly ClassReport[];
  /** Commands of all classes together. */
  readonly commands: number;
  /** How many of them were compared but for what a mask of that name hides. */
  readonly masked: Readonly<Partial<Record<MaskName, number>>>;
  /** Commands of the longest script that a class ran. */
  readonly longest: number;
  /** Empty where everything is the same. Each names its class, session and step. */
  readonly differences: readonly string[];
}

const STEP_LIMIT = 30_000;

/** Names for the script's two accounts with passwords that nobody knows. */
export function makeIdentityAccounts(): IdentityAccounts {
  return {
    main: { user: "identity_main", password: randomPassword() },
    second: { user: "identity_second", password: randomPassword() },
  };
}

/**
 * Runs the script in all classes. What differs is in the report; nothing is left on the server.
 * @throws where the server itself cannot be prepared
 */
export async function runIdentity(
  direct: Address,
  proxied: Address,
  options: IdentityOptions,
): Promise<IdentityReport> {
  await makeAccounts(direct, options);
  const classes: ClassReport[] = [];
  try {
    for (const capabilityClass of options.classes ?? classesOf(options.engine)) {
      const report = await runClass(direct, proxied, { options, capabilityClass });
      classes.push(report);
      options.onClass?.(report);
    }
  } finally {
    await clean(direct, options);
  }
  const counts = classes.map(({ commands }) => commands);
  return {
    engine: options.engine,
    classes,
    commands: counts.reduce((sum, count) => sum + count, 0),
    masked: countOf(classes.flatMap(({ masked }) => masked)),
    longest: Math.max(0, ...counts),
    differences: classes.flatMap(({ differences }) => differences),
  };
}

function countOf(names: readonly MaskName[]): Partial<Record<MaskName, number>> {
  const counts: Partial<Record<MaskName, number>> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

async function runClass(
  direct: Address,
  proxied: Address,
  { options, capabilityClass }: { options: IdentityOptions; capabilityClass: CapabilityClass },
): Promise<ClassReport> {
  const performOptions: PerformOptions = {
    engine: options.engine,
    accounts: options.accounts,
    capabilityClass,
    stepLimit: options.stepLimit ?? STEP_LIMIT,
  };
  const script = capabilityClass.script === "whole" ? WHOLE_SCRIPT : SHORT_SCRIPT;
  const setup = capabilityClass.script === "whole" ? [] : SHORT_SETUP;
  const performances: Performance[][] = [];
  for (const address of [direct, proxied]) {
    await reset(direct, options, setup);
    performances.push(await performAll(address, script, performOptions));
  }
  const [ones, others] = performances as [Performance[], Performance[]];
  const differences = script.flatMap(({ name }, index) =>
    compareSession(ones[index]!, others[index]!, options.engine)
      .map((text) =>
        `${options.engine}, class "${capabilityClass.name}", session "${name}", ${text}`
      )
  );
  const records = ones.flatMap((one) => one.records);
  return {
    engine: options.engine,
    name: capabilityClass.name,
    commands: records.length,
    masked: records.flatMap(({ mask }) => mask ?? []),
    differences,
  };
}

async function performAll(
  address: Address,
  script: readonly ScriptSession[],
  options: PerformOptions,
): Promise<Performance[]> {
  const performances: Performance[] = [];
  for (const session of script) performances.push(await perform(address, session, options));
  return performances;
}

/** Capabilities that both ways of a connection must have agreed on alike to be comparable. */
function compareSession(one: Performance, other: Performance, engine: EngineName): string[] {
  const problems = compare(one, other, { engine, ...one });
  if (one.extendedCapabilities !== other.extendedCapabilities) {
    problems.unshift(
      `extended capabilities: 0x${one.extendedCapabilities.toString(16)} directly, ` +
        `0x${other.extendedCapabilities.toString(16)} through the proxy`,
    );
  }
  if (one.capabilities !== other.capabilities) {
    problems.unshift(
      `capabilities: 0x${one.capabilities.toString(16)} directly, ` +
        `0x${other.capabilities.toString(16)} through the proxy`,
    );
  }
  return problems;
}

// ---- preparation, always directly ----

async function makeAccounts(direct: Address, options: IdentityOptions): Promise<void> {
  await clean(direct, options);
  const { main, second } = options.accounts;
  await administer(direct, options, [
    ...[main, second].map(({ user, password }) =>
      `CREATE USER ${user}@'%' IDENTIFIED BY '${password}'`
    ),
    `GRANT ALL ON *.* TO ${main.user}@'%' WITH GRANT OPTION`,
    `GRANT SELECT ON ${SCHEMA}.* TO ${second.user}@'%'`,
  ]);
}

async function clean(direct: Address, options: IdentityOptions): Promise<void> {
  const { main, second } = options.accounts;
  await reset(direct, options, []);
  await administer(direct, options, [
    `DROP USER IF EXISTS ${main.user}@'%', ${second.user}@'%'`,
  ]);
}

/** Drops all that a run may have left. */
async function reset(
  direct: Address,
  options: IdentityOptions,
  setup: readonly string[],
): Promise<void> {
  await administer(direct, options, [
    `DROP DATABASE IF EXISTS ${SCHEMA}`,
    "DROP DATABASE IF EXISTS identity_two",
    "DROP DATABASE IF EXISTS identity_three",
    "DROP USER IF EXISTS identity_made@'%'",
    ...setup,
  ]);
}

async function administer(
  direct: Address,
  { admin, engine }: IdentityOptions,
  statements: readonly string[],
): Promise<void> {
  const { hostname, port } = direct;
  using client = await WireClient.connect({ hostname, port, ...admin });
  for (const statement of statements) {
    try {
      await client.run(statement);
    } catch (cause) {
      if (!(cause instanceof WireError)) throw cause;
      throw new Error(`Cannot prepare ${engine}: ${statement}: ${cause.message}`, { cause });
    }
  }
}
