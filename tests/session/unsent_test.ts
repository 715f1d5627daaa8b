/**
 * Commands that end before they come to a server session: nothing is taken for done that was not,
 * and nobody else waits for what was being prepared for them.
 */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { type Connection, createConnection } from "mysql2";
import { encodeText } from "../../src/protocol/bytes.ts";
import { commandRow } from "../../src/protocol/replies.ts";
import { ColumnType, Command, Head } from "../../src/protocol/constants.ts";
import type { ClientEntry } from "../../src/session_manager.ts";
import { eventually } from "../support/eventually.ts";
import { Gate } from "../support/gate.ts";
import { isAvailable, sharedEngine } from "../support/shared_engine.ts";
import { APP, TestProxy } from "../support/test_proxy.ts";
import { value } from "../support/value.ts";
import { WireClient, WireError, type WirePacket } from "../support/wire_client.ts";

const execute = (id: number) => Uint8Array.of(Command.STMT_EXECUTE, id, 0, 0, 0, 0, 1, 0, 0, 0);

const reset = (client: WireClient) => client.simple(Command.RESET_CONNECTION);

function errorIn([packet]: readonly WirePacket[]): WireError | undefined {
  return packet!.payload[0] === Head.ERR ? new WireError(packet!.payload) : undefined;
}

/** The only value of a text result. */
function textIn(packets: readonly WirePacket[]): string {
  const { payload } = packets.at(-2)!;
  return new TextDecoder().decode(payload.subarray(1, 1 + payload[0]!));
}

/** Whether its command waits for that: one that waits for a server session is "connecting". */
function isReadOut(client: ClientEntry, command: string): boolean {
  const info = client.info();
  return info.command === command && info.phase === "executing";
}

