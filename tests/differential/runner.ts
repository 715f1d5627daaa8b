/** Runs steps on private connections and through the proxy at once, one step after the other. */
import { Proxy } from "../../src/proxy.ts";
import type { ClientSessionInfo } from "../../src/session_manager.ts";
import type { StartedEngine } from "../../src/dev/engines/engine.ts";
import { query as runStatements } from "../../src/dev/engines/query.ts";
import { areToBeAsked, type Pin } from "../../src/state/pins.ts";
import { eventually } from "../support/eventually.ts";
import { testConfig } from "../support/test_proxy.ts";
import { compare, type Difference, isExhausted } from "./compare.ts";
import {
  ACCOUNT_STATEMENTS,
  dataStatements,
  SERVER_NAMES,
  type ServerAt,
  serverOf,
} from "./data.ts";
import { probe } from "./probe.ts";
import { query } from "./scenario.ts";
import { Side } from "./side.ts";
import { describe, type NewLogins, type Op, type Step } from "./steps.ts";

/** Servers that begin equal. */
export interface Servers {
  /** For private connections. */
  readonly direct: StartedEngine;
  /** Behind the proxy; the clients go from one to the other. */
  readonly shared: readonly StartedEngine[];
}

export interface RunOptions {
  /** Of `Servers.shared`, how many to use. */
  readonly servers: number;
  /** Most server sessions on each. */
  readonly sessions: number;
  /** Clients do not wait for each other: nothing is looked for between steps. */
  readonly isConcurrent: boolean;
  /** What the clients ask for at their logins. */
  readonly capabilities: number;
  /**
   * Whether it is a fault that a server session is kept by who has nothing left on it. Where not,
   * such clients log in anew, since others need it.
   */
  readonly mustShare: boolean;
  /** Steps between two looks for what clients left behind; 0: never. */
  readonly probeEvery: number;
}

export interface Finding {
  /** Of the step. */
  readonly index: number;
  readonly title: string;
  readonly difference: Difference;
  /** Not the step's own client saw it, but one that came behind it. */
  readonly isLeak: boolean;
  /** The steps do not tell of them. */
  readonly logins: NewLogins;
}

/** Accounts; once for a pair of servers. */
export async function prepareServers({ direct, shared }: Servers): Promise<void> {
  for (const { port, admin } of [direct, ...shared]) {
    await runStatements(port, admin, ACCOUNT_STATEMENTS);
  }
}

/** Data anew. */
async function prepareData(
  { name, port, admin }: StartedEngine,
  clients: Iterable<number>,
  servers: readonly ServerAt[],
): Promise<void> {
  if (name !== "seekdb") await endPrepared(port, admin);
  await runStatements(port, admin, dataStatements({ engine: name, clients, servers }));
}

/** Of XA. */
async function endPrepared(port: number, admin: StartedEngine["admin"]): Promise<void> {
  // A run that was left in the middle may have left some, which lock their tables.
  const prepared = await runStatements(port, admin, ["XA RECOVER"]);
  for (const { data } of prepared) {
    // It is an error of its own that the server had rolled it back before.
    await runStatements(port, admin, [`XA ROLLBACK '${data}'`]).catch(() => {});
  }
}

/** @returns the first difference; undefined where there is none */
export async function run(
  servers: Servers,
  steps: readonly Step[],
  options: RunOptions,
): Promise<Finding | undefined> {
  const clients = new Set(steps.filter(usesTable).map(({ client }) => client));
  const shared = servers.shared.slice(0, options.servers);
  const places = shared.map((_, at) => at as ServerAt);
  await Promise.all([
    prepareData(servers.direct, clients, places),
    ...places.map((at) => prepareData(shared[at]!, clients, [at])),
  ]);
  const proxy = await Proxy.start(testConfig({
    clusters: [{
      name: "main",
      servers: shared.map(({ port }, at) => ({
        name: SERVER_NAMES[at],
        address: `127.0.0.1:${port}`,
      })),
      sharing: "transaction",
    }],
    proxy: {
      session_pool_default_max_conn: options.sessions,
      session_pool_default_blocking_timeout: options.isConcurrent ? "60s" : "500ms",
    },
  }));
  const runner = new Runner(servers, proxy, options);
  try {
    await runner.ask();
    return await (options.isConcurrent ? runner.runAtOnce(steps) : runner.run(steps));
  } finally {
    runner.close();
    await eventually("the clients have gone", () => proxy.manager.clients.size === 0);
    await proxy.stop();
  }
}

