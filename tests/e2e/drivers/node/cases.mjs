// The cases of both Node programs; see ../../spec.ts for the job. The drivers agree on most calls, and
// `driver` has the rest:
//   connect(options)          a connection; options are those that both drivers have
//   createPool(size)          a pool, with `getConnection` and `end`
//   release(connection)       gives a pool's connection back after it was lost
//   describe(field)           all that is known of a column, as text
//   stream(connection, sql)   rows as objects, one by one
//   insertRows(connection, sql, rows)  affected rows; sql ends before the list of values
//   greeting(connection)      the server's version as it was greeted with
//   info(result)              the text of a result that the driver keeps, if it does
//   quirks                    what the driver and this server cannot do together

import assert from "node:assert/strict";
import { bigData, failure, range, SessionCases, sha256, show, Skip } from "./session_cases.mjs";
import { checkTypes, job, parameter, rowValues } from "./values.mjs";

// Runs every case of the job and prints one JSON line for each.
export async function main(driver) {
  const cases = new Cases(driver);
  for (const name of job.cases) {
    const line = { case: name, ok: true, detail: "" };
    try {
      line.detail = await cases[name]();
    } catch (error) {
      if (error instanceof Skip) line.skip = error.message;
      else Object.assign(line, { ok: false, detail: String(error?.stack ?? error) });
    }
    console.log(JSON.stringify(line));
  }
  process.exit(0);
}

class Cases extends SessionCases {
  types_text() {
    return this.with({}, async (connection) => {
      await this.send(connection, "SET time_zone = '+00:00'");
      await this.send(connection, "DELETE FROM types");
      for (const sql of job.insertTypes) {
        assert.equal((await this.send(connection, sql)).affectedRows, 1);
      }
      const detail = await this.readTypes(connection, "query");
      // The same values again, put into the statement's text by the driver.
      await this.send(connection, "DELETE FROM types");
      await this.insertTypes(connection, "query");
      await this.readTypes(connection, "query");
      return detail;
    });
  }

  types_prepared() {
    return this.with({}, async (connection) => {
      await this.send(connection, "SET time_zone = '+00:00'");
      await this.send(connection, "DELETE FROM types");
      await this.insertTypes(connection, "execute");
      return this.readTypes(connection, "execute");
    });
  }

  async insertTypes(connection, method) {
    const sql = `INSERT INTO types VALUES (?${", ?".repeat(job.columns.length)})`;
    for (const row of range(3)) {
      const values = rowValues(row).map((text, at) => parameter(job.columns[at].kind, text));
      const result = await this.send(connection, sql, [row + 1, ...values], method);
      assert.equal(result.affectedRows, 1);
    }
  }

  async readTypes(connection, method) {
    const sql = "SELECT * FROM types WHERE id > ? ORDER BY id";
    const options = { sql, rowsAsArray: true, metaAsArray: true };
    const [rows, fields] = await connection[method](options, [0]);
    checkTypes(rows);
    return fields.map((field) => this.driver.describe(field)).join(" ");
  }

  prepared_reuse() {
    return this.with({}, async (connection) => {
      const statement = await connection.prepare("SELECT ? AS a, ? AS b, CONCAT(?, '!') AS c");
      const seen = [];
      const big = 9007199254740993n;
      for (
        const values of [
          [1, "x", "y"],
          [null, null, null],
          ["text", 1.5, Buffer.from("z")],
          [big, true, "\u{1F600}"],
        ]
      ) {
        const [row] = [await statement.execute(values)].flat(2);
        seen.push([row.a, row.b, row.c].map((value) => value?.toString() ?? null));
      }
      await statement.close();
      assert.deepEqual(seen.map((row) => row[2]), ["y!", null, "z!", "\u{1F600}!"]);
      assert.deepEqual(seen[1], [null, null, null]);
      assert.equal(Number(seen[0][0]), 1);
      assert.equal(BigInt(seen[3][0]), big);
      const bad = await failure(() => connection.prepare("SELECT ? FROM missing_table"));
      assert.equal(bad.code, 1146);
      return `${JSON.stringify(seen)} ${show(bad)}`;
    });
  }

  wide() {
    return this.with({}, async (connection) => {
      const numbers = range(500);
      const text = numbers.map((n) => `${n} AS column_${n}`).join(", ");
      const marks = numbers.map((n) => `? AS column_${n}`).join(", ");
      const [row] = await this.send(connection, `SELECT ${text}`);
      assert.deepEqual(row.map(Number), numbers);
      const [again] = await this.send(connection, `SELECT ${marks}`, numbers, "execute");
      assert.deepEqual(again.map(Number), numbers);
      return "500 columns";
    });
  }

