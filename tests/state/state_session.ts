/** A real server session with its known state, kept as the proxy keeps it. */
import { assert } from "@std/assert";
import type { StartedEngine } from "../../src/dev/engines/engine.ts";
import { encodeText } from "../../src/protocol/bytes.ts";
import { Command, Status } from "../../src/protocol/constants.ts";
import { decodeErr, decodeOk, type ErrPacket, type OkPacket } from "../../src/protocol/response.ts";
import { type Column, decodeColumn, decodeTextRow } from "../../src/protocol/resultset.ts";
import { classifyText } from "../../src/sql/classify.ts";
import { difference } from "../../src/state/difference.ts";
import type { Dialect } from "../../src/state/dialect.ts";
import {
  loginState,
  loginStatement,
  oceanbaseCollation,
  transactionReportStatement,
} from "../../src/state/login_statement.ts";
import {
  caughtUp,
  type SessionState,
  textOf,
  type UnreadValues,
} from "../../src/state/session_state.ts";
import {
  readSettled,
  type Settlement,
  settlement,
  settlementOf,
} from "../../src/state/settlement.ts";
import { applyStatement, isPassing } from "../../src/state/apply_statement.ts";
import { applyTrack } from "../../src/state/track.ts";
import { applyUnseen, unseenQuery } from "../../src/state/unseen.ts";
import { MODERN, WireClient, type WirePacket } from "../support/wire_client.ts";

export const DIALECTS = { mariadb: "mariadb", mysql: "mysql", seekdb: "oceanbase" } as const;

/** One of a statement's results. */
export interface Answer {
  readonly ok?: OkPacket;
  readonly error?: ErrPacket;
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly (Uint8Array | null)[])[];
}

export interface StateSessionOptions {
  readonly schema?: string;
  readonly charset?: number;
  readonly capabilities?: number;
}

export class StateSession implements Disposable {
  readonly client: WireClient;
  readonly dialect: Dialect;
  readonly known: SessionState;
  readonly #collation: string;

  private constructor(client: WireClient, known: SessionState, dialect: Dialect) {
    this.client = client;
    this.known = known;
    this.dialect = dialect;
    this.#collation = known.login.get("collation_connection")!;
  }

  static async open(
    engine: StartedEngine,
    { schema = "", charset = 45, capabilities = MODERN }: StateSessionOptions = {},
  ): Promise<StateSession> {
    const dialect = DIALECTS[engine.name];
    const client = await WireClient.connect({
      port: engine.port,
      ...engine.admin,
      capabilities,
      charset,
      ...(schema === "" ? {} : { database: schema }),
    });
    const [answer] = answersOf(await client.run(loginStatement(dialect)), client.capabilities);
    const collation = dialect === "oceanbase" ? oceanbaseCollation(charset) : undefined;
    return new StateSession(
      client,
      loginState(answer!.ok!, { dialect, schema, collation }),
      dialect,
    );
  }

  /** As ahead of the first SET TRANSACTION. */
  async reportTransactions(): Promise<void> {
    await this.must(transactionReportStatement(this.dialect)!);
  }

  /** Runs a statement as a client's, and follows what it does to the state. */
  async run(sql: string): Promise<Answer[]> {
    const { known, dialect } = this;
    const bytes = encodeText(sql);
    const mode = textOf(known.variable("sql_mode")) ?? "";
    const read = classifyText(bytes, { start: 0, end: bytes.length }, {
      ansiQuotes: mode.includes("ANSI_QUOTES"),
      noBackslashEscapes: mode.includes("NO_BACKSLASH_ESCAPES"),
      charset: 45,
    });
    const answers = answersOf(await this.client.query(sql), this.client.capabilities);
    for (const { ok } of answers) {
      if (ok === undefined) continue;
      const hasMore = (ok.status & Status.MORE_RESULTS_EXISTS) !== 0;
      const passing = isPassing(read.effects, dialect, hasMore);
      applyTrack(known, ok, { dialect, isPassing: passing, statement: sql });
    }
    const isFailed = answers.at(-1)?.error !== undefined;
    const hasNoReports = !isFailed && answers.at(-1)?.ok === undefined;
    applyStatement(known, read, { dialect, isFailed, hasNoReports });
    return answers;
  }

  /** A statement that must not fail; its last answer. */
  async must(sql: string): Promise<Answer> {
    const answer = (await this.run(sql)).at(-1)!;
    if (answer.error !== undefined) throw new Error(`${sql}: ${answer.error.message}`);
    return answer;
  }

  /** Reads all that only this server session knows. */
  async settle(): Promise<void> {
    if (this.known.isUncertain) await this.#readUnseen();
    // Reports that were pending may leave something open in turn.
    for (let next; (next = settlement(this.known, this)) !== undefined;) {
      await this.#settle(next);
    }
  }

