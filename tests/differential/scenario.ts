/** What the generators of scenarios are given, and give. */
import type { EngineName } from "../../src/dev/engines/engine.ts";
import { type ServerAt, tableOf } from "./data.ts";
import type { Random } from "./random.ts";
import type { Op } from "./steps.ts";

/** A client as far as a generator knows it: from what it had it do before. */
export interface Subject {
  readonly client: number;
  readonly random: Random;
  readonly engine: EngineName;
  /** Where the scenario runs, as far as that matters. */
  server: ServerAt;
  /** Others do not wait for it, nor it for them. */
  readonly isConcurrent: boolean;
  /** Names of user locks that it takes. */
  readonly locks: readonly string[];
  /** Statements that are prepared. */
  readonly slots: Map<number, Slot>;
  /** The next one that is free. */
  nextSlot: number;
  /** Those executed before. */
  readonly typed: Map<number, Op & { kind: "execute" }>;
  /**
   * Those executed since the character set has changed, so that types may be left out: a server goes
   * on with the character set that strings had when it was told their types.
   */
  readonly bound: Set<number>;
  /** What other features have it do, none of which keeps its server session. */
  inner(): Op[];
}

export interface Slot {
  readonly parameters: number;
  /** On MariaDB the types of its parameters change with its executions. */
  readonly isCall: boolean;
  /** That alone has the data. */
  readonly server: ServerAt | undefined;
}

/** The client's own table, where the scenario runs. */
export function ownTable({ client, server }: Subject): string {
  return tableOf(client, server);
}

export interface Feature {
  readonly name: string;
  /** From its first step to its last one, it may keep its server session to itself. */
  readonly holds?: true;
  readonly engines?: readonly EngineName[];
  /** Not to be used within another scenario. */
  readonly isOuter?: true;
  make(subject: Subject): Op[];
}

export function query(sql: string): Op {
  return { kind: "query", sql };
}
