/** The command-line clients `mariadb` and `mysql` as one more driver: statements on standard input. */

import { assert, assertEquals } from "@std/assert";
import type { CaseReport } from "./driver.ts";
import { type ColumnSpec, type Job, localRow } from "./spec.ts";

/** How a client is run and what sets it apart from the other one. */
export interface CommandLine {
  /** Program with what comes before its arguments, such as a change of root. */
  readonly command: readonly string[];
  /** Arguments for every run. */
  readonly options: readonly string[];
  /** Root folder of the files that the client sees, empty for this machine's own. */
  readonly root: string;
  /** Whether the command `\x` resets the connection. */
  readonly canReset: boolean;
}

interface Outcome {
  readonly isSuccess: boolean;
  readonly output: Uint8Array;
  /** Of short output only. */
  readonly text: string;
  /** Lines that begin with ERROR. */
  readonly errors: string;
}

class Skip extends Error {}

type CaseBody = (client: Client) => Promise<string>;

/** Runs every case of the job; one that throws is reported, not thrown. */
export async function runCommandLine(line: CommandLine, job: Job): Promise<CaseReport[]> {
  const reports: CaseReport[] = [];
  const client = new Client(line, job);
  for (const name of job.cases) {
    try {
      const body = cases[name];
      if (body === undefined) throw new Skip("not a matter of a command line");
      reports.push({ case: name, ok: true, detail: await body(client) });
    } catch (error) {
      if (error instanceof Skip) {
        reports.push({ case: name, ok: true, detail: "", skip: error.message });
      } else {
        reports.push({ case: name, ok: false, detail: String((error as Error).stack) });
      }
    }
  }
  return reports;
}

class Client {
  readonly line: CommandLine;
  readonly job: Job;

  constructor(line: CommandLine, job: Job) {
    this.line = line;
    this.job = job;
  }

