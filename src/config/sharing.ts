import type { ClusterConfig, SharingMode, TenantConfig, UserConfig } from "./types.ts";

/**
 * What keeps a server session with its client: what the account says, or else its tenant, or else
 * its cluster.
 */
export function sharingOf(
  cluster: Pick<ClusterConfig, "sharing">,
  tenant: Pick<TenantConfig, "sharing"> | undefined,
  user: Pick<UserConfig, "sharing"> | undefined,
): SharingMode {
  return user?.sharing ?? tenant?.sharing ?? cluster.sharing;
}
