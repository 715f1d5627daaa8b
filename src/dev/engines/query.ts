/** Statements to a server that has just been started, as one of its accounts. */

import { createConnection } from "mysql2";
import type { Address } from "../../config/types.ts";

export interface Account {
  readonly user: string;
  readonly password: string;
}

/**
 * Runs statements one after the other in a session of its own and gives the last one's rows. A
 * number in place of the address is a port of 127.0.0.1.
 */
export async function query(
  address: Address | number,
  account: Account,
  statements: readonly string[],
): Promise<Record<string, unknown>[]> {
  const { hostname, port } = typeof address === "number"
    ? { hostname: "127.0.0.1", port: address }
    : address;
  const connection = await createConnection({
    host: hostname,
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
