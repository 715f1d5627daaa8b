/**
 * How many client sessions there may be: in all, of an account, and of a tenant. Sessions that have
 * logged in are counted as they come and go; nothing is looked through at a login.
 */
import type { Config } from "../config/types.ts";
import { SluiceError } from "../errors.ts";

/** Who a session counts for: the parts of the login name, with the cluster that it led to. */
export interface CountedLogin {
  readonly user: string;
  /** Empty where the login names none; no limit of tenants concerns it then. */
  readonly tenant: string;
  readonly cluster: string;
}

/** Sessions that count together. */
class Count {
  sessions = 0;
  /** Names come from clients: those of nobody must not stay. */
  readonly #forget: () => void;

  constructor(forget: () => void) {
    this.#forget = forget;
  }

  leave(): void {
    if (--this.sessions === 0) this.#forget();
  }
}

type Counts = Map<string, Count>;

/** A session that is being counted. */
export class Place {
  #user: Count | undefined;
  #tenant: Count | undefined;

  constructor(user: Count, tenant: Count | undefined) {
    this.#user = user;
    this.#tenant = tenant;
    user.sessions++;
    if (tenant !== undefined) tenant.sessions++;
  }

  /** Counts it no more; later calls do nothing. */
  leave(): void {
    this.#user?.leave();
    this.#tenant?.leave();
    this.#user = this.#tenant = undefined;
  }
}

export class SessionLimits {
  readonly #users: Counts = new Map();
  readonly #tenants: Counts = new Map();
  /** Sessions of the proxy's own accounts. */
  readonly #exempt = new Count(() => {});
  #proxy: Config["proxy"];
  /** Limits that tenants have of their own. */
  #ofTenant: ReadonlyMap<string, number>;

  constructor(config: Config) {
    this.#proxy = config.proxy;
    this.#ofTenant = tenantLimits(config);
  }

  /** From now on; sessions that are there may stay. */
  use(config: Config): void {
    this.#proxy = config.proxy;
    this.#ofTenant = tenantLimits(config);
  }

  /**
   * Before anybody has looked at a password. Not for logins of the proxy's own accounts, which must
   * get in when nobody else does.
   *
   * @param clients all client sessions, with the one that asks
   * @throws {SluiceError} too_many_sessions naming the limit
   */
  refuseWhenFull(clients: number): void {
    const limit = this.#proxy.clientMaxConnections;
    if (limit > 0 && clients - this.#exempt.sessions > limit) {
      const message = `Too many sessions, at most ${limit} (client_max_connections)`;
      throw new SluiceError("too_many_sessions", message);
    }
  }

  /**
   * Counts a session in whose password was right; one that was not could keep others out.
   *
   * @param own the account's own limit; undefined for that of all accounts
   * @throws {SluiceError} too_many_sessions naming the limit
   */
  enter(login: CountedLogin, own?: number): Place {
    const { user, tenant, cluster } = login;
    const account = `${user}\0${tenant}\0${cluster}`;
    refuseMore(this.#users.get(account)?.sessions, {
      of: `user ${user}${tenant && `@${tenant}`}#${cluster}`,
      own,
      general: this.#proxy.userMaxConnections,
      name: "user_max_connections",
    });
    if (tenant === "") return new Place(countOf(this.#users, account), undefined);
    const key = tenantKey(cluster, tenant);
    refuseMore(this.#tenants.get(key)?.sessions, {
      of: `tenant ${tenant}#${cluster}`,
      own: this.#ofTenant.get(key),
      general: this.#proxy.tenantMaxConnections,
      name: "tenant_max_connections",
    });
    return new Place(countOf(this.#users, account), countOf(this.#tenants, key));
  }

  /** The same for an account of the proxy itself: it takes nobody's place. */
  enterExempt(): Place {
    return new Place(this.#exempt, undefined);
  }
}

interface Limit {
  readonly of: string;
  readonly own: number | undefined;
  readonly general: number;
  readonly name: string;
}

function refuseMore(count: number | undefined, { of, own, general, name }: Limit): void {
  const limit = own ?? general;
  if (limit === 0 || (count ?? 0) < limit) return;
  const which = own === undefined ? name : "its own max_connections";
  throw new SluiceError(
    "too_many_sessions",
    `Too many sessions of ${of}, at most ${limit} (${which})`,
  );
}

function countOf(counts: Counts, key: string): Count {
  const known = counts.get(key);
  if (known !== undefined) return known;
  const count = new Count(() => counts.delete(key));
  counts.set(key, count);
  return count;
}

function tenantKey(cluster: string, tenant: string): string {
  return `${tenant}\0${cluster}`;
}

function tenantLimits(config: Config): Map<string, number> {
  return new Map(
    config.clusters.flatMap((cluster) =>
      cluster.tenants.flatMap(({ name, maxConnections }) =>
        maxConnections === undefined
          ? []
          : [[tenantKey(cluster.name, name), maxConnections] as const]
      )
    ),
  );
}
