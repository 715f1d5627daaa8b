// npm mysql2 against one server: the path of the job's file is the only argument.

import { createReadStream } from "node:fs";
import mysql from "mysql2/promise";
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
  supportBigNumbers: true,
  infileStreamFactory: (path) => createReadStream(path),
};

await main({
  connect: (options) => mysql.createConnection({ ...base, ...options }),
  createPool: (size) => mysql.createPool({ ...base, connectionLimit: size }),
  release: (connection) => connection.destroy(),
  describe: (f) =>
    [f.name, f.columnType, f.flags, f.columnLength, f.characterSet, f.decimals].join(":"),
  stream: (connection, sql) => connection.connection.query(sql).stream(),
  async insertRows(connection, sql, rows) {
    const [result] = await connection.query(`${sql} ?`, [rows]);
    return result.affectedRows;
  },
  greeting: (connection) => connection.connection._handshakePacket.serverVersion,
  info: (result) => result.info,
  manyOptions: {},
  quirks: {},
});
