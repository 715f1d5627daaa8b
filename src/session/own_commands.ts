/** What sessions of the proxy's own accounts, which use no server, get for commands that are no SQL. */
import type { Identity } from "../admin/scope.ts";
import { SluiceError } from "../errors.ts";
import { encodeText } from "../protocol/bytes.ts";
import { Command } from "../protocol/constants.ts";
import { encodeEof } from "../protocol/response.ts";
import type { OwnAnswers } from "./own_answer.ts";
import type { Plan } from "./plan.ts";

/** @param command its first byte */
export function planOwnCommand(command: number, identity: Identity, answers: OwnAnswers): Plan {
  switch (command) {
    case Command.STMT_CLOSE:
    case Command.STMT_SEND_LONG_DATA:
      return [];
    case Command.PING:
      return [answers.ok()];
    case Command.INIT_DB:
    case Command.RESET_CONNECTION:
      if (identity === "inspector") break;
      return [answers.ok()];
    case Command.SET_OPTION:
      return [answers.payloads((status) => [encodeEof({ warnings: 0, status })])];
    case Command.STATISTICS:
      if (identity === "inspector") break;
      return [answers.payloads(() => [encodeText("The proxy itself: see SHOW PROXYSTAT")])];
    case Command.STMT_EXECUTE:
    case Command.STMT_FETCH:
    case Command.STMT_RESET: {
      const message = "Unknown prepared statement handler given to EXECUTE";
      return [answers.error(new SluiceError("unknown_prepared", message))];
    }
  }
  const message = "Unknown operator, bad internal cmd: this session uses no server";
  return [answers.error(new SluiceError("bad_internal_command", message))];
}
