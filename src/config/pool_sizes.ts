import type { ProxyConfig } from "./types.ts";

const LEAST = "session_pool_default_min_conn";
const MOST = "session_pool_default_max_conn";

export interface SizeConflict {
  /** Of `[proxy]`. */
  readonly key: typeof LEAST | typeof MOST;
  readonly problem: string;
}

/**
 * What is wrong with the sizes of pools, each of which is right by itself; undefined where nothing
 * is. They may come from different layers, so that only the whole of these can be asked.
 * @param isSet whether a key of `[proxy]` stands where the problem is told
 */
export function sizeConflict(
  { poolMinConnections: least, poolMaxConnections: most }: ProxyConfig,
  isSet: (key: string) => boolean,
): SizeConflict | undefined {
  if (most === 0 || least <= most) return undefined;
  if (isSet(LEAST)) {
    return { key: LEAST, problem: `Expected at most ${most}, which is ${MOST}, got ${least}` };
  }
  const problem = `Expected 0 or at least ${least}, which is ${LEAST}, got ${most}`;
  return { key: MOST, problem };
}
