import type { ClusterConfig, SharingMode, UserConfig } from "./types.ts";

/** Whatever may say itself how sessions have server sessions. */
interface MaySay {
  readonly sharing?: SharingMode | undefined;
}

/**
 * What keeps a server session with its client: what the account says, or else its tenant, or else
 * its cluster.
 */
export function sharingOf(
  cluster: { readonly sharing: SharingMode },
  tenant: MaySay | undefined,
  user: MaySay | undefined,
): SharingMode {
  return user?.sharing ?? tenant?.sharing ?? cluster.sharing;
}

/** Whether anybody's server sessions may be another client's next. */
export function isAnythingShared(
  clusters: readonly Pick<ClusterConfig, "sharing" | "tenants">[],
  users: readonly Pick<UserConfig, "sharing">[],
): boolean {
  return clusters.some((cluster) => shares(cluster) || cluster.tenants.some(shares)) ||
    users.some(shares);
}

function shares({ sharing }: MaySay): boolean {
  return sharing === "transaction";
}
