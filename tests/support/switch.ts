/** A port that leads to one server, to another one, or to none. */
import { Relay } from "./relay.ts";

export class Switch extends Relay {
  /** The port of the server. Connections are closed at once while there is none. */
  target: number | undefined;

  constructor(target?: number) {
    super();
    this.target = target;
  }

  protected override lead(): number | undefined {
    return this.target;
  }
}
