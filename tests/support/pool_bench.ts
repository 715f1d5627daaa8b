/** The pools of one scripted server, with limits and a clock that tests set, and holders to share. */
import type { Backend } from "../../src/backend/backend.ts";
import type { Pool } from "../../src/backend/pool.ts";
import type { ServerLogin } from "../../src/backend/server_login.ts";
import { ServerPools } from "../../src/backend/server_pools.ts";
import { ServerSession } from "../../src/backend/server_session.ts";
import type { PoolConfig } from "../../src/config/types.ts";
import type { FakeServerOptions } from "../fake/server.ts";
import { BackendBench } from "./backend_bench.ts";
import { eventually } from "./eventually.ts";
import { loginOf } from "./login_of.ts";

const NO_LIMITS: PoolConfig = {
  poolMinConnections: 0,
  poolMaxConnections: 0,
  poolServerMaxConnections: 0,
  poolIdleTimeout: 0,
  poolBlockingTimeout: 60_000,
  poolLifeTime: 0,
  poolPrefill: false,
};

export class PoolBench extends BackendBench {
  readonly pools: ServerPools;
  limits: PoolConfig;
  /** Milliseconds since the epoch. */
  clock: () => number = Date.now;
  /** Added to the clock. Milliseconds. */
  later = 0;
  /** What the pools take for chance. */
  random: () => number = () => 0;

  constructor(limits: Partial<PoolConfig> = {}, options: FakeServerOptions = {}) {
    super(options);
    this.limits = { ...NO_LIMITS, ...limits };
    const limitsNow = () => this.limits;
    this.pools = new ServerPools(this.backend, {
      cluster: "main",
      get limits() {
        return limitsNow();
      },
      now: () => this.clock() + this.later,
      random: () => this.random(),
      open: (backend: Backend, { login, signal, onOpening }) =>
        ServerSession.open(backend, {
          manager: this.manager,
          timeout: 10_000,
          login,
          signal,
          onOpening,
        }),
    });
  }

  pool(change: Partial<ServerLogin> = {}): Pool {
    return this.pools.pool(loginOf(change));
  }

  holder(pool = this.pool()): Holder {
    return new Holder(pool);
  }

  /** Opens so many sessions and gives them back: as many are idle then. */
  async idle(count: number, pool = this.pool()): Promise<Holder[]> {
    const holders = Array.from({ length: count }, () => this.holder(pool));
    for (const holder of holders) await holder.take();
    for (const holder of holders) holder.give();
    return holders;
  }

  /** As the proxy does about once a second, after this time. Milliseconds. */
  sweep(later = 0): void {
    this.later += later;
    this.pools.sweep(this.clock() + this.later);
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    this.pools.close();
    for (const entry of [...this.manager.servers.values()]) entry.kill("the test is over");
    await eventually("nothing is open or waits", () => this.pools.total === 0);
    await super[Symbol.asyncDispose]();
  }
}

/** Somebody who takes sessions of a pool, one at a time. */
export class Holder {
  readonly pool: Pool;
  readonly #abort = new AbortController();
  /** What is far for this one. */
  distance: (session: ServerSession) => number = () => 0;
  session: ServerSession | undefined;
  /** How the session that it had was lost. */
  loss: string | undefined;

  constructor(pool: Pool) {
    this.pool = pool;
  }

  get request() {
    return {
      holder: this,
      login: loginOf(),
      distance: (session: ServerSession) => this.distance(session),
    };
  }

  tryTake(): ServerSession | undefined {
    return this.#have(this.pool.tryTake(this.request));
  }

  async take(login = loginOf(), isPatient = true, since?: number): Promise<ServerSession> {
    const request = { ...this.request, login };
    const age = since === undefined ? {} : { since };
    const options = { signal: this.#abort.signal, isPatient, ...age };
    return this.#have(await this.pool.acquire(request, options))!;
  }

  give(): void {
    const { session } = this;
    this.session = undefined;
    session?.giveBack(this);
  }

  /** As a client does whose session is killed. */
  leave(): void {
    this.#abort.abort();
  }

  #have(session: ServerSession | undefined): ServerSession | undefined {
    this.session = session;
    session?.acquire({
      onServerBytes() {},
      onServerLost: (error) => {
        this.loss = error.message;
        this.session = undefined;
      },
    });
    return session;
  }
}
