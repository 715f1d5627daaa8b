/** One isolate's proxy: builds the parts, listens, sweeps, stops. Wiring, no logic of sessions. */
import type { ProxyView } from "./admin/scope.ts";
import { Cluster } from "./backend/cluster.ts";
import { formatAddress } from "./config/address.ts";
import { LiveConfig } from "./config/live_config.ts";
import { isAnythingShared } from "./config/sharing.ts";
import type { Address, Config } from "./config/types.ts";
import { messageOf } from "./errors.ts";
import { logInfo, logWarning } from "./log.ts";
import { Listener } from "./net/listener.ts";
import { closeQuietly } from "./net/transport.ts";
import type { RsaKey } from "./protocol/auth.ts";
import { ConfiguredAccounts, type CredentialSource } from "./session/accounts.ts";
import { ClientSession } from "./session/client_session.ts";
import type { SessionContext } from "./session/context.ts";
import { SessionLimits } from "./session/limits.ts";
import type { LoginName } from "./session/login_name.ts";
import { ProxysysAccounts } from "./session/proxysys.ts";
import { loadRsaKey, makeRsaKey } from "./session/rsa_key.ts";
import { SessionManager } from "./session_manager.ts";
import { PreparedBook } from "./state/prepared_registry.ts";
import { VERSION } from "./version.ts";

/** The sweep keeps every time limit of sessions, in place of timers of their own. */
const SWEEP_EVERY = 1_000;

/** After the grace period: for the last errors to reach clients and cancels to reach servers. */
const LAST_WORDS = 1_000;

export interface ProxyOptions {
  /** Where accounts are looked up that the configuration does not have. */
  readonly credentials?: readonly CredentialSource[];
}

export class Proxy {
  readonly manager: SessionManager;
  readonly #config: LiveConfig;
  readonly #limits: SessionLimits;
  readonly #clusters: readonly Cluster[];
  readonly #otherSources: readonly CredentialSource[];
  readonly #proxysys = new ProxysysAccounts();
  readonly #startedAt = Date.now();
  #accounts: ConfiguredAccounts;
  #isAnythingShared: boolean;
  readonly #listeners: Listener[] = [];
  #sweep: ReturnType<typeof setInterval> | undefined;
  #rsaKey: Promise<RsaKey> | undefined;
  #arrivals = 0;
  #onEmpty: (() => void) | undefined;
  #endGrace: (() => void) | undefined;
  #isHurried = false;
  #stopping: Promise<void> | undefined;

  /**
   * Starts to serve.
   * @param config a plain one can be changed by SQL for as long as the proxy runs
   * @throws naming the address or file where it cannot listen or read the RSA key
   */
  static async start(config: Config | LiveConfig, options: ProxyOptions = {}): Promise<Proxy> {
    const live = config instanceof LiveConfig ? config : new LiveConfig(config);
    const proxy = new Proxy(live, options);
    await proxy.#start();
    return proxy;
  }

  private constructor(config: LiveConfig, { credentials = [] }: ProxyOptions) {
    const { proxy, clusters, users } = config.current;
    this.#config = config;
    this.#limits = new SessionLimits(config.current);
    const manager = this.manager = new SessionManager({ proxyId: proxy.proxyId, isolate: 0 });
    const options = {
      manager,
      get connectTimeout() {
        return config.current.proxy.connectTimeout;
      },
      get pools() {
        return config.current.proxy;
      },
    };
    this.#clusters = clusters.map((cluster) => new Cluster(cluster, options));
    this.#accounts = new ConfiguredAccounts(users);
    this.#isAnythingShared = isAnythingShared(clusters, users);
    this.#otherSources = credentials;
    config.onChange((next, previous) => this.#useConfig(next, previous));
  }

  /** Where clients can connect: the real ports where 0 was asked for. */
  get addresses(): readonly Address[] {
    return this.#listeners.map((listener) => listener.address);
  }

  /**
   * Takes no more clients, lets those at work finish for `shutdown_grace`, and ends the rest.
   * Resolves when nothing is left.
   */
  stop(): Promise<void> {
    return this.#stopping ??= this.#stop();
  }

  /** The time of {@linkcode stop} for clients to finish is over: it ends what is left. */
  hurry(): void {
    this.#isHurried = true;
    this.#endGrace?.();
  }

  async #start(): Promise<void> {
    const { listen: addresses, rsaPrivateKeyFile: file } = this.#config.current.proxy;
    if (file !== "") this.#rsaKey = Promise.resolve(await loadRsaKey(file));
    else this.#makeKeyEarly();
    const context = this.#context();
    try {
      for (const address of addresses) {
        this.#listeners.push(listen(address, (client) => this.#admit(client, context)));
      }
    } catch (error) {
      await Promise.all(this.#listeners.map((listener) => listener.close()));
      throw error;
    }
    this.#sweep = setInterval(() => this.#sweepSessions(), SWEEP_EVERY);
    logInfo("started", {
      version: VERSION,
      listen: this.addresses.map(formatAddress).join(","),
      clusters: this.#clusters.length,
      pid: Deno.pid,
    });
    void context.defaultCluster.profile();
  }

  /** Sessions go on with what they have looked at; whoever looks next sees the new one. */
  #useConfig(next: Config, previous: Config): void {
    this.#limits.use(next);
    this.#isAnythingShared = isAnythingShared(next.clusters, next.users);
    if (next.users !== previous.users) {
      this.#accounts = new ConfiguredAccounts(next.users);
      this.#makeKeyEarly();
    }
    // The same clusters in the same order: others wait for a restart.
    next.clusters.forEach((cluster, index) => this.#clusters[index]?.use(cluster));
  }

  /** Where a login may need it, the first one should not have to wait. */
  #makeKeyEarly(): void {
    if (this.#sources().some((source) => source.needsRsaKey)) this.#rsaKey ??= makeRsaKey();
  }

  #sources(): readonly CredentialSource[] {
    return [this.#accounts, ...this.#otherSources];
  }

  #view(): ProxyView {
    const isAccepting = () => this.#stopping === undefined;
    return {
      manager: this.manager,
      config: this.#config,
      clusters: this.#clusters,
      pid: Deno.pid,
      startedAt: this.#startedAt,
      get isAccepting() {
        return isAccepting();
      },
    };
  }

