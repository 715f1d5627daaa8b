/** What clients and logs are told of what went wrong in a session. */
import { internalError, messageOf, ProtocolError, SluiceError } from "../errors.ts";
import type { LogFields } from "../log.ts";
import { OutOfOrder } from "../net/packet_port.ts";
import type { ClientSessionInfo } from "../session_manager.ts";
import type { EndReason } from "./end_reason.ts";

/** What a statement is told whose server session an operator has ended. */
export function interrupted(id: number, where: string): SluiceError {
  const message = `Query execution was interrupted: server session ${id}${where} was killed`;
  return new SluiceError("killed", message);
}

/** Of the last log line of a session. */
export function endFields(
  info: ClientSessionInfo,
  reason: EndReason,
  error: SluiceError | undefined,
): LogFields {
  const { id, peer, user, tenant, cluster, schema, command, statements, bytesIn, bytesOut } = info;
  return {
    cs_id: id,
    peer,
    user: user || undefined,
    tenant: tenant || undefined,
    cluster: cluster || undefined,
    schema: schema || undefined,
    reason,
    code: error?.code,
    error: error?.message,
    cause: error?.cause === undefined ? undefined : causeOf(error),
    duration_ms: Date.now() - info.connectedSince,
    statements,
    last_command: command || undefined,
    bytes_in: bytesIn,
    bytes_out: bytesOut,
  };
}

/** Of a defect the log has the stack, of what comes from outside the message alone. */
function causeOf({ kind, cause }: SluiceError): string {
  const isDefect = kind === "internal" && cause instanceof Error;
  return isDefect ? cause.stack ?? cause.message : messageOf(cause);
}

/** What a client is told of whatever its login failed with. */
export function toldOf(error: unknown): SluiceError {
  if (error instanceof SluiceError) return error;
  if (error instanceof OutOfOrder) {
    return new SluiceError("packets_out_of_order", "Got packets out of order", { cause: error });
  }
  if (error instanceof ProtocolError) {
    return new SluiceError("bad_handshake", "Bad handshake", { cause: error });
  }
  return internalError(error);
}