for (const name of ["mariadb", "mysql"] as const) {
  if (!await isAvailable(name)) continue;
  const engine = await sharedEngine(name, [
    "CREATE USER app@'%' IDENTIFIED BY 'secret'",
    "GRANT ALL ON *.* TO app@'%'",
    "CREATE DATABASE one",
    "CREATE DATABASE two",
    "CREATE TABLE one.t (v INT)",
  ]);
  const rowsLeft = async () =>
    Number((await engine.admin("SELECT COUNT(*) AS n FROM one.t"))[0]!.n);

  /** A proxy with so many server sessions, behind a gate that can hold replies back. */
  const gated = (
    title: string,
    sessions: number,
    run: (stage: { readonly gate: Gate; readonly proxy: TestProxy }) => Promise<void>,
    wait = "60s",
  ) =>
    Deno.test({
      name: `${name}: ${title}`,
      ignore: engine.ignore,
      fn: async () => {
        await engine.admin("DELETE FROM one.t");
        await using gate = new Gate(engine.engine.port, "replies");
        await using proxy = await TestProxy.start({
          servers: [gate.port],
          sharing: "transaction",
          proxy: {
            session_pool_default_max_conn: sessions,
            session_pool_default_blocking_timeout: wait,
          },
        });
        await run({ gate, proxy });
      },
    });
  const wire = ({ port }: TestProxy) => WireClient.connect({ ...APP, port });
  const connect = ({ port }: TestProxy) => createConnection({ host: "127.0.0.1", port, ...APP });
  const idOf = async (client: Connection) => Number(await value(client, "SELECT CONNECTION_ID()"));
  const serversOf = ({ proxy }: TestProxy, id: number) =>
    proxy.manager.clients.find(id)!.info().serverSessionIds;

  gated("a reset that gets no server session resets nothing", 1, async ({ proxy }) => {
    using a = await wire(proxy);
    using b = await wire(proxy);
    await a.run("SET @x = 'kept'");
    const { statementId } = await a.prepare("SELECT 'prepared'");
    await b.run("BEGIN");
    assertEquals(errorIn(await reset(a))?.code, 1040);
    await b.run("COMMIT");
    assertEquals(textIn(await a.run("SELECT @x")), "kept");
    assertEquals(errorIn(await a.command(execute(statementId))), undefined);
    // What comes next is no reset, and pins.
    await a.run("BEGIN");
    await a.run("INSERT INTO one.t VALUES (1)");
    await a.run("ROLLBACK");
    assertEquals(await rowsLeft(), 0);
    await a.run("CREATE TEMPORARY TABLE one.secret_of_a (v INT)");
    assertEquals(errorIn(await b.query("SELECT * FROM one.secret_of_a"))?.code, 1040);
    assertEquals(errorIn(await reset(a)), undefined);
    assertEquals(errorIn(await b.query("SELECT * FROM one.secret_of_a"))?.code, 1146);
    assertEquals(errorIn(await a.command(execute(statementId)))?.code, 1243);
  }, "300ms");

  gated("a reset is not refused for what was lost", 1, async ({ proxy }) => {
    using a = await wire(proxy);
    await a.run("SELECT GET_LOCK('mine', 0)");
    const [session] = proxy.proxy.manager.servers.values();
    await engine.admin(`KILL ${session!.info().threadId}`);
    await eventually("it has gone", () => proxy.servers === 0);
    assertEquals(errorIn(await reset(a)), undefined);
    await a.run("BEGIN");
    await a.run("INSERT INTO one.t VALUES (1)");
    await a.run("ROLLBACK");
    assertEquals(await rowsLeft(), 0);
  });

  gated(
    "who is killed while a statement is prepared again in another schema stays in its own",
    2,
    async ({ gate, proxy }) => {
      const killer = await connect(proxy);
      using a = await wire(proxy);
      using b = await wire(proxy);
      await a.run("USE one");
      const { statementId } = await a.prepare("SELECT v FROM t");
      await a.run("USE two");
      await b.run("BEGIN");
      await a.run("BEGIN");
      const before = gate.held;
      gate.shutBehind(1);
      await a.send(execute(statementId));
      await eventually("it is in the other schema", () => gate.held > before);
      await killer.query(`KILL QUERY ${a.greeting.threadId}`);
      gate.open();
      assertEquals(new WireError((await a.packet())!.payload).code, 1317);
      assertEquals(textIn(await a.run("SELECT DATABASE()")), "two");
      await a.run("COMMIT");
      assertEquals(textIn(await a.run("SELECT DATABASE()")), "two");
      await b.run("COMMIT");
      killer.destroy();
    },
  );

  gated("a statement whose schema is gone is refused, and nothing else", 2, async ({ proxy }) => {
    using a = await wire(proxy);
    using b = await wire(proxy);
    await engine.admin("CREATE DATABASE gone");
    await engine.admin("CREATE TABLE gone.t (v INT)");
    await a.run("USE gone");
    const { statementId } = await a.prepare("SELECT v FROM t");
    await a.run("USE two");
    await b.run("BEGIN");
    await a.run("BEGIN");
    await a.run("INSERT INTO one.t VALUES (1)");
    await engine.admin("DROP DATABASE gone");
    assertEquals(errorIn(await a.command(execute(statementId)))?.code, 1049);
    assertEquals(textIn(await a.run("SELECT DATABASE()")), "two");
    await a.run("COMMIT");
    assertEquals(await rowsLeft(), 1);
    await b.run("COMMIT");
  });

  gated("a server session that is killed under its preparation is told", 2, async (stage) => {
    const { gate, proxy } = stage;
    using a = await wire(proxy);
    using b = await wire(proxy);
    await a.run("SET @x = 'a'");
    const { statementId } = await a.prepare("SELECT @x");
    await b.run("BEGIN");
    await a.run("BEGIN");
    const before = gate.held;
    gate.shut();
    await a.send(execute(statementId));
    await eventually("it is being prepared", () => gate.held > before);
    const id = a.greeting.threadId;
    const [server] = serversOf(proxy, id);
    assert(proxy.proxy.manager.clients.find(id)!.killServer(server!));
    const { code, message } = new WireError((await a.packet())!.payload);
    assertEquals(code, 1317);
    assertMatch(message, /the transaction is gone; the statement was not run$/);
    gate.open();
    assertEquals(textIn(await a.run("SELECT @x")), "a");
    await b.run("COMMIT");
  });

  gated("the server session that waits for a client can be killed", 1, async ({ proxy }) => {
    const a = await connect(proxy);
    const id = await idOf(a);
    await a.query("SELECT GET_LOCK('mine', 0)");
    const [server] = serversOf(proxy, id);
    assert(proxy.proxy.manager.clients.find(id)!.killServer(server!));
    await eventually("it has gone", () => proxy.servers === 0);
    await assertRejects(
      () => a.query("SELECT 1"),
      Error,
      "lost with the server session: user lock",
    );
    await a.query("SELECT 1");
    a.destroy();
  });

  gated("who leaves while a session is brought to its state leaves nothing", 1, async (stage) => {
    const { gate, proxy } = stage;
    const [a, b] = [await connect(proxy), await connect(proxy)];
    await a.query("SET @x = 'a'");
    await b.query("SET @x = 'b'");
    const before = gate.held;
    gate.shut();
    a.query("SELECT @x").catch(() => {});
    await eventually("it is being brought there", () => gate.held > before);
    a.destroy();
    await eventually("the client has gone", () => proxy.clients === 1);
    await eventually("so has its server session", () => proxy.servers === 0);
    gate.open();
    assertEquals(await value(b, "SELECT @x"), "b");
    b.destroy();
  });

  gated("who is killed while its last statement is read out runs nothing", 1, async (stage) => {
    const { gate, proxy } = stage;
    const [a, b, killer] = [await connect(proxy), await connect(proxy), await connect(proxy)];
    const id = await idOf(a);
    await a.query("SET @computed = CONCAT('read', 'out')");
    const before = gate.held;
    gate.shut();
    const other = value(b, "SELECT 1");
    await eventually("it is being read", () => gate.held > before);
    const client = proxy.proxy.manager.clients.find(id)!;
    const asked = assertRejects(
      () => a.query("INSERT INTO one.t VALUES (77)"),
      Error,
      "interrupted",
    );
    await eventually("it waits", () => isReadOut(client, "COM_QUERY"));
    await killer.query(`KILL QUERY ${id}`);
    await asked;
    const next = value(a, "SELECT 'next'");
    gate.open();
    assertEquals([await other, await next], [1, "next"]);
    assertEquals(await rowsLeft(), 0);
    for (const client of [a, b, killer]) client.destroy();
  });

  for (const code of [Command.STMT_CLOSE, Command.STMT_SEND_LONG_DATA]) {
    const commandName = code === Command.STMT_CLOSE ? "COM_STMT_CLOSE" : "long data";
    gated(`who is killed while ${commandName} waits for a read-out`, 1, async (stage) => {
      const { gate, proxy } = stage;
      using a = await wire(proxy);
      using b = await wire(proxy);
      const killer = await connect(proxy);
      const { statementId } = await a.prepare("SELECT ?");
      const client = proxy.proxy.manager.clients.find(a.greeting.threadId)!;
      await a.run("SET @computed = CONCAT('read', 'out')");
      const before = gate.held;
      gate.shut();
      const other = b.run("SELECT 'other'");
      await eventually("it is being read", () => gate.held > before);
      const command = commandRow(code)!.name;
      const data = code === Command.STMT_CLOSE ? [] : [0, 0, ...encodeText("whole")];
      await a.send(Uint8Array.of(code, statementId, 0, 0, 0, ...data));
      await eventually("it waits", () => isReadOut(client, command));
      await killer.query(`KILL QUERY ${a.greeting.threadId}`);
      gate.open();
      assertEquals(textIn(await other), "other");
      // One that is closed is unknown, and one whose value is not there is not run.
      const blob = [0, 1, ColumnType.BLOB, 0];
      const parts = Uint8Array.of(...execute(statementId), ...blob);
      const expected = code === Command.STMT_CLOSE ? 1243 : 1317;
      assertEquals(errorIn(await a.command(parts))?.code, expected);
      killer.destroy();
    });
  }
}
