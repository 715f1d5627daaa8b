import { CLUSTER_KEYS } from "./cluster_keys.ts";
import type { KeyRow, SectionName } from "./key_row.ts";
import { PROXY_KEYS } from "./proxy_keys.ts";
import type { TomlNode } from "./toml_document.ts";
import type { Address } from "./types.ts";
import { USER_KEYS } from "./user_keys.ts";

export interface SectionRow {
  readonly name: SectionName;
  /** Written `[[name]]` and any number of times. */
  readonly repeated: boolean;
  /** Only shown in the example file, not part of the configuration it makes. */
  readonly optional?: true;
  readonly description: string;
}

/** Sections in the order of the example file. */
export const SECTIONS: readonly SectionRow[] = [
  { name: "proxy", repeated: false, description: "The proxy itself: what clients meet." },
  { name: "log", repeated: false, description: "What is logged, how and where to." },
  {
    name: "clusters",
    repeated: true,
    description: "One block for each cluster: a set of database servers with the same data.",
  },
  {
    name: "clusters.servers",
    repeated: true,
    optional: true,
    description:
      'In place of the list "servers" above: one block for each server, with more settings.',
  },
  {
    name: "clusters.tenants",
    repeated: true,
    optional: true,
    description: "A named part of the cluster above, chosen by the login name user@tenant.",
  },
  {
    name: "users",
    repeated: true,
    description: "One block for each account that clients may log in with.",
  },
];

/**
 * Every key of the configuration: one row feeds reading, defaults, messages, `--print-config`,
 * `config.example.toml`, SHOW and ALTER PROXYCONFIG. Keys that ODP has too bear ODP's names.
 */
export const KEYS = [...PROXY_KEYS, ...CLUSTER_KEYS, ...USER_KEYS] as const;

type Row = typeof KEYS[number];
type ScalarOf<R extends Row> = R extends { readonly type: "integer" | "duration" | "capacity" }
  ? number
  : R extends { readonly type: "boolean" } ? boolean
  : R extends { readonly type: "address" } ? Address
  : R extends { readonly type: "server" } ? TomlNode
  : R extends { readonly type: "hash" } ? Uint8Array
  : R extends { readonly choices: readonly (infer C)[] } ? C
  : string;

/** What a section reads as; undefined where a key without default is missing or wrong. */
export type SectionValues<S extends SectionName> = {
  readonly [R in Extract<Row, { readonly section: S }> as R["key"]]:
    | (R extends { readonly list: true } ? readonly ScalarOf<R>[] : ScalarOf<R>)
    | (R extends { readonly default: unknown } ? never : undefined);
};

export function keysOf(section: SectionName): readonly KeyRow[] {
  return KEYS.filter((row) => row.section === section);
}
