/** What sessions without servers, those of the proxy's own accounts, get for commands that are no SQL. */
import type { Identity } from "../admin/scope.ts";
import { SluiceError } from "../errors.ts";
import { encodeText } from "../protocol/bytes.ts";
import type { Capabilities } from "../protocol/capabilities.ts";
import { Command } from "../protocol/constants.ts";
import { encodeEof, encodeOk, plainOk } from "../protocol/response.ts";
import { errorPart, payloadPart } from "./own_answer.ts";
import type { Plan } from "./plan.ts";

/** @param payload from the command byte on */
export function planOwnCommand(
  payload: Uint8Array,
  { base }: Capabilities,
  identity: Identity,
): Plan {
  switch (payload[0]) {
    case Command.STMT_CLOSE:
    case Command.STMT_SEND_LONG_DATA:
      return [];
    case Command.PING:
      return [payloadPart((status) => [encodeOk(plainOk(status), base)])];
    case Command.INIT_DB:
    case Command.RESET_CONNECTION:
      if (identity === "inspector") break;
      return [payloadPart((status) => [encodeOk(plainOk(status), base)])];
    case Command.SET_OPTION:
      return [payloadPart((status) => [encodeEof({ warnings: 0, status })])];
    case Command.STATISTICS:
      if (identity === "inspector") break;
      return [payloadPart(() => [encodeText("The proxy itself: see SHOW PROXYSTAT")])];
    case Command.STMT_EXECUTE:
    case Command.STMT_FETCH:
    case Command.STMT_RESET:
      return [errorPart(
        new SluiceError("unknown_prepared", "Unknown prepared statement handler given to EXECUTE"),
      )];
  }
  return [errorPart(
    new SluiceError("bad_internal_command", "Unknown operator, bad internal cmd: no server here"),
  )];
}
