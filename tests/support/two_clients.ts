import { type Connection, createConnection } from "mysql2";
import { APP, TestProxy } from "./test_proxy.ts";

/**
 * Two clients of the account `app` that take turns on one server session of the server at `port`.
 * @param schemas of their logins, where they have one
 */
export async function withTwoClients(
  port: number,
  run: (a: Connection, b: Connection, proxy: TestProxy) => Promise<void>,
  schemas: readonly (string | undefined)[] = [],
): Promise<void> {
  await using proxy = await TestProxy.start({
    servers: [port],
    sharing: "transaction",
    proxy: { session_pool_default_max_conn: 1 },
  });
  const connect = (schema: string | undefined) =>
    createConnection({
      host: "127.0.0.1",
      port: proxy.port,
      ...APP,
      ...(schema === undefined ? {} : { database: schema }),
    });
  const [a, b] = [await connect(schemas[0]), await connect(schemas[1])];
  try {
    await run(a, b, proxy);
  } finally {
    await a.end();
    await b.end();
  }
}
