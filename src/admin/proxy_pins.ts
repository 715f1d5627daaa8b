/** `SHOW PROXYPINS`: why client sessions stay on the server sessions that they have. */
import type { Column } from "../protocol/resultset.ts";
import { PINS } from "../state/pins.ts";
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
  textColumn("cause"),
  textColumn("things"),
  textColumn("ends"),
  textColumn("since"),
  numberColumn("seconds"),
];

const ENDS: ReadonlyMap<string, string> = new Map(
  Object.entries(PINS).map(([reason, { ends }]) => [reason, ends]),
);

export async function showPins(scope: AdminScope, operands: Operands): Promise<AdminAnswer> {
  const pattern = operands.text("pattern");
  const { servers } = scope.proxy.manager;
  const now = Date.now();
  const visible = await new Visibility(scope).visible();
  const rows = visible.flatMap(({ id, user, pins, serverSessionIds }) => {
    const server = servers.find(serverSessionIds[0] ?? 0)?.info();
    return pins.filter(({ reason }) => isLike(reason, pattern)).map((pin): Row => [
      id,
      user,
      server?.id ?? null,
      server?.server ?? null,
      pin.reason,
      pin.cause,
      pin.things.join(", "),
      ENDS.get(pin.reason) ?? null,
      new Date(pin.since).toISOString(),
      Math.floor((now - pin.since) / 1000),
    ]);
  });
  return listing(PIN_COLUMNS, rows);
}
