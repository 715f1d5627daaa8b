/** What the victims of the matrix are in the middle of, and how each gets there. */
import { encodeText } from "../../../src/protocol/bytes.ts";
import { type FakeClient, queryBytes } from "../../fake/client.ts";
import { eventually } from "../../support/eventually.ts";
import { readReply, replyOf } from "./reply.ts";
import type { Stage, Tenant } from "./stage.ts";

export interface Victim {
  readonly client: FakeClient;
  /** Text that the server lists while it runs it. */
  readonly sql?: string;
  /** Whether it has locked row 1. */
  readonly hasLock: boolean;
  /** Reads what it waits for, as {@link readReply}; undefined where it waits for nothing. */
  readonly answer?: () => Promise<string>;
  /** What remains to be done before it can run statements. */
  readonly prepare?: () => Promise<void>;
}

export interface Phase {
  readonly tenant: Tenant;
  /** Whether there is such a phase without a proxy. */
  readonly isDirect: boolean;
  /** Whether the victim has yet to show who it is. */
  readonly isNameless?: boolean;
  bring(stage: Stage): Promise<Victim>;
}

/** A result of one gigabyte, in so many rows. */
function gigabyte(rows: number): string {
  const side = Math.sqrt(rows);
  return `WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < ${side}) ` +
    `SELECT REPEAT('x', ${1e9 / rows}) FROM i AS a CROSS JOIN i AS b`;
}

let marks = 0;

/** The statement as nobody else runs it. */
function marked(sql: string): string {
  return `${sql} /* ${++marks} */`;
}

export const PHASES = {
  login: {
    tenant: "plain",
    isDirect: false,
    isNameless: true,
    async bring(stage) {
      const client = await stage.arrive();
      return { client, hasLock: false, prepare: () => stage.logIn(client, "plain") };
    },
  },

  // Of a schema that no login has proven yet.
  "login on a server": {
    tenant: "gated",
    isDirect: false,
    isNameless: true,
    async bring(stage) {
      const client = await stage.arrive();
      const { user, password } = stage.account("gated");
      stage.gate.shut();
      const login = { database: "information_schema" };
      const last = client.logIn({ user, password, login }).then(replyOf, () => "closed");
      await reached(stage, client, (info) => info.serverSessionIds.length === 1);
      return { client, hasLock: false, answer: () => last };
    },
  },

  connecting: {
    tenant: "gated",
    isDirect: false,
    async bring(stage) {
      // Proves the account, so that the victim needs no server before its first statement.
      (await stage.connect("gated")).close();
      const client = await stage.connect("gated");
      stage.gate.shut();
      await client.query("SELECT 1");
      await reached(stage, client, ({ phase }) => phase === "connecting");
      return { client, hasLock: false, answer: () => readReply(client) };
    },
  },

  idle: {
    tenant: "plain",
    isDirect: true,
    async bring(stage) {
      const client = await stage.connect("plain");
      await run(client, "SELECT 1");
      return { client, hasLock: false };
    },
  },

  executing: {
    tenant: "plain",
    isDirect: true,
    async bring(stage) {
      const client = await stage.connect("plain");
      const sql = marked("SELECT SLEEP(60)");
      await client.query(sql);
      await eventually("the statement runs", () => stage.watcher.runs(sql));
      return { client, sql, hasLock: false, answer: () => readReply(client) };
    },
  },

  // Half of a statement has been sent, and is all that the server has of it.
  "sending a command": {
    tenant: "plain",
    isDirect: true,
    async bring(stage) {
      const client = await stage.connect("plain");
      await run(client, "SELECT 1");
      const command = queryBytes(`SELECT 7${" ".repeat(200_000)}`);
      const half = command.length / 2;
      await client.sendRaw(command.subarray(0, half));
      if (stage.proxy !== undefined) {
        await reached(stage, client, ({ phase }) => phase === "executing");
      }
      const answer = async () => {
        await client.sendRaw(command.subarray(half));
        return await readReply(client);
      };
      return { client, hasLock: false, answer };
    },
  },

  "sending a file": {
    tenant: "plain",
    isDirect: true,
    async bring(stage) {
      const client = await stage.connect("plain");
      const sql = marked("LOAD DATA LOCAL INFILE 'rows' INTO TABLE loaded");
      await client.query(sql);
      await client.expect();
      await client.send(encodeText(`${marks}\n`));
      await eventually("the server waits for more", () => stage.watcher.seesLoaded(marks));
      const answer = async () => {
        await client.send(new Uint8Array(0));
        return await readReply(client);
      };
      return { client, sql, hasLock: false, answer };
    },
  },

  "second statement": {
    tenant: "plain",
    isDirect: true,
    bring: (stage) => behind(stage, "SELECT 1"),
  },

  "behind an own statement": {
    tenant: "plain",
    isDirect: false,
    bring: (stage) => behind(stage, "SHOW PROXYHELP LIKE 'PING PROXY'"),
  },

  // Rows that a buffer holds whole, so that each ends where an ERR may follow.
  streaming: {
    tenant: "plain",
    isDirect: true,
    bring: (stage) => streaming(stage, gigabyte(160_000)),
  },

  "streaming a row": {
    tenant: "plain",
    isDirect: true,
    bring: (stage) => streaming(stage, gigabyte(100)),
  },

  transaction: {
    tenant: "plain",
    isDirect: true,
    async bring(stage) {
      const client = await inTransaction(stage);
      return { client, hasLock: true };
    },
  },

  "lock wait": {
    tenant: "plain",
    isDirect: true,
    async bring(stage) {
      await stage.watcher.hold(2);
      const client = await inTransaction(stage);
      const sql = marked("UPDATE held SET n = n + 1 WHERE id = 2");
      await client.query(sql);
      await eventually("it waits for the lock", () => stage.watcher.seesLockWait());
      return { client, sql, hasLock: true, answer: () => readReply(client) };
    },
  },
} satisfies Record<string, Phase>;

