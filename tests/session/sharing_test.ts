/** Server sessions that clients share: one is enough for many, and none sees another's state. */
import { Buffer } from "node:buffer";
import { assertEquals, assertRejects } from "@std/assert";
import { type Connection, createConnection } from "mysql2";
import { concat, encodeText } from "../../src/protocol/bytes.ts";
import { Command } from "../../src/protocol/constants.ts";
import { eventually } from "../support/eventually.ts";
import { isAvailable, sharedEngine } from "../support/shared_engine.ts";
import { APP, TestProxy } from "../support/test_proxy.ts";
import { value } from "../support/value.ts";
import { MODERN, WireClient } from "../support/wire_client.ts";

/** Whether a client stays where it is for what nobody can tell. */
function isUnknownPinned({ proxy }: TestProxy): boolean {
  const pins = [...proxy.manager.clients.values()].flatMap((client) => client.info().pins);
  return pins.some(({ reason }) => reason === "unknown_state");
}

const ENGINES = ["mariadb", "mysql"] as const;

for (const name of ENGINES) {
  if (!await isAvailable(name)) continue;
  const engine = await sharedEngine(name, [
    "CREATE USER app@'%' IDENTIFIED BY 'secret'",
    "GRANT ALL ON *.* TO app@'%'",
    "CREATE DATABASE one",
    "CREATE DATABASE two",
    "CREATE TABLE one.t (id INT PRIMARY KEY AUTO_INCREMENT, v INT)",
    "CREATE TABLE two.t (id INT PRIMARY KEY AUTO_INCREMENT, v INT)",
    "CREATE PROCEDURE one.makes() CREATE TEMPORARY TABLE one.made (v INT)",
  ]);

  /** A proxy with so many server sessions, and so many clients. */
  const shared = (
    title: string,
    options: { readonly sessions: number; readonly clients: number },
    run: (clients: Connection[], proxy: TestProxy) => Promise<void>,
  ) =>
    Deno.test({
      name: `${name}: ${title}`,
      ignore: engine.ignore,
      fn: async () => {
        await using proxy = await TestProxy.start({
          servers: [engine.engine.port],
          sharing: "transaction",
          proxy: {
            session_pool_default_max_conn: options.sessions,
            session_pool_default_blocking_timeout: "5s",
          },
        });
        const clients: Connection[] = [];
        try {
          for (let at = 0; at < options.clients; at++) {
            clients.push(
              await createConnection({ host: "127.0.0.1", port: proxy.port, ...APP }),
            );
          }
          await run(clients, proxy);
        } finally {
          for (const client of clients) await client.end();
        }
      },
    });

  shared(
    "many clients use one server session",
    { sessions: 1, clients: 5 },
    async (clients, proxy) => {
      for (let round = 0; round < 3; round++) {
        for (const [at, client] of clients.entries()) {
          assertEquals(await value(client, `SELECT ${at}`), at);
        }
      }
      assertEquals(proxy.servers, 1);
      const all = await Promise.all(
        clients.map((client, at) => value(client, `SELECT ${at} + SLEEP(0.01)`)),
      );
      assertEquals(all, [0, 1, 2, 3, 4]);
      assertEquals(proxy.servers, 1);
    },
  );

  shared(
    "each client has its own schema and variables",
    { sessions: 1, clients: 3 },
    async (clients) => {
      const [a, b, c] = clients as [Connection, Connection, Connection];
      await a.query("USE one");
      await b.query("USE two");
      await a.query("SET SESSION sql_mode = 'ANSI_QUOTES', @name = 'a', time_zone = '+03:00'");
      await b.query("SET @name = X'00FF', @other = -1.50");
      for (let round = 0; round < 2; round++) {
        assertEquals(await value(a, "SELECT DATABASE()"), "one");
        assertEquals(await value(b, "SELECT DATABASE()"), "two");
        assertEquals(await value(c, "SELECT DATABASE()"), null);
        assertEquals(await value(a, "SELECT @@sql_mode"), "ANSI_QUOTES");
        assertEquals((await value(b, "SELECT @@sql_mode")) === "ANSI_QUOTES", false);
        assertEquals(await value(a, "SELECT @@time_zone"), "+03:00");
        assertEquals(await value(b, "SELECT HEX(@name)"), "00FF");
        assertEquals(await value(b, "SELECT @other"), "-1.50");
        assertEquals(await value(c, "SELECT @name"), null);
        assertEquals(await value(c, "SELECT @other"), null);
      }
    },
  );

  shared(
    "a transaction keeps its server session",
    { sessions: 2, clients: 2 },
    async (clients, proxy) => {
      const [a, b] = clients as [Connection, Connection];
      await a.query("BEGIN");
      await a.query("INSERT INTO one.t (v) VALUES (1)");
      assertEquals(await value(b, "SELECT COUNT(*) FROM one.t"), 0);
      assertEquals(await value(a, "SELECT COUNT(*) FROM one.t"), 1);
      await a.query("ROLLBACK");
      assertEquals(await value(b, "SELECT COUNT(*) FROM one.t"), 0);
      assertEquals(proxy.servers, 2);
    },
  );

  shared(
    "a temporary table stays with its client",
    { sessions: 2, clients: 2 },
    async (clients) => {
      const [a, b] = clients as [Connection, Connection];
      await a.query("CREATE TEMPORARY TABLE one.mine (v INT)");
      await a.query("INSERT INTO one.mine VALUES (7)");
      await assertRejects(() => b.query("SELECT * FROM one.mine"), Error, "mine");
      assertEquals(await value(a, "SELECT v FROM one.mine"), 7);
    },
  );

  shared(
    "a client that leaves in a transaction leaves nothing",
    { sessions: 1, clients: 1 },
    async (clients, proxy) => {
      const [a] = clients as [Connection];
      const other = await createConnection({ host: "127.0.0.1", port: proxy.port, ...APP });
      await other.query("BEGIN");
      await other.query("INSERT INTO two.t (v) VALUES (1)");
      other.destroy();
      assertEquals(await value(a, "SELECT COUNT(*) FROM two.t"), 0);
    },
  );

  for (
    const [reason, begin, end] of [
      ["lock_tables", "LOCK TABLES one.t READ", "UNLOCK TABLES"],
      ["transaction", "BEGIN", "COMMIT"],
      ["next_transaction", "SET TRANSACTION READ ONLY", "COMMIT"],
      ["found_rows", "SELECT SQL_CALC_FOUND_ROWS 1 LIMIT 1", "SELECT 2"],
    ] as const
  ) {
    shared(
      `${reason} is shown as a pin until it ends`,
      { sessions: 2, clients: 2 },
      async ([a, b], proxy) => {
        await a!.query(begin);
        const [rows] = await b!.query("SHOW PROXYPINS");
        assertEquals((rows as { reason: string }[]).map((row) => row.reason), [reason]);
        await a!.query(end);
        assertEquals((await b!.query("SHOW PROXYPINS"))[0], []);
        const phases = [...proxy.proxy.manager.servers.values()].map((entry) => entry.info().phase);
        assertEquals(new Set(phases), new Set(["idle"]));
      },
    );
  }

  shared(
    "a fresh client knows nothing of others' statements",
    { sessions: 1, clients: 2 },
    async ([a, b]) => {
      await a!.query("INSERT INTO two.t (v) VALUES (1), (2)");
      await assertRejects(() => a!.query("SELECT missing FROM two.t"), Error, "missing");
      assertEquals((await b!.query("SHOW WARNINGS"))[0], []);
      assertEquals(await value(b!, "SELECT @@last_insert_id"), 0);
      await a!.query("DELETE FROM two.t");
    },
  );

  shared(
    "counts and warnings are the client's own after others have used its server session",
    { sessions: 1, clients: 2 },
    async (clients) => {
      const [a, b] = clients as [Connection, Connection];
      const others = async () => {
        await assertRejects(() => b.query("SELECT * FROM two.others_fault"), Error, "others_fault");
        await b.query("INSERT INTO two.t (v) VALUES (1), (2)");
        await b.query("SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5");
      };
      await others();
      assertEquals(await value(a, "SELECT LAST_INSERT_ID()"), 0);
      await a.query("INSERT INTO one.t (v) VALUES (1), (2), (3)");
      const id = await value(a, "SELECT LAST_INSERT_ID()");
      await a.query("INSERT INTO one.t (v) VALUES (4), (5)");
      await others();
      assertEquals(await value(a, "SELECT ROW_COUNT()"), 2);
      assertEquals(await value(a, "SELECT LAST_INSERT_ID()"), Number(id) + 3);
      await a.query("SELECT 1 UNION SELECT 2");
      await others();
      assertEquals(await value(a, "SELECT FOUND_ROWS() AS found"), 2);

      await a.query("SELECT CAST('1x' AS SIGNED), CAST('2y' AS SIGNED)");
      await others();
      assertEquals(await value(a, "SELECT @@warning_count"), 2);
      await assertRejects(() => a.query("SELECT * FROM one.mine"), Error, "mine");
      await others();
      const [errors] = await a.query("SHOW ERRORS");
      assertEquals((errors as { Message: string }[]).map(({ Message }) => Message), [
        "Table 'one.mine' doesn't exist",
      ]);
      await a.query("SELECT CAST('1x' AS SIGNED), CAST('2y' AS SIGNED)");
      await others();
      const [warnings] = await a.query("SHOW WARNINGS LIMIT 1, 1");
      assertEquals((warnings as { Message: string }[]).length, 1);
      await others();
      assertEquals(await value(a, "SHOW COUNT(*) WARNINGS"), 2);
      await others();
      await a.query("DO 1");
      await others();
      // MariaDB keeps them over everything that uses no table.
      const left = (await a.query("SHOW WARNINGS"))[0] as unknown[];
      assertEquals(left.length, name === "mariadb" ? 2 : 0);
      await a.query("DELETE FROM one.t");
    },
  );

  shared(
    "computed user variables are read where they are when others need the server session",
    { sessions: 1, clients: 2 },
    async ([a, b], proxy) => {
      await a!.query("SELECT 1.50 + 1, UPPER('abc'), NULL INTO @d, @s, @n");
      await a!.query("SET @i = 7 * 6");
      assertEquals((await b!.query("SHOW PROXYPINS"))[0], []);
      await b!.query("SET @d = 'other', @i = 1");
      await b!.query("SELECT @j := 5");
      for (let round = 0; round < 2; round++) {
        assertEquals(
          String(await value(a!, "SELECT CONCAT(@d, @s, @i, COALESCE(@n, '-'))")),
          "2.50ABC42-",
        );
        assertEquals(String(await value(b!, "SELECT CONCAT(@d, @i, @j)")), "other15");
      }
      assertEquals(proxy.servers, 1);
    },
  );

  // MariaDB takes such a parameter for bytes.
  name === "mysql" && shared(
    "a user variable whose bytes are no characters stays where it is",
    { sessions: 1, clients: 2 },
    async ([a, b], proxy) => {
      await a!.execute("SET @bytes = CONCAT(?, '')", [Buffer.of(0xff, 0x27)]);
      const other = value(b!, "SELECT 'other'");
      await eventually("the variable has been looked at", () => isUnknownPinned(proxy));
      assertEquals(await value(a!, "SELECT HEX(@bytes)"), "FF27");
      await a!.changeUser({});
      assertEquals(await other, "other");
    },
  );

  shared(
    "SET CHARACTER SET is not taken for SET NAMES behind a comment",
    { sessions: 1, clients: 2 },
    async ([a, b]) => {
      const { port } = engine.engine;
      const direct = await createConnection({ host: "127.0.0.1", port, ...APP });
      const told = [];
      for (const client of [direct, a!]) {
        await client.query("SET SESSION collation_database = latin1_spanish_ci");
        await client.query("/* a hint */ -- and more\n SET CHARACTER SET latin1");
        await b!.query("SET SESSION div_precision_increment = 9");
        const [, [field]] = await client.query("SELECT 'text'");
        told.push((field as unknown as { characterSet: number }).characterSet);
      }
      await direct.end();
      assertEquals(told[1], told[0]);
    },
  );

  shared(
    "texts are read in the character set that the session has now",
    { sessions: 1, clients: 0 },
    async (_, proxy) => {
      const capabilities = MODERN;
      using client = await WireClient.connect({ ...APP, port: proxy.port, capabilities });
      await client.run("SET NAMES gbk");
      // The second byte of the character is that of a backslash.
      const text = [
        Uint8Array.of(Command.QUERY),
        encodeText("SELECT '"),
        Uint8Array.of(0xbf, 0x5c),
      ];
      await client.command(concat([...text, encodeText("', GET_LOCK('gbk', 0), '' ''")]));
      const held = [...proxy.proxy.manager.clients.values()].flatMap((one) => one.info().pins);
      assertEquals(held.map(({ things }) => things), [["gbk"]]);
    },
  );

  shared(
    "who has to stay is told of the last statement, and not of what was asked meanwhile",
    { sessions: 1, clients: 2 },
    async ([a, b], proxy) => {
      await b!.query("SELECT FOUND_ROWS()");
      await a!.query("SELECT 1 UNION SELECT 2");
      await a!.query("CALL one.makes()");
      const other = value(b!, "SELECT 'other'");
      await eventually("the server has been asked what is left", () => isUnknownPinned(proxy));
      assertEquals(Number(await value(a!, "SELECT ROW_COUNT()")), 0);
      await a!.changeUser({});
      assertEquals(await other, "other");
    },
  );

  shared(
    "lists show the state of a client, not of its last server session",
    { sessions: 1, clients: 2 },
    async ([a, b]) => {
      await a!.query("SET SESSION sql_mode = 'ANSI', @mine = 'x''y', @all = 1 + 1");
      await b!.query("SET SESSION time_zone = '+01:00'");
      const [rows] = await a!.query("SHOW PROXYSESSION VARIABLES");
      const named = new Map((rows as Record<string, string>[]).map((row) => [
        row["variable_name"],
        `${row["info"]} ${row["value"]}`,
      ]));
      assertEquals(named.has("time_zone"), false);
      assertEquals(named.get("sql_mode")?.includes("ANSI_QUOTES"), true);
      assertEquals(named.get("mine")?.startsWith("user var _utf8"), true, named.get("mine"));
      assertEquals(named.get("all"), "user var 2");
      const [attributes] = await a!.query("SHOW PROXYSESSION ATTRIBUTE LIKE 'state_version'");
      assertEquals((attributes as unknown[]).length > 0, true);
    },
  );
}
