/** What all client sessions of an isolate share. */
import type { ProxyView } from "../admin/scope.ts";
import type { Cluster } from "../backend/cluster.ts";
import type { ProxyConfig } from "../config/types.ts";
import type { RsaKey } from "../protocol/auth.ts";
import type { SessionManager } from "../session_manager.ts";
import type { PreparedBook } from "../state/prepared_registry.ts";
import type { Account } from "./accounts.ts";
import type { SessionLimits } from "./limits.ts";
import type { LoginName } from "./login_name.ts";
import type { ProxysysAccounts } from "./proxysys.ts";

export interface SessionContext {
  /** In force now: it may be another one at the next look. */
  readonly config: ProxyConfig;
  readonly manager: SessionManager;
  readonly limits: SessionLimits;
  /** What clients have prepared whose server sessions are shared. */
  readonly preparedBook: PreparedBook;
  /** The same as the proxy's own statements see it. */
  readonly proxyView: ProxyView;
  /** Whether anybody's server sessions may be another client's next. */
  readonly isAnythingShared: boolean;
  /** As in force now. */
  readonly defaultCluster: Cluster;
  /** The cluster of this name, or undefined. */
  cluster(name: string): Cluster | undefined;
  /** The account of a login, from the first source that has it. */
  account(name: LoginName): Account | undefined;
  /** The accounts of the proxy itself. */
  readonly proxysys: ProxysysAccounts;
  /** Made on first need. */
  rsaKey(): Promise<RsaKey>;
  /** `proxy_sessid` of a session that arrives now. */
  nextProxySessionId(): bigint;
  /** Told once by each session, when nothing of it is left. */
  onSessionEnd(id: number): void;
}