  multi_statements() {
    return this.with({ multipleStatements: true }, async (connection) => {
      const results = await this.send(
        connection,
        "SELECT 1 AS a; INSERT INTO multi VALUES (1), (2); SELECT 'x' AS b, NULL AS c; " +
          "UPDATE multi SET id = id + 10; SELECT COUNT(*) AS n FROM multi WHERE id > 10",
      );
      const seen = results.map((result) => Array.isArray(result) ? result : result.affectedRows);
      seen[0][0] = seen[0][0].map(Number);
      seen[4][0] = seen[4][0].map(Number);
      assert.deepEqual(seen, [[[1]], 2, [["x", null]], 2, [[2]]]);
      const sql = "SELECT 1; SELECT * FROM missing_table; SELECT 2";
      const bad = await failure(() => this.send(connection, sql));
      assert.equal(bad.code, 1146);
      assert.equal(Number(await this.scalar(connection, "SELECT 7")), 7);
      return `${JSON.stringify(seen)} ${show(bad)}`;
    });
  }

  procedures() {
    return this.with({}, async (connection) => {
      await this.send(connection, "SET @b = 40");
      await this.send(connection, "CALL p_out(2, @b, @c)");
      const [out] = await this.send(connection, "SELECT @b, @c");
      assert.deepEqual(out.map(String), ["42", "got 2"]);
      let prepared;
      if (!this.driver.quirks.noPreparedOut) {
        prepared = await this.send(connection, "CALL p_out(?, ?, ?)", [2, 40, null], "execute");
      }
      for (const method of ["query", "execute"]) {
        const results = await this.send(connection, "CALL p_results(?)", [5], method);
        const rows = results.slice(0, 2).flat().map((row) => row.map(String));
        assert.deepEqual(rows, [["5"], ["6", "two"], ["7", "null"]]);
        assert.equal(results.length, 3);
      }
      const bad = await failure(() => this.send(connection, "CALL p_error(1)"));
      assert.deepEqual([bad.code, bad.state], [1644, "45000"]);
      const rows = Array.isArray(prepared) ? JSON.stringify(prepared[0]) : "none";
      return `OUT of a prepared call: ${rows}; ${show(bad)}`;
    });
  }

  streaming() {
    return this.with({}, async (connection) => {
      let sum = 0;
      let characters = 0;
      for await (const row of this.driver.stream(connection, "SELECT id, note FROM stream")) {
        sum += row.id;
        characters += row.note.length;
      }
      assert.deepEqual([sum, characters], [49_995_000, 990_000]);
      return `${sum} ${characters}`;
    });
  }

  batch() {
    return this.with({}, async (connection) => {
      const rows = range(500).map((id) => [id, id % 7 === 0 ? null : `note ${id}`]);
      const sql = "INSERT INTO batch VALUES ";
      assert.equal(await this.driver.insertRows(connection, sql, rows), 500);
      const nulls = "SELECT COUNT(*) FROM batch WHERE note IS NULL";
      assert.equal(Number(await this.scalar(connection, nulls)), 72);
      const again = [[1000, "new"], [1, "duplicate"]];
      const bad = await failure(() => this.driver.insertRows(connection, sql, again));
      assert.equal(bad.code, 1062);
      return show(bad);
    });
  }

  big_values() {
    return this.with({}, async (connection) => {
      const data = bigData(job.bigBytes);
      const parts = [data, data.subarray(0, job.bigTextBytes)];
      const insert = "INSERT INTO big VALUES (?, ?)";
      await this.send(connection, insert, [0, parts[0]], "execute");
      await this.send(connection, insert, [1, parts[1]]);
      const details = [];
      for (const [id, part] of parts.entries()) {
        const checksum = sha256(part);
        for (const method of ["query", "execute"]) {
          const sql = "SELECT data, SHA2(data, 256) FROM big WHERE id = ?";
          const [[column, stored]] = await this.send(connection, sql, [id], method);
          assert.equal(stored, checksum);
          assert(part.equals(column), `the column differs, ${method}`);
        }
        details.push(`${part.length} ${checksum}`);
      }
      return details.join();
    });
  }

