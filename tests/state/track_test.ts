/** Reports and texts applied to states, as tables; and what becomes of malformed reports. */
import { assert, assertEquals } from "@std/assert";
import { ProtocolError } from "../../src/errors.ts";
import { encodeText, PacketWriter } from "../../src/protocol/bytes.ts";
import { SessionTrack } from "../../src/protocol/constants.ts";
import { decodeOk, type OkPacket, plainOk, type TrackEntry } from "../../src/protocol/response.ts";
import { classifyText, Effect } from "../../src/sql/classify.ts";
import { applyStatement, isPassing } from "../../src/state/apply_statement.ts";
import type { Dialect } from "../../src/state/dialect.ts";
import { loginState, loginStatement } from "../../src/state/login_statement.ts";
import { SessionState, UNKNOWN_ROLE, Unread } from "../../src/state/session_state.ts";
import { readSettled, settlement } from "../../src/state/settlement.ts";
import {
  applyTrack,
  specialVariables,
  Tracked,
  trackedCharacteristics,
} from "../../src/state/track.ts";
import { applyUnseen, unseenQuery } from "../../src/state/unseen.ts";
import { makeColumn } from "../../src/protocol/resultset.ts";
import { loadFixture } from "../support/fixture.ts";
import { seededRandom } from "../support/random.ts";

const RESULTS = "collation of character_set_results";
const CLIENT = "collation of character_set_client";

/** `name=value`, `schema=…`, `state`, `transaction=…` */
function okWith(...reports: readonly string[]): OkPacket {
  return { ...plainOk(0), track: reports.map(entryOf) };
}

function entryOf(report: string): TrackEntry {
  const [name, value = ""] = report.split("=", 2) as [string, string?];
  const text = (type: number) => ({ type, data: new PacketWriter(8).lenencText(value).view() });
  if (name === "schema") return text(SessionTrack.SCHEMA);
  if (name === "state") return { type: SessionTrack.STATE_CHANGE, data: encodeText("\x011") };
  if (name === "transaction") return text(SessionTrack.TRANSACTION_CHARACTERISTICS);
  const data = new PacketWriter(8).lenencText(name).lenencText(value).view();
  return { type: SessionTrack.SYSTEM_VARIABLES, data };
}

interface Row {
  readonly reports: readonly string[];
  /** That was selected before. */
  readonly schema?: string;
  readonly dialect?: Dialect;
  readonly isPassing?: boolean;
  readonly statement?: string;
  readonly seen?: number;
  /** Variables behind it; `?` for what must be read. */
  readonly expected: Readonly<Record<string, string>>;
}

const { SCHEMA, STATE, TRANSACTION, TRACKING, ONCE } = Tracked;
const NAMES = [
  "character_set_client=gbk",
  "character_set_connection=gbk",
  "character_set_results=gbk",
];