  /** One run of the client; `login` replaces parts of the job's login. */
  async run(
    sql: string | Uint8Array,
    options: readonly string[] = [],
    login: { user?: string; password?: string; database?: string; charset?: string } = {},
  ): Promise<Outcome> {
    const { job } = this;
    const [program, ...rest] = [
      ...this.line.command,
      "--no-defaults",
      ...this.line.options,
      "--protocol=TCP",
      `--host=${job.host}`,
      `--port=${job.port}`,
      `--user=${login.user ?? job.user}`,
      // By name of its own, a newer client may ask for a collation that the server lacks.
      "--default-character-set=utf8mb4",
      `--init-command=SET NAMES ${login.charset ?? "utf8mb4"}`,
      "--local-infile=1",
      "--batch",
      ...options,
      login.database ?? job.database,
    ];
    const child = new Deno.Command(program!, {
      args: rest,
      env: { MYSQL_PWD: login.password ?? job.password },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const output = child.output();
    const writer = child.stdin.getWriter();
    // A client that was refused ends without reading.
    await writer.write(typeof sql === "string" ? new TextEncoder().encode(sql) : sql)
      .catch(() => {});
    await writer.close().catch(() => {});
    const { success, stdout, stderr } = await output;
    const decoder = new TextDecoder();
    return {
      isSuccess: success,
      output: stdout,
      text: stdout.length < 1 << 22 ? decoder.decode(stdout) : "",
      errors: decoder.decode(stderr).split("\n").filter((text) => text.startsWith("ERROR"))
        .join("\n"),
    };
  }

  /** Lines that the client prints; any error fails the case. */
  async lines(sql: string, options: readonly string[] = []): Promise<string[]> {
    const outcome = await this.run(sql, ["--skip-column-names", ...options]);
    assert(outcome.isSuccess, outcome.errors);
    return outcome.text.split("\n").slice(0, -1);
  }
}

const cases: Record<string, CaseBody> = {
  async connect(client) {
    const [row] = await client.lines("SELECT VERSION(), DATABASE(), @@collation_connection;");
    const [version, database] = row!.split("\t");
    assert(version!.includes(client.job.version), version);
    assertEquals(database, client.job.database);
    // Asks by COM_STATISTICS.
    const status = await client.lines("\\s\n");
    const told = status.filter((text) => /^(Server version|Protocol|Threads|Active)/.test(text));
    assertEquals(told.length, 3, status.join("\n"));
    return `${row}, ${told[0]}`;
  },

  async "types_text"(client) {
    const { columns, insertTypes } = client.job;
    await client.lines(
      ["SET time_zone = '+00:00'", "DELETE FROM types", ...insertTypes, ""].join(";\n"),
    );
    const selects = columns.map((column) => `SELECT ${selected(column)} FROM types ORDER BY id;`);
    const lines = await client.lines(["SET time_zone = '+00:00';", ...selects].join("\n"));
    assertEquals(lines.length, columns.length * 3);
    columns.forEach((column, at) => {
      const texts = lines.slice(at * 3, at * 3 + 3);
      const wanted = [...column.values, null].map((value) => canonical(column, value));
      assertEquals(texts.map((text) => canonical(column, unescaped(text))), wanted, column.name);
    });
    return (await client.lines("SELECT * FROM types LIMIT 0;", ["--column-type-info"])).join("\n");
  },

  async "prepared_reuse"(client) {
    const lines = await client.lines(`PREPARE e2e FROM 'SELECT CONCAT(?, ''!'')';
      SET @a = 'y', @b = NULL, @c = '\u{1F600}';
      EXECUTE e2e USING @a; EXECUTE e2e USING @b; EXECUTE e2e USING @c; DEALLOCATE PREPARE e2e;`);
    assertEquals(lines, ["y!", "NULL", "\u{1F600}!"]);
    return lines.join();
  },

  async wide(client) {
    const numbers = Array.from({ length: 500 }, (_, index) => String(index));
    const columns = numbers.map((text) => `${text} AS column_${text}`);
    assertEquals(await client.lines(`SELECT ${columns.join(", ")};`), [numbers.join("\t")]);
    return "500 columns";
  },

  async charset(client) {
    const note = "\u00e4\u20ac\u{1F600}";
    const [row] = await client.lines(
      `INSERT INTO charset VALUES (1, '${note}'); SELECT note, HEX(note) FROM charset;`,
    );
    assertEquals(row, `${note}\tC3A4E282ACF09F9880`);
    const { name, text, hex } = client.job.otherCharset;
    const bytes = new Uint8Array((hex.match(/../g) ?? []).map((pair) => parseInt(pair, 16)));
    const select = joined("SELECT '", bytes, "';");
    const outcome = await client.run(select, ["--skip-column-names"], { charset: name });
    assertEquals([...outcome.output], [...bytes, 10], text);
    return row!;
  },

  async transactions(client) {
    const lines = await client.lines(`START TRANSACTION; INSERT INTO tx VALUES (1, 'commit');
      COMMIT; SELECT COUNT(*) FROM tx;
      START TRANSACTION; INSERT INTO tx VALUES (2, 'undone'); ROLLBACK; SELECT COUNT(*) FROM tx;
      SET autocommit = 0; INSERT INTO tx VALUES (3, 'undone'); ROLLBACK; SELECT COUNT(*) FROM tx;
      INSERT INTO tx VALUES (4, 'kept'); COMMIT; SET autocommit = 1; SELECT COUNT(*) FROM tx;
      START TRANSACTION; INSERT INTO tx VALUES (5, 'undone');`);
    assertEquals(lines, ["1", "1", "1", "2"]);
    // The end of a session undoes what it has not committed.
    assertEquals(await client.lines("SELECT COUNT(*) FROM tx;"), ["2"]);
    return lines.join();
  },

  async "session_state"(client) {
    const { otherDatabase, database } = client.job;
    const lines = await client.lines(`SET @e2e = 'kept', SESSION group_concat_max_len = 12345;
      USE ${otherDatabase};
      SELECT @e2e, @@group_concat_max_len, DATABASE(), GET_LOCK('${database}_lock', 0);`);
    assertEquals(lines, [`kept\t12345\t${otherDatabase}\t1`]);
    return lines.join();
  },

  async "multi_statements"(client) {
    const sql = `DELIMITER //
SELECT 1 AS a; INSERT INTO multi VALUES (1), (2); SELECT 'x' AS b, NULL AS c; SELECT COUNT(*) FROM multi//
SELECT 1; SELECT * FROM missing_table; SELECT 2//
SELECT 7//
`;
    const outcome = await client.run(sql, ["--skip-column-names", "--force"]);
    assertEquals(outcome.text.split("\n").slice(0, -1), ["1", "x\tNULL", "2", "1", "7"]);
    assert(outcome.errors.startsWith("ERROR 1146 (42S02)"), outcome.errors);
    return outcome.errors;
  },

  async procedures(client) {
    const sql =
      "SET @b = 40; CALL p_out(2, @b, @c); SELECT @b, @c; CALL p_results(5); SELECT 'after';";
    const lines = await client.lines(sql);
    assertEquals(lines, ["42\tgot 2", "5", "6\ttwo", "7\tNULL", "after"]);
    const outcome = await client.run("CALL p_error(1);");
    assert(outcome.errors.startsWith("ERROR 1644 (45000)"), outcome.errors);
    return `${lines} ${outcome.errors}`;
  },

  async streaming(client) {
    const lines = await client.lines("SELECT id, note FROM stream;", ["--quick"]);
    const rows = lines.map((text) => text.split("\t"));
    const sum = rows.reduce((total, [id]) => total + Number(id), 0);
    const characters = rows.reduce((total, [, note]) => total + note!.length, 0);
    assertEquals([sum, characters], [49_995_000, 990_000]);
    return `${sum} ${characters}`;
  },

  async batch(client) {
    const rows = Array.from({ length: 500 }, (_, id) => `(${id}, 'note ${id}')`);
    const outcome = await client.run(
      `INSERT INTO batch VALUES ${rows.join(", ")};\nINSERT INTO batch VALUES (1000, ''), (1, '');`,
      ["-vv"],
    );
    assert(outcome.text.includes("500 rows affected"), outcome.text.slice(-200));
    assert(outcome.errors.startsWith("ERROR 1062 (23000) at line 2"), outcome.errors);
    return `${/Records.*/.exec(outcome.text)} ${outcome.errors}`;
  },

  async "big_values"(client) {
    const data = bigData(client.job.bigTextBytes);
    const hex = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));
    const digits = new Uint8Array(data.length * 2);
    for (let at = 0; at < data.length; at++) {
      digits[at * 2] = hex[data[at]!]!.charCodeAt(0);
      digits[at * 2 + 1] = hex[data[at]!]!.charCodeAt(1);
    }
    const size = "--max-allowed-packet=128M";
    const insert = joined("INSERT INTO big VALUES (1, X'", digits, "');");
    const inserted = await client.run(insert, [size]);
    assert(inserted.isSuccess, inserted.errors);
    const select = "SELECT data FROM big;";
    const outcome = await client.run(select, [size, "--skip-column-names", "--raw"]);
    assert(outcome.isSuccess, outcome.errors);
    assertEquals(await sha256(outcome.output.subarray(0, -1)), await sha256(data));
    const [row] = await client.lines("SELECT LENGTH(data), SHA2(data, 256) FROM big;");
    assertEquals(row, `${data.length}\t${await sha256(data)}`);
    return row!;
  },

