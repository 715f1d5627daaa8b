/**
 * Many clients that run statements on a proxy while others kill their sessions at random. Every
 * answer is held against what was asked; what comes of the storm is counted.
 */
import { report } from "../report.ts";
import type { TestConfig } from "../test_proxy.ts";
import { StormClient } from "./storm_client.ts";
import { StormKiller } from "./storm_killer.ts";

/** Rows of `test.storm`, which the administrator makes: `(id, 0)` for each id from 1 on. */
export const STORM_ROWS = 50;

/** Statements for the administrator before a storm. */
export const STORM_PREPARE: readonly string[] = [
  "CREATE USER app@'%' IDENTIFIED BY 'secret'",
  "GRANT ALL ON *.* TO app@'%'",
  "CREATE TABLE test.storm (id INT PRIMARY KEY, n INT NOT NULL)",
  `INSERT INTO test.storm VALUES ${
    Array.from({ length: STORM_ROWS }, (_, at) => `(${at + 1}, 0)`).join(", ")
  }`,
];

/** Configuration of a proxy in front of this port of a server. */
export function stormConfig(serverPort: number): TestConfig {
  return {
    proxy: {
      // Beyond the ids of servers: an id of the proxy must not be one of a server by chance.
      "proxy_id": 7,
      "obproxy_sys_password": "secret",
      // All log in at once, on machines that may be busy with more.
      "connect_timeout": "60s",
    },
    clusters: [{
      name: "main",
      servers: [`127.0.0.1:${serverPort}`],
      tenants: [{ name: "one" }, { name: "two" }, { name: "sys" }],
    }],
    users: [
      { name: "app", password: "secret" },
      { name: "root", password: "secret", server_user: "app", server_password: "secret" },
    ],
  };
}

const KILLERS = 16;

export interface StormOptions {
  readonly port: number;
  readonly clients: number;
  /** KILL statements that are answered with OK. */
  readonly kills: number;
  /** Numbers in [0, 1). */
  readonly random: () => number;
  /** Milliseconds. */
  readonly limit: number;
}

/** One that takes part; `doing` is for the failure that names who hangs. */
export interface StormActor {
  readonly doing: string;
  run(): Promise<void>;
}

export class Storm {
  readonly options: StormOptions;
  /** Sessions that are there, the killers' own among them. */
  readonly ids = new Set<number>();
  /** How often each answer was seen, by kind of statement. */
  readonly counts = new Map<string, number>();
  kills = 0;
  statements = 0;
  /** Commits that were answered with OK, and those of which nobody knows. */
  committed = 0;
  uncertain = 0;
  #failure: unknown;

  constructor(options: StormOptions) {
    this.options = options;
  }

  get isOver(): boolean {
    return this.kills >= this.options.kills || this.#failure !== undefined;
  }

  count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  /** A number in [0, below). */
  pick(below: number): number {
    return Math.floor(this.options.random() * below);
  }

  /** Waits for a condition, or the end of the storm. */
  async until(condition: () => boolean): Promise<void> {
    while (!this.isOver && !condition()) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  /** @throws what a client or a killer has seen and must not; or who still hangs at the limit */
  async run(): Promise<void> {
    const { clients, limit } = this.options;
    const actors: StormActor[] = [
      ...Array.from({ length: clients }, (_, at) => new StormClient(this, at)),
      ...Array.from({ length: KILLERS }, (_, at) => new StormKiller(this, at)),
    ];
    const hanging = new Set(actors);
    const all = Promise.all(actors.map(async (actor) => {
      try {
        await actor.run();
      } catch (error) {
        this.#failure ??= error;
      }
      hanging.delete(actor);
    }));
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      const doing = [...hanging].map((actor) => actor.doing).join("\n");
      reject(new Error(`Cannot end the storm within ${limit} ms, ${this.kills} kills:\n${doing}`));
    }, limit);
    try {
      await Promise.race([all, late]);
    } finally {
      clearTimeout(timer);
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  tell(): void {
    const counts = [...this.counts].sort().map(([what, count]) => `  ${what}: ${count}`);
    report(`${this.kills} kills among ${this.statements} statements:\n${counts.join("\n")}`);
  }
}
