import { formatAddress } from "./address.ts";
import { isTable, itemLine, lineOf, tablesOf, UniqueNames, unknownName } from "./lookup.ts";
import type { ProblemList } from "./problems.ts";
import { readSection } from "./section.ts";
import { type TomlNode, type TomlTable, tomlTable } from "./toml_document.ts";
import type { ClusterConfig, ServerConfig, TenantConfig } from "./types.ts";

/** The clusters with their servers and tenants. */
export function readClusters(
  tables: readonly TomlTable[],
  problems: ProblemList,
): ClusterConfig[] {
  const names = new UniqueNames("cluster name", problems);
  return tables.map((table) => {
    const { name = "", kind, sharing, servers: nodes } = readSection(table, "clusters", problems);
    names.add(lineOf(table, "name"), "clusters.name", name);
    const servers = readServers(nodes ?? [], problems);
    const tenants = readTenants(tablesOf(table, "clusters.tenants", problems), servers, problems);
    return { name, kind, sharing, servers, tenants };
  });
}

/** `nodes`: addresses and tables, as the key `servers` lets through. */
function readServers(nodes: readonly TomlNode[], problems: ProblemList): ServerConfig[] {
  const names = new UniqueNames("server name", problems);
  const addresses = new UniqueNames("server address", problems);
  const servers: ServerConfig[] = [];
  for (const node of nodes) {
    const table = isTable(node) ? node : tomlTable(node.line, "inline");
    if (!isTable(node)) table.entries.set("address", { line: node.line, node });
    const { address, name, max_connections: maxConnections, ...values } = readSection(
      table,
      "clusters.servers",
      problems,
    );
    if (address === undefined) continue;
    const text = formatAddress(address);
    const key = isTable(node) ? "clusters.servers.address" : "clusters.servers";
    addresses.add(lineOf(table, "address"), key, text.toLowerCase());
    names.add(lineOf(table, "name"), "clusters.servers.name", name);
    servers.push({
      name: name === "" ? text : name,
      address,
      ...values,
      ...(maxConnections === undefined ? {} : { maxConnections }),
    });
  }
  return servers;
}

function readTenants(
  tables: readonly TomlTable[],
  servers: readonly ServerConfig[],
  problems: ProblemList,
): TenantConfig[] {
  const names = new UniqueNames("tenant name", problems);
  const known = servers.map((server) => server.name);
  return tables.map((table) => {
    const values = readSection(table, "clusters.tenants", problems);
    names.add(lineOf(table, "name"), "clusters.tenants.name", values.name ?? "");
    values.servers.forEach((server, index) => {
      if (known.includes(server)) return;
      const line = itemLine(table, "servers", index);
      problems.add(line, "clusters.tenants.servers", unknownName("server", server, known));
    });
    const { max_connections: maxConnections, sharing } = values;
    return {
      name: values.name ?? "",
      servers: values.servers,
      schema: values.schema,
      ...(maxConnections === undefined ? {} : { maxConnections }),
      ...(sharing === undefined ? {} : { sharing }),
    };
  });
}
