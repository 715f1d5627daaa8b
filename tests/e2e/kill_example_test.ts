/**
 * The session that the manual of OceanBase's proxy shows for KILL PROXYSESSION, with the client that
 * people type into: it is told that it was interrupted, finds its connection gone, connects again,
 * and has a new id.
 *
 * With what error a client finds the connection gone is a matter of its library: older ones look
 * before they send and say 2006, newer ones say 2013, and 2006 to the statement after that. What it
 * says of the proxy must be what it says of a server whose KILL hit itself.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { startEngine } from "../../src/dev/engines/engine.ts";
import { query } from "../../src/dev/engines/query.ts";
import { report } from "../support/report.ts";
import { isAvailable } from "../support/shared_engine.ts";
import { configText } from "../support/test_proxy.ts";
import type { CommandLine } from "./command_line_client.ts";
import { ToolMissing } from "./driver.ts";
import { mariadbCommand, mysqlCommand } from "./programs.ts";
import { compileProxy, RunningProxy } from "./proxy.ts";
import { Terminal } from "./terminal.ts";

const PASSWORD = "secret";

const COLUMNS = [
  "proxy_sessid",
  "Id",
  "Cluster",
  "Tenant",
  "User",
  "Host",
  "db",
  "trans_count",
  "svr_session_count",
  "state",
  "tid",
  "pid",
  "using_ssl",
];

await compileProxy(report);

for (const [name, find] of [["mariadb", mariadbCommand], ["mysql", mysqlCommand]] as const) {
  const line = await found(find);
  for (const version of [2, 1]) {
    Deno.test({
      name: `${name}: the manual's example, client_session_id_version = ${version}`,
      ignore: line === undefined || !(await isAvailable(name)),
      async fn() {
        await using engine = await startEngine(name);
        await query(engine.port, engine.admin, [
          `CREATE USER app@'%' IDENTIFIED BY '${PASSWORD}'`,
          "GRANT ALL ON *.* TO app@'%'",
        ]);
        const proxy = await RunningProxy.start(config(engine.port, version));
        try {
          const asDirectly = await directly(line!, engine.port);
          report(`${name} finds a killed connection gone with ${asDirectly.join(", then ")}`);
          await using terminal = await Terminal.start(line!, {
            port: proxy.port,
            user: "root@sys",
            password: PASSWORD,
          });
          await replay(terminal, { version, asDirectly });
        } finally {
          await proxy.stop();
        }
        assertEquals(proxy.defects, []);
      },
    });
  }
}

async function found(find: () => Promise<CommandLine>): Promise<CommandLine | undefined> {
  try {
    return await find();
  } catch (error) {
    if (!(error instanceof ToolMissing)) throw error;
    report(`Skipped: an example session. ${error.message}`);
    return undefined;
  }
}

function config(serverPort: number, version: number): string {
  return configText({
    // Beyond the ids of servers, so that the two kinds differ.
    proxy: { "proxy_id": 7, "client_session_id_version": version },
    clusters: [{ name: "ob1", servers: [`127.0.0.1:${serverPort}`], tenants: [{ name: "sys" }] }],
    users: [
      { name: "root", password: PASSWORD, server_user: "app", server_password: PASSWORD },
    ],
  });
}

/** What the client says after a session has killed itself: error numbers up to the reconnect. */
async function directly(line: CommandLine, port: number): Promise<string[]> {
  await using terminal = await Terminal.start(line, { port, user: "app", password: PASSWORD });
  const [{ id }] = table(await terminal.type("SELECT CONNECTION_ID() AS id;")) as [{ id: string }];
  assertMatch(await terminal.type(`KILL ${id};`), /^ERROR (1317|1927) \(70100\)/);
  return (await reconnected(terminal, "SELECT CONNECTION_ID() AS id;")).errors;
}

async function replay(
  terminal: Terminal,
  { version, asDirectly }: { version: number; asDirectly: readonly string[] },
): Promise<void> {
  let session = ownSession(await terminal.type("SHOW PROXYSESSION;"));
  assertEquals(Object.keys(session), COLUMNS);
  const { Cluster, Tenant, User, db, state } = session;
  assertEquals([Cluster, Tenant, User, db, state], ["ob1", "sys", "root", "NULL", READING]);
  assertMatch(session["Host"]!, /^127\.0\.0\.1:\d+$/);

  for (const idOf of [ownId, connectionId, serverSessionId]) {
    const id = await idOf(terminal, session);
    assertEquals(
      await terminal.type(`KILL PROXYSESSION ${id};`),
      "ERROR 1317 (70100): Query execution was interrupted",
    );
    const { errors, answer, newId } = await reconnected(terminal, "SHOW PROXYSESSION;");
    assertEquals(errors, asDirectly);
    const next = ownSession(answer);
    assertEquals(next["Id"], newId);
    assert(next["Id"] !== session["Id"], `Id is ${next["Id"]} as before`);
    assert(next["proxy_sessid"] !== session["proxy_sessid"]);
    session = next;
  }

  async function connectionId(_: Terminal, { Id }: Row): Promise<string> {
    const [row] = table(await terminal.type("SELECT CONNECTION_ID ();")) as [Row];
    const id = Object.values(row)[0]!;
    const server = await serverSessionId(terminal);
    assertEquals(id, version === 1 ? server : Id);
    return id;
  }
}

const READING = "MCS_ACTIVE_READER";

type Row = Readonly<Record<string, string>>;

function ownId(_: Terminal, { Id }: Row): Promise<string> {
  return Promise.resolve(Id!);
}

/** The id that the server has given to the session's connection. */
async function serverSessionId(terminal: Terminal): Promise<string> {
  await terminal.type("DO 1;");
  const [row] = table(await terminal.type("SHOW PROXYSESSION ATTRIBUTE LIKE 'server_sessid';"));
  return row!["value"]!;
}

function ownSession(answer: string): Row {
  const rows = table(answer);
  assertEquals(rows.length, 1, answer);
  return rows[0]!;
}

interface Reconnected {
  /** Numbers of the errors before the answer. */
  readonly errors: string[];
  readonly answer: string;
  /** What the client says that its new connection's id is. */
  readonly newId: string;
}

/** Types a statement until it is answered, which is when the client has connected again. */
async function reconnected(terminal: Terminal, sql: string): Promise<Reconnected> {
  const errors: string[] = [];
  while (errors.length < 3) {
    const answer = await terminal.type(sql);
    const error = /ERROR (\d+) \(HY000\)/.exec(answer)?.[1];
    if (error !== undefined) errors.push(error);
    const again =
      /No connection\. Trying to reconnect\.\.\.\nConnection id: +(\d+)\nCurrent database: (.*)\n/
        .exec(answer);
    if (again === null) continue;
    assertEquals(again[2], "*** NONE ***");
    return { errors, answer, newId: again[1]! };
  }
  throw new Error(`Cannot see the client connect again, errors ${errors.join(", ")}`);
}

/** The rows of the table in an answer. */
function table(answer: string): Row[] {
  const lines = answer.split("\n").filter((line) => line.startsWith("|"));
  const cells = (line: string) => line.split("|").slice(1, -1).map((cell) => cell.trim());
  assert(lines.length > 0, `Expected a table, got ${answer}`);
  const [head = [], ...rows] = lines.map(cells);
  return rows.map((row) => Object.fromEntries(row.map((value, at) => [head[at]!, value])));
}
