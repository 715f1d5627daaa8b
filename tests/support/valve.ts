/** A port in front of a server that holds back what the server says for as long as it is shut. */

export class Valve implements AsyncDisposable {
  /** Times that something of the server was held back. */
  held = 0;
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

  shut(): void {
    this.#shut ??= Promise.withResolvers();
  }

  /** Lets through what was held back, and all that comes. */
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
    for await (const client of this.#listener) this.#running.push(this.#serve(client));
  }

  async #serve(client: Deno.TcpConn): Promise<void> {
    const server = await Deno.connect({ hostname: "127.0.0.1", port: this.#serverPort });
    for (const connection of [client, server]) {
      connection.setNoDelay();
      this.#open.add(connection);
    }
    await Promise.all([this.#pass(client, server), this.#pass(server, client, true)]);
  }

  /** Ends both connections when one has ended. */
  async #pass(from: Deno.TcpConn, to: Deno.TcpConn, mayHold = false): Promise<void> {
    const buffer = new Uint8Array(65536);
    try {
      for (let count = await from.read(buffer); count !== null; count = await from.read(buffer)) {
        if (mayHold && this.#shut !== undefined) {
          this.held++;
          await this.#shut.promise;
        }
        for (let at = 0; at < count;) at += await to.write(buffer.subarray(at, count));
      }
    } catch {
      // The other direction has ended both connections.
    }
    this.#close(from);
    this.#close(to);
  }

  #close(connection: Deno.TcpConn): void {
    if (this.#open.delete(connection)) connection.close();
  }
}
