/** One value of a server, as tests with a driver ask for it. */
import type { Connection } from "mysql2";

/**
 * The first column of the first row of the result, undefined where it has none.
 * @param values parameters: the statement is prepared then
 */
export async function value(
  client: Connection,
  sql: string,
  values?: (string | number | null)[],
): Promise<unknown> {
  const [rows] = values === undefined ? await client.query(sql) : await client.execute(sql, values);
  return Object.values((rows as Record<string, unknown>[])[0] ?? {})[0];
}
