/** Scenarios with prepared statements, as text and in binary. */
import type { Value } from "../../src/protocol/binary_value.ts";
import { ColumnType } from "../../src/protocol/constants.ts";
import type { Parameter } from "../../src/protocol/prepared.ts";
import { PREPARED_NAMES, serverOf } from "./data.ts";
import { type Feature, ownTable, query, type Subject } from "./scenario.ts";
import type { ExecuteOp, Op } from "./steps.ts";

const textPrepared: Feature = {
  name: "textPrepared",
  make(subject) {
    const { random, engine } = subject;
    // What is about a table goes by its name: it runs where the table is.
    const table = ownTable(subject);
    const isAnywhere = random.chance(0.8);
    const name = isAnywhere ? random.pick(PREPARED_NAMES) : table;
    // See execute().
    const other = engine === "mysql" ? "@a, @c" : "@c, @a";
    const [first, second] = engine === "mysql"
      ? ["CAST(? AS SIGNED)", "CAST(? AS CHAR(40))"]
      : ["?", "?"];
    const prepare = random.pick(
      !isAnywhere
        ? [
          `PREPARE ${name} FROM 'INSERT INTO one.${table} (v, s) VALUES (?, ?)'`,
        ]
        : [
          `PREPARE ${name} FROM 'SELECT ${first} + 1, ${second}'`,
          `PREPARE ${name} FROM 'SELECT * FROM one.missing WHERE a = ? OR b = ?'`,
          `PREPARE ${name} FROM 'SELECT DATABASE(), ${first}, ${second}, @@sql_mode'`,
          `SET @b = 'SELECT 8, ${first}, ${second}'; PREPARE ${name} FROM @b`,
        ],
    );
    return random.some([
      query(prepare),
      query("SET @a = 5, @c = 'c'"),
      query(`EXECUTE ${name} USING @a, @c`),
      query(`EXECUTE ${name} USING ${other}`),
      query(`EXECUTE ${name}`),
      query(`${random.pick(["DEALLOCATE", "DROP"])} PREPARE ${name}`),
      query("SELECT 1"),
    ], 4);
  },
};

const executeImmediate: Feature = {
  name: "executeImmediate",
  engines: ["mariadb"],
  make: ({ random }) => [
    query(random.pick([
      "EXECUTE IMMEDIATE 'SELECT 1 + ?' USING 4",
      "EXECUTE IMMEDIATE 'SET @a = 12'",
      "EXECUTE IMMEDIATE CONCAT('SELECT ', '7')",
      "EXECUTE IMMEDIATE 'USE two'",
    ])),
    query("SELECT @a, DATABASE()"),
  ],
};

export const PARAMETERS: readonly (readonly [type: number, values: readonly Value[]])[] = [
  [ColumnType.TINY, [0, -128, 127]],
  [ColumnType.SHORT, [-32768, 5]],
  [ColumnType.LONG, [1, -2147483648]],
  [ColumnType.INT24, [77]],
  [ColumnType.LONGLONG, [3, -9223372036854775808n]],
  [ColumnType.FLOAT, [1.5, -0.25]],
  [ColumnType.DOUBLE, [1e300, 0.1]],
  [ColumnType.NEWDECIMAL, ["12.340", "-99999999999999999999.5"]],
  [ColumnType.VAR_STRING, ["text", "é", ""]],
  [ColumnType.STRING, ["other"]],
  [ColumnType.BLOB, [Uint8Array.of(0, 255, 39)]],
  [ColumnType.NULL, [null]],
  [ColumnType.DATE, [moment(0)]],
  [ColumnType.DATETIME, [moment(11), moment(0)]],
  [ColumnType.TIMESTAMP, [moment(12)]],
  [ColumnType.TIME, [
    { negative: true, days: 1, hours: 2, minutes: 3, seconds: 4, microseconds: 500000 },
    { negative: false, days: 0, hours: 0, minutes: 0, seconds: 0, microseconds: 0 },
  ]],
  [ColumnType.YEAR, [2024]],
];

function moment(hour: number): Value {
  return { year: 2024, month: 2, day: 29, hour, minute: 0, second: hour, microsecond: 0 };
}

