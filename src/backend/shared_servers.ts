/** The pools that the sessions of one login share, over the servers that it may use. */
import type { TenantConfig } from "../config/types.ts";
import { SluiceError } from "../errors.ts";
import type { Backend } from "./backend.ts";
import { enterSchema } from "./catch_up.ts";
import { mayHelpElsewhere } from "./failover.ts";
import type { LoginProofs, ProvenLogin } from "./login_proofs.ts";
import type { Pool, PoolRequest, WaitOptions } from "./pool.ts";
import type { ServerLogin } from "./server_login.ts";
import { inOrder, preferred } from "./server_order.ts";
import type { ServerPools } from "./server_pools.ts";
import type { ServerSession } from "./server_session.ts";
import type { WaitSignal } from "./wait_abort.ts";

/** Between two rounds over all servers, none of which could be reached. Milliseconds. */
const FIRST_PAUSE = 50;
const LONGEST_PAUSE = 250;

export interface AcquireOptions extends Pick<WaitOptions, "signal" | "onOpening"> {
  /** The only server that will do; undefined: the first that has one. */
  readonly backend?: Backend | undefined;
}

/** What is known of the clients of an account, so that they pay only for what they use. */
export interface Habits {
  /** Bits of `Ask`: what they have asked of a last statement so far. */
  asked: number;
}

/** Who shares, and what is known of such logins. */
export interface SharingLogin {
  readonly login: ServerLogin;
  readonly tenant: TenantConfig | undefined;
  readonly proofs: LoginProofs;
}

export interface SharedServersOptions {
  readonly habits: Habits;
  poolsOf(backend: Backend): ServerPools;
}

export class SharedServers {
  /** Those that carry the tenant, as they are configured. */
  readonly backends: readonly Backend[];
  readonly habits: Habits;
  readonly #sharing: SharingLogin;
  readonly #poolsOf: (backend: Backend) => ServerPools;
  readonly #pools = new Map<Backend, Pool>();

  constructor(
    backends: readonly Backend[],
    sharing: SharingLogin,
    { habits, poolsOf }: SharedServersOptions,
  ) {
    this.backends = backends;
    this.habits = habits;
    this.#sharing = sharing;
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
   * A session as soon as there is one. A server that fails is followed by the next one; while none
   * can be reached, they are tried again until the time limit.
   * @throws {SluiceError} pool_exhausted, killed where the signal fires, or what servers say
   */
  async acquire(
    request: PoolRequest,
    { backend, signal, onOpening }: AcquireOptions,
  ): Promise<ServerSession> {
    const since = Date.now();
    const backends = backend === undefined ? this.backends : [backend];
    const isPatient = backends.length === 1;
    const options = { signal, since, isPatient, ...(onOpening === undefined ? {} : { onOpening }) };
    let failure: SluiceError | undefined;
    for (let pause = FIRST_PAUSE;; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
      for (const one of inOrder(backends, Date.now())) {
        try {
          return await this.#take(one, request, options);
        } catch (error) {
          if (!(error instanceof SluiceError) || !mayHelpElsewhere(error)) throw error;
          failure = error;
        }
      }
      const left = since + this.#blockingTimeout - Date.now();
      if (isPatient || left <= 0 || signal.aborted) break;
      await wait(Math.min(pause, left), signal);
    }
    throw failure ?? new SluiceError("server_unreachable", "Tenant has no server to use");
  }

  // ---- whether the login is still good ----

  /** Whether a server has just said that the schema is there, and open to the account. */
  isInOrder(schema: string): boolean {
    return schema === "" || this.#sharing.proofs.isFresh(this.#inSchema(schema));
  }

  /**
   * Has the server say so, whatever the session is in already. Warnings go, as with any statement.
   * @throws {SluiceError} what it says in place of it
   */
  async prove(session: ServerSession, schema: string): Promise<void> {
    await enterSchema(session, schema);
    this.#sharing.proofs.remember(this.#inSchema(schema));
  }

  /**
   * Why a client has got no session: it may be that its login is no good any more.
   * @param schema that the session was to be in
   */
  onFailure(error: unknown, schema: string): void {
    const { proofs } = this.#sharing;
    proofs.judge(this.#sharing, error);
    proofs.judge(this.#inSchema(schema), error);
  }

  #inSchema(schema: string): ProvenLogin {
    const { login, tenant } = this.#sharing;
    return schema === login.schema ? this.#sharing : { login: { ...login, schema }, tenant };
  }

  get #blockingTimeout(): number {
    const [first] = this.backends;
    return first === undefined ? 0 : this.#poolsOf(first).limits.poolBlockingTimeout;
  }

  async #take(
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
      pool = this.#poolsOf(backend).pool(this.#sharing.login);
      this.#pools.set(backend, pool);
    }
    return pool;
  }
}

/** Resolves after this time, or as soon as the signal fires. */
async function wait(time: number, signal: WaitSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, time);
    signal.addEventListener("abort", done);
  });
}
