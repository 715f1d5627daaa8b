/** What the log tells at level debug, with a real server that clients share. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { createConnection } from "mysql2";
import { eventually } from "../support/eventually.ts";
import type { LogLine } from "../support/log_records.ts";
import { sharedEngine } from "../support/shared_engine.ts";
import { APP, TestProxy } from "../support/test_proxy.ts";
import { value } from "../support/value.ts";

const server = await sharedEngine("mariadb", [
  "CREATE USER app@'%' IDENTIFIED BY 'secret'",
  "GRANT ALL ON *.* TO app@'%'",
]);

/** Without the times, which differ. */
function told({ message, fields }: LogLine): [string, Record<string, unknown>] {
  const { duration_ms: duration, ...rest } = fields;
  assert(duration === undefined || Number.isInteger(duration));
  return [message, rest];
}

Deno.test("At level debug the log follows sessions, pins, waits and catch-ups", {
  ignore: server.ignore,
}, async () => {
  await using proxy = await TestProxy.start({
    servers: [server.engine.port],
    sharing: "transaction",
    proxy: { session_pool_default_max_conn: 1 },
  });
  const { log } = proxy;
  const connect = () =>
    createConnection({ host: "127.0.0.1", port: proxy.port, database: "test", ...APP });
  const first = await connect();
  const second = await connect();
  const debug = (message: string) => {
    const lines = log.of(message);
    assert(lines.every(({ level }) => level === "debug"));
    return lines.map(told).map(([, fields]) => fields);
  };
  try {
    const [a, b] = debug("client logged in").map((fields) => fields.cs_id);
    assertEquals(debug("client logged in")[0], {
      cs_id: a,
      user: "app",
      cluster: "main",
      host: "127.0.0.1",
      sharing: "transaction",
    });
    await first.query("USE mysql");
    await first.query("SET SESSION time_zone = '+03:00', @mine = 'hunter2'");
    await first.query("BEGIN");
    const waiting = value(second, "SELECT 7");
    await eventually("the second one waits", () => debug("wait begun").some((w) => w.cs_id === b));
    await first.query("COMMIT");
    assertEquals(await waiting, 7);
    assertEquals(await value(first, "SELECT @mine"), "hunter2");

    const { server: label } = debug("server session opened")[0]!;
    assertMatch(String(label), /^127\.0\.0\.1:\d+$/);
    const opened = debug("server session opened").map(({ ss_id }) => ss_id);
    const id = opened.at(-1);
    const pin = { "cs_id": a, "ss_id": id, reason: "transaction", cause: "BEGIN" };
    assertEquals([debug("pin begun"), debug("pin ended")], [[pin], [pin]]);
    const place = { pool: "app#main", server: label };
    const waits = debug("wait served").filter((wait) => wait.cs_id === b);
    assertEquals(waits, [{ cs_id: b, ...place, waiting: 0, ss_id: id }]);
    const caught = debug("server session caught up").map(({ server: _, ss_id: __, ...sent }) =>
      sent
    );
    // The second client has no such variable, which takes a reset, and another schema.
    assertEquals(caught.slice(-2).map(({ schema }) => schema), [true, true]);
    assertEquals(caught.slice(-2).map(({ began }) => began), ["reset", undefined]);
    assertEquals(caught.at(-1)!.variables, 2);
  } finally {
    await first.end();
    await second.end();
  }
  const [operator] = [
    await createConnection({
      ...{ host: "127.0.0.1", port: proxy.port, user: "root@proxysys", password: "" },
    }),
  ];
  await operator.query("KILL GLOBALSESSION 'app#main'");
  await operator.end();
  const closed = debug("server session closed").at(-1)!;
  assertMatch(String(closed.reason), /^Killed by session \d+ of root$/);
  assert(Number(closed.statements) > 0);
  assertEquals(debug("server session closed").length, debug("server session opened").length);
  assert(!log.text.includes("hunter2"), "the log has a value");
});
