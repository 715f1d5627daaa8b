// npm mariadb against one server: the path of the job's file is the only argument.

import mariadb from "mariadb";
import { main } from "./cases.mjs";
import { job } from "./values.mjs";

const base = {
  host: job.host,
  port: job.port,
  user: job.user,
  password: job.password,
  database: job.database,
  charset: "utf8mb4",
  dateStrings: true,
  timezone: "Z",
  allowPublicKeyRetrieval: true,
  permitLocalInfile: true,
  connectTimeout: 10_000,
};

await main({
  connect: (options) => mariadb.createConnection({ ...base, ...options }),
  createPool: (size) =>
    mariadb.createPool({ ...base, connectionLimit: size, acquireTimeout: 10_000 }),
  release: (connection) => connection.release(),
  describe: (f) =>
    [f.name(), f.type, f.flags, f.columnLength, f.collation?.index ?? "", f.scale].join(":"),
  stream: (connection, sql) => connection.queryStream(sql),
  // MariaDB's bulk execution where the server has it.
  async insertRows(connection, sql, rows) {
    const results = [await connection.batch(`${sql} (?, ?)`, rows)].flat();
    return results.reduce((sum, { affectedRows }) => sum + affectedRows, 0);
  },
  greeting: (connection) => connection.serverVersion(),
  info: (result) => `${result.affectedRows} rows`,
  // Statements are closed at once.
  manyOptions: { prepareCacheLength: 0 },
  quirks: {
    unicodeOnly: true,
    noChangeUser: job.engine !== "mariadb" && "the driver offers it for MariaDB only",
    // seekdb ends the OUT parameters of a prepared call without the OK that this driver waits for.
    noPreparedOut: job.engine === "seekdb",
    // seekdb answers 9747 to this driver's execution without parameters.
    noEmptyExecute: job.engine === "seekdb",
  },
});
