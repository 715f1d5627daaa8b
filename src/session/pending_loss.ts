/** What a client has lost with a server session while no command ran that could be told. */
import type { SluiceError } from "../errors.ts";
import { Command } from "../protocol/constants.ts";
import type { ClientCommand } from "./client_command.ts";
import { type LosingSession, lossOfLast } from "./server_loss.ts";

export class PendingLoss {
  #error: SluiceError | undefined;

  /** To be told to the next command that needs a server; undefined where nothing was lost. */
  note(error: SluiceError | undefined): void {
    this.#error = error;
  }

  /** The session was reset: what was lost would have been, too. */
  forget(): void {
    this.#error = undefined;
  }

  /** What a command is answered with that needs a server. */
  find({ code }: ClientCommand, losing: LosingSession): SluiceError | undefined {
    const { lostLast } = losing.hold;
    if (lostLast !== undefined) this.#error = lossOfLast(lostLast, losing);
    return code === Command.RESET_CONNECTION ? undefined : this.#error;
  }

  /** The same, told by that; who expects no reply cannot be told, and the next one is. */
  take(command: ClientCommand, losing: LosingSession): SluiceError | undefined {
    const error = this.find(command, losing);
    if (error !== undefined && command.row?.shape !== "none") this.#error = undefined;
    return error;
  }

  /** What a command is answered with that the proxy would answer itself: "no cursor" is no news. */
  takeForFetch({ code }: ClientCommand): SluiceError | undefined {
    if (code !== Command.STMT_FETCH) return undefined;
    const error = this.#error;
    this.#error = undefined;
    return error;
  }
}
