/** A set of servers that one login name leads to. */
import type { ClusterConfig, PoolConfig, TenantConfig } from "../config/types.ts";
import { messageOf, SluiceError } from "../errors.ts";
import { logDebug, logInfo, logsDebug } from "../log.ts";
import { closeQuietly } from "../net/transport.ts";
import { SHA2 } from "../protocol/auth.ts";
import type { Capabilities } from "../protocol/capabilities.ts";
import { Capability, UTF8MB4_GENERAL_CI } from "../protocol/constants.ts";
import type { Greeting } from "../protocol/handshake.ts";
import type { SessionManager } from "../session_manager.ts";
import { versionNumber } from "../sql/versions.ts";
import { Backend } from "./backend.ts";
import { ClusterPools } from "./cluster_pools.ts";
import { isServerFull, mayHelpElsewhere } from "./failover.ts";
import { askPrivileges, type SessionPrivileges } from "./privileges.ts";
import { readGreeting, type ServerLogin } from "./server_login.ts";
import { carriersOf, inOrder } from "./server_order.ts";
import type { Opening } from "./server_pools.ts";
import { ServerSession } from "./server_session.ts";
import type { SharedServers } from "./shared_servers.ts";

/** How the servers of a cluster introduce themselves, and so the proxy to its clients. */
export interface ServerProfile {
  readonly serverVersion: string;
  readonly capabilities: Capabilities;
  readonly charset: number;
  readonly authPlugin: string;
}

/** For clients that come before any server could be reached: what all servers in use can do. */
const FALLBACK_PROFILE: ServerProfile = {
  serverVersion: "8.0.0",
  capabilities: {
    base: Capability.LONG_PASSWORD | Capability.FOUND_ROWS | Capability.LONG_FLAG |
      Capability.NO_SCHEMA | Capability.ODBC | Capability.LOCAL_FILES | Capability.IGNORE_SPACE |
      Capability.INTERACTIVE | Capability.TRANSACTIONS | Capability.MULTI_STATEMENTS |
      Capability.MULTI_RESULTS | Capability.PS_MULTI_RESULTS | Capability.SESSION_TRACK,
    extended: 0,
  },
  charset: UTF8MB4_GENERAL_CI,
  authPlugin: SHA2,
};

/** Proven logins that are remembered; beyond that the oldest is proven again. */
const PROVEN_LOGINS = 10_000;

export interface ClusterOptions {
  readonly manager: SessionManager;
  /** For one server: from dialing to the end of the login. Milliseconds. */
  readonly connectTimeout: number;
  /** Limits of the pools, in force now. */
  readonly pools: PoolConfig;
}

/** What a client session asks of its cluster. */
export interface ServerRequest {
  readonly login: ServerLogin;
  readonly tenant: TenantConfig | undefined;
  /** Fires when the client session ends before it has its server session. */
  readonly signal: AbortSignal;
  /** Told the `ss_id` of each server session that is tried. */
  readonly onOpening?: (id: number) => void;
}

export class Cluster {
  readonly backends: readonly Backend[];
  /** Server sessions that clients share. */
  readonly pools: ClusterPools;
  readonly #options: ClusterOptions;
  #config: ClusterConfig;
  readonly #proven = new Set<string>();
  #profile: ServerProfile | undefined;
  #version: number | undefined;
  #probe: Promise<ServerProfile> | undefined;

  constructor(config: ClusterConfig, options: ClusterOptions) {
    this.#config = config;
    this.backends = config.servers.map((server) => new Backend(server));
    this.#options = options;
    this.pools = new ClusterPools(this.backends, {
      cluster: config.name,
      get limits() {
        return options.pools;
      },
      open: (backend, opening) => this.#open(backend, opening),
    });
  }

  get config(): ClusterConfig {
    return this.#config;
  }

  /** Takes other values of live keys; the servers and their order are the same. */
  use(config: ClusterConfig): void {
    this.#config = config;
    config.servers.forEach((server, index) => this.backends[index]?.use(server));
  }

  /** The tenant of this name; undefined for a cluster that has none of it. */
  tenant(name: string): TenantConfig | undefined {
    return this.config.tenants.find((tenant) => tenant.name === name);
  }

  /** Of its servers, as versioned comments count it; undefined until one has been seen. */
  get version(): number | undefined {
    return this.#version;
  }

