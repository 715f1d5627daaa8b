/** Why a client session ended: a field of its last log line, and what decides that line's level. */
export const END_REASONS = {
  quit: "info",
  client_closed: "info",
  client_lost: "info",
  server_lost: "warning",
  protocol_error: "warning",
  login_refused: "warning",
  login_timeout: "warning",
  idle_timeout: "info",
  killed: "info",
  shutdown: "info",
  internal_error: "error",
} as const satisfies Record<string, "info" | "warning" | "error">;

export type EndReason = keyof typeof END_REASONS;
