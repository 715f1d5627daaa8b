import { assertEquals } from "@std/assert";
import { LogRecords } from "../support/log_records.ts";
import { FILE, startWith, VALID } from "./live_tools.ts";
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

Deno.test("reload() changes who shares and how many sessions a server may have", async () => {
  await LogRecords.take();
  const { disk, live } = startWith();
  disk.files.set(
    FILE,
    `[[clusters]]
name = "main"
kind = "oceanbase"
sharing = "transaction"
[[clusters.servers]]
address = "127.0.0.1:3306"
max_connections = 7
[[users]]
name = "app"
password = "secret"
sharing = "session"
`,
  );
  assertEquals(await live.reload(), {
    kind: "reloaded",
    changed: ["users", "clusters.main"],
    waiting: ["clusters.main"],
  });
  const { clusters: [cluster], users: [user] } = live.current;
  assertEquals([cluster?.kind, cluster?.sharing, user?.sharing], [
    "mysql",
    "transaction",
    "session",
  ]);
  assertEquals(cluster?.servers.map(({ maxConnections }) => maxConnections), [7]);
  disk.files.set(FILE, VALID);
  await live.reload();
  const { clusters: [now] } = live.current;
  assertEquals([now?.sharing, now?.servers[0]?.maxConnections], ["session", undefined]);
});
