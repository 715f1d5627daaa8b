/** Who sees which sessions, and who may end them: every kind of account against every session. */
import { assertEquals } from "@std/assert";
import { type Connection, createConnection } from "mysql2";
import { FakeClient } from "../fake/client.ts";
import { eventually } from "../support/eventually.ts";
import { Gate } from "../support/gate.ts";
import { type SharedEngine, sharedEngine } from "../support/shared_engine.ts";
import { textTable } from "../support/text_table.ts";
import { TestProxy } from "../support/test_proxy.ts";

const PASSWORD = "secret";

/** Accounts of the servers, and what each may do to the sessions of others there. */
const GRANTS = {
  plain: "",
  other: "",
  watcher: "PROCESS",
  ender: "CONNECTION ADMIN",
  super: "SUPER",
  root: "",
} as const;

function prepare(connectionAdmin: string): string[] {
  return Object.entries(GRANTS).flatMap(([user, privilege]) => {
    const granted = privilege === "CONNECTION ADMIN" ? connectionAdmin : privilege;
    return [
      // No engine has a root of this host already.
      `CREATE USER ${user}@'127.0.0.1' IDENTIFIED BY '${PASSWORD}'`,
      ...granted === "" ? [] : [`GRANT ${granted} ON *.* TO ${user}@'127.0.0.1'`],
    ];
  });
}

const engines: Record<"mariadb" | "mysql", SharedEngine> = {
  mariadb: await sharedEngine("mariadb", prepare("CONNECTION ADMIN")),
  mysql: await sharedEngine("mysql", prepare("CONNECTION_ADMIN")),
};

/** What an account gets of a session: whether lists show it, and the answers to statements. */
interface Rights {
  readonly isListed: boolean;
  /** `SHOW PROXYSESSION ATTRIBUTE | STAT | VARIABLES id` */
  readonly details: string;
  readonly killQuery: string;
  /** `KILL id`, and `KILL PROXYSESSION id` of those who may send that. */
  readonly kill: string;
}

const RIGHTS = {
  own: { isListed: true, details: "OK", killQuery: "1317", kill: "1317" },
  full: { isListed: true, details: "OK", killQuery: "OK", kill: "OK" },
  sees: { isListed: true, details: "OK", killQuery: "1095", kill: "1095" },
  ends: { isListed: false, details: "1094", killQuery: "OK", kill: "OK" },
  denied: { isListed: false, details: "1094", killQuery: "1095", kill: "1095" },
  // As of a session that is not there.
  hidden: { isListed: false, details: "1094", killQuery: "1094", kill: "1094" },
  // inspector@proxysys has one statement, and it is none of these.
  none: { isListed: false, details: "5010", killQuery: "5010", kill: "5010" },
} satisfies Record<string, Rights>;

function rightsOf(name: string | undefined): Rights {
  return RIGHTS[name as keyof typeof RIGHTS];
}

/**
 * Callers from above to below, sessions from left to right: of whom, or `nameless` for one that has
 * not logged in, or `unknown` for none at all. `asks`: whether a server has to tell the caller's
 * privileges before its lists are clear.
 *
 * A session of the proxy itself is of no cluster, and so not of the one that root@sys rules.
 */
const TABLE = textTable(`
caller             asks own  plain@one other@one plain@two root@sys root@proxysys nameless unknown
plain@one          yes  own  full      denied    hidden    hidden   hidden        hidden   hidden
watcher@one        yes  own  sees      sees      hidden    hidden   hidden        hidden   hidden
ender@one          yes  own  ends      ends      hidden    hidden   hidden        hidden   hidden
super@one          yes  own  full      full      hidden    hidden   hidden        hidden   hidden
plain@two          no   own  hidden    hidden    full      hidden   hidden        hidden   hidden
root@sys           no   own  full      full      full      full     sees          full     hidden
root@proxysys      no   own  full      full      full      full     full          full     hidden
inspector@proxysys no   none none      none      none      none     none          none     none
`);

/** Without tenants, where who has not logged in can belong to one place only. */
const PLACE_TABLE = textTable(`
caller  nameless
plain   denied
watcher sees
ender   ends
super   full
`);

