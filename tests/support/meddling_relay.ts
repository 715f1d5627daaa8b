/** Passes bytes between clients and a server, and meddles with what the server says. */

/**
 * What becomes of bytes from the server: passed on as they are given back, or nothing more of them
 * (`stall`), or an end of the connection (`cut`).
 */
export type Meddling = (bytes: Uint8Array) => Uint8Array | "stall" | "cut";

export class MeddlingRelay implements AsyncDisposable {
  readonly #listener: Deno.TcpListener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #connections = new Set<Deno.TcpConn>();
  readonly #loops: Promise<void>[] = [];

  constructor(serverPort: number, meddling: Meddling) {
    this.#loops.push(this.#accept(serverPort, meddling));
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const connection of this.#connections) this.#close(connection);
    // Loops add loops while they accept.
    for (const loop of this.#loops) await loop;
  }

  async #accept(serverPort: number, meddling: Meddling): Promise<void> {
    for await (const client of this.#listener) {
      const server = await Deno.connect({ hostname: "127.0.0.1", port: serverPort });
      for (const connection of [client, server]) {
        connection.setNoDelay();
        this.#connections.add(connection);
      }
      this.#loops.push(
        this.#pass(client, server, (bytes) => bytes),
        this.#pass(server, client, meddling),
      );
    }
  }

  /** Ends both connections when one has ended. */
  async #pass(from: Deno.TcpConn, to: Deno.TcpConn, meddling: Meddling): Promise<void> {
    const buffer = new Uint8Array(65536);
    try {
      for (let count = await from.read(buffer); count !== null; count = await from.read(buffer)) {
        const bytes = meddling(buffer.subarray(0, count));
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

  #close(connection: Deno.TcpConn): void {
    if (!this.#connections.delete(connection)) return;
    connection.close();
  }
}
