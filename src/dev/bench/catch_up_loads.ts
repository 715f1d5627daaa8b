import type { ClientSetup } from "./load_clients_program.ts";

/** Two clients that take turns on one server session, and differ in one kind of state. */
export interface CatchUpLoad {
  readonly key: string;
  /** What differs; of a load without `beyond`, what the two do. */
  readonly title: string;
  readonly clients: readonly [ClientSetup, ClientSetup];
  /** The load without a difference, beyond which this one's cost is shown. */
  readonly beyond?: "same" | "same_prepared";
  /** Proof of the catch-up: how much this counter of the server must grow with each statement. */
  readonly proof: { readonly counter: string; readonly atLeast: number; readonly atMost: number };
}

/** A schema beside the account's own. */
export const OTHER_SCHEMA = "sbtest_other";

/** Of all the servers, with two values that are allowed and change nothing for the statement. */
const VARIABLES: readonly (readonly [string, number, number])[] = [
  ["group_concat_max_len", 2048, 4096],
  ["sort_buffer_size", 262144, 524288],
  ["join_buffer_size", 131072, 262144],
  ["read_rnd_buffer_size", 131072, 262144],
  ["div_precision_increment", 5, 6],
  ["lock_wait_timeout", 100, 200],
  ["net_read_timeout", 100, 200],
  ["net_write_timeout", 100, 200],
  ["max_sort_length", 1024, 2048],
  ["default_week_format", 1, 2],
];

const USER_VARIABLES = Array.from({ length: 10 }, (_, at) => `@var_${at}`);

/** More than a server session keeps prepared: each is gone when its turn comes again. */
const PREPARED = Array.from({ length: 500 }, (_, at) => {
  return `SELECT filler, ${at} AS n FROM sbtest.bench_points WHERE id = ?`;
});

const SETS = { counter: "Com_set_option", atLeast: 0.9, atMost: 1.1 };
const SETS_NOTHING = { ...SETS, atLeast: 0, atMost: 0.1 };
const PREPARES = { counter: "Com_stmt_prepare", atLeast: 0.9, atMost: 1.1 };

function assigned(names: readonly string[], value: string): ClientSetup {
  return { statements: [`SET ${names.map((name) => `${name} = ${value}`).join(", ")}`] };
}

function variables(count: number, which: 1 | 2): ClientSetup {
  const list = VARIABLES.slice(0, count).map((row) => `${row[0]} = ${row[which]}`);
  return { statements: [`SET ${list.join(", ")}`] };
}

export const CATCH_UP_LOADS: readonly CatchUpLoad[] = [
  {
    key: "same",
    title: "statements of two clients in turn that differ in nothing",
    clients: [{}, {}],
    proof: SETS_NOTHING,
  },
  {
    key: "schema",
    title: "schema",
    clients: [{ statements: ["USE sbtest"] }, { statements: [`USE ${OTHER_SCHEMA}`] }],
    beyond: "same",
    proof: { counter: "Com_change_db", atLeast: 0.9, atMost: 1.1 },
  },
  {
    key: "variable",
    title: "a variable",
    clients: [variables(1, 1), variables(1, 2)],
    beyond: "same",
    proof: SETS,
  },
  {
    key: "variables",
    title: "ten variables",
    clients: [variables(10, 1), variables(10, 2)],
    beyond: "same",
    proof: SETS,
  },
  {
    key: "charset",
    title: "character set",
    clients: [
      { statements: ["SET NAMES latin1 COLLATE latin1_swedish_ci"] },
      { statements: ["SET NAMES utf8mb4 COLLATE utf8mb4_general_ci"] },
    ],
    beyond: "same",
    proof: SETS,
  },
  {
    key: "user_variable",
    title: "a user variable",
    clients: [assigned(["@var_0"], "'first'"), assigned(["@var_0"], "'second'")],
    beyond: "same",
    proof: SETS,
  },
  {
    key: "user_variables",
    title: "ten user variables",
    clients: [assigned(USER_VARIABLES, "'first'"), assigned(USER_VARIABLES, "'second'")],
    beyond: "same",
    proof: SETS,
  },
  {
    key: "reset",
    // Only a reset takes the user variable of the other away.
    title: "reset, then a user variable",
    clients: [assigned(["@first"], "'x'"), assigned(["@second"], "'x'")],
    beyond: "same",
    proof: { ...SETS, atLeast: 1.9, atMost: 4 },
  },
  {
    key: "same_prepared",
    title: "prepared statements of two clients in turn, the same",
    clients: [{ prepared: [PREPARED[0]!] }, { prepared: [PREPARED[0]!] }],
    proof: { ...PREPARES, atLeast: 0, atMost: 0.1 },
  },
  {
    key: "prepare",
    title: "a statement to prepare again",
    clients: [{ prepared: PREPARED.slice(0, 250) }, { prepared: PREPARED.slice(250) }],
    beyond: "same_prepared",
    proof: PREPARES,
  },
];
