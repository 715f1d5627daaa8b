import { lineOf, UniqueNames, unknownName } from "./lookup.ts";
import type { ProblemList } from "./problems.ts";
import { readClientSecret, readServerAccount } from "./secrets.ts";
import { readSection } from "./section.ts";
import type { ConfigSystem } from "./system.ts";
import type { TomlTable } from "./toml_document.ts";
import type { ClusterConfig, UserConfig } from "./types.ts";

/** The accounts of the clients. */
export function readUsers(
  tables: readonly TomlTable[],
  clusters: readonly ClusterConfig[],
  { system, problems }: { readonly system: ConfigSystem; readonly problems: ProblemList },
): UserConfig[] {
  const accounts = new UniqueNames("account (name, tenant and cluster)", problems);
  return tables.map((table) => {
    const values = readSection(table, "users", problems);
    const { name = "", cluster, tenant } = values;
    if (name !== "") {
      const scope = `${tenant && `@${tenant}`}${cluster && `#${cluster}`}`;
      accounts.add(lineOf(table, "name"), "users.name", name + scope);
    }
    checkScope(table, { cluster, tenant, clusters }, problems);
    const source = { section: "users", table, values, system, problems } as const;
    // The stand-in never leaves: without a secret there is a problem, and so no configuration.
    const secret = readClientSecret(source) ?? { kind: "clear", password: "" };
    const server = readServerAccount(source);
    const { max_connections: maxConnections, sharing } = values;
    return {
      name,
      cluster,
      tenant,
      secret,
      ...(server === undefined ? {} : { server }),
      ...(maxConnections === undefined ? {} : { maxConnections }),
      ...(sharing === undefined ? {} : { sharing }),
    };
  });
}

/** Adds a cluster or tenant that no login could reach. */
function checkScope(
  table: TomlTable,
  scope: { cluster: string; tenant: string; clusters: readonly ClusterConfig[] },
  problems: ProblemList,
): void {
  const { cluster, tenant, clusters } = scope;
  // Without any cluster that is the problem, and it is told elsewhere.
  if (clusters.length === 0) return;
  const names = clusters.map((known) => known.name);
  if (cluster !== "" && !names.includes(cluster)) {
    const problem = unknownName("cluster", cluster, names);
    problems.add(lineOf(table, "cluster"), "users.cluster", problem);
    return;
  }
  const reached = clusters.filter((known) => cluster === "" || known.name === cluster);
  // OceanBase knows its tenants itself: a cluster that lists none has them all.
  const open = reached.some((known) => known.kind === "oceanbase" && known.tenants.length === 0);
  const tenants = reached.flatMap((known) => known.tenants.map((one) => one.name));
  if (tenant === "" || open || tenants.includes(tenant)) return;
  problems.add(lineOf(table, "tenant"), "users.tenant", unknownName("tenant", tenant, tenants));
}
