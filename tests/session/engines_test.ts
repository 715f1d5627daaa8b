/** Real servers behind the proxy: logins, what they refuse, and statements whose client is gone. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { createConnection } from "mysql2";
import type { EngineName } from "../../src/dev/engines/engine.ts";
import { NATIVE, SHA2 } from "../../src/protocol/auth.ts";
import { Capability, Command } from "../../src/protocol/constants.ts";
import { eventually } from "../support/eventually.ts";
import { report } from "../support/report.ts";
import { type SharedEngine, sharedEngine } from "../support/shared_engine.ts";
import { type TestConfig, TestProxy } from "../support/test_proxy.ts";
import { MODERN, WireClient, WireError, type WireOptions } from "../support/wire_client.ts";

/** SHA1(SHA1("secret")). */
const HASH_OF_SECRET = "*14E65567ABDB5135D0CFD9A70B3032C179A49EE7";

const PREPARE = [
  "CREATE USER app@'%' IDENTIFIED BY 'secret'",
  "GRANT ALL ON *.* TO app@'%'",
  "CREATE USER back@'%' IDENTIFIED BY 'back''s'",
  "GRANT ALL ON test.* TO back@'%'",
  "CREATE USER none@'%' IDENTIFIED BY ''",
  "GRANT ALL ON test.* TO none@'%'",
];

const USERS = [
  { name: "app", password: "secret" },
  { name: "mapped", password: "front", server_user: "back", server_password: "back's" },
  { name: "none", password: "" },
  { name: "hashed", password_hash: HASH_OF_SECRET, server_user: "app", server_password: "secret" },
  { name: "back", password: "back's" },
  { name: "stale", password: "secret", server_user: "app", server_password: "changed" },
];

const engines: Record<EngineName, SharedEngine> = {
  mariadb: await sharedEngine("mariadb", PREPARE),
  mysql: await sharedEngine("mysql", PREPARE),
  seekdb: await sharedEngine("seekdb", PREPARE),
};

/** It comes with MariaDB's server. */
const hasClient = await hasProgram("mariadb");

