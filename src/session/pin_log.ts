/** Lines of the log for pins that begin and end. */
import { logDebug, logsDebug } from "../log.ts";
import type { Pin } from "../state/pins.ts";

/** Whose pins they are. */
export interface PinnedSession {
  /** `cs_id` */
  readonly clientId: number;
  /** `ss_id`; undefined where that is gone. */
  readonly serverId: number | undefined;
}

/** @param before what was told last */
export function tellPins(
  before: readonly Pin[],
  after: readonly Pin[],
  { clientId, serverId }: PinnedSession,
): void {
  if (!logsDebug()) return;
  const fields = { "cs_id": clientId, "ss_id": serverId };
  for (const { reason, cause, since } of before) {
    if (has(after, reason)) continue;
    logDebug("pin ended", { ...fields, reason, cause, duration_ms: Date.now() - since });
  }
  for (const { reason, cause } of after) {
    if (!has(before, reason)) logDebug("pin begun", { ...fields, reason, cause });
  }
}

function has(pins: readonly Pin[], reason: Pin["reason"]): boolean {
  return pins.some((pin) => pin.reason === reason);
}
