/** `SHOW PROXYCONFIG` and `ALTER PROXYCONFIG SET`. */
import type { ParameterRow } from "../config/live_config.ts";
import { ColumnType } from "../protocol/constants.ts";
import { type Column, makeColumn } from "../protocol/resultset.ts";
import type { AdminAnswer, Row } from "./answer.ts";
import { listing, numberColumn, textColumn } from "./columns.ts";
import { isLike } from "./like.ts";
import type { Operands } from "./operands.ts";
import type { AdminScope } from "./scope.ts";

const PARAMETER_COLUMNS: readonly Column[] = [
  textColumn("name"),
  textColumn("value"),
  makeColumn("info", { length: 4096 }),
  textColumn("need_reboot"),
  textColumn("visible_level"),
  textColumn("range"),
  textColumn("config_level"),
  textColumn("pending_value"),
];

/** Settings of single addresses, tenants and clusters. */
const OVERRIDE_COLUMNS: readonly Column[] = [
  numberColumn("vid"),
  textColumn("vip"),
  makeColumn("vport", { type: ColumnType.LONG, length: 11 }),
  textColumn("tenant_name"),
  textColumn("cluster_name"),
  textColumn("name"),
  textColumn("value"),
  textColumn("config_level"),
];

export function proxyConfigColumns(operands: Operands): readonly Column[] {
  return operands.has("ALL") ? OVERRIDE_COLUMNS : PARAMETER_COLUMNS;
}

/** `SHOW PROXYCONFIG [ALL|DIFF [USER]] [LIKE pattern]` */
export function showProxyConfig({ proxy }: AdminScope, operands: Operands): AdminAnswer {
  const columns = proxyConfigColumns(operands);
  // Every parameter holds for the whole proxy: there is none that something overrides.
  if (operands.has("ALL")) return listing(columns, []);
  const pattern = operands.text("pattern");
  return listing(
    columns,
    proxy.config.rows()
      .filter(({ name }) => isLike(name, pattern))
      .filter(({ isChanged }) => isChanged || !operands.has("DIFF"))
      .filter(({ visibleLevel }) => visibleLevel === "USER" || !operands.has("USER"))
      .map(parameterRow),
  );
}

function parameterRow(row: ParameterRow): Row {
  return [
    row.name,
    row.value,
    row.info,
    String(row.needsRestart),
    row.visibleLevel,
    row.range,
    "LEVEL_GLOBAL",
    row.pending ?? null,
  ];
}

/**
 * `ALTER PROXYCONFIG SET name = [value]`: without a value the parameter goes back to what it is
 * without this statement.
 * @throws {SluiceError} unknown_config, invalid_config, not_supported
 */
export async function alterProxyConfig(
  { proxy }: AdminScope,
  operands: Operands,
): Promise<AdminAnswer> {
  const asked = operands.text("name") ?? "";
  const { name, needsRestart, isKept } = await proxy.config.set(
    asked,
    operands.text("value") ?? "",
  );
  const notes: string[] = [];
  if (needsRestart) notes.push(`${name} changes when the proxy is started again`);
  if (!isKept) notes.push("the change is lost when the proxy stops: it has no configuration file");
  return { kind: "ok", message: notes.join("; ") };
}
