/** A session beside everything: what the server itself lists and locks. */
import { type Connection, createConnection } from "mysql2";
import type { StartedEngine } from "../../../src/dev/engines/engine.ts";

interface Process {
  readonly Id: number;
  readonly Info: string | null;
}

export class Watcher implements AsyncDisposable {
  readonly #connection: Connection;

  private constructor(connection: Connection) {
    this.#connection = connection;
  }

  static async start({ hostname, port, admin }: StartedEngine): Promise<Watcher> {
    const connection = await createConnection({ host: hostname, port, ...admin });
    await connection.query("SET SESSION TRANSACTION ISOLATION LEVEL READ UNCOMMITTED");
    return new Watcher(connection);
  }

  /** The server's own process list, without this session. */
  async processes(): Promise<Process[]> {
    const [rows] = await this.#connection.query("SHOW FULL PROCESSLIST");
    const { threadId } = this.#connection;
    return (rows as Process[]).filter(({ Id }) => Id !== threadId);
  }

  /** Whether somebody runs this very text. */
  async runs(sql: string): Promise<boolean> {
    return (await this.processes()).some(({ Info }) => Info === sql);
  }

  /** Whether a session waits for a row that another has. */
  async seesLockWait(): Promise<boolean> {
    const [rows] = await this.#connection.query(
      "SHOW GLOBAL STATUS LIKE 'Innodb_row_lock_current_waits'",
    );
    return (rows as { Value: string }[])[0]?.Value !== "0";
  }

  /** Whether somebody has loaded this id, committed or not. */
  async seesLoaded(id: number): Promise<boolean> {
    const [rows] = await this.#connection.query(`SELECT id FROM test.loaded WHERE id = ${id}`);
    return (rows as unknown[]).length > 0;
  }

  /** Whether there is a connection of this number. */
  async hasThread(id: number): Promise<boolean> {
    return (await this.processes()).some(({ Id }) => Id === id);
  }

  /** Whether the row of `test.held` can be had at once. */
  async isFree(row: number): Promise<boolean> {
    try {
      await this.#connection.query(`SELECT n FROM test.held WHERE id = ${row} FOR UPDATE NOWAIT`);
      return true;
    } catch (error) {
      const { errno } = error as { errno?: number };
      // MariaDB has one number for both kinds of not waiting.
      if (errno === 1205 || errno === 3572) return false;
      throw error;
    }
  }

  /** Takes the row until `release`. */
  async hold(row: number): Promise<void> {
    await this.#connection.query("BEGIN");
    await this.#connection.query(`UPDATE test.held SET n = n + 1 WHERE id = ${row}`);
  }

  async release(): Promise<void> {
    await this.#connection.query("ROLLBACK");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection.end();
  }
}
