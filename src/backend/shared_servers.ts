/** The pools that the sessions of one login share, over the servers that it may use. */
import { SluiceError } from "../errors.ts";
import type { Backend } from "./backend.ts";
import { mayHelpElsewhere } from "./failover.ts";
import type { Pool, PoolRequest, WaitOptions } from "./pool.ts";
import type { ServerLogin } from "./server_login.ts";
import { inOrder, preferred } from "./server_order.ts";
import type { ServerPools } from "./server_pools.ts";
import type { ServerSession } from "./server_session.ts";

export interface AcquireOptions extends Pick<WaitOptions, "signal" | "onOpening"> {
  /** The only server that will do; undefined: the first that has one. */
  readonly backend?: Backend | undefined;
}

export class SharedServers {
  /** Those that carry the tenant, as they are configured. */
  readonly backends: readonly Backend[];
  readonly #login: ServerLogin;
  readonly #poolsOf: (backend: Backend) => ServerPools;
  readonly #pools = new Map<Backend, Pool>();

  constructor(
    backends: readonly Backend[],
    login: ServerLogin,
    poolsOf: (backend: Backend) => ServerPools,
  ) {
    this.backends = backends;
    this.#login = login;
    this.#poolsOf = poolsOf;
  }

  /** Where statements go that nothing leads elsewhere; undefined where the tenant has no server. */
  get preferred(): Backend | undefined {
    return preferred(this.backends, Date.now());
  }

  /**
   * An idle session at once, or undefined. Nothing is made on the way: this is asked for each
   * statement.
   */
  tryTake(request: PoolRequest, backend = this.preferred): ServerSession | undefined {
    return backend === undefined ? undefined : this.pool(backend).tryTake(request);
  }

  /**
   * A session as soon as there is one. Servers that fail are followed by the next one; while none
   * can be reached, the last one is tried again until the time limit.
   * @throws {SluiceError} pool_exhausted, killed where the signal fires, or what servers say
   */
  async acquire(
    request: PoolRequest,
    { backend, signal, onOpening }: AcquireOptions,
  ): Promise<ServerSession> {
    const since = Date.now();
    const backends = backend === undefined ? inOrder(this.backends, since) : [backend];
    for (const [index, one] of backends.entries()) {
      const isPatient = index === backends.length - 1;
      const options = {
        signal,
        since,
        isPatient,
        ...(onOpening === undefined ? {} : { onOpening }),
      };
      try {
        return await this.#open(one, request, options);
      } catch (error) {
        const isNextWorthIt = error instanceof SluiceError && mayHelpElsewhere(error) &&
          !isPatient && !signal.aborted;
        if (!isNextWorthIt) throw error;
      }
    }
    throw new SluiceError("server_unreachable", "Tenant has no server to use");
  }

  async #open(
    backend: Backend,
    request: PoolRequest,
    options: WaitOptions,
  ): Promise<ServerSession> {
    for (;;) {
      const session = await this.pool(backend).acquire(request, options);
      // It may have been lost on the way from the pool to here.
      if (session.isOpen) return session;
    }
  }

  /** The pool on one of the servers. */
  pool(backend: Backend): Pool {
    let pool = this.#pools.get(backend);
    if (pool === undefined || pool.isDropped) {
      pool = this.#poolsOf(backend).pool(this.#login);
      this.#pools.set(backend, pool);
    }
    return pool;
  }
}
