/**
 * Login names select a tenant and a cluster beside the user: `user@tenant#cluster` or
 * `cluster:tenant:user`, in the forms that OceanBase clients use.
 */

/** Parts of a login name; the empty text stands for what it does not say. */
export interface LoginName {
  readonly user: string;
  readonly tenant: string;
  readonly cluster: string;
}

const SEPARATORS = [":", "-", "."];

/**
 * Splits a login name. `@` and `#` decide first; otherwise a separator counts where it occurs at
 * least twice. Everything else is a plain user name.
 */
export function parseLoginName(text: string): LoginName {
  if (text.includes("@") || text.includes("#")) {
    const [, user = "", tenant = "", cluster = ""] =
      /^([^@#]*)(?:@([^#]*))?(?:#(.*))?$/s.exec(text) ?? [];
    return { user, tenant, cluster: withoutClusterId(cluster) };
  }
  for (const separator of SEPARATORS) {
    if (!text.includes(separator)) continue;
    const [cluster, tenant, ...rest] = text.split(separator);
    const user = rest[0];
    if (cluster !== undefined && tenant !== undefined && user !== undefined) {
      return { user, tenant, cluster };
    }
  }
  return { user: text, tenant: "", cluster: "" };
}

/** `cluster:id` names the cluster and, for OceanBase, its number, which nobody needs. */
function withoutClusterId(cluster: string): string {
  const colon = cluster.lastIndexOf(":");
  return colon > 0 && /^\d+$/.test(cluster.slice(colon + 1)) ? cluster.slice(0, colon) : cluster;
}
