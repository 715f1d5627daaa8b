/** Clients that go on while what their last statement has left is being read for somebody else. */
import { assertEquals, assertRejects } from "@std/assert";
import { type Connection, createConnection } from "mysql2";
import { eventually } from "../support/eventually.ts";
import { Gate } from "../support/gate.ts";
import { isAvailable, sharedEngine } from "../support/shared_engine.ts";
import { APP, TestProxy } from "../support/test_proxy.ts";
import { value } from "../support/value.ts";

/** What asks for it, and the answer behind a statement that has failed. */
const ASKED: readonly (readonly [sql: string, answer: unknown])[] = [
  ["SELECT @@error_count", 1],
  ["SELECT ROW_COUNT()", -1],
  ["SHOW WARNINGS", "Error"],
  ["SHOW COUNT(*) ERRORS", 1],
];

interface Race {
  readonly client: Connection;
  readonly killer: Connection;
  /** Has the client's last statement read out for what the other one asks. */
  hold(sql: string): Promise<{ readonly asked: Promise<unknown> }>;
  /** What was held back goes on. */
  goOn(): void;
}

/** Clients on one server session, in front of a server whose replies can be held back. */
async function race(port: number, run: (race: Race) => Promise<void>): Promise<void> {
  await using gate = new Gate(port, "replies");
  await using proxy = await TestProxy.start({
    servers: [gate.port],
    sharing: "transaction",
    proxy: { session_pool_default_max_conn: 1 },
  });
  const connect = () => createConnection({ host: "127.0.0.1", port: proxy.port, ...APP });
  const [client, other, killer] = [await connect(), await connect(), await connect()];
  const hold = async (sql: string) => {
    const before = gate.held;
    gate.shut();
    const asked = value(other, sql);
    await eventually("it is being read", () => gate.held > before);
    return { asked };
  };
  try {
    await run({ client, killer, hold, goOn: () => gate.open() });
  } finally {
    for (const one of [client, other, killer]) one.destroy();
  }
}

for (const name of ["mariadb", "mysql"] as const) {
  if (!await isAvailable(name)) continue;
  const engine = await sharedEngine(name, [
    "CREATE USER app@'%' IDENTIFIED BY 'secret'",
    "GRANT ALL ON *.* TO app@'%'",
  ]);
  const raced = (title: string, run: (race: Race) => Promise<void>) =>
    Deno.test({
      name: `${name}: ${title}`,
      ignore: engine.ignore,
      fn: () => race(engine.engine.port, run),
    });

  raced("who asks meanwhile is answered when it has been read", async ({ client, hold, goOn }) => {
    for (const [sql, answer] of ASKED) {
      await assertRejects(() => client.query("BOTCHED"));
      const others = await hold("SELECT 'theirs'");
      const asked = value(client, sql);
      goOn();
      assertEquals([await asked, await others.asked], [answer, "theirs"], sql);
    }
  });

  raced("who is killed meanwhile gets no answer, and nobody else theirs", async (race) => {
    const { client, killer, hold, goOn } = race;
    const id = await value(client, "SELECT CONNECTION_ID()");
    await assertRejects(() => client.query("BOTCHED"));
    const others = await hold("SHOW COUNT(*) ERRORS");
    const asked = assertRejects(() => value(client, "SHOW WARNINGS"));
    await killer.query(`KILL ${id}`);
    await asked;
    goOn();
    assertEquals(await others.asked, 0);
  });
}
