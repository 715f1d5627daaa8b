/** One real database server for all tests of a file. */
import {
  type EngineName,
  EngineUnavailable,
  ensureEngine,
  type StartedEngine,
  startEngine,
} from "../../src/dev/engines/engine.ts";
import { query } from "../../src/dev/engines/query.ts";
import { report } from "./report.ts";

export interface SharedEngine {
  /** For the tests that need it: they are ignored where the engine cannot be had. */
  readonly ignore: boolean;
  /** The running server. Only inside tests. */
  readonly engine: StartedEngine;
  /** Runs statements as the administrator, beside the proxy, and gives the last one's rows. */
  admin(...statements: string[]): Promise<Record<string, unknown>[]>;
}

/**
 * Starts the engine before the first test of the file and stops it after the last one.
 * @param prepare statements for the administrator to run first: accounts, schemas, data
 */
export async function sharedEngine(
  name: EngineName,
  prepare: readonly string[] = [],
): Promise<SharedEngine> {
  let engine: StartedEngine | undefined;
  const isThere = await isAvailable(name);
  const admin = (...statements: string[]) => query(engine!.port, engine!.admin, statements);
  Deno.test.beforeAll(async () => {
    if (!isThere) return;
    engine = await startEngine(name);
    if (prepare.length > 0) await admin(...prepare);
  });
  Deno.test.afterAll(async () => {
    await engine?.stop();
  });
  return {
    ignore: !isThere,
    get engine() {
      if (engine === undefined) throw new Error(`Cannot use ${name} outside of tests`);
      return engine;
    },
    admin,
  };
}

/** Installs the engine where it is missing; says so where it cannot be had. */
export async function isAvailable(name: EngineName): Promise<boolean> {
  try {
    await ensureEngine(name, report);
    return true;
  } catch (error) {
    if (!(error instanceof EngineUnavailable)) throw error;
    report(`Skipped: the tests with ${name}. ${error.message}`);
    return false;
  }
}
