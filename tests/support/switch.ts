/** A port that leads to one server, to another one, or to none. */

export class Switch implements AsyncDisposable {
  /** Connections are closed at once while there is none. */
  target: number | undefined;
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #open = new Set<Deno.TcpConn>();
  readonly #running: Promise<void>[] = [];

  constructor(target?: number) {
    this.target = target;
    this.#running.push(this.#accept());
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const connection of this.#open) this.#close(connection);
    // What runs adds more while it accepts.
    for (const running of this.#running) await running;
  }

  async #accept(): Promise<void> {
    for await (const client of this.#listener) {
      this.#open.add(client);
      this.#running.push(this.#lead(client));
    }
  }

  async #lead(client: Deno.TcpConn): Promise<void> {
    const { target } = this;
    if (target === undefined) return this.#close(client);
    let server: Deno.TcpConn;
    try {
      server = await Deno.connect({ hostname: "127.0.0.1", port: target });
    } catch {
      return this.#close(client);
    }
    this.#open.add(server);
    for (const connection of [client, server]) connection.setNoDelay();
    await Promise.all([this.#pass(client, server), this.#pass(server, client)]);
  }

  /** Ends both connections when one has ended. */
  async #pass(from: Deno.TcpConn, to: Deno.TcpConn): Promise<void> {
    const buffer = new Uint8Array(16384);
    try {
      for (let count = await from.read(buffer); count !== null; count = await from.read(buffer)) {
        for (let at = 0; at < count;) at += await to.write(buffer.subarray(at, count));
      }
    } catch {
      // The other direction has ended both connections.
    }
    this.#close(from);
    this.#close(to);
  }

  #close(connection: Deno.TcpConn): void {
    this.#open.delete(connection);
    try {
      connection.close();
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }
}
