/** Statements to a server that has just been started, as one of its accounts. */

import { createConnection } from "mysql2";

export interface Account {
  readonly user: string;
  readonly password: string;
}

/** Runs statements one after the other in a session of its own and gives the last one's rows. */
export async function query(
  port: number,
  account: Account,
  statements: readonly string[],
): Promise<Record<string, unknown>[]> {
  const connection = await createConnection({
    host: "127.0.0.1",
    port,
    user: account.user,
    password: account.password,
    connectTimeout: 5000,
  });
  try {
    let rows: unknown = [];
    for (const statement of statements) [rows] = await connection.query(statement);
    await connection.end();
    return rows as Record<string, unknown>[];
  } catch (error) {
    connection.destroy();
    throw error;
  }
}

/** 122 random bits in hex: nothing that a shell, SQL or TOML would have to quote. */
export function randomPassword(): string {
  return crypto.randomUUID().replaceAll("-", "");
}
