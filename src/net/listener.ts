/** Accepts clients on one address. */
import type { Address } from "../config/types.ts";
import { messageOf } from "../errors.ts";
import { logWarning } from "../log.ts";
import { setOptions } from "./transport.ts";

/** Pause after an accept that failed for want of descriptors or memory: they may come back. */
const PAUSE_AFTER_FAILURE = 100;

export class Listener {
  readonly #listener: Deno.TcpListener;
  readonly #onClient: (client: Deno.TcpConn) => void;
  readonly #loop: Promise<void>;
  #isClosed = false;

  /** Listens at once. @throws what `Deno.listen` throws, for example `AddrInUse` */
  constructor(address: Address, onClient: (client: Deno.TcpConn) => void) {
    this.#listener = Deno.listen({ ...address, tcpBacklog: 4096 });
    this.#onClient = onClient;
    this.#loop = this.#accept();
  }

  /** Where it listens: the port that was chosen when 0 was asked for. */
  get address(): Address {
    return this.#listener.addr as Deno.NetAddr;
  }

  /** Takes no more clients; those that came stay. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#listener.close();
    await this.#loop;
  }

  async #accept(): Promise<void> {
    while (!this.#isClosed) {
      try {
        const client = await this.#listener.accept();
        setOptions(client);
        this.#onClient(client);
      } catch (error) {
        if (this.#isClosed) return;
        logWarning("cannot accept a client", { cause: messageOf(error) });
        await new Promise((resolve) => setTimeout(resolve, PAUSE_AFTER_FAILURE));
      }
    }
  }
}