/** Beyond the ids of servers: an id of the proxy must not be one of a server by chance. */
const PROXY = {
  "proxy_id": 7,
  "obproxy_sys_password": PASSWORD,
  "inspector_password": PASSWORD,
};

const USERS = Object.keys(GRANTS).map((name) => ({ name, password: PASSWORD }));

/** A proxy in front of a counted server, and the sessions that statements are about. */
class Scene implements AsyncDisposable {
  readonly gate: Gate;
  readonly proxy: TestProxy;
  readonly #open: { destroy(): void }[] = [];
  readonly #targets = new Map<string, number>();

  private constructor(gate: Gate, proxy: TestProxy) {
    this.gate = gate;
    this.proxy = proxy;
  }

  static async open({ engine }: SharedEngine, tenants: readonly string[]): Promise<Scene> {
    const gate = new Gate(engine.port);
    const proxy = await TestProxy.start({
      proxy: PROXY,
      users: USERS,
      clusters: [{
        name: "main",
        servers: [`127.0.0.1:${gate.port}`],
        ...tenants.length === 0 ? {} : { tenants: tenants.map((name) => ({ name })) },
      }],
    });
    return new Scene(gate, proxy);
  }

  async connect(user: string): Promise<Connection> {
    const { port } = this.proxy;
    const connection = await createConnection({
      host: "127.0.0.1",
      port,
      user,
      password: PASSWORD,
    });
    // The end of a session shows in its statements.
    connection.on("error", () => {});
    this.#open.push(connection);
    return connection;
  }

  /** The id of such a session, which is made where it is missing. */
  async target(target: string, caller: Connection): Promise<number> {
    if (target === "own") return caller.threadId;
    // What no proxy gives, and no server in this time.
    if (target === "unknown") return 0x7fff_ffff;
    const known = this.#targets.get(target);
    if (known !== undefined && this.has(known)) return known;
    const id = target === "nameless"
      ? await this.#arrive()
      : (await this.#connectBusy(target)).threadId;
    this.#targets.set(target, id);
    return id;
  }

  has(id: number): boolean {
    return this.proxy.proxy.manager.clients.has(id);
  }

  /** The server's id of the session's connection, if it has one. */
  threadOf(id: number): number | undefined {
    const { clients, servers } = this.proxy.proxy.manager;
    const [serverId] = clients.find(id)?.info().serverSessionIds ?? [];
    return serverId === undefined ? undefined : servers.find(serverId)?.info().threadId;
  }

  async #arrive(): Promise<number> {
    const client = await FakeClient.connect(this.proxy.port);
    this.#open.push({ destroy: () => client.close() });
    return (await client.greet()).threadId;
  }

  /** One that has a server session, where its account can. */
  async #connectBusy(user: string): Promise<Connection> {
    const connection = await this.connect(user);
    await connection.query("SELECT @@version_comment LIMIT 1");
    return connection;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const connection of this.#open) connection.destroy();
    try {
      await this.proxy[Symbol.asyncDispose]();
    } finally {
      await this.gate[Symbol.asyncDispose]();
    }
  }
}

/** `OK`, or the code of the error. */
async function answerTo(connection: Connection, sql: string): Promise<string> {
  try {
    await connection.query(sql);
    return "OK";
  } catch (error) {
    return String((error as { errno?: number }).errno ?? error);
  }
}

async function lists(connection: Connection, sql: string, id: number): Promise<boolean> {
  const [rows] = await connection.query(sql).catch((error) => {
    if (error.errno === 5010) return [[]];
    throw error;
  });
  return (rows as { Id: number }[]).some(({ Id }) => Id === id);
}

interface Attempt {
  readonly scene: Scene;
  readonly caller: Connection;
  readonly name: string;
  readonly target: string;
}

