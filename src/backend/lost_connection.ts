/** What is said of a connection to a server that has ended under its user. */
import { SluiceError } from "../errors.ts";

/** When that was, to whoever reads of it. */
export type LossMoment = "during query" | "between statements";

export class LostConnection extends SluiceError {
  readonly #server: string;
  readonly #reason: string;

  /** @param server label of the backend */
  constructor(server: string, reason: string) {
    super("server_lost", lossText(server, reason, "during query"));
    this.#server = server;
    this.#reason = reason;
  }

  messageAt(moment: LossMoment): string {
    return lossText(this.#server, this.#reason, moment);
  }
}

function lossText(server: string, reason: string, moment: LossMoment): string {
  return `Lost connection to server ${server} ${moment}: ${reason}`;
}