export type PhaseName = keyof typeof PHASES;

/** In the second of several statements in one text. */
async function behind(stage: Stage, first: string): Promise<Victim> {
  const client = await stage.connect("plain");
  const sql = marked("SELECT 2 FROM (SELECT 1 AS one UNION SELECT 2) AS two WHERE SLEEP(60)");
  await client.query(`${first}; ${sql}; SELECT 3`);
  await readReply(client);
  await eventually("the second one runs", () => stage.watcher.runs(sql));
  return { client, sql, hasLock: false, answer: () => readReply(client) };
}

async function streaming(stage: Stage, text: string): Promise<Victim> {
  const client = await stage.connect("plain");
  const sql = marked(text);
  await client.query(sql);
  await stuck(stage);
  return { client, sql, hasLock: false, answer: () => readReply(client) };
}

async function inTransaction(stage: Stage): Promise<FakeClient> {
  const client = await stage.connect("plain");
  await run(client, "BEGIN");
  await run(client, "UPDATE held SET n = n + 1 WHERE id = 1");
  return client;
}

async function run(client: FakeClient, sql: string): Promise<void> {
  await client.query(sql);
  const reply = await readReply(client);
  if (!/^(OK|row)/.test(reply)) throw new Error(`Cannot run ${sql}: ${reply}`);
}

type Info = ReturnType<typeof infoOf>;

function infoOf(stage: Stage, client: FakeClient) {
  return stage.proxy!.proxy.manager.clients.find(client.greeting!.threadId)!.info();
}

function reached(stage: Stage, client: FakeClient, check: (info: Info) => boolean) {
  return eventually("the victim is in its phase", () => check(infoOf(stage, client)));
}

/** Waits until the server can send no more of a result. */
async function stuck(stage: Stage): Promise<void> {
  let before = 0;
  await eventually("the result is stuck", async () => {
    const queued = await sendQueue(stage.serverPort);
    const isStuck = queued > 100_000 && queued === before;
    before = queued;
    return isStuck;
  }, { every: 50, within: 30_000 });
}

/** Bytes that connections of a port have not got rid of, as the system counts them. */
async function sendQueue(port: number): Promise<number> {
  const local = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const lines = (await Deno.readTextFile("/proc/net/tcp")).split("\n");
  return lines.map((line) => line.trim().split(/\s+/))
    .filter(([, address]) => address?.endsWith(local))
    .reduce((sum, fields) => sum + parseInt(fields[4]!.split(":")[0]!, 16), 0);
}