/** Tries everything on one target; the sessions that it ends are made again. */
async function check({ scene, caller, name, target }: Attempt, expected: Rights): Promise<void> {
  const say = (sql: string) => `${name} sends ${sql} about ${target}`;
  const attempt = async (sql: string, wanted: string) => {
    const before = scene.gate.connections;
    const got = await answerTo(caller, sql);
    assertEquals([say(sql), got], [say(sql), wanted]);
    // The lists have told the proxy all that it wants to know.
    assertEquals(scene.gate.connections - before, 0, `${say(sql)}: servers are asked`);
  };
  const id = await scene.target(target, caller);
  for (const sql of ["SHOW PROCESSLIST", "SHOW FULL PROCESSLIST", "SHOW PROXYSESSION"]) {
    assertEquals([say(sql), await lists(caller, sql, id)], [say(sql), expected.isListed]);
  }
  for (const kind of ["ATTRIBUTE", "STAT", "VARIABLES", "VARIABLES ALL"]) {
    await attempt(`SHOW PROXYSESSION ${kind} ${id}`, expected.details);
  }
  await attempt(`KILL QUERY ${id}`, expected.killQuery);
  if (target !== "unknown") assertEquals(scene.has(id), true, say("KILL QUERY"));

  const isOperator = name === "root@sys" || name === "root@proxysys";
  const proxysession = isOperator ? expected.kill : "5010";
  const kills: [sql: string, wanted: string, byThread: boolean][] = [
    ["KILL PROXYSESSION", proxysession, false],
    ["KILL PROXYSESSION", proxysession, true],
    ["KILL", expected.kill, true],
    ["KILL", expected.kill, false],
  ];
  // Whoever ends itself does so once.
  for (const [sql, wanted, byThread] of target === "own" ? kills.slice(-1) : kills) {
    const victim = await scene.target(target, caller);
    const known = byThread ? scene.threadOf(victim) : victim;
    if (known === undefined) continue;
    await attempt(`${sql} ${known}`, wanted);
    const isEnded = wanted === "OK" || wanted === "1317";
    await eventually(
      `${say(`${sql} ${known}`)}: it is ${isEnded ? "gone" : "there"}`,
      () => target === "unknown" || scene.has(victim) === !isEnded,
    );
  }
}

for (const engine of Object.keys(engines) as (keyof typeof engines)[]) {
  const { ignore } = engines[engine];

  for (const { caller: name, asks, ...rights } of TABLE) {
    Deno.test(`${engine}: what ${name} may do to sessions`, { ignore }, async () => {
      await using scene = await Scene.open(engines[engine], ["one", "two", "sys"]);
      const caller = await scene.connect(name!);
      const targets = Object.keys(rights);
      for (const target of targets) await scene.target(target, caller);
      const before = scene.gate.connections;
      const answer = await answerTo(caller, "SHOW PROCESSLIST");
      assertEquals(answer, name === "inspector@proxysys" ? "5010" : "OK");
      assertEquals(scene.gate.connections - before, asks === "yes" ? 1 : 0, "servers are asked");
      // Itself last.
      for (const target of targets.toReversed()) {
        await check({ scene, caller, name: name!, target }, rightsOf(rights[target]));
      }
    });
  }

  for (const { caller: name, nameless } of PLACE_TABLE) {
    Deno.test(`${engine}: what ${name} may do to logins, without tenants`, { ignore }, async () => {
      await using scene = await Scene.open(engines[engine], []);
      const caller = await scene.connect(name!);
      await check({ scene, caller, name: name!, target: "nameless" }, rightsOf(nameless));
    });
  }

  Deno.test(`${engine}: privileges are asked for once a session`, { ignore }, async () => {
    await using scene = await Scene.open(engines[engine], ["one", "two", "sys"]);
    const first = await scene.connect("plain@one");
    const other = await scene.connect("other@one");
    const statements = [
      "SHOW PROCESSLIST",
      `KILL ${other.threadId}`,
      "SHOW PROXYSESSION",
      `SHOW PROXYSESSION ATTRIBUTE ${other.threadId}`,
      "SHOW FULL PROCESSLIST",
      `KILL QUERY ${other.threadId}`,
    ];
    const before = scene.gate.connections;
    await Promise.all(statements.map((sql) => answerTo(first, sql)));
    for (const sql of statements) await answerTo(first, sql);
    assertEquals(scene.gate.connections - before, 1);
    // Another session of the same account asks for itself: privileges may have changed.
    const second = await scene.connect("plain@one");
    await answerTo(second, "SHOW PROCESSLIST");
    assertEquals(scene.gate.connections - before, 2);
  });
}