const ROWS: readonly Row[] = [
  { reports: [], expected: {} },
  {
    reports: ["time_zone=+01:00", "state"],
    seen: STATE,
    expected: { time_zone: "+01:00" },
  },
  { reports: ["wsrep_OSU_method=RSU"], expected: { wsrep_osu_method: "RSU" } },
  { reports: ["schema=one", "state"], seen: SCHEMA | STATE, expected: {} },
  { reports: ["schema="], schema: "one", seen: SCHEMA, expected: { collation_database: "?" } },
  { reports: ["schema="], seen: SCHEMA, expected: {} },
  // Coming back to none sets what collation_server was then, before it was set or behind that.
  {
    reports: ["collation_server=latin1_bin", "schema="],
    seen: SCHEMA,
    expected: { collation_server: "latin1_bin", collation_database: "?" },
  },
  {
    reports: ["schema=", "collation_database=utf8mb4_bin"],
    dialect: "oceanbase",
    seen: SCHEMA,
    expected: {},
  },
  // What preparing a CALL did to the schema comes with the next statement's own report.
  {
    reports: ["collation_database=utf8mb4_bin", "schema=", "state"],
    dialect: "mariadb",
    statement: "SET SESSION collation_database = utf8mb4_bin",
    seen: SCHEMA | STATE,
    expected: { collation_database: "utf8mb4_bin" },
  },
  { reports: ["statement_id=5", "warning_count=1"], expected: {} },
  { reports: ["_nlj_batching_enabled=ON"], dialect: "oceanbase", expected: {} },
  { reports: ["session_track_schema=OFF"], seen: TRACKING, expected: {} },
  { reports: ["insert_id=5", "rand_seed1=0"], seen: ONCE, expected: {} },
  { reports: ["transaction=START TRANSACTION;"], seen: TRANSACTION, expected: {} },
  { reports: ["identity=7"], expected: { last_insert_id: "7" } },
  { reports: ["timestamp=100.500000"], expected: { timestamp: "?" } },
  { reports: ["timestamp=0"], dialect: "oceanbase", expected: {} },
  {
    reports: ["max_join_size=7"],
    expected: { max_join_size: "7", sql_big_selects: "?" },
  },
  {
    reports: ["max_join_size=7", "sql_big_selects=ON"],
    expected: { max_join_size: "7", sql_big_selects: "ON" },
  },
  {
    reports: ["log_slow_admin_statements=OFF"],
    dialect: "mariadb",
    expected: { log_slow_disabled_statements: "?" },
  },
  {
    reports: ["long_query_time=1"],
    dialect: "mariadb",
    expected: { log_slow_query_time: "1" },
  },
  {
    reports: ["tx_isolation=SERIALIZABLE", "transaction_isolation=SERIALIZABLE"],
    dialect: "oceanbase",
    expected: { transaction_isolation: "SERIALIZABLE" },
  },
  { reports: ["time_zone=+01:00"], isPassing: true, expected: { time_zone: "?" } },
  {
    reports: NAMES,
    expected: {
      character_set_client: "gbk",
      character_set_results: "gbk",
      collation_connection: "?",
      [CLIENT]: "?",
      [RESULTS]: "?",
    },
  },
  {
    reports: NAMES,
    statement: "set names 'gbk' collate GBK_BIN;",
    expected: {
      character_set_client: "gbk",
      character_set_results: "gbk",
      collation_connection: "gbk_bin",
      [CLIENT]: "gbk_bin",
      [RESULTS]: "gbk_bin",
    },
  },
  {
    reports: NAMES,
    statement: 'SET NAMES gbk COLLATE "gbk_bin" \n;  ',
    expected: {
      character_set_client: "gbk",
      character_set_results: "gbk",
      collation_connection: "gbk_bin",
      [CLIENT]: "gbk_bin",
      [RESULTS]: "gbk_bin",
    },
  },
  {
    reports: NAMES,
    statement: `SET NAMES gbk COLLATE gbk_bin${" ".repeat(1_000_000)}x`,
    expected: {
      character_set_client: "gbk",
      character_set_results: "gbk",
      collation_connection: "?",
      [CLIENT]: "?",
      [RESULTS]: "?",
    },
  },
  {
    reports: NAMES,
    statement: "SET CHARSET gbk",
    expected: {
      character_set_client: "gbk",
      character_set_results: "gbk",
      collation_connection: "?",
      [CLIENT]: "",
      [RESULTS]: "",
    },
  },
  {
    reports: ["character_set_results=gbk"],
    expected: { character_set_results: "gbk", [RESULTS]: "" },
  },
  {
    reports: ["character_set_client=gbk"],
    expected: { character_set_client: "gbk", [CLIENT]: "" },
  },
  {
    reports: [...NAMES.slice(0, 2), "character_set_results="],
    statement: "SET NAMES gbk COLLATE gbk_bin, character_set_results = NULL",
    expected: {
      character_set_client: "gbk",
      character_set_results: "",
      collation_connection: "?",
      [CLIENT]: "?",
      [RESULTS]: "",
    },
  },
  {
    reports: ["character_set_connection=gbk"],
    expected: { collation_connection: "?" },
  },
  {
    reports: ["character_set_connection=gbk", "collation_connection=gbk_bin"],
    dialect: "oceanbase",
    expected: { collation_connection: "gbk_bin" },
  },
];

function shown(state: SessionState): Record<string, string> {
  const id = state.insertId;
  const ids: [string, string | Unread][] = id === "0" ? [] : [["last_insert_id", id]];
  return Object.fromEntries(
    [...state.variables, ...ids].map((
      [name, value],
    ) => [name, value instanceof Unread ? value.text ?? "?" : value]).sort(),
  );
}

