// The cases about connections and sessions, and what all cases need.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { job } from "./values.mjs";

const NOTE = "\u00e4\u20ac\u{1F600}";

export class Skip extends Error {}

// The error that `body` throws, as code, state and text.
export async function failure(body) {
  try {
    await body();
  } catch (error) {
    if (!error.errno) throw error;
    return { code: error.errno, state: error.sqlState, text: error.sqlMessage ?? error.message };
  }
  throw new assert.AssertionError({ message: "no error was thrown" });
}

export function show({ code, state, text }) {
  return `${code} ${state} ${text}`;
}

export function range(count) {
  return Array.from({ length: count }, (_, index) => index);
}

export function bigData(length) {
  const data = Buffer.alloc(length);
  for (let i = 0; i < length; i++) data[i] = (i * 31 + (i >> 8) * 17 + (i >> 16) * 7) & 255;
  return data;
}

export function sha256(data) {
  return createHash("sha256").update(data).digest("hex");
}

export class SessionCases {
  constructor(driver) {
    this.driver = driver;
  }

  // Runs `body` with a connection of its own.
  async with(options, body) {
    const connection = await this.driver.connect(options);
    try {
      return await body(connection);
    } finally {
      connection.destroy();
    }
  }

  // Rows as arrays, or what the driver tells of a statement without rows; `execute` prepares.
  async send(connection, sql, values, method = "query") {
    const options = { sql, rowsAsArray: true, metaAsArray: true };
    return (await connection[method](options, values))[0];
  }

  async scalar(connection, sql, values) {
    return (await this.send(connection, sql, values))[0][0];
  }

  connect() {
    return this.with({}, async (connection) => {
      const sql = "SELECT VERSION(), DATABASE(), USER(), @@collation_connection";
      const [[version, database, user, collation]] = await this.send(connection, sql);
      assert(version.includes(job.version), version);
      assert.equal(database, job.database);
      assert.equal(user.split("@")[0], job.user);
      const greeting = this.driver.greeting(connection);
      await connection.end();
      return `version ${version}, greeting ${greeting}, ${collation}`;
    });
  }

  charset() {
    return this.with({}, async (connection) => {
      await this.send(connection, "INSERT INTO charset VALUES (1, ?)", [NOTE]);
      await this.send(connection, "INSERT INTO charset VALUES (2, ?)", [NOTE], "execute");
      const sql = "SELECT note, HEX(note), CHAR_LENGTH(note) FROM charset ORDER BY id";
      const stored = Buffer.from(NOTE).toString("hex").toUpperCase();
      const rows = await this.send(connection, sql);
      assert.deepEqual(rows.map((row) => row.map(String)), [[NOTE, stored, "3"], [NOTE, stored, "3"]]);
      if (this.driver.quirks.unicodeOnly) return "the driver has UTF-8 only";
      const { name, text, hex } = job.otherCharset;
      return this.with({ charset: name }, async (other) => {
        const [back] = await this.send(other, `SELECT '${text}', HEX('${text}')`);
        assert.deepEqual(back, [text, hex]);
        return this.scalar(other, "SELECT @@character_set_client");
      });
    });
  }

  transactions() {
    return this.with({}, (writer) =>
      this.with({}, async (reader) => {
        const counts = [];
        const count = async () => {
          counts.push(Number(await this.scalar(reader, "SELECT COUNT(*) FROM tx")));
        };
        const run = async (...statements) => {
          for (const sql of statements) await this.send(writer, sql);
        };
        await writer.beginTransaction();
        await run("INSERT INTO tx VALUES (1, 'commit')");
        await count();
        await writer.commit();
        await count();
        await writer.beginTransaction();
        await this.send(writer, "INSERT INTO tx VALUES (?, ?)", [2, "rollback"], "execute");
        await writer.rollback();
        await count();
        await run("SET autocommit = 0", "INSERT INTO tx VALUES (3, 'rollback')");
        await count();
        await writer.rollback();
        await run("INSERT INTO tx VALUES (4, 'commit')");
        await writer.commit();
        await run("SET autocommit = 1");
        await count();
        await run("START TRANSACTION", "INSERT INTO tx VALUES (5, 'kept')", "SAVEPOINT here");
        await run("INSERT INTO tx VALUES (6, 'undone')", "ROLLBACK TO SAVEPOINT here", "COMMIT");
        await count();
        assert.deepEqual(counts, [0, 1, 1, 1, 2, 3]);
        return counts.join();
      }));
  }

