/** The one table of the proxy's own statements. */
import type { AdminAnswer } from "./answer.ts";
import { listing, textColumn } from "./columns.ts";
import { type CommandRow, commandRow, type CommandText } from "./command_row.ts";
import {
  GLOBAL_ATTRIBUTE_COLUMNS,
  GLOBAL_SESSION_COLUMNS,
  killGlobalSession,
  showGlobalAttributes,
  showGlobalSessions,
} from "./global_sessions.ts";
import { kill, killProxySession, killQueryById, killUser } from "./kill.ts";
import { isLike } from "./like.ts";
import { MISSING_COMMANDS } from "./missing_rows.ts";
import type { Operands } from "./operands.ts";
import { processListColumns, showProcessList } from "./process_list.ts";
import { alterProxyConfig, proxyConfigColumns, showProxyConfig } from "./proxy_config.ts";
import {
  CONNECTION_COLUMNS,
  showConnections,
  showThreads,
  THREAD_COLUMNS,
} from "./proxy_network.ts";
import {
  CLUSTER_COLUMNS,
  INFO_COLUMNS,
  MEMORY_COLUMNS,
  pingProxy,
  proxyStatus,
  proxyStatusColumns,
  proxyVersion,
  proxyVersionColumns,
  showBinary,
  showClusters,
  showMemory,
} from "./proxy_process.ts";
import { PIN_COLUMNS, showPins } from "./proxy_pins.ts";
import { PROXY_SESSION_COLUMNS, showProxySessions } from "./proxy_sessions.ts";
import { PROXY_STAT_COLUMNS, showProxyStatistics } from "./proxy_statistics.ts";
import type { AdminScope } from "./scope.ts";
import {
  ATTRIBUTE_COLUMNS,
  showAttributes,
  showStatistics,
  showVariables,
  STAT_COLUMNS,
  VARIABLE_COLUMNS,
} from "./session_details.ts";

const HELP_COLUMNS = [textColumn("statement"), textColumn("gate"), textColumn("description")];

