/** `SHOW PROXYPINS`: why client sessions stay on the server sessions that they have. */
import type { Column } from "../protocol/resultset.ts";
import type { AdminAnswer, Row } from "./answer.ts";
import { listing, numberColumn, textColumn } from "./columns.ts";
import { isLike } from "./like.ts";
import type { Operands } from "./operands.ts";
import type { AdminScope } from "./scope.ts";
import { Visibility } from "./visibility.ts";

export const PIN_COLUMNS: readonly Column[] = [
  numberColumn("Id"),
  textColumn("User"),
  numberColumn("ss_id"),
  textColumn("server"),
  textColumn("reason"),
  textColumn("since"),
  numberColumn("seconds"),
];

export async function showPins(scope: AdminScope, operands: Operands): Promise<AdminAnswer> {
  const pattern = operands.text("pattern");
  const { servers } = scope.proxy.manager;
  const now = Date.now();
  const visible = await new Visibility(scope).visible();
  const rows = visible.flatMap(({ id, user, pins, serverSessionIds }) => {
    const server = servers.find(serverSessionIds[0] ?? 0)?.info();
    return pins.filter(({ reason }) => isLike(reason, pattern)).map(({ reason, since }): Row => [
      id,
      user,
      server?.id ?? null,
      server?.server ?? null,
      reason,
      new Date(since).toISOString(),
      Math.floor((now - since) / 1000),
    ]);
  });
  return listing(PIN_COLUMNS, rows);
}