  session_state() {
    return this.with({}, async (connection) => {
      const set = "SET @e2e = ?, SESSION group_concat_max_len = 12345";
      await this.send(connection, set, ["kept"]);
      await this.send(connection, `USE ${job.otherDatabase}`);
      const sql = "SELECT @e2e, @@group_concat_max_len, DATABASE()";
      const [row] = await this.send(connection, sql);
      assert.deepEqual(row.map(String), ["kept", "12345", job.otherDatabase]);
      const lock = [`${job.database}_lock`];
      assert.equal(Number(await this.scalar(connection, "SELECT GET_LOCK(?, 0)", lock)), 1);
      assert.equal(Number(await this.scalar(connection, "SELECT RELEASE_LOCK(?)", lock)), 1);
      return row.join();
    });
  }

  ping() {
    return this.with({}, async (connection) => {
      await connection.ping();
      assert.equal(Number(await this.scalar(connection, "SELECT 1")), 1);
      await connection.ping();
      return "2 pings";
    });
  }

  reset_connection() {
    return this.with({}, async (connection) => {
      await this.send(connection, "SET @kept = 1");
      await connection.reset();
      assert.equal(await this.scalar(connection, "SELECT @kept"), null);
      return "user variable is gone";
    });
  }

  async change_user() {
    if (this.driver.quirks.noChangeUser) throw new Skip(this.driver.quirks.noChangeUser);
    const [other] = job.accounts;
    return await this.with({}, async (connection) => {
      const who = async () =>
        (await this.send(connection, "SELECT CURRENT_USER(), DATABASE(), @kept"))[0];
      await this.send(connection, "SET @kept = 1");
      const { user, password } = other;
      await connection.changeUser({ user, password, database: job.otherDatabase });
      assert.deepEqual(await who(), [other.currentUser, job.otherDatabase, null]);
      const { user: own, password: secret, database } = job;
      await connection.changeUser({ user: own, password: secret, database });
      const back = await who();
      assert.equal(back[1], job.database);
      const bad = await failure(() => connection.changeUser({ user: own, password: "wrong" }));
      assert.equal(bad.code, 1045);
      return `${other.currentUser}, ${back}, ${bad.code}`;
    });
  }

  async reconnect() {
    const pool = this.driver.createPool(1);
    const connection = await pool.getConnection();
    const id = await this.scalar(connection, "SELECT CONNECTION_ID()");
    await this.with({}, (killer) => this.send(killer, `KILL ${id}`));
    await assert.rejects(async () => {
      while (true) await this.send(connection, "SELECT 1");
    });
    await this.driver.release(connection);
    const [[value]] = await this.send(pool, "SELECT 3");
    assert.equal(Number(value), 3);
    await pool.end();
    return "new connection works";
  }

  async parallel() {
    const pool = this.driver.createPool(8);
    await Promise.all(range(320).map(async (n) => {
      const [[value]] = await this.send(pool, "SELECT ? * 2", [n], "execute");
      assert.equal(Number(value), n * 2);
    }));
    await pool.end();
    return "320 statements";
  }

  async accounts() {
    const seen = [];
    for (const { user, password, currentUser } of job.accounts) {
      const name = await this.with(
        { user, password },
        (connection) => this.scalar(connection, "SELECT CURRENT_USER()"),
      );
      assert.equal(name, currentUser);
      seen.push(name);
    }
    return seen.join();
  }

  async wrong_password() {
    for (const login of [{ password: "wrong" }, { password: "" }, { user: "nobody_like_this" }]) {
      const error = await failure(() => this.with(login, (c) => this.send(c, "SELECT 1")));
      assert.equal(error.code, 1045, show(error));
    }
    return "1045 three times";
  }

  async unknown_database() {
    const error = await failure(() => this.with({ database: "no_such_database" }, () => undefined));
    assert.equal(error.code, 1049, show(error));
    return show(error);
  }
}
