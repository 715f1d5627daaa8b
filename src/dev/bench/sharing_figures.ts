import { CATCH_UP_LOADS, type CatchUpLoad } from "./catch_up_loads.ts";
import type { Figure } from "./figure.ts";

/** Clients and shared server sessions of the part with transactions. */
export const OLTP = { clients: 1000, sessions: 20 } as const;

/** Transactions with statements as text or prepared. */
export interface OltpLoad {
  readonly key: string;
  readonly title: string;
  readonly prepares: boolean;
}

export const OLTP_LOADS: readonly OltpLoad[] = [
  { key: "oltp_text", title: "statements as text", prepares: false },
  { key: "oltp_prepared", title: "prepared statements", prepares: true },
];

/** How a figure of a load goes on by who shares: the rows `shared` have the bar. */
export const SHARED = "shared";
export const PRIVATE = "private";

const QUERIES: Omit<Figure, "title" | "unit"> = { part: "sharing-queries", digits: 1, best: "low" };
const CHURN: Omit<Figure, "title" | "unit"> = { part: "sharing-churn", digits: 1, best: "low" };
const MEMORY: Omit<Figure, "title"> = {
  part: "sharing-memory",
  unit: "KiB",
  digits: 1,
  best: "low",
};

/** The figures of the parts where clients share server sessions. */
export const SHARING_FIGURES: readonly (readonly [string, Figure])[] = [
  [`queries_${SHARED}_rate`, {
    ...QUERIES,
    title: "queries, 16 clients that share server sessions",
    unit: "1/s",
    digits: 0,
    best: "high",
  }],
  [`queries_${SHARED}_cpu`, {
    ...QUERIES,
    title: "CPU per query of them",
    unit: "µs",
    bar: { of: "ratio", max: 1.4 },
  }],
  [`queries_${PRIVATE}_cpu`, {
    ...QUERIES,
    title: "the same with private server sessions",
    unit: "µs",
  }],
  [`churn_${SHARED}_rate`, {
    ...CHURN,
    title: "connect + login + query + quit, 8 clients that share",
    unit: "1/s",
    digits: 0,
    best: "high",
  }],
  [`churn_${SHARED}_cpu`, {
    ...CHURN,
    title: "CPU per connect + login + query + quit of them",
    unit: "µs",
    bar: { of: "ratio", max: 0.9 },
  }],
  [`churn_${PRIVATE}_cpu`, {
    ...CHURN,
    title: "the same with private server sessions",
    unit: "µs",
  }],
  ...CATCH_UP_LOADS.flatMap(catchUpFigures),
  ["memory_idle", { ...MEMORY, title: "memory per client that shares and has no state" }],
  ["memory_state", {
    ...MEMORY,
    title: "memory per client with 10 user variables and 20 prepared statements",
  }],
  ["memory_beyond", {
    ...MEMORY,
    title: "the second beyond the first",
    bar: { of: "value", max: 8 },
  }],
  ...OLTP_LOADS.flatMap(oltpFigures),
];

function catchUpFigures({ key, title, beyond }: CatchUpLoad): [string, Figure][] {
  const base = { part: "sharing-catch-up", unit: "µs", digits: 1, best: "low" } as const;
  return beyond === undefined
    ? [
      [`turns_${key}_time`, { ...base, title: `time of ${title}` }],
      [`turns_${key}_cpu`, { ...base, title: "CPU per statement of them" }],
    ]
    : [
      [`added_${key}_time`, { ...base, title: `time added by a catch-up: ${title}` }],
      [`added_${key}_cpu`, { ...base, title: "CPU added by it" }],
    ];
}

function oltpFigures({ key, title }: OltpLoad): [string, Figure][] {
  const base: Omit<Figure, "title"> = {
    part: "sharing-oltp",
    unit: "µs",
    digits: 0,
    best: "low",
  };
  return [
    [`${key}_rate`, {
      ...base,
      title: `read-write transactions, ${title}`,
      unit: "1/s",
      digits: 0,
      best: "high",
    }],
    [`${key}_ratio`, {
      ...base,
      title: "of those on a direct connection",
      unit: "×",
      digits: 2,
      best: "high",
      bar: { of: "value", min: 0.95 },
    }],
    [`${key}_cpu`, { ...base, title: "CPU of the proxy per transaction" }],
    [`${key}_cpu_load`, { ...base, title: "CPU of the clients per transaction" }],
    [`${key}_cpu_server`, { ...base, title: "CPU of the server per transaction" }],
    [`${key}_busy`, { ...base, title: "of all processors taken by the three", unit: "%" }],
  ];
}