  /** Asks a server for its greeting when none has been seen; never fails. */
  profile(): ServerProfile | Promise<ServerProfile> {
    if (this.#profile !== undefined) return this.#profile;
    this.#probe ??= this.#probeProfile().finally(() => this.#probe = undefined);
    return this.#probe;
  }

  /**
   * A logged-in server session, private to the caller. Servers are tried in order, those that
   * failed lately last.
   * @throws {SluiceError} of the last server when none would have it
   */
  async acquire(request: ServerRequest): Promise<ServerSession> {
    let failure: SluiceError | undefined;
    for (const backend of this.#candidates(request.tenant)) {
      try {
        const session = await this.#open(backend, request);
        this.rememberProof(request);
        return session;
      } catch (error) {
        if (!(error instanceof SluiceError)) throw error;
        failure = error;
        if (request.signal.aborted) break;
        if (!mayHelpElsewhere(error)) {
          this.forgetProof(request);
          break;
        }
      }
    }
    throw failure ??
      new SluiceError("server_unreachable", `Cluster ${this.config.name} has no server to use`);
  }

  /**
   * What an account may do to the sessions of others, by the first server that says it.
   * @throws {SluiceError} of the last server when none does
   */
  async privileges(
    { login, tenant }: Omit<ServerRequest, "signal">,
    timeout: number,
  ): Promise<SessionPrivileges> {
    let failure: unknown;
    for (const backend of this.#candidates(tenant)) {
      try {
        return await askPrivileges(backend, login, { timeout });
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }

  /** Whether a server has taken this account and schema since they last failed. */
  isProven(request: Omit<ServerRequest, "signal">): boolean {
    return this.#proven.has(proofKey(request));
  }

  /** A server has taken this account and schema. */
  rememberProof(request: Omit<ServerRequest, "signal">): void {
    if (this.#proven.size >= PROVEN_LOGINS) {
      for (const oldest of this.#proven) {
        this.#proven.delete(oldest);
        break;
      }
    }
    this.#proven.add(proofKey(request));
  }

  /** A server has refused this account or schema. */
  forgetProof(request: Omit<ServerRequest, "signal">): void {
    this.#proven.delete(proofKey(request));
  }

  /** The way of a login to the pools that it shares with others. */
  share({ login, tenant }: Omit<ServerRequest, "signal">): SharedServers {
    return this.pools.share(carriersOf(this.backends, tenant), login);
  }

  /** @throws {SluiceError} */
  async #open(
    backend: Backend,
    { login, signal, onOpening, isInUse }: Partial<Opening> & Pick<Opening, "login" | "signal">,
  ): Promise<ServerSession> {
    const since = Date.now();
    try {
      const session = await ServerSession.open(backend, {
        manager: this.#options.manager,
        login,
        timeout: this.#options.connectTimeout,
        signal,
        ...(onOpening === undefined ? {} : { onOpening }),
      });
      backend.report(true, Date.now());
      if (logsDebug()) tellOpened(session, since);
      return session;
    } catch (error) {
      if (error instanceof SluiceError && mayHelpElsewhere(error) && !signal.aborted) {
        if (!isInUse || !isServerFull(error)) backend.report(false, Date.now());
        backend.tellFailure(error.message, Date.now());
      }
      throw error;
    }
  }

  #candidates(tenant: TenantConfig | undefined): Backend[] {
    return inOrder(carriersOf(this.backends, tenant), Date.now());
  }

  async #probeProfile(): Promise<ServerProfile> {
    for (const backend of this.#candidates(undefined)) {
      try {
        const greeting = await backend.connect(
          { timeout: this.#options.connectTimeout },
          async (channel) => {
            const seen = await readGreeting(channel);
            channel.finish();
            closeQuietly(channel.transport);
            return seen;
          },
        );
        this.#profile = profileOf(greeting);
        this.#version = versionNumber(greeting.serverVersion);
        logInfo("server found", { server: backend.label, version: greeting.serverVersion });
        return this.#profile;
      } catch (error) {
        backend.report(false, Date.now());
        backend.tellFailure(messageOf(error), Date.now());
      }
    }
    return FALLBACK_PROFILE;
  }
}

function tellOpened({ id, backend, threadId, login }: ServerSession, since: number): void {
  logDebug("server session opened", {
    ss_id: id,
    server: backend.label,
    server_sessid: threadId,
    user: login.user,
    duration_ms: Date.now() - since,
  });
}

function proofKey({ login, tenant }: Omit<ServerRequest, "signal">): string {
  return `${login.user}\0${login.schema}\0${tenant?.name ?? ""}`;
}

function profileOf(greeting: Greeting): ServerProfile {
  return {
    serverVersion: greeting.serverVersion,
    capabilities: { base: greeting.capabilities, extended: greeting.extendedCapabilities },
    charset: greeting.charset,
    authPlugin: greeting.authPlugin,
  };
}
