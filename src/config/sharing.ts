import type { SharingMode } from "./types.ts";

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