  async "load_data_local"(client) {
    const { root } = client.line;
    const load = (file: string) =>
      `LOAD DATA LOCAL INFILE '${file}' INTO TABLE loaded CHARACTER SET utf8mb4;`;
    // A client with a root folder of its own sees the copies in it.
    const files = [client.job.localFile, client.job.emptyFile];
    const copies: string[] = [];
    for (const file of root === "" ? [] : files) {
      const copy = await Deno.makeTempFile({ dir: `${root}/tmp` });
      await Deno.copyFile(file, copy);
      copies.push(copy);
    }
    try {
      const seen = root === "" ? files : copies.map((copy) => copy.slice(root.length));
      const outcome = await client.run(seen.map(load).join("\n"), ["-vv"]);
      assert(outcome.isSuccess, outcome.errors);
      const records = outcome.text.split("\n").filter((text) => text.startsWith("Records"));
      assertEquals(records.length, 2, outcome.text);
      const [row] = await client.lines(
        "SELECT COUNT(*), MAX(IF(id = 4999, note, '')) FROM loaded;",
      );
      assertEquals(row, `5000\t${localRow(4999).split("\t")[1]}`);
      return records.join("; ");
    } finally {
      for (const copy of copies) await Deno.remove(copy);
    }
  },

  async errors(client) {
    const table = [
      ["1062 (23000)", "INSERT INTO errors VALUES (1, 1);"],
      ["1064 (42000)", "SELEC 1;"],
      ["1146 (42S02)", "SELECT * FROM missing_table;"],
      ["1054 (42S22)", "SELECT missing_column FROM errors;"],
      ["1048 (23000)", "INSERT INTO errors VALUES (2, NULL);"],
      ["1264 (22003)", "INSERT INTO errors VALUES (3, 1000);"],
    ];
    const sql = table.map(([, text]) => `${text} SELECT 5;`).join("\n");
    const outcome = await client.run(sql, ["--force", "--skip-column-names"]);
    assertEquals(outcome.text, "5\n".repeat(table.length));
    const errors = outcome.errors.split("\n");
    table.forEach(([code], index) => {
      assert(errors[index]!.startsWith(`ERROR ${code} at line ${index + 1}`), errors[index]);
    });
    assertEquals(errors.length, table.length);
    return errors.join("\n");
  },