const TEXTS: readonly CommandText[] = [
  {
    syntax: "SHOW [FULL] PROCESSLIST [WHERE condition]",
    gate: "everybody",
    help: "The client sessions that you may see, in MySQL's columns",
    columns: processListColumns,
    isUnlimited: true,
    run: showProcessList,
  },
  {
    syntax: "SHOW PROXYSESSION",
    gate: "everybody",
    help: "The client sessions that you may see",
    columns: PROXY_SESSION_COLUMNS,
    run: showProxySessions,
  },
  {
    syntax: "SHOW PROXYSESSION ATTRIBUTE [id] [LIKE pattern]",
    gate: "everybody",
    help: "A client session and its server sessions in detail; without id your own",
    columns: ATTRIBUTE_COLUMNS,
    run: showAttributes,
  },
  {
    syntax: "SHOW PROXYSESSION STAT [id] [LIKE pattern]",
    gate: "everybody",
    help: "Counters of a client session; without id your own",
    columns: STAT_COLUMNS,
    run: showStatistics,
  },
  {
    syntax: "SHOW PROXYSESSION VARIABLES [ALL] [id] [LIKE pattern]",
    gate: "everybody",
    help: "System variables that a client session has changed; without id your own",
    columns: VARIABLE_COLUMNS,
    run: showVariables,
  },
  {
    syntax: "KILL [HARD|SOFT] [CONNECTION|QUERY] id",
    gate: "everybody",
    help: "Ends a client session, or only what it is doing",
    run: kill,
  },
  {
    syntax: "KILL [HARD|SOFT] [CONNECTION|QUERY] USER user",
    gate: "everybody",
    help: "Ends all client sessions of a user, or only what they are doing",
    run: killUser,
  },
  {
    syntax: "KILL [HARD|SOFT] QUERY ID query_id",
    gate: "everybody",
    help: "Answers that there is no such query: the proxy does not number queries",
    run: killQueryById,
  },
  {
    syntax: "KILL PROXYSESSION id [ss_id]",
    gate: "operators",
    help: "Ends a client session, or only one of its server sessions",
    run: killProxySession,
  },
  {
    syntax: "SHOW GLOBALSESSION [LIKE pattern]",
    gate: "operators",
    help: "The pools of server sessions that clients share, by account and cluster",
    columns: GLOBAL_SESSION_COLUMNS,
    run: showGlobalSessions,
  },
  {
    syntax: "SHOW GLOBALSESSION ATTRIBUTE {ALL|LIKE pattern|dbkey}",
    gate: "operators",
    help: "The server sessions of pools",
    columns: GLOBAL_ATTRIBUTE_COLUMNS,
    run: showGlobalAttributes,
  },
  {
    syntax: "KILL GLOBALSESSION dbkey [ss_id]",
    gate: "operators",
    help: "Ends the server sessions of pools, or only one of them",
    run: killGlobalSession,
  },
  {
    syntax: "SHOW PROXYPINS [LIKE pattern]",
    gate: "everybody",
    help: "What keeps client sessions on the server sessions that they have, and since when",
    columns: PIN_COLUMNS,
    run: showPins,
  },
  {
    syntax: "SHOW PROXYCONFIG [ALL|DIFF [USER]] [LIKE pattern]",
    gate: "operators",
    help: "Parameters; DIFF: those that are not at their default",
    columns: proxyConfigColumns,
    run: showProxyConfig,
  },
  {
    syntax: "ALTER PROXYCONFIG SET name = [value]",
    gate: "operators",
    help: "Changes a parameter for good; without a value takes that back",
    run: alterProxyConfig,
  },
  {
    syntax: "SHOW PROXYSTAT [REFRESH] [LIKE pattern]",
    gate: "operators",
    help: "Counters of the proxy",
    columns: PROXY_STAT_COLUMNS,
    run: showProxyStatistics,
  },
  {
    syntax: "SHOW PROXYCLUSTER [LIKE pattern]",
    gate: "operators",
    help: "The clusters and their servers",
    columns: CLUSTER_COLUMNS,
    run: showClusters,
  },
  {
    syntax: "SHOW PROXYNET CONNECTION [thread_id [LIMIT {rows OFFSET offset|offset, rows|rows}]]",
    gate: "operators",
    help: "The connections to clients and to servers",
    columns: CONNECTION_COLUMNS,
    run: showConnections,
  },
  {
    syntax: "SHOW PROXYNET THREAD",
    gate: "operators",
    help: "The thread that serves the connections",
    columns: THREAD_COLUMNS,
    run: showThreads,
  },
  {
    syntax: "SHOW PROXYMEMORY [rows]",
    gate: "operators",
    help: "The memory of the process",
    columns: MEMORY_COLUMNS,
    run: showMemory,
  },
  {
    syntax: "SHOW PROXYINFO BINARY",
    gate: "operators",
    help: "The program that runs",
    columns: INFO_COLUMNS,
    run: showBinary,
  },
  {
    syntax: "PING PROXY",
    gate: "everybody",
    help: "OK while the proxy takes new clients",
    run: pingProxy,
  },
  {
    syntax: "SELECT PROXY_VERSION() [[AS] name]",
    gate: "everybody",
    help: "The version of the proxy",
    columns: proxyVersionColumns,
    run: proxyVersion,
  },
  {
    syntax: "SELECT PROXY_STATUS() [[AS] name]",
    gate: "everybody",
    help: "Whether the proxy takes new clients",
    columns: proxyStatusColumns,
    run: proxyStatus,
  },
  {
    syntax: "SHOW PROXYHELP [LIKE pattern]",
    gate: "everybody",
    help: "These statements",
    columns: HELP_COLUMNS,
    run: showHelp,
  },
];

export const COMMANDS: readonly CommandRow[] = [...TEXTS.map(commandRow), ...MISSING_COMMANDS];

/** Letter case does not count: statements have none. */
function showHelp(_scope: AdminScope, operands: Operands): AdminAnswer {
  const pattern = operands.text("pattern")?.toUpperCase();
  return listing(
    HELP_COLUMNS,
    COMMANDS
      .filter(({ syntax, isMissing }) => !isMissing && isLike(syntax.text.toUpperCase(), pattern))
      .map(({ syntax, gate, help }) => [
        syntax.text,
        gate === "everybody" ? "everybody" : "root@proxysys, root@sys",
        help,
      ]),
  );
}
