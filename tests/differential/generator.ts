/** Makes, from a seed, what all clients do, in the order in which they do it. */
import type { EngineName } from "../../src/dev/engines/engine.ts";
import { LOCKS, SERVER_NAMES, type ServerAt, serverOf } from "./data.ts";
import { HOLDING_FEATURES } from "./holding_features.ts";
import { PREPARED_FEATURES } from "./prepared_features.ts";
import { Random } from "./random.ts";
import type { Feature, Subject } from "./scenario.ts";
import { STATEMENT_FEATURES } from "./statement_features.ts";
import type { Op, Step } from "./steps.ts";
import { VARIABLE_FEATURES } from "./variable_features.ts";

export const FEATURES: readonly Feature[] = [
  ...VARIABLE_FEATURES,
  ...STATEMENT_FEATURES,
  ...PREPARED_FEATURES,
  ...HOLDING_FEATURES,
];

/** Most that {@link fewFeatures} adds to the first one. */
const FEW = 4;

/** A few by a seed: what two of them do to each other shows sooner where there are no others. */
export function fewFeatures(seed: number, engine: EngineName): string[] {
  const random = new Random(seed);
  const all = FEATURES.filter(({ engines }) => engines?.includes(engine) ?? true);
  // One that holds server sessions fills them with what others do.
  const inner = all.filter(({ holds, isOuter }) => holds !== true && isOuter !== true);
  const some = [random.pick(inner), ...random.some(all, FEW)];
  return [...new Set(some.map(({ name }) => name))];
}

export interface GeneratorOptions {
  readonly seed: number;
  readonly engine: EngineName;
  readonly clients: number;
  readonly steps: number;
  /** Names of those to use. */
  readonly features: readonly string[];
  /** How many servers the clients move between. */
  readonly servers: number;
  /** Scenarios at the same time that keep a server session of one server: fewer than it has. */
  readonly holders: number;
  /** Clients do not wait for each other: what they do must not depend on their order. */
  readonly isConcurrent: boolean;
}

interface Scenario {
  readonly feature: Feature;
  readonly group: number;
  readonly server: ServerAt;
  readonly ops: readonly Op[];
  at: number;
}

/** Scenarios that begin on another server than the client's last one. */
const MOVES = 0.25;
/** Statements that name their server, of those that may. */
const HINTS = 0.08;

/** All scenarios are carried through to their ends, so there are some steps more. */
export function generate(options: GeneratorOptions): Step[] {
  return new Generator(options).run();
}

class Generator {
  readonly #options: GeneratorOptions;
  readonly #random: Random;
  readonly #all: readonly Feature[];
  readonly #modest: readonly Feature[];
  readonly #subjects: Subject[];
  readonly #running = new Map<number, Scenario>();
  readonly #steps: Step[] = [];
  /** By client and statement: the server that alone has its data. */
  readonly #homes = new Map<string, ServerAt | undefined>();
  #groups = 0;
  /** By server. */
  readonly #holding = [0, 0];

  constructor(options: GeneratorOptions) {
    const { seed, engine, clients, features, isConcurrent } = options;
    this.#options = options;
    const random = this.#random = new Random(seed);
    this.#all = FEATURES.filter((one) =>
      features.includes(one.name) && (one.engines?.includes(engine) ?? true)
    );
    this.#modest = this.#all.filter(({ holds }) => holds !== true);
    if (this.#modest.length === 0) throw new TypeError("Expected a feature that holds nothing");
    const inner = this.#modest.filter(({ isOuter }) => isOuter !== true);
    this.#subjects = Array.from({ length: clients }, (_, at): Subject => ({
      client: at + 1,
      random,
      engine,
      server: 0,
      isConcurrent,
      locks: LOCKS.map((name) => isConcurrent ? `${name} of ${at + 1}` : name),
      slots: new Map(),
      nextSlot: 1,
      typed: new Map(),
      bound: new Set(),
      inner() {
        return random.pick(inner).make(this);
      },
    }));
  }

  run(): Step[] {
    while (this.#steps.length < this.#options.steps) this.#step(this.#random.pick(this.#subjects));
    for (const { client } of this.#subjects) while (this.#running.has(client)) this.#take(client);
    return this.#steps;
  }

  #step(subject: Subject): void {
    if (!this.#running.has(subject.client)) {
      const { servers, holders } = this.#options;
      if (this.#random.chance(MOVES)) subject.server = this.#random.int(servers) as ServerAt;
      const { server } = subject;
      const isFull = this.#holding[server]! >= holders;
      const feature = this.#random.pick(isFull ? this.#modest : this.#all);
      const ops = feature.make(subject);
      if (ops.length === 0) return;
      this.#running.set(subject.client, { feature, group: this.#groups++, server, ops, at: 0 });
      if (feature.holds) this.#holding[server]!++;
    }
    this.#take(subject.client);
    // Some go on at once, as a client does that nobody comes between.
    while (this.#running.has(subject.client) && this.#random.chance(0.3)) {
      this.#take(subject.client);
    }
  }

  #take(client: number): void {
    const scenario = this.#running.get(client)!;
    const { feature, group, ops } = scenario;
    const plain = ops[scenario.at++]!;
    const isLast = scenario.at === ops.length;
    const isFree = isLast || feature.holds !== true;
    const own = this.#homeOf(client, plain);
    const home = feature.holds ? scenario.server : own;
    const hinted = feature.holds ? undefined : this.#hinted(plain, home);
    this.#steps.push({
      client,
      group,
      feature: feature.name,
      op: hinted ?? plain,
      server: home,
      isHinted: hinted !== undefined,
      isFree,
    });
    if (!isLast) return;
    this.#running.delete(client);
    if (feature.holds) this.#holding[scenario.server]!--;
  }

  #homeOf(client: number, op: Op): ServerAt | undefined {
    switch (op.kind) {
      case "query":
        return serverOf(op.sql);
      case "prepare": {
        const home = serverOf(op.sql);
        this.#homes.set(`${client} ${op.slot}`, home);
        return home;
      }
      case "execute":
        return this.#homes.get(`${client} ${op.slot}`);
      default:
        return undefined;
    }
  }

  /** The same with the name of its server, if there are several. */
  #hinted(op: Op, home: ServerAt | undefined): Op | undefined {
    const { servers } = this.#options;
    const isStatement = op.kind === "query" && /^[a-z]/i.test(op.sql);
    if (servers === 1 || !isStatement || !this.#random.chance(HINTS)) return undefined;
    const server = home ?? this.#random.int(servers);
    return { ...op, sql: `/* sluice: server=${SERVER_NAMES[server]} */ ${op.sql}` };
  }
}