  async "insert_id"(client) {
    const lines = await client.lines(`INSERT INTO auto (note) VALUES ('one');
      SELECT LAST_INSERT_ID(), ROW_COUNT();
      INSERT INTO auto (note) VALUES ('two'), ('three'), ('four');
      SELECT LAST_INSERT_ID(), ROW_COUNT();
      UPDATE auto SET note = 'same' WHERE id <= 3; SELECT ROW_COUNT();
      DELETE FROM auto WHERE id < 3; SELECT ROW_COUNT();`);
    assertEquals(lines.slice(0, 2), ["1\t1", "2\t3"]);
    assertEquals(lines[3], "2");
    return lines.join();
  },

  async warnings(client) {
    const sql = "DROP TABLE IF EXISTS missing_table;\nSELECT CAST('abc' AS SIGNED);";
    const lines = await client.lines(sql, ["--show-warnings"]);
    const told = lines.filter((text) => /^(Note|Warning)/.test(text));
    assert(told[0]?.startsWith("Note (Code 1051)"), lines.join("\n"));
    assert(told[1]?.startsWith("Warning (Code 1292)"), lines.join("\n"));
    return told.join("; ");
  },

  async "many_statements"(client) {
    const numbers = Array.from({ length: 1000 }, (_, index) => index);
    const sql = numbers.map((n) => `SELECT ${n}, LENGTH(REPEAT('x', ${n % 50}));`).join("\n");
    assertEquals(await client.lines(sql), numbers.map((n) => `${n}\t${n % 50}`));
    return "1000 statements";
  },

  async "reset_connection"(client) {
    if (!client.line.canReset) throw new Skip("the client has no reset of a connection");
    const lines = await client.lines("SET @kept = 1;\n\\x\nSELECT @kept;\n");
    assertEquals(lines, ["NULL"]);
    return "user variable is gone";
  },

  async reconnect(client) {
    const sql = "SET @kept = 1;\n\\r\nSELECT 3, @kept;\n";
    const lines = (await client.lines(sql)).filter((text) => text.startsWith("3"));
    assertEquals(lines, ["3\tNULL"]);
    return "new connection works";
  },

  async parallel(client) {
    const work = Array.from({ length: 8 }, async (_, index) => {
      const numbers = Array.from({ length: 40 }, (_, n) => index * 40 + n);
      const lines = await client.lines(numbers.map((n) => `SELECT ${n} * 2;`).join("\n"));
      assertEquals(lines, numbers.map((n) => String(n * 2)));
    });
    await Promise.all(work);
    return "320 statements";
  },

  async accounts(client) {
    const names: string[] = [];
    for (const { user, password, currentUser } of client.job.accounts) {
      const sql = "SELECT CURRENT_USER();";
      const outcome = await client.run(sql, ["--skip-column-names"], { user, password });
      assertEquals(outcome.text.trim(), currentUser, outcome.errors);
      names.push(currentUser);
    }
    return names.join();
  },

  async "wrong_password"(client) {
    for (const login of [{ password: "wrong" }, { password: "" }]) {
      const outcome = await client.run("SELECT 1;", [], login);
      assert(outcome.errors.startsWith("ERROR 1045"), outcome.errors);
      assert(!outcome.isSuccess);
    }
    return "1045 twice";
  },

  async "unknown_database"(client) {
    const outcome = await client.run("SELECT 1;", [], { database: "no_such_database" });
    assert(outcome.errors.startsWith("ERROR 1049 (42000)"), outcome.errors);
    return outcome.errors;
  },
};

function selected({ name, kind }: ColumnSpec): string {
  if (kind === "bytes") return `LOWER(HEX(${name}))`;
  return kind === "bit" ? `${name} + 0` : name;
}

function canonical({ kind }: ColumnSpec, text: string | null): unknown {
  if (text === null || text === "NULL") return null;
  switch (kind) {
    case "float":
    case "double":
      return Number(text);
    case "json":
      return JSON.parse(text);
    case "time":
    case "datetime": {
      const [whole, fraction = ""] = text.split(".");
      return `${whole}.${fraction.padEnd(6, "0")}`;
    }
    default:
      return text;
  }
}

/** Undoes what `--batch` does to special characters. */
function unescaped(text: string): string {
  const characters: Record<string, string> = { n: "\n", t: "\t", "0": "\0", "\\": "\\" };
  return text.replace(/\\([nt0\\])/g, (_, letter: string) => characters[letter]!);
}

function joined(before: string, bytes: Uint8Array, after: string): Uint8Array {
  const encoder = new TextEncoder();
  const parts = [encoder.encode(before), bytes, encoder.encode(after)];
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function bigData(length: number): Uint8Array {
  const data = new Uint8Array(length);
  for (let at = 0; at < length; at++) data[at] = at * 31 + (at >> 8) * 17 + (at >> 16) * 7;
  return data;
}

async function sha256(data: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", data as Uint8Array<ArrayBuffer>);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
