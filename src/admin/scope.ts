/** What the proxy's own statements see and touch: the caller, and the parts of the process. */
import type { Cluster } from "../backend/cluster.ts";
import type { LiveConfig } from "../config/live_config.ts";
import type { SessionManager } from "../session_manager.ts";

/**
 * - `proxysys`: `root@proxysys`, who may do everything and reaches no server
 * - `inspector`: `inspector@proxysys`, who may ask whether the proxy is alive
 * - `root_sys`: `root@sys`, who may do everything beside using servers
 * - `ordinary`: everybody else
 */
export type Identity = "proxysys" | "inspector" | "root_sys" | "ordinary";

/** What the server lets an account do to others' sessions. */
export interface Privileges {
  /** PROCESS or SUPER: see the sessions of others. */
  readonly seesOthers: boolean;
  /** SUPER or CONNECTION ADMIN: end the sessions of others. */
  readonly endsOthers: boolean;
}

/** Who has sent the statement. */
export interface Caller {
  /** `cs_id` */
  readonly id: number;
  readonly user: string;
  readonly tenant: string;
  readonly cluster: string;
  readonly identity: Identity;
  /** Asked from a server on the first call and kept. @throws {SluiceError} where none answers */
  privileges(): Promise<Privileges>;
}

/** The process, as far as statements show or change it. */
export interface ProxyView {
  readonly manager: SessionManager;
  readonly config: LiveConfig;
  readonly clusters: readonly Cluster[];
  readonly pid: number;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** Whether new clients are still taken. */
  readonly isAccepting: boolean;
}

export interface AdminScope {
  readonly caller: Caller;
  readonly proxy: ProxyView;
}