  #context(): SessionContext {
    const live = this.#config;
    const byName = new Map(this.#clusters.map((cluster) => [cluster.config.name, cluster]));
    const isShared = () => this.#isAnythingShared;
    // Asked for by the first client: before that the port may not have been chosen.
    let host: bigint | undefined;
    return {
      get config() {
        return live.current.proxy;
      },
      manager: this.manager,
      limits: this.#limits,
      preparedBook: new PreparedBook(),
      proxyView: this.#view(),
      get isAnythingShared() {
        return isShared();
      },
      get defaultCluster() {
        return byName.get(live.current.proxy.defaultCluster)!;
      },
      cluster: (name) => byName.get(name),
      proxysys: this.#proxysys,
      account: (name) => this.#account(name),
      rsaKey: () => this.#rsaKey ??= makeRsaKey(),
      nextProxySessionId: () => {
        host ??= proxySessionHost(this.addresses[0]!);
        return host | BigInt(this.#arrivals++ & 0xffff);
      },
      onSessionEnd: () => {
        if (this.manager.clients.size === 0) this.#onEmpty?.();
      },
    };
  }

  #account(name: LoginName) {
    for (const source of this.#sources()) {
      const account = source.find(name);
      if (account !== undefined) return account;
    }
    return undefined;
  }

  #admit(transport: Deno.TcpConn, context: SessionContext): void {
    const id = this.manager.nextClientId();
    if (id === undefined) {
      logWarning("cannot accept a client", { cause: "all session ids are in use" });
      return closeQuietly(transport);
    }
    const { hostname, port } = transport.remoteAddr;
    void new ClientSession(id, { transport, hostname, port }, context).run();
  }

  #sweepSessions(): void {
    const now = Date.now();
    for (const session of this.manager.clients.values()) session.sweep(now);
    for (const session of this.manager.servers.values()) session.sweep(now);
    for (const cluster of this.#clusters) cluster.pools.sweep(now);
  }

  async #stop(): Promise<void> {
    const { shutdownGrace } = this.#config.current.proxy;
    logInfo("stopping", { clients: this.manager.clients.size, grace_ms: shutdownGrace });
    await Promise.all(this.#listeners.map((listener) => listener.close()));
    for (const session of this.#sessions()) session.leave();
    const finished = this.#empty(this.#isHurried ? 0 : shutdownGrace);
    this.#endGrace = this.#onEmpty;
    await finished;
    this.#endGrace = undefined;
    for (const session of this.#sessions()) session.evict();
    await this.#empty(LAST_WORDS);
    for (const session of this.#sessions()) session.end("shutdown");
    for (const cluster of this.#clusters) cluster.pools.close();
    await this.#serversGone();
    clearInterval(this.#sweep);
    // Still being made where the stop came soon after the start.
    await this.#rsaKey?.catch(() => {});
    logInfo("stopped", { version: VERSION });
  }

  #sessions(): ClientSession[] {
    return [...this.manager.clients.values()].filter((entry) => entry instanceof ClientSession);
  }

  /** Resolves when the last client session has ended, or after `limit` milliseconds. */
  async #empty(limit: number): Promise<void> {
    if (this.manager.clients.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, limit);
      this.#onEmpty = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#onEmpty = undefined;
  }

  /** Statements are still being cancelled and servers still answer COM_QUIT for a moment. */
  async #serversGone(): Promise<void> {
    const until = Date.now() + LAST_WORDS;
    while (this.manager.servers.size > 0 && Date.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    for (const session of [...this.manager.servers.values()]) session.kill("proxy stops");
  }
}

function listen(address: Address, onClient: (client: Deno.TcpConn) => void): Listener {
  try {
    return new Listener(address, onClient);
  } catch (cause) {
    throw new Error(`Cannot listen on ${formatAddress(address)}: ${messageOf(cause)}`, { cause });
  }
}

/** IPv4 address << 32 | port << 16, the fixed part of `proxy_sessid`; 0 as address for IPv6. */
function proxySessionHost({ hostname, port }: Address): bigint {
  const bytes = /^\d+\.\d+\.\d+\.\d+$/.test(hostname) ? hostname.split(".").map(BigInt) : [];
  const address = bytes.reduce((value, byte) => (value << 8n) | byte, 0n);
  return (address << 32n) | (BigInt(port) << 16n);
}
