/**
 * Graphical tools and their session managers: each test runs directly on the server too, where it
 * shows that what it expects is what a tool sees there.
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { type Connection, createConnection, type FieldPacket } from "mysql2";
import { SESSION_MANAGERS, type SessionManager, TOOL_STATEMENTS } from "../fixtures/tools.ts";
import { eventually } from "../support/eventually.ts";
import { type SharedEngine, sharedEngine } from "../support/shared_engine.ts";
import { APP, TestProxy } from "../support/test_proxy.ts";

const PREPARE = ["CREATE USER app@'%' IDENTIFIED BY 'secret'", "GRANT ALL ON *.* TO app@'%'"];

const engines: Record<"mariadb" | "mysql", SharedEngine> = {
  mariadb: await sharedEngine("mariadb", PREPARE),
  mysql: await sharedEngine("mysql", PREPARE),
};

const WAYS = ["directly", "through the proxy"] as const;

/** Connections of one test, all by the same way. */
class Way implements AsyncDisposable {
  readonly #port: number;
  readonly #proxy: TestProxy | undefined;
  readonly #open: Connection[] = [];

  private constructor(port: number, proxy?: TestProxy) {
    this.#port = port;
    this.#proxy = proxy;
  }

  static async open(way: typeof WAYS[number], port: number): Promise<Way> {
    if (way === "directly") return new Way(port);
    // Ids of a proxy with a number are larger than those that a server gives, so that a tool may
    // take an id from a table of the server.
    const proxy = await TestProxy.start({ servers: [port], proxy: { proxy_id: 7 } });
    return new Way(proxy.port, proxy);
  }

  async connect(): Promise<Connection> {
    const connection = await createConnection({
      host: "127.0.0.1",
      port: this.#port,
      ...APP,
    });
    // The loss of a session that is killed shows in its statements.
    connection.on("error", () => {});
    this.#open.push(connection);
    return connection;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const connection of this.#open) connection.destroy();
    await this.#proxy?.[Symbol.asyncDispose]();
  }
}

type Rows = Record<string, unknown>[];

async function rows(connection: Connection, sql: string): Promise<Rows> {
  const [found] = await connection.query(sql);
  return found as Rows;
}

/** What a statement's answer looks like: its columns, or that it has none. */
async function shape(connection: Connection, sql: string): Promise<unknown> {
  const [, fields] = await connection.query(sql) as [unknown, FieldPacket[] | undefined];
  return fields?.map(({ name, columnType, orgTable, db }) => ({
    name,
    columnType,
    orgTable,
    db,
  })) ??
    "no columns";
}

const PROCESS_COLUMNS = ["Id", "User", "Host", "db", "Command", "Time", "State", "Info"];

/** Runs until it is killed, and fails when it is: SLEEP alone would not. */
function longStatement(mark: string): string {
  return `SELECT '${mark}' FROM (SELECT 1 AS one UNION SELECT 2) AS two WHERE SLEEP(60)`;
}

function kill(template: string, id: unknown): string {
  return template.replace("%d", String(id));
}

/** The id that a tool finds for a running statement. */
async function find(
  connection: Connection,
  { list, id, info }: SessionManager,
  statement: string,
): Promise<unknown> {
  let found: unknown;
  await eventually("the statement is listed", async () => {
    const row = (await rows(connection, list)).find((row) => row[info] === statement);
    found = row?.[id];
    return row !== undefined;
  });
  return found;
}

async function codeOf(asked: Promise<unknown>): Promise<unknown> {
  const error = await assertRejects(() => asked) as { errno?: number; code?: string };
  return error.errno ?? error.code;
}

for (const name of ["mariadb", "mysql"] as const) {
  const { ignore } = engines[name];

  Deno.test(`${name}: tools see the columns that they see directly`, { ignore }, async () => {
    const { port } = engines[name].engine;
    await using direct = await Way.open("directly", port);
    await using proxied = await Way.open("through the proxy", port);
    for (const tool of new Set(TOOL_STATEMENTS.map(({ tool }) => tool))) {
      const directly = await direct.connect();
      const through = await proxied.connect();
      for (const { tool: of, sql, treatment, only } of TOOL_STATEMENTS) {
        if (of !== tool || (only ?? name) !== name) continue;
        if (treatment === "process_list") continue;
        const [expected, found] = [await shape(directly, sql), await shape(through, sql)];
        assertEquals({ tool, sql, found }, { tool, sql, found: expected });
      }
    }
  });

  for (const way of WAYS) {
    Deno.test(`${name}, ${way}: a tool finds its own session`, { ignore }, async () => {
      await using to = await Way.open(way, engines[name].engine.port);
      const connection = await to.connect();
      const ids = new Set([connection.threadId]);
      for (const { sql, treatment } of TOOL_STATEMENTS) {
        if (treatment === "server") continue;
        const found = await rows(connection, sql);
        if (treatment === "own_id") {
          ids.add(Object.values(found[0]!)[0] as number);
          continue;
        }
        const own = found.filter(({ Info }) => Info === sql);
        assertEquals(own.length, 1, sql);
        assertEquals(Object.keys(own[0]!).slice(0, 8), PROCESS_COLUMNS);
        const { Id, User, Command, Host } = own[0]!;
        assertEquals({ User, Command }, { User: "app", Command: "Query" });
        assert(/^127\.0\.0\.1:\d+$/.test(Host as string), String(Host));
        ids.add(Id as number);
      }
      assertEquals(ids.size, 1);
    });

    for (const manager of SESSION_MANAGERS) {
      if ((manager.only ?? name) !== name) continue;
      const table = manager.list.includes("FROM") ? "a table" : "SHOW";
      const title = `${name}, ${way}: ${manager.tool} ends what it finds by ${table}`;
      Deno.test(title, { ignore }, async () => {
        await using to = await Way.open(way, engines[name].engine.port);
        const tool = await to.connect();
        const victim = await to.connect();
        const first = longStatement("first");
        const running = codeOf(victim.query(first));
        await tool.query(kill(manager.killQuery, await find(tool, manager, first)));
        assertEquals(await running, 1317);
        // Its session goes on.
        assertEquals(await rows(victim, "SELECT 1 AS one"), [{ one: 1 }]);
        const second = longStatement("second");
        const ending = codeOf(victim.query(second));
        await tool.query(kill(manager.kill, await find(tool, manager, second)));
        const code = await ending;
        // Servers tell some victims of KILL CONNECTION, the proxy closes without a word.
        assert(
          [1317, 1927, "PROTOCOL_CONNECTION_LOST", "ECONNRESET"].includes(code as never),
          `${code}`,
        );
        await assertRejects(() => victim.query("SELECT 1"));
        await eventually(
          "nothing of it is listed",
          async () => (await rows(tool, manager.list)).every((row) => row[manager.info] !== second),
        );
      });
    }

    Deno.test(`${name}, ${way}: a tool is told of ids that are gone`, { ignore }, async () => {
      await using to = await Way.open(way, engines[name].engine.port);
      const tool = await to.connect();
      const gone = await to.connect();
      const id = gone.threadId;
      await gone.end();
      await eventually(
        "it is gone",
        async () => (await rows(tool, "SHOW FULL PROCESSLIST")).every(({ Id }) => Id !== id),
      );
      for (const template of ["KILL %d", "KILL QUERY %d", "KILL CONNECTION %d"]) {
        assertEquals(await codeOf(tool.query(kill(template, id))), 1094);
      }
    });
  }
}
