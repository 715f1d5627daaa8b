import { assertEquals } from "@std/assert";
import { sharingOf } from "../../src/config/sharing.ts";
import type { SharingMode } from "../../src/config/types.ts";

/** The most specific of these that says anything wins. */
const CASES: readonly (readonly [
  cluster: SharingMode,
  tenant: SharingMode | "none" | undefined,
  user: SharingMode | undefined,
  expected: SharingMode,
])[] = [
  ["session", "none", undefined, "session"],
  ["transaction", "none", undefined, "transaction"],
  ["transaction", undefined, undefined, "transaction"],
  ["session", "transaction", undefined, "transaction"],
  ["transaction", "session", undefined, "session"],
  ["session", "none", "transaction", "transaction"],
  ["transaction", "transaction", "session", "session"],
  ["session", "session", "transaction", "transaction"],
];

Deno.test("The account's sharing wins over its tenant's, and that over its cluster's", () => {
  const outcomes = CASES.map(([cluster, tenant, user]) =>
    sharingOf(
      { sharing: cluster },
      tenant === "none" ? undefined : tenant === undefined ? {} : { sharing: tenant },
      user === undefined ? {} : { sharing: user },
    )
  );
  assertEquals(outcomes, CASES.map(([, , , expected]) => expected));
});
