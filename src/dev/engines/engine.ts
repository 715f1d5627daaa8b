/** Real database servers for development, tests and benchmarks, installed when they are missing. */

import { mariadb } from "./mariadb.ts";
import { mysql } from "./mysql.ts";
import { seekdb } from "./seekdb.ts";
import type { EngineName, EngineRecipe, Progress, StartedEngine, StartOptions } from "./types.ts";

export { mysqlClientCommand } from "./mysql.ts";
export { EngineUnavailable } from "./types.ts";
export type { EngineName, Progress, StartedEngine, StartOptions } from "./types.ts";

const engines: Record<EngineName, EngineRecipe> = { mariadb, mysql, seekdb };

/**
 * Starts a server of this kind, installed first when it is missing and may be installed. Throws
 * `EngineUnavailable`, whose message says what to install, where that is impossible.
 */
export async function startEngine(
  name: EngineName,
  options: StartOptions = {},
): Promise<StartedEngine> {
  return await engines[name].start(options);
}

/** Installs or downloads what `startEngine` needs, and starts nothing. */
export async function ensureEngine(
  name: EngineName,
  onProgress: Progress = () => {},
): Promise<void> {
  await engines[name].install(onProgress);
}
