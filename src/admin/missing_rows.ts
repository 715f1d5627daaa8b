/**
 * Statements that operators of OceanBase's proxy know and that this proxy does not have. It knows
 * them by name, since a server would only call them a syntax error.
 */
import type { CommandRow, Gate } from "./command_row.ts";
import { commandRow } from "./command_row.ts";
import { notSupported } from "./refusals.ts";

const MISSING: readonly (readonly [syntax: string, gate: Gate, help: string])[] = [
  ["SHOW PROXYSESSION READ_STALE [LIKE pattern]", "everybody", "Replicas that read too old data"],
  ["SHOW PROXYINFO UPGRADE", "operators", "Upgrade of a running proxy"],
  ["SHOW PROXYINFO IDC", "operators", "Data centers"],
  ["SHOW PROXYCLUSTER IDC [LIKE pattern]", "operators", "Data centers of the clusters"],
  ["SHOW PROXYMEMORY OBJPOOL [rows]", "operators", "Pools of objects"],
  ["SHOW PROXYROUTE [what]", "operators", "Where the data of a table is"],
  ["SHOW PROXYCONGESTION [what]", "operators", "Servers that are not used for a while"],
  ["SHOW PROXYRESOURCE [what]", "operators", "What the proxy holds of each cluster"],
  ["ALTER PROXYRESOURCE DELETE what", "operators", "Forgets a cluster"],
  ["SHOW PROXYVIP [what]", "operators", "Virtual addresses and their tenants"],
  ["SHOW SQLAUDIT [what]", "operators", "The last statements, with their times"],
  ["SHOW WARNLOG [what]", "operators", "The last warnings of the log"],
  ["SHOW PROXYTRACE [what]", "operators", "The servers that a statement was sent to"],
  ["SHOW PROXYSM [what]", "operators", "State machines"],
  ["EXPLAIN ROUTE statement", "everybody", "The server that a statement would go to"],
];

export const MISSING_COMMANDS: readonly CommandRow[] = MISSING.map(([text, gate, help]) => {
  const row = commandRow({
    syntax: text,
    gate,
    help,
    isMissing: true,
    run() {
      throw notSupported(row.syntax.name);
    },
  });
  return row;
});
