/** Which server of several to use: primaries first, and those that failed lately last. */
import type { TenantConfig } from "../config/types.ts";
import type { Backend } from "./backend.ts";

/** Those that carry a tenant. */
export function carriersOf(
  backends: readonly Backend[],
  tenant: TenantConfig | undefined,
): readonly Backend[] {
  if (!tenant?.servers.length) return backends;
  return backends.filter(({ config }) => tenant.servers.includes(config.name));
}

/** All of them, the best first; equals as they are configured. */
export function inOrder(backends: readonly Backend[], now: number): Backend[] {
  return backends.toSorted((left, right) => rank(left, now) - rank(right, now));
}

/** The first of these, at no cost. */
export function preferred(backends: readonly Backend[], now: number): Backend | undefined {
  if (backends.length === 1) return backends[0];
  let best: Backend | undefined;
  let least = Infinity;
  for (const backend of backends) {
    const one = rank(backend, now);
    if (one >= least) continue;
    best = backend;
    least = one;
  }
  return best;
}

function rank(backend: Backend, now: number): number {
  return (backend.isSuspect(now) ? 2 : 0) + (backend.config.role === "primary" ? 0 : 1);
}
