/** The pools of a cluster: those of each of its servers. */
import type { Backend } from "./backend.ts";
import type { Pool } from "./pool.ts";
import { ServerPools, type ServerPoolsOptions } from "./server_pools.ts";
import type { ServerSession } from "./server_session.ts";
import { type Habits, SharedServers, type SharingLogin } from "./shared_servers.ts";

export class ClusterPools {
  readonly #servers: ReadonlyMap<Backend, ServerPools>;
  /** By account. */
  readonly #habits = new Map<string, Habits>();

  constructor(backends: readonly Backend[], options: ServerPoolsOptions) {
    this.#servers = new Map(
      backends.map((backend) => [backend, new ServerPools(backend, options)]),
    );
  }

  /** One for each login: the way of its sessions to the pools. */
  share(backends: readonly Backend[], sharing: SharingLogin): SharedServers {
    const { user } = sharing.login;
    let habits = this.#habits.get(user);
    if (habits === undefined) this.#habits.set(user, habits = { asked: 0 });
    return new SharedServers(backends, sharing, {
      habits,
      poolsOf: (backend) => this.#servers.get(backend)!,
    });
  }

  /** By server, in the order of the configuration. */
  get servers(): Iterable<ServerPools> {
    return this.#servers.values();
  }

  /** All pools of this name, `user#cluster`: one for each server and capability class. */
  named(name: string): Pool[] {
    return [...this.#servers.values()].flatMap((server) =>
      [...server.pools].filter((pool) => pool.name === name)
    );
  }

  /**
   * The sessions of all pools of this name, in use or not.
   * @param id only the one with this `ss_id`
   */
  sessions(name: string, id?: number): ServerSession[] {
    return this.named(name)
      .flatMap((pool) => [...pool.seats].map(({ session }) => session))
      .filter((session) => session.isOpen && (id === undefined || session.id === id));
  }

  /** About once a second. */
  sweep(now: number): void {
    for (const server of this.#servers.values()) server.sweep(now);
  }

  /** Ends all waiting and closes what is free; what is in use closes when it is given back. */
  close(): void {
    for (const server of this.#servers.values()) server.close();
  }
}
