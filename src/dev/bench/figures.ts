import type { Figure } from "./figure.ts";
import { SHARING_FIGURES } from "./sharing_figures.ts";

export const CLIENT_COUNTS = [1, 16, 128] as const;

/** Numbers of clients that idle in one proxy, and the KiB that each may take. */
export interface IdleLoad {
  readonly key: string;
  readonly title: string;
  readonly few: number;
  readonly many: number;
  readonly withServer: boolean;
  readonly bar: number;
}

export const IDLE_LOADS: readonly IdleLoad[] = [
  {
    key: "idle_login",
    title: "logged in, no server session",
    few: 1000,
    many: 8000,
    withServer: false,
    bar: 8,
  },
  {
    key: "idle_session",
    title: "with its server session",
    few: 1000,
    many: 4000,
    withServer: true,
    bar: 14,
  },
];

/** Sessions of one proxy while they are listed. */
export interface ListingLoad {
  readonly key: string;
  readonly title: string;
  readonly clients: number;
  /** How many of them have a server session. */
  readonly withServer: number;
}

export const LISTING_LOADS: readonly ListingLoad[] = [
  { key: "listing", title: "8,000 sessions", clients: 8000, withServer: 0 },
  {
    key: "listing_server",
    title: "8,000 sessions, 2,000 with a server session",
    clients: 8000,
    withServer: 2000,
  },
];

/** The statements that list sessions. */
export const LISTINGS = ["SHOW PROXYSESSION", "SHOW PROCESSLIST", "SHOW FULL PROCESSLIST"] as const;

function eachCount(make: (clients: number) => Figure, key: string): [string, Figure][] {
  return CLIENT_COUNTS.map((clients) => [`${key}_${clients}`, make(clients)]);
}

const who = (clients: number) => clients === 1 ? "1 client" : `${clients} clients`;

/** Every figure of the report in its order; a new one is a row here. */
export const FIGURES: ReadonlyMap<string, Figure> = new Map<string, Figure>([
  ...eachCount((clients) => ({
    part: "queries",
    title: `queries, ${who(clients)}`,
    unit: "1/s",
    digits: 0,
    best: "high",
  }), "rate"),
  ...eachCount((clients) => ({
    part: "queries",
    title: `p50 latency, ${who(clients)}`,
    unit: "ms",
    digits: 3,
    best: "low",
  }), "p50"),
  ...eachCount((clients) => ({
    part: "queries",
    title: `p99 latency, ${who(clients)}`,
    unit: "ms",
    digits: 3,
    best: "low",
  }), "p99"),
  ["added_latency", {
    part: "queries",
    title: "mean latency added to a direct query, 1 client",
    unit: "µs",
    digits: 1,
    best: "low",
    bar: { of: "ratio", max: 1.4 },
  }],
  ...eachCount((clients) => ({
    part: "queries",
    title: `CPU per query, ${who(clients)}`,
    unit: "µs",
    digits: 1,
    best: "low",
    ...(clients === 16 ? { bar: { of: "ratio", max: 1.25 } as const } : {}),
  }), "cpu"),
  ["beside", {
    part: "beside",
    title: "CPU per query, 16 clients beside 1,000 idle sessions",
    unit: "µs",
    digits: 1,
    best: "low",
  }],
  ["beside_none", {
    part: "beside",
    title: "the same without the idle sessions",
    unit: "µs",
    digits: 1,
    best: "low",
  }],
  ["beside_ratio", {
    part: "beside",
    title: "with ÷ without idle sessions",
    unit: "×",
    digits: 2,
    best: "low",
    bar: { of: "value", max: 1.05 },
  }],
  ["churn_rate", {
    part: "churn",
    title: "connect + login + query + quit, 8 clients",
    unit: "1/s",
    digits: 0,
    best: "high",
  }],
  ["churn_cpu", {
    part: "churn",
    title: "CPU per connect + login + query + quit",
    unit: "µs",
    digits: 1,
    best: "low",
    bar: { of: "ratio", max: 1.7 },
  }],
  ["stream_rate", {
    part: "stream",
    title: "result of 1,000-byte rows, 1 client",
    unit: "MB/s",
    digits: 0,
    best: "high",
  }],
  ["stream_cpu", {
    part: "stream",
    title: "CPU per 100 MB of it",
    unit: "ms",
    digits: 1,
    best: "low",
    bar: { of: "ratio", max: 1.08 },
  }],
  ["start", {
    part: "start",
    title: "start to first greeting",
    unit: "ms",
    digits: 0,
    best: "low",
  }],
  ["base", {
    part: "start",
    title: "resident memory without clients",
    unit: "MiB",
    digits: 1,
    best: "low",
  }],
  ["base_anonymous", {
    part: "start",
    title: "of it not mapped from files",
    unit: "MiB",
    digits: 1,
    best: "low",
  }],
  ...IDLE_LOADS.flatMap(idleFigures),
  ...LISTING_LOADS.flatMap(listingFigures),
  ...SHARING_FIGURES,
]);

/** The bar counts at the larger number: at the smaller one, warming up is still a large share. */
function idleFigures({ key, title, few, many, bar }: IdleLoad): [string, Figure][] {
  const base: Omit<Figure, "title" | "unit"> = { part: "idle", digits: 1, best: "low" };
  const memory = (clients: number): [string, Figure] => [`${key}_${clients}`, {
    ...base,
    unit: "KiB",
    title: `memory per client ${title}, ${clients.toLocaleString("en")}`,
    ...(clients === many ? { bar: { of: "value", max: bar } as const } : {}),
  }];
  return [
    memory(few),
    memory(many),
    [`${key}_further`, { ...base, unit: "KiB", title: "each further one between the two" }],
    [`${key}_cpu`, {
      ...base,
      unit: "%",
      digits: 2,
      title: `CPU while the ${many.toLocaleString("en")} idle`,
      bar: { of: "value", max: 2 },
    }],
  ];
}

function listingFigures({ key, title }: ListingLoad): [string, Figure][] {
  const base: Omit<Figure, "title"> = {
    part: "listing",
    unit: "ms",
    digits: 2,
    best: "low",
  };
  const figure = (name: string, figureTitle: string, bar?: number): [string, Figure] => [
    `${key}_${name}`,
    {
      ...base,
      title: figureTitle,
      ...(bar === undefined ? {} : { bar: { of: "worst", max: bar } }),
    },
  ];
  return [
    ...LISTINGS.map((statement, at) => figure(String(at), `${statement} of ${title}`)),
    figure("p99", "p99 of these lists"),
    figure("max", "the slowest of them", 100),
    figure("beside_p999", "p99.9 of point selects meanwhile, 1 client"),
    figure("alone_p999", "the same without lists"),
    figure("beside_max", "the slowest of them meanwhile"),
    figure("alone_max", "the same without lists"),
    figure("delay", "the slowest meanwhile beyond the usual slowest", 20),
  ];
}