function usesTable({ op }: Step): boolean {
  return "sql" in op && serverOf(op.sql) !== undefined;
}

/** Of the event loop, far more than giving back takes. */
const TURNS = 20;

interface Pair {
  readonly direct: Side;
  readonly shared: Side;
  /** That it has chosen. */
  server: ServerAt | undefined;
}

/** Commands that make the client forget its choice. */
const FORGETS: ReadonlySet<Op["kind"]> = new Set(["reset", "reconnect", "changeUser"]);

class Runner {
  readonly #servers: Servers;
  readonly #proxy: Proxy;
  readonly #port: number;
  readonly #options: RunOptions;
  readonly #pairs = new Map<number, Pair>();
  readonly #logins = new Map<Step, "before" | "behind">();
  /** By client: where it keeps a server session. */
  readonly #holders = new Map<number, ServerAt | undefined>();

  constructor(servers: Servers, proxy: Proxy, options: RunOptions) {
    this.#servers = servers;
    this.#proxy = proxy;
    this.#port = proxy.addresses[0]!.port;
    this.#options = options;
  }

  async run(steps: readonly Step[]): Promise<Finding | undefined> {
    const { probeEvery } = this.#options;
    for (const [index, step] of steps.entries()) {
      const found = await this.#step(step);
      if (found !== undefined) {
        return this.#finding({ index, title: describe(step.op), difference: found });
      }
      if (probeEvery === 0 || (index + 1) % probeEvery !== 0) continue;
      const left = await this.#probe();
      if (left === undefined) continue;
      const { op, difference } = left;
      const title = `a fresh login: ${describe(op)}`;
      return { ...this.#finding({ index, title, difference }), isLeak: true };
    }
    return undefined;
  }

  #finding(found: Omit<Finding, "isLeak" | "logins">): Finding {
    return { ...found, isLeak: false, logins: this.#logins };
  }

  /** Every client in its own time; after a difference all stop. */
  async runAtOnce(steps: readonly Step[]): Promise<Finding | undefined> {
    const byClient = Map.groupBy(steps.entries(), ([, { client }]) => client);
    let finding: Finding | undefined;
    await Promise.all([...byClient.values()].map(async (own) => {
      for (const [index, step] of own) {
        if (finding !== undefined) return;
        const difference = await this.#step(step);
        if (difference === undefined) continue;
        finding ??= this.#finding({ index, title: describe(step.op), difference });
      }
      // Who has nothing to do any more shall keep nothing that others need.
      await this.#startAfresh(this.#pairs.get(own[0]![1].client)!);
    }));
    return finding;
  }

  async #probe(): ReturnType<typeof probe> {
    const { servers, sessions } = this.#options;
    for (let at = 0; at < servers; at++) {
      const holders = [...this.#holders.values()].filter((server) => (server ?? at) === at);
      const look = () =>
        probe({
          server: this.#servers.shared[at]!.port,
          proxy: this.#port,
          name: SERVER_NAMES[at]!,
          count: sessions - holders.length,
        });
      let left = await look();
      if (left?.isExhausted) {
        await this.#makeRoom();
        left = await look();
      }
      if (left !== undefined) return left;
    }
    return undefined;
  }

  /** Until somebody asks, insert ids are as the OK told them, and that is not quite the same. */
  async ask(): Promise<void> {
    const side = await Side.connect(this.#port);
    await side.perform(query("SELECT LAST_INSERT_ID(), FOUND_ROWS()"));
    await side.quit();
  }

  close(): void {
    for (const { direct, shared } of this.#pairs.values()) {
      direct.close();
      shared.close();
    }
  }

  async #step(step: Step): Promise<Difference | undefined> {
    const { client, op, server, isHinted, isFree } = step;
    const pair = this.#pairs.get(client) ?? await this.#connect(client);
    const { shared } = pair;
    if (server !== undefined && this.#staysElsewhere(shared.address, server)) {
      await this.#startAfresh(pair);
      this.#logins.set(step, "before");
    }
    const isChosen = server === undefined || isHinted || server === pair.server;
    if (!isChosen && this.#options.servers > 1) {
      const choice = query(`SET @sluice_server = _latin1'${SERVER_NAMES[server]}'`);
      const difference = await this.#performBoth(client, pair, choice);
      if (difference !== undefined) return difference;
      pair.server = server;
    }
    const difference = await this.#performBoth(client, pair, op);
    if (difference !== undefined) return difference;
    if (FORGETS.has(op.kind)) pair.server = undefined;
    if (!isFree) {
      this.#holders.set(client, server);
      return undefined;
    }
    this.#holders.delete(client);
    if (!await this.#keeps(shared.address)) return undefined;
    if (!this.#options.mustShare) {
      await this.#startAfresh(pair);
      this.#logins.set(step, "behind");
      return undefined;
    }
    return {
      signature: "kept",
      direct: "nothing is left that needs the server session",
      shared: `it is not given back: ${this.#pinsOf(shared.address)}`,
    };
  }

  async #connect(client: number): Promise<Pair> {
    const { capabilities } = this.#options;
    const pair: Pair = {
      direct: await Side.connect(this.#servers.direct.port, capabilities),
      shared: await Side.connect(this.#port, capabilities),
      server: undefined,
    };
    this.#pairs.set(client, pair);
    return pair;
  }

  /** The reply may be here before the server session is back in its pool. */
  async #keeps(address: string): Promise<boolean> {
    for (let turns = 0; turns < TURNS; turns++) {
      if (!this.#holds(address)) return false;
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    return true;
  }

  #pinsOf(address: string): string {
    const pins = this.#infoOf(address)?.pins ?? [];
    return pins.map(({ reason, cause }) => `${reason} by ${cause}`).join() || "no pins";
  }

  /** Whether it may turn out to be pinned to another server. */
  #staysElsewhere(address: string, server: ServerAt): boolean {
    if (this.#options.servers === 1) return false;
    const info = this.#infoOf(address);
    if (info === undefined || info.pins.length === 0) return false;
    return !info.route.startsWith(SERVER_NAMES[server]);
  }

  async #performBoth(client: number, pair: Pair, op: Op): Promise<Difference | undefined> {
    const { direct, shared } = pair;
    const [expected, first] = await Promise.all([direct.perform(op), shared.perform(op)]);
    let actual = first;
    if (isExhausted(actual)) {
      // It has not been run.
      await this.#makeRoom(client);
      actual = await shared.perform(op);
    }
    if (expected === undefined && actual === undefined) return undefined;
    return compare(op, expected ?? "no reply", actual ?? "no reply");
  }

  /** @param client that shall stay as it is */
  async #makeRoom(client?: number): Promise<void> {
    const pinned = new Set([...this.#infos()].filter(({ pins }) => pins.length > 0).map(peerOf));
    for (const [other, pair] of this.#pairs) {
      if (other === client || this.#holders.has(other)) continue;
      if (pinned.has(pair.shared.address)) await this.#startAfresh(pair);
    }
  }

  *#infos(): Generator<ClientSessionInfo> {
    for (const entry of this.#proxy.manager.clients.values()) yield entry.info();
  }

  async #startAfresh(pair: Pair): Promise<void> {
    // Before its first result a session says what another one had at that place in memory.
    for (const op of [{ kind: "reconnect" } as const, query("SELECT 1")]) {
      await Promise.all([pair.direct.perform(op), pair.shared.perform(op)]);
    }
    pair.server = undefined;
  }

  #infoOf(address: string): ClientSessionInfo | undefined {
    for (const info of this.#infos()) if (info.peer === address) return info;
    return undefined;
  }

  #holds(address: string): boolean {
    const info = this.#infoOf(address);
    if (info === undefined) return false;
    const { serverSessionIds, pins } = info;
    // Who only may keep it, which the server is asked about, does not keep it from others.
    const mayKeep = pins.length > 0 && areToBeAsked(pins as readonly Pin[]);
    return serverSessionIds.length > 0 && !mayKeep;
  }
}

function peerOf({ peer }: ClientSessionInfo): string {
  return peer;
}