/** It refuses two of them, and casts of TIME have bytes of its memory behind them. */
const UNKNOWN_TO_MYSQL: ReadonlySet<number> = new Set([
  ...[ColumnType.YEAR, ColumnType.INT24, ColumnType.TIME],
]);

const UNSIGNED: ReadonlySet<number> = new Set([
  ...[ColumnType.TINY, ColumnType.SHORT, ColumnType.LONG, ColumnType.LONGLONG],
]);

/** @param like of this type */
function parameter({ random, engine }: Subject, like?: Parameter): Parameter {
  const isKnown = ([type]: (typeof PARAMETERS)[number]) =>
    engine !== "mysql" || !UNKNOWN_TO_MYSQL.has(type);
  const [type, values] = like === undefined
    ? random.pick(PARAMETERS.filter(isKnown))
    : PARAMETERS.find(([one]) => one === like.type)!;
  const value = random.pick(values);
  const isPositive = typeof value === "number" && value >= 0;
  const unsigned = like?.unsigned ?? (UNSIGNED.has(type) && isPositive && random.chance(0.3));
  return { type, unsigned, name: "", value: random.chance(0.1) ? null : value };
}

/** Preparing makes variables of a text known, which shows in how long MariaDB says that they may be. */
const TEXTS: readonly (readonly [sql: string, parameters: number])[] = [
  ["SELECT ?, ?", 2],
  ["SELECT 1, 'a', 1.50, NULL, CAST('2024-01-02 03:04:05' AS DATETIME)", 0],
  ["SELECT id, name, amount FROM one.fixed WHERE id >= ? ORDER BY id", 1],
  ["INSERT INTO one.$ (v, s) VALUES (1, ?)", 1],
  ["UPDATE two.$ SET v = v + 1 WHERE id > ?", 1],
  ["SELECT * FROM fixed ORDER BY id", 0],
  ["SELECT DATABASE(), 1 / 7, @@sql_mode", 0],
  ["SELECT CAST(@p AS CHAR(40)), CAST(@q AS CHAR(40))", 0],
  ["SET @p = ?", 1],
  ["SELECT ? INTO @q", 1],
  ["SELECT COLLATION(?)", 1],
  ["SELECT * FROM one.missing", 0],
  ["CALL one.say(?)", 1],
  ["CALL one.twice(?)", 1],
  ["SELECT GROUP_CONCAT(name) FROM two.fixed", 0],
  ["SELECT", 0],
];

/** For MySQL: parameters whose types are those of their places, not of their values. */
const TYPED: ReadonlyMap<string, string> = new Map([
  ["SELECT ?, ?", "SELECT CAST(? AS CHAR(40)), CAST(? AS CHAR(40))"],
  ["SELECT COLLATION(?)", "SELECT COLLATION(CAST(? AS CHAR(40)))"],
  // It would prepare them again for a value that is no NULL any more, and with that forget
  // collation_database. With CAST in place of CONCAT it crashes later.
  ["SET @p = ?", "SET @p = CONCAT(?, '')"],
  ["SELECT ? INTO @q", "SELECT CONCAT(?, '') INTO @q"],
]);

/**
 * Bytes that are no characters keep the server session from the moment on when somebody else wants
 * it. Who does not wait for others cannot know when that is, and may have chosen another server.
 */
function withoutBytes(text: string): string {
  return text.replace("CONCAT(?, '')", "HEX(?)");
}

/** A server loads them unless the session has run them: see `routines`. */
const LOADS: ReadonlyMap<string, readonly string[]> = new Map([
  ["CALL one.say(?)", ["CALL one.say('')"]],
  ["CALL one.twice(?)", ["SET @p = 1", "CALL one.twice(@p)"]],
]);

function prepare(subject: Subject): [Op[], number] {
  const [text, parameters] = subject.random.pick(TEXTS);
  const typed = subject.engine === "mysql" ? TYPED.get(text) ?? text : text;
  const any = subject.isConcurrent ? withoutBytes(typed) : typed;
  const slot = subject.nextSlot++;
  const sql = any.replace("$", ownTable(subject));
  const isGood = !/missing|SELECT$/.test(sql);
  if (isGood) {
    const isCall = sql.startsWith("CALL");
    subject.slots.set(slot, { parameters, isCall, server: serverOf(sql) });
  }
  const loads = LOADS.get(sql)?.map(query) ?? [];
  return [[...loads, { kind: "prepare", slot, sql }], slot];
}

