/**
 * Servers go to the schema of a routine and back, whenever they load or run one, and coming back sets
 * the collation of the client's own schema anew. Not all replies tell: whoever comes next must not
 * see it, and the client must, as on a connection of its own.
 */
import { assertEquals } from "@std/assert";
import { decodeText, encodeText } from "../../src/protocol/bytes.ts";
import { Command } from "../../src/protocol/constants.ts";
import { decodeTextRow } from "../../src/protocol/resultset.ts";
import { isAvailable, sharedEngine } from "../support/shared_engine.ts";
import { APP, TestProxy } from "../support/test_proxy.ts";
import { CLASSIC, MODERN, WireClient } from "../support/wire_client.ts";

/** A text, or one to prepare. */
type Step = string | { readonly prepare: string };

/** Without a schema, it is the collation of the server that counts then. */
const SERVER = "SET collation_server = latin1_spanish_ci";

const STEPS: Readonly<Record<string, readonly Step[]>> = {
  "a routine that is prepared": [SERVER, { prepare: "CALL one.twice(?)" }],
  "a routine that is prepared out of another schema": [
    "USE one",
    "SET collation_database = utf8mb4_bin",
    { prepare: "CALL latin.twice(?)" },
  ],
  "a function that is run": [SERVER, "SELECT one.echo(1)"],
  "a function of a view": [SERVER, "SELECT * FROM one.seen"],
  "a function of a view that is prepared": [SERVER, { prepare: "SELECT * FROM one.seen" }],
  "a function of a trigger that is prepared": [
    SERVER,
    { prepare: "INSERT INTO one.watched VALUES (?)" },
  ],
  "a trigger that is run": [SERVER, "INSERT INTO one.watched VALUES (2)"],
  "a trigger of what fails": [SERVER, "INSERT INTO one.watched VALUES (1)"],
  "a routine that is called the wrong way": [SERVER, "CALL one.twice(1)"],
};

async function run(client: WireClient, step: Step): Promise<void> {
  if (typeof step === "string") await client.query(step);
  else await client.simple(Command.STMT_PREPARE, encodeText(step.prepare));
}

async function collation(client: WireClient): Promise<string> {
  const packets = await client.run("SELECT @@collation_database");
  return decodeTextRow(packets.at(-2)!.payload, 1).map((value) => decodeText(value!)).join();
}

for (const name of ["mariadb", "mysql"] as const) {
  if (!await isAvailable(name)) continue;
  const engine = await sharedEngine(name, [
    "CREATE USER app@'%' IDENTIFIED BY 'secret'",
    "GRANT ALL ON *.* TO app@'%'",
    "CREATE DATABASE one",
    "CREATE DATABASE latin CHARACTER SET latin1",
    "CREATE DATABASE altered CHARACTER SET latin1",
    "CREATE PROCEDURE one.twice(INOUT n INT) SET n = n * 2",
    "CREATE PROCEDURE latin.twice(INOUT n INT) SET n = n * 2",
    "CREATE FUNCTION one.echo(n INT) RETURNS INT NO SQL RETURN n",
    "CREATE VIEW one.seen AS SELECT one.echo(1)",
    "CREATE TABLE one.watched (id INT PRIMARY KEY)",
    "INSERT INTO one.watched VALUES (1)",
    "CREATE TRIGGER one.watch BEFORE INSERT ON one.watched FOR EACH ROW " +
    "SET NEW.id = one.echo(NEW.id)",
  ]);
  for (const [title, steps] of Object.entries(STEPS)) {
    for (const [form, capabilities] of Object.entries({ EOF: CLASSIC, OK: MODERN })) {
      Deno.test({
        name: `${name}: ${title} changes the client's own collation only (${form})`,
        ignore: engine.ignore,
        fn: async () => {
          const login = { ...APP, capabilities };
          const fresh = async () => {
            await engine.admin("DELETE FROM one.watched WHERE id > 1");
          };
          await fresh();
          using twin = await WireClient.connect({ ...login, port: engine.engine.port });
          const atFirst = await collation(twin);
          for (const step of steps) await run(twin, step);
          await fresh();
          await using proxy = await TestProxy.start({
            servers: [engine.engine.port],
            sharing: "transaction",
            proxy: { session_pool_default_max_conn: 1 },
          });
          using client = await WireClient.connect({ ...login, port: proxy.port });
          using other = await WireClient.connect({ ...login, port: proxy.port });
          for (const step of steps) await run(client, step);
          assertEquals(await collation(other), atFirst, "of the other client");
          assertEquals(await collation(client), await collation(twin), "of the client");
        },
      });
    }
  }

  Deno.test({
    name: `${name}: who has altered its schema has the new collation on every server session`,
    ignore: engine.ignore,
    fn: async () => {
      await engine.admin("ALTER DATABASE altered CHARACTER SET latin1");
      await using proxy = await TestProxy.start({
        servers: [engine.engine.port],
        sharing: "transaction",
        proxy: { session_pool_default_max_conn: 2 },
      });
      const login = { ...APP, port: proxy.port };
      using client = await WireClient.connect(login);
      using before = await WireClient.connect(login);
      using behind = await WireClient.connect(login);
      await before.run("USE altered");
      await before.run("BEGIN");
      await client.run("USE altered");
      await client.run("ALTER DATABASE altered CHARACTER SET latin2");
      await behind.run("BEGIN");
      await before.run("COMMIT");
      assertEquals(await collation(client), "latin2_general_ci");
    },
  });
}