for (const { reports, dialect = "mysql", expected, seen = 0, schema = "", ...options } of ROWS) {
  const name = [dialect, ...reports, options.statement ?? "", options.isPassing ?? ""].join(" ");
  Deno.test(`A report of ${name.slice(0, 150)}`, () => {
    const state = SessionState.afterLogin(schema, new Map());
    assertEquals(applyTrack(state, okWith(...reports), { dialect, ...options }), seen);
    assertEquals(shown(state), Object.fromEntries(Object.entries(expected).sort()));
  });
}

Deno.test("A report that settles fills the cell, for all who have it", () => {
  const [known, wanted] = [new SessionState(), new SessionState()];
  applyTrack(known, okWith(...NAMES), { dialect: "mysql" });
  wanted.copyFrom(known);
  known.isPending = true;
  const next = settlement(known, { dialect: "mysql" })!;
  assertEquals(next.set, "SET SESSION collation_connection=@@SESSION.collation_connection");
  assertEquals(next.select, undefined);
  const answer = okWith("collation_connection=gbk_chinese_ci", "wait_timeout=5");
  applyTrack(known, answer, { dialect: "mysql", settles: true });
  assertEquals([known.isPending, shown(known).wait_timeout], [false, "5"]);
  assertEquals([shown(wanted).collation_connection, shown(wanted)[RESULTS]], [
    "gbk_chinese_ci",
    "gbk_chinese_ci",
  ]);
  assertEquals(settlement(known, { dialect: "mysql" }), undefined);
});

Deno.test("A change that could not be read in time leaves the results the set's own collation", () => {
  const state = new SessionState();
  applyTrack(state, okWith(...NAMES), { dialect: "mysql" });
  applyTrack(state, okWith("collation_connection=gbk_bin"), { dialect: "mysql" });
  assertEquals([shown(state).collation_connection, shown(state)[RESULTS]], ["gbk_bin", ""]);
});

Deno.test("A clock that was stopped is told from one that runs", () => {
  for (
    const [reported, text, now, expected] of [
      ["100.5", "100.500000", "1700000000.1", "100.500000"],
      ["1700000000.1", "1700000009.7", "1700000009.7", "DEFAULT"],
      [undefined, "100", "1700000000.1", "100"],
      [undefined, "1700000000.1", "1700000000.1", "DEFAULT"],
    ] as const
  ) {
    const state = new SessionState();
    state.setVariable("timestamp", new Unread(reported));
    const next = settlement(state, { dialect: "mysql" })!;
    const columns = [makeColumn("a"), makeColumn("b")];
    readSettled(next, columns, [encodeText(text), encodeText(now)], "mysql");
    assertEquals(shown(state), { timestamp: expected });
  }
});

Deno.test("What is only pending is asked for by a statement that does nothing else", () => {
  const state = new SessionState();
  state.isPending = true;
  assertEquals(
    settlement(state, { dialect: "mysql" })!.set,
    "SET SESSION sql_mode=@@SESSION.sql_mode",
  );
  state.isPending = false;
  state.insertId = new Unread();
  assertEquals(settlement(state, { dialect: "mysql", insertId: false }), undefined);
  assert(settlement(state, { dialect: "mysql" })!.select!.includes("last_insert_id"));
  state.setVariable("sql_big_selects", new Unread());
  state.setVariable("max_join_size", new Unread());
  assertEquals(
    settlement(state, { dialect: "mysql" })!.set,
    "SET SESSION max_join_size=@@SESSION.max_join_size,SESSION sql_big_selects=@@SESSION.sql_big_selects",
  );
});

