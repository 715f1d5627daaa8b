// The proxy's own account by npm mysql2 or mariadb: the job's path, then the driver's name.
// See ../../own_account.ts for the cases.

import { readFileSync } from "node:fs";

const job = JSON.parse(readFileSync(process.argv[2], "utf8"));
const account = { host: job.host, port: job.port, user: job.user, password: job.password };
const drivers = {
  async mysql2() {
    const { createConnection } = await import("mysql2/promise");
    const connection = await createConnection(account);
    return {
      connection,
      query: async (sql) => (await connection.query(sql))[0],
      execute: async (sql) => (await connection.execute(sql))[0],
    };
  },
  async mariadb() {
    const { default: mariadb } = await import("mariadb");
    const options = { ...account, allowPublicKeyRetrieval: true };
    const connection = await mariadb.createConnection(options);
    return {
      connection,
      query: (sql) => connection.query(sql),
      execute: (sql) => connection.execute(sql),
    };
  },
};

const { connection, query, execute } = await drivers[process.argv[3]]();

async function ownRow(rows) {
  const [{ id }] = await query("SELECT CONNECTION_ID() AS id");
  const own = rows.filter((row) => BigInt(row.Id) === BigInt(id));
  return own.map(({ User, Tenant }) => `${User}@${Tenant}`).join();
}

const cases = {
  "own session": async () => ownRow(await query("SHOW PROXYSESSION")),
  "own session, prepared": async () => ownRow(await execute("SHOW PROXYSESSION")),
  async parameter() {
    const [row] = await query("SHOW PROXYCONFIG LIKE 'client_max_connections'");
    return row.value;
  },
  async refusal() {
    try {
      await query("KILL 2147483000");
    } catch (error) {
      return String(error.errno);
    }
  },
  async transaction() {
    await connection.beginTransaction();
    const [row] = await query("SELECT 1 AS one");
    await connection.commit();
    return String(row.one);
  },
  async ping() {
    await connection.ping();
    return "";
  },
};

for (const name of job.cases) {
  let line;
  try {
    line = { case: name, ok: true, detail: await cases[name]() };
  } catch (error) {
    line = { case: name, ok: false, detail: String(error.stack) };
  }
  console.log(JSON.stringify(line));
}
await connection.end();
