/** Makes, from a seed, what all clients do, in the order in which they do it. */
import type { EngineName } from "../../src/dev/engines/engine.ts";
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

export interface GeneratorOptions {
  readonly seed: number;
  readonly engine: EngineName;
  readonly clients: number;
  readonly steps: number;
  /** Names of those to use. */
  readonly features: readonly string[];
  /** Scenarios at the same time that keep a server session: fewer than there are. */
  readonly holders: number;
}

interface Scenario {
  readonly feature: Feature;
  readonly group: number;
  readonly ops: readonly Op[];
  at: number;
}

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
  #groups = 0;
  #holding = 0;

  constructor(options: GeneratorOptions) {
    const { seed, engine, clients, features } = options;
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
      slots: new Map(),
      nextSlot: 1,
      typed: new Map(),
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
      const isFull = this.#holding >= this.#options.holders;
      const feature = this.#random.pick(isFull ? this.#modest : this.#all);
      const ops = feature.make(subject);
      if (ops.length === 0) return;
      this.#running.set(subject.client, { feature, group: this.#groups++, ops, at: 0 });
      if (feature.holds) this.#holding++;
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
    const op = ops[scenario.at++]!;
    const isLast = scenario.at === ops.length;
    const isFree = isLast || feature.holds !== true;
    this.#steps.push({ client, group, feature: feature.name, op, isFree });
    if (!isLast) return;
    this.#running.delete(client);
    if (feature.holds) this.#holding--;
  }
}
