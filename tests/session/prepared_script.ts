/** What clients do with prepared statements, in the order of lines: for tests against twins. */
import type { Value } from "../../src/protocol/binary_value.ts";
import { ColumnType } from "../../src/protocol/constants.ts";
import type { Parameter } from "../../src/protocol/prepared.ts";
import type { Op } from "../differential/steps.ts";

export interface Scenario {
  readonly title: string;
  /** How many server sessions there are. */
  readonly sessions: number;
  readonly script: readonly Line[];
  readonly engines?: readonly string[];
}

/** Who does what; `holds` where something is left open behind it. */
export type Line = readonly [client: number, op: Op, holds?: "holds"];

export const ask = (sql: string): Op => ({ kind: "query", sql });
export const prepare = (slot: number, sql: string): Op => ({ kind: "prepare", slot, sql });
export const close = (slot: number): Op => ({ kind: "close", slot });
export const reset = (slot: number): Op => ({ kind: "resetStatement", slot });
export const fetch = (slot: number, rows: number): Op => ({ kind: "fetch", slot, rows });

export function execute(slot: number, ...parameters: Parameter[]): Op {
  return { kind: "execute", slot, parameters, hasTypes: true };
}

/** Without types: they are those of the last execution. */
export function again(slot: number, ...parameters: Parameter[]): Op {
  return { kind: "execute", slot, parameters, hasTypes: false };
}

export function open(slot: number): Op {
  return { kind: "execute", slot, parameters: [], hasTypes: true, opensCursor: true };
}

export function send(slot: number, parameter: number, data: string): Op {
  return { kind: "longData", slot, parameter, data };
}

export function one(type: number, value: Value | undefined): Parameter {
  return { type, unsigned: false, name: "", value };
}

export const int = (value: number | null) => one(ColumnType.LONG, value);
export const text = (value: string) => one(ColumnType.VAR_STRING, value);
export const sent = one(ColumnType.BLOB, undefined);

/** Has the client go on with another one of two server sessions than the one that it had last. */
export function elsewhere(client: number): Line[] {
  const other = client + 100;
  return [
    [client, ask("BEGIN"), "holds"],
    [other, ask("BEGIN"), "holds"],
    [client, ask("COMMIT")],
    [client + 200, ask("BEGIN"), "holds"],
    [other, ask("COMMIT")],
  ];
}

/** Ends that. */
export const back = (client: number): Line => [client + 200, ask("COMMIT")];