async function hasProgram(program: string): Promise<boolean> {
  try {
    return (await new Deno.Command(program, { args: ["--version"] }).output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function proxyFor(name: EngineName, rest: TestConfig = {}): Promise<TestProxy> {
  return TestProxy.start({ servers: [engines[name].engine.port], users: USERS, ...rest });
}

/** OceanBase hides addresses and has a state of its own: the proxy's words are MySQL's. */
function inMysqlWords(message: string): string {
  return message.replace(
    /#42000(Access denied for user '\w+'@)'xxx\.xxx\.xxx\.xxx'/,
    "#28000$1'127.0.0.1'",
  );
}

/**
 * A name that nobody has, and that the server asks for a password by a plugin of ours: MySQL hides
 * which names there are behind plugins by chance.
 */
async function unknownUser(port: number): Promise<string> {
  for (let count = 0;; count++) {
    const user = `nobody${count}`;
    try {
      await refusal({ port, user, password: "secret" });
      return user;
    } catch (error) {
      if (count === 20) throw error;
    }
  }
}

/** The one value of a one-row result. */
async function ask(client: WireClient, sql: string): Promise<string> {
  const packets = await client.run(sql);
  const eof = (client.capabilities & Capability.DEPRECATE_EOF) === 0 ? 1 : 0;
  return new TextDecoder().decode(packets[2 + eof]!.payload.subarray(1));
}

async function refusal(options: WireOptions): Promise<string> {
  const error = await assertRejects(() => WireClient.connect(options), WireError);
  return error.message;
}

for (const name of Object.keys(engines) as EngineName[]) {
  const { ignore } = engines[name];

  const LOGINS: readonly (readonly [user: string, password: string, asUser: string])[] = [
    ["app", "secret", "app@%"],
    ["mapped", "front", "back@%"],
    ["none", "", "none@%"],
    ["hashed", "secret", "app@%"],
  ];
  for (const [user, password, asUser] of LOGINS) {
    Deno.test(`${name}: ${user} logs in with either plugin and dialect`, { ignore }, async () => {
      await using proxy = await proxyFor(name);
      for (const plugin of [NATIVE, SHA2, NATIVE, SHA2]) {
        for (const capabilities of [undefined, MODERN]) {
          const client = await WireClient.connect({
            port: proxy.port,
            user,
            password,
            plugin,
            database: "test",
            ...(capabilities === undefined ? {} : { capabilities }),
          });
          assertEquals(await ask(client, "SELECT CURRENT_USER()"), asUser);
          assertEquals(await ask(client, "SELECT DATABASE()"), "test");
          await client.quit();
        }
      }
    });
  }

  for (const plugin of [NATIVE, SHA2]) {
    const title = `${name}: the command-line client logs in with ${plugin} asked for`;
    Deno.test(title, { ignore: ignore || !hasClient }, async () => {
      await using proxy = await proxyFor(name);
      const { success, stdout, stderr } = await new Deno.Command("mariadb", {
        args: [
          ...["--no-defaults", "--protocol=TCP", "--host=127.0.0.1", `--port=${proxy.port}`],
          ...["--user=app", `--default-auth=${plugin}`, "--skip-column-names"],
          "--execute=SELECT CURRENT_USER()",
        ],
        env: { MYSQL_PWD: "secret" },
      }).output();
      const text = new TextDecoder();
      assertEquals([text.decode(stdout), text.decode(stderr), success], ["app@%\n", "", true]);
    });
  }

  Deno.test(`${name}: an account with nothing but a hash logs in`, { ignore }, async () => {
    const users = [{ name: "app", password_hash: HASH_OF_SECRET }];
    await using proxy = await proxyFor(name, { users });
    // Native shows too little for a server that wants more than that.
    const plugins = name === "mysql" ? [SHA2, SHA2, NATIVE] : [NATIVE, SHA2, SHA2, NATIVE];
    for (const plugin of plugins) {
      const client = await WireClient.connect({ ...proxy.app, plugin });
      assertEquals(await ask(client, "SELECT CURRENT_USER()"), "app@%");
      await client.quit();
    }
  });

  const REFUSALS: readonly (readonly [string, Partial<WireOptions>])[] = [
    ["a wrong password", { user: "app", password: "wrong" }],
    ["no password", { user: "app", password: "" }],
    ["a password where there is none", { user: "none", password: "some" }],
    ["an unknown user", { user: "?", password: "secret" }],
    ["an unknown user without password", { user: "?", password: "" }],
    ["an unknown schema", { user: "app", password: "secret", database: "no_such_schema" }],
    ["a schema of others", { user: "back", password: "back's", database: "mysql" }],
  ];
  for (const [what, options] of REFUSALS) {
    Deno.test(`${name}: ${what} is refused in the server's own words`, { ignore }, async () => {
      await using proxy = await proxyFor(name);
      const { port } = engines[name].engine;
      const login = { user: "app", password: "secret", ...options };
      if (login.user === "?") login.user = await unknownUser(port);
      const direct = inMysqlWords(await refusal({ ...login, port }));
      const proxied = await refusal({ ...login, port: proxy.port });
      assertEquals(proxied, direct);
      // Once more, as the first one may have been remembered.
      assertEquals(await refusal({ ...login, port: proxy.port }), direct);
    });
  }

  Deno.test(`${name}: a server account that is refused is named`, { ignore }, async () => {
    await using proxy = await proxyFor(name);
    const { port } = engines[name].engine;
    const message = await refusal({ port: proxy.port, user: "stale", password: "secret" });
    const state = name === "seekdb" ? "42000" : "28000";
    const expected = `Server error 1045: #${state}Server 127.0.0.1:${port}: Access denied`;
    assertEquals(message.slice(0, expected.length), expected);
  });

  Deno.test(`${name}: a schema that is dropped fails the first statement`, { ignore }, async () => {
    await engines[name].admin("CREATE DATABASE gone");
    await using proxy = await proxyFor(name);
    const first = await WireClient.connect({ ...proxy.app, database: "gone" });
    await first.run("SELECT 1");
    const second = await WireClient.connect({ ...proxy.app, database: "gone" });
    await first.run("DROP DATABASE gone");
    const error = await assertRejects(() => second.run("SELECT 1"), WireError);
    assertEquals(error.code, 1049);
    await Promise.all([first.quit(), second.quit()]);
    // And from now on it is noticed at the login again.
    const message = await refusal({ ...proxy.app, database: "gone" });
    assert(message.startsWith("Server error 1049"), message);
  });

  Deno.test(`${name}: users change in a session`, { ignore }, async () => {
    await using proxy = await proxyFor(name);
    const client = await createConnection({
      host: "127.0.0.1",
      port: proxy.port,
      user: "app",
      password: "secret",
    });
    const one = async (sql: string) => {
      const [rows] = await client.query({ sql, rowsAsArray: true });
      return (rows as unknown[][])[0]![0];
    };
    await client.query("SET @mine = 5");
    assertEquals(Number(await one("SELECT @mine")), 5);
    await client.changeUser({ user: "mapped", password: "front", database: "test" });
    assertEquals(await one("SELECT CURRENT_USER()"), "back@%");
    assertEquals(await one("SELECT DATABASE()"), "test");
    assertEquals(await one("SELECT @mine"), null);
    await client.changeUser({ user: "app", password: "secret" });
    assertEquals(await one("SELECT CURRENT_USER()"), "app@%");
    await client.end();
  });

  Deno.test(`${name}: a client that is killed takes its statement along`, { ignore }, async () => {
    await using proxy = await proxyFor(name);
    const script = new URL("../fake/run_statement.ts", import.meta.url).pathname;
    const sql = "SELECT SLEEP(60)";
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", script, String(proxy.port), "app", "secret", sql],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    await using watcher = await Watcher.start(name);
    await eventually("the statement runs", () => watcher.sees(sql), { within: 30_000 });
    child.kill("SIGKILL");
    const killed = performance.now();
    await eventually("the statement is gone", async () => !await watcher.sees(sql));
    const took = performance.now() - killed;
    await child.status;
    report(`${name}: the statement was gone ${took.toFixed(0)} ms after its client was killed`);
    await proxy.log.first("session ended", "client_lost");
  });

  Deno.test(`${name}: a client that leaves has its transaction undone`, { ignore }, async () => {
    await engines[name].admin("CREATE TABLE test.undone (id INT PRIMARY KEY)");
    await using proxy = await proxyFor(name);
    const client = await WireClient.connect({ ...proxy.app, database: "test" });
    await client.run("BEGIN");
    await client.run("INSERT INTO undone VALUES (1)");
    client.close();
    await proxy.empty();
    // The row is free at once for somebody else.
    await engines[name].admin("INSERT INTO test.undone VALUES (1)", "DROP TABLE test.undone");
  });

  Deno.test(`${name}: too large a packet is told as the server tells it`, { ignore }, async () => {
    const { admin } = engines[name];
    const [row] = await admin("SELECT @@GLOBAL.max_allowed_packet AS size");
    await admin("SET GLOBAL max_allowed_packet = 1048576");
    try {
      for (const size of [1_100_000, 3_000_000, 20_000_000]) {
        await using proxy = await proxyFor(name);
        const direct = await tooLarge(engines[name].engine.port, size);
        const proxied = await tooLarge(proxy.port, size);
        // Servers close on a client that still sends, which then cannot read their ERR: the proxy
        // hears it out and passes the ERR on.
        const expected = direct === "reset" ? { code: 1153, lives: false } : direct;
        assertEquals(proxied, expected, `${size} bytes`);
      }
    } finally {
      await admin(`SET GLOBAL max_allowed_packet = ${row!.size}`);
    }
  });
}

/** What comes of a statement of so many bytes: code of the ERR, and whether the session goes on. */
async function tooLarge(port: number, size: number): Promise<unknown> {
  using client = await WireClient.connect({ port, user: "app", password: "secret" });
  try {
    const [first] = await client.query(`SELECT LENGTH('${"x".repeat(size)}')`);
    const code = first!.payload[1]! | (first!.payload[2]! << 8);
    assertEquals(first!.payload[0], 0xff);
    const [pong] = await client.simple(Command.PING).catch(() => [undefined]);
    return { code, lives: pong?.payload[0] === 0 };
  } catch (error) {
    if (isReset(error)) return "reset";
    throw error;
  }
}

function isReset(error: unknown): boolean {
  const { ConnectionReset, BrokenPipe } = Deno.errors;
  return error instanceof ConnectionReset || error instanceof BrokenPipe;
}

/** A session beside the proxy that looks what runs on the server. */
class Watcher implements AsyncDisposable {
  readonly #connection: Awaited<ReturnType<typeof createConnection>>;

  private constructor(connection: Awaited<ReturnType<typeof createConnection>>) {
    this.#connection = connection;
  }

  static async start(name: EngineName): Promise<Watcher> {
    const { port, admin } = engines[name].engine;
    return new Watcher(await createConnection({ host: "127.0.0.1", port, ...admin }));
  }

  async sees(sql: string): Promise<boolean> {
    const [rows] = await this.#connection.query("SHOW FULL PROCESSLIST");
    return (rows as { Info: string | null }[]).some(({ Info }) => Info === sql);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection.end();
  }
}