/** A statement and what it leaves: user variables, variables, role, uncertainty. */
const STATEMENTS: readonly (readonly [
  string,
  string,
  Partial<
    {
      isFailed: boolean;
      dialect: Dialect;
      hasInsertId: boolean;
      hasNoReports: boolean;
      isOneOfSeveral: boolean;
      /** Of the connection. */
      collation: string;
      /** Of the schema, as the session has set it. */
      database: string;
    }
  >?,
])[] = [
  ["SELECT 1", ""],
  ["SELECT 1", "pending", { isFailed: true }],
  ["SET @a=5, @B=NULL, @c=NOW()", "@a=5 @b=x'',@b:=NULL @c=?", { dialect: "mariadb" }],
  ["SET @a=5, sql_mode=''", "@a=5 under latin1_bin", { collation: "latin1_bin" }],
  ["SET @a='x', time_zone='+01:00'", "@a=_latin1'x' COLLATE latin1_bin", {
    collation: "latin1_bin",
  }],
  // Whether before or behind the change, nobody knows.
  ["SET @a=5, NAMES utf8mb4", "@a=?", { collation: "latin1_bin" }],
  ["SET character_set_connection=utf8mb4, @a='x'", "@a=?", { collation: "latin1_bin" }],
  ["SET @a=5", "@a=? pending", { isFailed: true }],
  ["SET @`ä`=5", "uncertain"],
  ["SET @`a b`=5", "uncertain", { dialect: "oceanbase" }],
  ["SELECT 1 INTO @a", "@a=?"],
  ["SET @@wait_timeout=5", "wait_timeout=?", { dialect: "mariadb" }],
  ["SET STATEMENT max_join_size=5 FOR SELECT 1", "max_join_size=? sql_big_selects=?", {
    dialect: "mariadb",
  }],
  ["SELECT LAST_INSERT_ID(5)", "last_insert_id=?"],
  ["INSERT INTO t VALUES (NULL)", "last_insert_id=?", { hasInsertId: true }],
  ["CALL p()", "@old=? collation_database=? last_insert_id=? uncertain"],
  ["SELECT f()", "@old=? collation_database=? last_insert_id=? uncertain pending", {
    hasNoReports: true,
  }],
  ["ALTER DATABASE one CHARACTER SET latin1", "collation_database=?"],
  ["alter schema character set latin1", "collation_database=?", { dialect: "mariadb" }],
  ["ALTER DATABASE one CHARACTER SET latin1", "", { dialect: "oceanbase" }],
  ["SELECT * FROM v", "", { hasNoReports: true }],
  ["SELECT * FROM v", "collation_database=latin2_bin pending", {
    hasNoReports: true,
    database: "latin2_bin",
  }],
  ["SELECT * FROM v", "collation_database=latin2_bin", { database: "latin2_bin" }],
  ["FROBNICATE", "last_insert_id=? uncertain"],
  ["SET ROLE reader", "role=SET ROLE reader"],
  ["SET ROLE reader", "pending", { isFailed: true }],
  ["LOAD DATA INFILE 'x' INTO TABLE t", "last_insert_id=?"],
  // Only the statement itself can be repeated; what failed beside others may have run.
  ["SET ROLE r; INSERT INTO t VALUES (1)", "role=SET ROLE r"],
  ["SET ROLE a; DO 1; SET ROLE b", "role=SET ROLE b"],
  ["SET ROLE r", "pending", { isFailed: true }],
  ["SET ROLE r; DO 1", "role=? uncertain pending", { isFailed: true, isOneOfSeveral: true }],
  ["SET ROLE `\u00e4`", "role=? uncertain"],
];

for (const [sql, expected, options] of STATEMENTS) {
  Deno.test(`The statement ${sql} ${JSON.stringify(options ?? {})} leaves ${expected}`, () => {
    const { dialect = "mysql", isFailed = false, collation, database, ...rest } = options ?? {};
    const login = collation === undefined ? [] : [["collation_connection", collation] as const];
    const state = SessionState.afterLogin("", new Map(login));
    if (expected.includes("@old")) state.setUserVariable("old", "1");
    if (database !== undefined) state.setVariable("collation_database", database);
    const bytes = encodeText(sql);
    const read = classifyText(bytes, { start: 0, end: bytes.length }, {
      ansiQuotes: false,
      noBackslashEscapes: false,
      charset: 45,
    });
    applyStatement(state, read, { dialect, isFailed, ...rest });
    const found = [...state.userVariables].map(([name, value]) =>
      `@${name}=${value instanceof Unread ? "?" : value.replace("\0", " under ")}`
    );
    for (const [name, value] of Object.entries(shown(state))) found.push(`${name}=${value}`);
    if (state.role !== "") found.push(`role=${state.role}`);
    if (state.isUncertain) found.push("uncertain");
    if (state.isPending) found.push("pending");
    assertEquals(found.join(" "), expected);
  });
}

