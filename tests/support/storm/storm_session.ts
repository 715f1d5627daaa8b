/** A session that may end at any moment. */
import { decodeTextRow } from "../../../src/protocol/resultset.ts";
import { WireClient, WireClosed, WireError, type WirePacket } from "../wire_client.ts";
import type { Storm } from "./storm.ts";

/** The session is over: it was killed, in whatever phase. */
export class SessionEnded extends Error {
  override readonly name = "SessionEnded";
}

/** What statements may fail with in a storm; anything else is a failure of the proxy. */
const EXPECTED: ReadonlySet<number> = new Set([
  1317, // interrupted
  1205, // lock wait timeout
  1213, // deadlock
]);

export class StormSession implements Disposable {
  readonly id: number;
  readonly #client: WireClient;
  readonly #storm: Storm;

  private constructor(storm: Storm, client: WireClient) {
    this.#storm = storm;
    this.#client = client;
    this.id = client.greeting.threadId;
    storm.ids.add(this.id);
  }

  /** @throws {SessionEnded} where it is killed while it logs in */
  static async open(storm: Storm, user: string): Promise<StormSession> {
    const { port } = storm.options;
    try {
      const login = { user, password: "secret", database: "test" };
      return new StormSession(storm, await WireClient.connect({ port, ...login }));
    } catch (error) {
      if (error instanceof WireError && EXPECTED.has(error.code)) {
        throw new SessionEnded("Killed while it logged in");
      }
      throw endOf(error);
    }
  }

  /**
   * Runs a statement.
   * @returns the first column of its rows, or the code of an expected error
   * @throws {SessionEnded}
   */
  async ask(sql: string): Promise<readonly string[] | number> {
    try {
      return columnOf(await this.#client.run(sql), 0);
    } catch (error) {
      if (error instanceof WireError && EXPECTED.has(error.code)) return error.code;
      if (error instanceof WireError) throw new Error(`Cannot run ${sql}`, { cause: error });
      throw endOf(error);
    }
  }

  /**
   * An attribute of a session; undefined where it has none of the name, or is not to be seen.
   * @throws {SessionEnded}
   */
  async attribute(id: number, name: string): Promise<string | undefined> {
    try {
      const packets = await this.#client.run(`SHOW PROXYSESSION ATTRIBUTE ${id} LIKE '${name}'`);
      return columnOf(packets, 1)[0];
    } catch (error) {
      if (error instanceof WireError && error.code === 1094) return undefined;
      throw endOf(error);
    }
  }

  /** Any request. @returns `OK`, or the code of an error. @throws {SessionEnded} */
  async send(payload: Uint8Array): Promise<string> {
    try {
      const [first] = await this.#client.command(payload);
      return first!.payload[0] === 0xff ? String(new WireError(first!.payload).code) : "OK";
    } catch (error) {
      throw endOf(error);
    }
  }

  /** Asks without reading. */
  async begin(payload: Uint8Array): Promise<void> {
    try {
      await this.#client.send(payload);
    } catch (error) {
      throw endOf(error);
    }
  }

  async quit(): Promise<void> {
    try {
      await this.#client.quit();
    } catch (error) {
      throw endOf(error);
    }
  }

  [Symbol.dispose](): void {
    this.#storm.ids.delete(this.id);
    this.#client.close();
  }
}

/** The values of a column of a reply to a text query; none for an OK. */
export function columnOf(packets: readonly WirePacket[], at: number): string[] {
  const count = packets[0]!.payload[0]!;
  if (count === 0) return [];
  return packets.slice(count + 2, -1).map(({ payload }) =>
    new TextDecoder().decode(decodeTextRow(payload, count)[at] ?? new Uint8Array(0))
  );
}

/** @returns what says that the connection ended; another error as it is */
function endOf(error: unknown): unknown {
  const { ConnectionReset, BrokenPipe, ConnectionAborted } = Deno.errors;
  const isEnd = error instanceof WireClosed || error instanceof ConnectionReset ||
    error instanceof BrokenPipe || error instanceof ConnectionAborted;
  return isEnd ? new SessionEnded("Closed", { cause: error }) : error;
}
