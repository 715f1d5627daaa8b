/** The capability classes that the identity script is run in. */
import type { EngineName } from "../../src/dev/engines/engine.ts";
import { Capability, MariaDbCapability } from "../../src/protocol/constants.ts";
import { CLASSIC } from "../support/wire_client.ts";

export interface CapabilityClass {
  readonly name: string;
  readonly capabilities: number;
  readonly extendedCapabilities: number;
  /** Collation id of the login. */
  readonly charset: number;
  readonly script: "whole" | "short";
}

/** A capability that a class has or has not, independently of the others. */
interface Axis {
  readonly name: string;
  readonly capabilities?: number;
  readonly extended?: number;
}

const EOF: Axis = { name: "no-eof", capabilities: Capability.DEPRECATE_EOF };
const TRACK: Axis = { name: "track", capabilities: Capability.SESSION_TRACK };
const MULTI: Axis = { name: "multi", capabilities: Capability.MULTI_STATEMENTS };
const OPTIONAL: Axis = { name: "optional", capabilities: Capability.OPTIONAL_RESULTSET_METADATA };
const ATTRIBUTES: Axis = {
  name: "attributes",
  capabilities: Capability.QUERY_ATTRIBUTES | Capability.CONNECT_ATTRS,
};
const PROGRESS: Axis = { name: "progress", extended: MariaDbCapability.PROGRESS };
const BULK: Axis = { name: "bulk", extended: MariaDbCapability.STMT_BULK_OPERATIONS };
const EXTENDED: Axis = { name: "extended", extended: MariaDbCapability.EXTENDED_METADATA };
const CACHE: Axis = { name: "cache", extended: MariaDbCapability.CACHE_METADATA };

/** Every class has these; what more it has is a choice of the axes. */
const BASE = CLASSIC & ~Capability.MULTI_STATEMENTS;

const ALL_MARIADB = [PROGRESS, BULK, EXTENDED, CACHE];

/** Choices in which the whole script is run: those of the drivers in use, with and without. */
const WHOLE: Record<EngineName, readonly (readonly Axis[])[]> = {
  mariadb: [
    [MULTI],
    [MULTI, TRACK],
    [MULTI, EOF],
    [MULTI, EOF, TRACK],
    [MULTI, ...ALL_MARIADB],
    [MULTI, EOF, TRACK, ...ALL_MARIADB],
  ],
  mysql: [
    [MULTI],
    [MULTI, TRACK],
    [MULTI, EOF],
    [MULTI, EOF, TRACK],
    [MULTI, OPTIONAL, ATTRIBUTES],
    [MULTI, EOF, TRACK, OPTIONAL, ATTRIBUTES],
  ],
  seekdb: [[MULTI], [MULTI, TRACK]],
};

/** Axes whose choices are all crossed, with the short script. */
const CROSSED: Record<EngineName, readonly Axis[]> = {
  mariadb: [EOF, TRACK, MULTI, ...ALL_MARIADB],
  mysql: [EOF, TRACK, MULTI, OPTIONAL, ATTRIBUTES],
  seekdb: [TRACK, MULTI],
};

/** Flags that change what statements do: one more, or one less, than usual. */
const SINGLE: readonly [name: string, capabilities: number][] = [
  ["found-rows", Capability.FOUND_ROWS],
  ["ignore-space", Capability.IGNORE_SPACE],
  ["no-schema", Capability.NO_SCHEMA],
  ["odbc", Capability.ODBC],
  ["interactive", Capability.INTERACTIVE],
  ["local-files", Capability.LOCAL_FILES],
  ["multi-results", Capability.MULTI_RESULTS | Capability.PS_MULTI_RESULTS],
  ["ps-multi-results", Capability.PS_MULTI_RESULTS],
  ["transactions", Capability.TRANSACTIONS],
  ["long-flag", Capability.LONG_FLAG],
];

/** Collations of logins: latin1_swedish_ci, utf8mb3_general_ci, gbk_chinese_ci, binary. */
const CHARSETS: readonly number[] = [8, 33, 28, 63];

const UTF8MB4 = 45;

/** All classes of an engine, the ones with the whole script first. */
export function classesOf(engine: EngineName): CapabilityClass[] {
  const usual = engine === "seekdb" ? [MULTI] : [MULTI, EOF];
  const usualClass = classOf(usual, "short");
  return [
    ...WHOLE[engine].map((axes) => classOf(axes, "whole")),
    ...choicesOf(CROSSED[engine]).map((axes) => classOf(axes, "short")),
    ...SINGLE.map(([name, flag]): CapabilityClass => ({
      ...usualClass,
      name: `${usualClass.name} ${(BASE & flag) === 0 ? "+" : "-"}${name}`,
      capabilities: (usualClass.capabilities ^ flag) >>> 0,
    })),
    ...CHARSETS.map((charset): CapabilityClass => ({
      ...usualClass,
      name: `${usualClass.name} charset-${charset}`,
      charset,
    })),
  ];
}

function choicesOf(axes: readonly Axis[]): Axis[][] {
  const [first, ...rest] = axes;
  if (first === undefined) return [[]];
  return choicesOf(rest).flatMap((choice) => [choice, [first, ...choice]]);
}

function classOf(axes: readonly Axis[], script: "whole" | "short"): CapabilityClass {
  const extendedCapabilities = axes.reduce((bits, axis) => bits | (axis.extended ?? 0), 0);
  return {
    name: axes.map((axis) => axis.name).join(" ") || "plain",
    capabilities: axes.reduce((bits, axis) => bits | (axis.capabilities ?? 0), BASE) >>> 0,
    extendedCapabilities,
    charset: UTF8MB4,
    script,
  };
}