function execute(subject: Subject, slot: number): ExecuteOp | undefined {
  const { random, slots, typed, bound, engine } = subject;
  const found = slots.get(slot);
  if (found === undefined) return undefined;
  const { parameters: count, isCall } = found;
  const before = typed.get(slot);
  if (before !== undefined && random.chance(0.4)) {
    const hasTypes = count === 0 || isCall || !bound.has(slot);
    bound.add(slot);
    return { ...before, hasTypes };
  }
  // What MySQL makes of a value depends on the types of all executions before, and those before may
  // have been elsewhere.
  const like = engine === "mysql" ? before?.parameters : undefined;
  const parameters = Array.from({ length: count }, (_, at) => parameter(subject, like?.[at]));
  const op: ExecuteOp = { kind: "execute", slot, parameters, hasTypes: true, isCall };
  typed.set(slot, op);
  bound.add(slot);
  return op;
}

const binaryPrepared: Feature = {
  name: "binaryPrepared",
  make(subject) {
    const { random, slots, server } = subject;
    const usable = () =>
      [...slots.keys()].filter((slot) => {
        const own = slots.get(slot)!.server;
        return own === undefined || own === server;
      });
    const ops: Op[] = [];
    if (usable().length === 0 || random.chance(0.4)) {
      const [prepared, slot] = prepare(subject);
      ops.push(...prepared);
      const first = execute(subject, slot);
      if (first !== undefined) ops.push(first);
    }
    for (let count = random.int(3); count > 0 && usable().length > 0; count--) {
      const slot = random.pick(usable());
      ops.push(execute(subject, slot)!);
      if (random.chance(0.15)) {
        slots.delete(slot);
        ops.push({ kind: "close", slot });
      } else if (random.chance(0.05)) ops.push({ kind: "resetStatement", slot });
    }
    if (slots.size > 8) {
      const [slot] = slots.keys();
      slots.delete(slot!);
      ops.push({ kind: "close", slot: slot! });
    }
    return ops;
  },
};

const longData: Feature = {
  name: "longData",
  holds: true,
  make(subject) {
    const { random } = subject;
    const slot = 1_000_000 + random.int(1_000_000);
    const part: Op = { kind: "longData", slot, parameter: 0, data: "part " };
    const sent: Parameter = { type: ColumnType.BLOB, unsigned: false, name: "", value: undefined };
    const known = parameter(subject);
    return [
      { kind: "prepare", slot, sql: "SELECT ?, ?" },
      ...random.some<Op>([part], 3),
      ...(random.chance(0.3) ? [query("SELECT 1")] : []),
      ...(random.chance(0.2) ? [{ kind: "resetStatement", slot } as const, part] : []),
      { kind: "execute", slot, parameters: [sent, known], hasTypes: true },
      { kind: "close", slot },
      query(`SELECT ${subject.client}`),
    ];
  },
};

const cursors: Feature = {
  name: "cursors",
  holds: true,
  make({ random }) {
    const slot = 2_000_000 + random.int(1_000_000);
    const sql = "SELECT id, name FROM one.fixed ORDER BY id";
    return [
      { kind: "prepare", slot, sql },
      { kind: "execute", slot, parameters: [], hasTypes: true, opensCursor: true },
      { kind: "fetch", slot, rows: 1 + random.int(3) },
      ...(random.chance(0.3) ? [query("SELECT 1")] : []),
      { kind: "fetch", slot, rows: 1 + random.int(4) },
      ...(random.chance(0.3) ? [{ kind: "resetStatement", slot } as const] : []),
      { kind: "close", slot },
      query("SELECT 1"),
    ];
  },
};

export const PREPARED_FEATURES: readonly Feature[] = [
  ...[textPrepared, executeImmediate, binaryPrepared, longData, cursors],
];