Deno.test("Reports of code that runs on the server may pass", () => {
  assert(isPassing(Effect.calls, "mysql", true) && !isPassing(Effect.calls, "mysql", false));
  assert(isPassing(Effect.calls, "mariadb", false) && !isPassing(0, "mariadb", true));
  assert(isPassing(Effect.setsUnreported, "mariadb", false));
});

Deno.test("Names that were unseen make an uncertain state certain", () => {
  const state = new SessionState();
  state.setUserVariable("a", "1");
  state.setUncertain();
  assert(unseenQuery("mysql") !== undefined && unseenQuery("oceanbase") === undefined);
  assertEquals(applyUnseen(state, [[encodeText("A")], [encodeText("ä")]], "mysql"), false);
  assert(state.isUncertain);
  assert(applyUnseen(state, [[encodeText("A")], [encodeText("b")]], "mysql"));
  assertEquals([...state.userVariables.keys()], ["a", "b"]);
  assertEquals([state.isUncertain, state.userVariables.get("a")], [false, "1"]);
  state.setRole(UNKNOWN_ROLE);
  assert(!applyUnseen(state, [[encodeText("A")]], "mysql") && state.isUncertain);
});

Deno.test("The reply to the login statement is a state that sessions share", () => {
  const ok = okWith("session_track_schema=ON", "sql_mode=ANSI", "collation_connection=latin1_bin");
  const facts = { dialect: "mysql", schema: "one" } as const;
  const state = loginState(ok, facts);
  assertEquals([state.schema, state.variables.size], ["one", 0]);
  assertEquals(Object.fromEntries(state.login), {
    sql_mode: "ANSI",
    collation_connection: "latin1_bin",
    character_set_client: "latin1",
    character_set_results: "latin1",
    [CLIENT]: "latin1_bin",
    [RESULTS]: "latin1_bin",
  });
  assert(loginState(ok, facts).login === state.login);
  const reset = loginState(okWith("sql_mode=ANSI"), {
    ...facts,
    collation: "latin1_bin",
    isReset: true,
  });
  assert(reset.login === state.login && !reset.isSameAs(state));
  assert(loginStatement("mysql", "latin1_bin").endsWith(",NAMES latin1 COLLATE latin1_bin"));
  for (const dialect of ["mysql", "mariadb", "oceanbase"] as const) {
    assert(/^SET SESSION [ -~]+$/.test(loginStatement(dialect)));
  }
});

Deno.test("What binds a session for the sake of a variable is told with its end", () => {
  const ok = okWith("gtid_next=AUTOMATIC", "insert_id=5", "sql_mode=");
  assertEquals(specialVariables(ok, "mysql"), [
    { name: "gtid_next", isOver: true },
    { name: "insert_id", isOver: false },
  ]);
  assertEquals(trackedCharacteristics(okWith("transaction=XA START 'a';")), "XA START 'a';");
  assertEquals(trackedCharacteristics(ok), undefined);
});

Deno.test("Captured conversations leave the state that they say, and cut ones a protocol error", () => {
  const random = seededRandom(5);
  for (
    const [name, dialect] of [["mariadb", "mariadb"], ["mysql", "mysql"], [
      "seekdb",
      "oceanbase",
    ]] as const
  ) {
    const fixture = loadFixture(`${name}_state_tracked`);
    const state = new SessionState();
    const seen = new Set<string>();
    for (const { packets } of fixture.exchanges.slice(1)) {
      for (const { payload, direction } of packets) {
        if (direction !== "<" || payload[0] !== 0 || payload.length < 7) continue;
        applyTrack(state, decodeOk(payload, fixture.capabilities), { dialect });
        if (state.schema !== "") seen.add(state.schema);
        const bent = payload.slice();
        bent[Math.floor(random() * bent.length)]! ^= 1 << Math.floor(random() * 8);
        try {
          applyTrack(new SessionState(), decodeOk(bent, fixture.capabilities), { dialect });
        } catch (error) {
          assert(error instanceof ProtocolError, String(error));
        }
      }
    }
    assert(seen.has("fixture"), name);
    assert(state.variables.size > 0, name);
  }
});
