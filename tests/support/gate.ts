/** A port in front of a server: counts who comes, and can be shut for a while. */

export class Gate implements AsyncDisposable {
  /** Connections that came so far. */
  connections = 0;
  readonly #listener: Deno.TcpListener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #serverPort: number;
  readonly #open = new Set<Deno.TcpConn>();
  readonly #running: Promise<void>[] = [];
  #shut: PromiseWithResolvers<void> | undefined;

  constructor(serverPort: number) {
    this.#serverPort = serverPort;
    this.#running.push(this.#accept());
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  /** From now on connections are taken and hear nothing. */
  shut(): void {
    this.#shut ??= Promise.withResolvers();
  }

  /** Lets all through that wait, and all that come. */
  open(): void {
    this.#shut?.resolve();
    this.#shut = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.open();
    this.#listener.close();
    for (const connection of this.#open) this.#close(connection);
    // What runs adds more while it accepts.
    for (const running of this.#running) await running;
  }

  async #accept(): Promise<void> {
    for await (const client of this.#listener) {
      this.connections++;
      this.#take(client);
      this.#running.push(this.#serve(client));
    }
  }

  async #serve(client: Deno.TcpConn): Promise<void> {
    await this.#shut?.promise;
    if (!this.#open.has(client)) return;
    const server = await Deno.connect({ hostname: "127.0.0.1", port: this.#serverPort });
    this.#take(server);
    await Promise.all([this.#pass(client, server), this.#pass(server, client)]);
  }

  /** Ends both connections when one has ended. */
  async #pass(from: Deno.TcpConn, to: Deno.TcpConn): Promise<void> {
    const buffer = new Uint8Array(65536);
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

  #take(connection: Deno.TcpConn): void {
    connection.setNoDelay();
    this.#open.add(connection);
  }

  #close(connection: Deno.TcpConn): void {
    if (this.#open.delete(connection)) connection.close();
  }
}