  async #readUnseen(): Promise<void> {
    const sql = unseenQuery(this.dialect);
    let rows: Answer["rows"] = []; // On OceanBase, the tests' routines set none.
    if (sql !== undefined) {
      const [answer] = answersOf(await this.client.run(sql), this.client.capabilities);
      // Whatever is the next to be answered brings reports that were pending.
      if (answer?.ok !== undefined) applyTrack(this.known, answer.ok, { dialect: this.dialect });
      rows = answer!.rows;
    }
    assert(applyUnseen(this.known, rows, this.dialect));
  }

  async read(values: UnreadValues): Promise<void> {
    await this.#settle(settlementOf(values, this.dialect));
  }

  async #settle(wanted: Settlement | undefined): Promise<void> {
    if (wanted?.set !== undefined) {
      const [answer] = answersOf(await this.client.run(wanted.set), this.client.capabilities);
      applyTrack(this.known, answer!.ok!, { dialect: this.dialect, settles: true });
    }
    if (wanted?.select !== undefined) {
      const [answer] = answersOf(await this.client.run(wanted.select), this.client.capabilities);
      readSettled(wanted, answer!.columns, answer!.rows[0]!, this.dialect);
    }
  }

  /** Becomes what is wanted. @returns false where only a new login helps */
  async catchUp(wanted: SessionState): Promise<boolean> {
    await this.settle();
    let next = difference(wanted, this.known, { dialect: this.dialect });
    if (next?.again === "reset") {
      await this.reset();
      next = difference(wanted, this.known, { dialect: this.dialect });
    }
    if (next?.unread) throw new Error(`Nobody has read ${JSON.stringify(next.unread)}`);
    if (next?.again !== undefined) return false;
    if (next?.schema !== undefined) {
      await this.#command(Command.INIT_DB, encodeText(next.schema));
    }
    for (const sql of [next?.role, next?.set]) {
      if (sql !== undefined) await this.#command(Command.QUERY, encodeText(sql));
    }
    caughtUp(this.known, wanted, true);
    return true;
  }

  async reset(): Promise<void> {
    const { schema } = this.known;
    await this.#command(Command.RESET_CONNECTION);
    const packets = await this.client.run(loginStatement(this.dialect, this.#collation));
    const { ok } = answersOf(packets, this.client.capabilities)[0]!;
    const facts = { dialect: this.dialect, schema, collation: this.#collation, isReset: true };
    this.known.copyFrom(loginState(ok!, facts));
    this.known.insertId = "0";
  }

  /** A command that must be answered OK. */
  async #command(command: number, ...rest: Uint8Array[]): Promise<void> {
    const packets = await this.client.simple(command, ...rest);
    const { error } = answersOf(packets, this.client.capabilities)[0]!;
    if (error === undefined) return;
    const text = new TextDecoder().decode(rest[0]);
    throw new Error(`Cannot run: ${error.message} :: ${text}`);
  }

  /** All variables as the server shows them, but those that differ between sessions. */
  async variables(): Promise<Map<string, string>> {
    const shown = new Map<string, string>();
    // What changes how variables are shown is asked for in bytes, and changed.
    const odd = ["character_set_results", "max_join_size", "sql_big_selects", "sql_select_limit"];
    const asked = odd.map((name) => `CAST(@@SESSION.${name} AS BINARY)`);
    const [row] = (await this.must(`SELECT ${asked.join()} LIMIT 1`)).rows;
    odd.forEach((name, index) => shown.set(name, cellText(row![index]!)));
    const most = this.dialect === "oceanbase" ? "9223372036854775807" : "18446744073709551615";
    await this.must(
      `SET SESSION character_set_results=utf8mb4,SESSION max_join_size=${most},` +
        `SESSION sql_select_limit=${most}`,
    );
    for (const [name, value] of (await this.must("SHOW SESSION VARIABLES")).rows) {
      const key = cellText(name!);
      if (!VARYING.test(key) && !shown.has(key)) shown.set(key, cellText(value!));
    }
    return shown;
  }

  [Symbol.dispose](): void {
    this.client.close();
  }
}

const VARYING =
  /^(pseudo_thread_id|timestamp|statement_id|rand_seed.|last_gtid|gtid_.*|system_versioning_asof|server_memory|warning_count|error_count|session_track_.*|_.*)$/;

export function cellText(value: Uint8Array | null): string {
  return value === null ? "NULL" : new TextDecoder().decode(value);
}

/** The results in a reply, in the dialect without EOF packets or with them. */
export function answersOf(packets: readonly WirePacket[], capabilities: number): Answer[] {
  const agreed = { capabilities, extendedCapabilities: 0 };
  const hasEof = (capabilities & (1 << 24)) === 0;
  const answers: Answer[] = [];
  let at = 0;
  while (at < packets.length) {
    const { payload } = packets[at++]!;
    if (payload[0] === 0xff) answers.push({ error: decodeErr(payload), columns: [], rows: [] });
    else if (payload[0] === 0) {
      answers.push({ ok: decodeOk(payload, capabilities), columns: [], rows: [] });
    } else {
      const count = payload[0]!;
      const columns = packets.slice(at, at + count).map((one) => decodeColumn(one.payload, agreed));
      at += count + (hasEof ? 1 : 0);
      const rows: (Uint8Array | null)[][] = [];
      for (;; at++) {
        const row = packets[at]!.payload;
        if (row[0] === 0xff || (row[0] === 0xfe && row.length < 0xffffff)) break;
        rows.push(decodeTextRow(row, count));
      }
      const last = packets[at++]!.payload;
      if (last[0] === 0xff) answers.push({ error: decodeErr(last), columns, rows });
      else if (hasEof) answers.push({ columns, rows });
      else answers.push({ ok: decodeOk(last, capabilities), columns, rows });
    }
  }
  return answers;
}