  load_data_local() {
    return this.with({}, async (connection) => {
      const load = (file) =>
        this.send(
          connection,
          `LOAD DATA LOCAL INFILE '${file}' INTO TABLE loaded CHARACTER SET utf8mb4`,
        );
      const full = await load(job.localFile);
      assert.equal(full.affectedRows, 5000);
      const empty = await load(job.emptyFile);
      assert.equal(empty.affectedRows, 0);
      const note = await this.scalar(connection, "SELECT note FROM loaded WHERE id = 4999");
      assert.equal(note, "note 4999 \u{1F600}");
      return `${this.driver.info(full)}; ${this.driver.info(empty)}`;
    });
  }

  errors() {
    const table = [
      [1062, "23000", "INSERT INTO errors VALUES (1, 1)"],
      [1064, "42000", "SELEC 1"],
      [1146, "42S02", "SELECT * FROM missing_table"],
      [1054, "42S22", "SELECT missing_column FROM errors"],
      [1048, "23000", "INSERT INTO errors VALUES (2, NULL)"],
      [1264, "22003", "INSERT INTO errors VALUES (3, 1000)"],
    ];
    return this.with({}, async (connection) => {
      const seen = [];
      for (const [code, state, sql] of table) {
        for (const method of this.driver.quirks.noEmptyExecute ? ["query"] : ["query", "execute"]) {
          const error = await failure(() => this.send(connection, sql, [], method));
          assert.deepEqual([error.code, error.state], [code, state], show(error));
          seen.push(show(error));
        }
        assert.equal(Number(await this.scalar(connection, "SELECT 5")), 5);
      }
      return seen.join("; ");
    });
  }

  insert_id() {
    return this.with({}, async (connection) => {
      const seen = [];
      for (
        const sql of [
          "INSERT INTO auto (note) VALUES ('one')",
          "INSERT INTO auto (note) VALUES ('two'), ('three'), ('four')",
          "INSERT INTO auto VALUES (9007199254740993, 'big')",
          "INSERT INTO auto (note) VALUES ('after big')",
          "UPDATE auto SET note = 'same' WHERE id <= 3",
          "UPDATE auto SET note = 'same' WHERE id <= 4",
          "DELETE FROM auto WHERE id < 3",
        ]
      ) {
        const { affectedRows, insertId } = await this.send(connection, sql);
        seen.push([affectedRows, String(insertId)]);
      }
      // Both drivers ask for found rows, so the second update counts all.
      assert.deepEqual(seen.map((row) => row[0]), [1, 3, 1, 1, 3, 4, 2]);
      assert.deepEqual([seen[0][1], seen[1][1], seen[3][1]], ["1", "2", "9007199254740994"]);
      return JSON.stringify(seen);
    });
  }

  warnings() {
    return this.with({}, async (connection) => {
      const seen = [];
      const note = async (code) => {
        const rows = await this.send(connection, "SHOW WARNINGS");
        assert.deepEqual(rows.map((row) => Number(row[1])), [code]);
        seen.push(rows[0].join(" "));
      };
      const dropped = await this.send(connection, "DROP TABLE IF EXISTS missing_table");
      assert.equal(dropped.warningStatus, 1);
      await note(1051);
      await this.send(connection, "SELECT CAST('abc' AS SIGNED)");
      await note(1292);
      return seen.join("; ");
    });
  }

  many_statements() {
    const { manyOptions } = this.driver;
    return this.with(manyOptions, async (connection) => {
      let sum = 0;
      // All at once: a driver that can sends the next one before the last one's reply.
      await Promise.all(range(1000).map(async (n) => {
        const sql = "SELECT ?, REPEAT('x', ?)";
        const [[value, text]] = await this.send(connection, sql, [n, n % 50]);
        assert.equal(text.length, n % 50);
        sum += Number(value);
      }));
      // seekdb keeps at most 50 prepared statements open.
      for (const start of range(15)) {
        await Promise.all(range(20).map(async (n) => {
          const values = [start * 20 + n];
          const [[value]] = await this.send(connection, "SELECT ? + 1", values, "execute");
          sum += Number(value);
        }));
      }
      for (const n of range(100)) {
        const statement = await connection.prepare(`SELECT ${n} + ? AS n`);
        const [row] = [await statement.execute([0])].flat(2);
        sum += Number(row.n);
        await statement.close();
      }
      assert.equal(sum, 499_500 + 45_150 + 4_950);
      return String(sum);
    });
  }
}
