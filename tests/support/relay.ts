/** A port that leads to a server's, for tests that want something to happen on the way. */

/** What goes on to the client: these bytes, nothing (`stall`), or the connection's end (`cut`). */
export type Passage = Uint8Array | "stall" | "cut";

export abstract class Relay implements AsyncDisposable {
  readonly #listener: Deno.TcpListener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #open = new Set<Deno.TcpConn>();
  readonly #running: Promise<void>[] = [];

  constructor() {
    // Nobody comes before the fields of the class below are there: accepting waits.
    this.#running.push(this.#accept());
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  /** The server's port for one more client, who is sent away where there is none. */
  protected abstract lead(): number | undefined | Promise<number | undefined>;

  /** What becomes of what the server says. The bytes are a view that the next ones overwrite. */
  protected reply(bytes: Uint8Array): Passage | Promise<Passage> {
    return bytes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const connection of this.#open) this.#close(connection);
    // What runs adds more while it accepts.
    for (const running of this.#running) await running;
  }

  async #accept(): Promise<void> {
    for await (const client of this.#listener) {
      this.#take(client);
      this.#running.push(this.#serve(client));
    }
  }

  async #serve(client: Deno.TcpConn): Promise<void> {
    const port = await this.lead();
    if (!this.#open.has(client)) return;
    if (port === undefined) return this.#close(client);
    let server: Deno.TcpConn;
    try {
      server = await Deno.connect({ hostname: "127.0.0.1", port });
    } catch {
      return this.#close(client);
    }
    this.#take(server);
    await Promise.all([
      this.#pass(client, server, (bytes) => bytes),
      this.#pass(server, client, (bytes) => this.reply(bytes)),
    ]);
  }

  /** Ends both connections when one has ended. */
  async #pass(
    from: Deno.TcpConn,
    to: Deno.TcpConn,
    through: (bytes: Uint8Array) => Passage | Promise<Passage>,
  ): Promise<void> {
    const buffer = new Uint8Array(65536);
    try {
      for (let count = await from.read(buffer); count !== null; count = await from.read(buffer)) {
        const bytes = await through(buffer.subarray(0, count));
        if (bytes === "cut") break;
        if (bytes === "stall") continue;
        for (let at = 0; at < bytes.length;) at += await to.write(bytes.subarray(at));
      }
    } catch {
      // The other direction has ended both connections.
    }
    this.#close(from);
    this.#close(to);
  }

  #take(connection: Deno.TcpConn): void {
    connection.setNoDelay();
    this.#open.add(connection);
  }

  #close(connection: Deno.TcpConn): void {
    if (this.#open.delete(connection)) connection.close();
  }
}
