/** A running proxy that reads its configuration again. */
import { assert, assertEquals } from "@std/assert";
import { LogRecords } from "../support/log_records.ts";
import { CLUSTER, USER } from "./config_tools.ts";
import { MemoryDisk } from "./memory_disk.ts";
import { FILE, OVERLAY, row, startOn, startWith, stateOf, VALID } from "./live_tools.ts";

Deno.test("reload() brings live keys into force and says what waits for a restart", async () => {
  const log = await LogRecords.take();
  const { disk, live } = startWith(`${VALID}[proxy]\nclient_max_connections = 5\n`);
  await live.set("log_level", "error");
  let heard = 0;
  live.onChange(() => heard++);
  disk.files.set(
    FILE,
    `[proxy]
client_max_connections = 6
listen = ["127.0.0.1:7"]
[log]
level = "debug"
format = "json"
[[clusters]]
name = "main"
[[clusters.servers]]
address = "127.0.0.1:3306"
role = "replica"
weight = 3
[[users]]
name = "other"
password = "new"
`,
  );
  assertEquals(await live.reload(), {
    kind: "reloaded",
    changed: ["client_max_connections", "users", "clusters.main"],
    waiting: ["listen", "log_format"],
  });
  const { proxy, log: logConfig, clusters, users } = live.current;
  assertEquals([proxy.clientMaxConnections, proxy.listen[0]?.port], [6, 2883]);
  // The overlay is above the file still.
  assertEquals(logConfig, { level: "error", format: "logfmt", file: "" });
  assertEquals(clusters[0]?.servers.map(({ role, weight }) => [role, weight]), [["replica", 3]]);
  assertEquals(users.map(({ name }) => name), ["other"]);
  assertEquals(heard, 1);
  assertEquals([row(live, "listen").pending, row(live, "log_format").pending], [
    "127.0.0.1:7",
    "json",
  ]);
  assertEquals(log.of("configuration reloaded").map(({ fields }) => fields), [{
    file: FILE,
    changed: "client_max_connections,users,clusters.main",
    needs_restart: "listen,log_format",
  }]);
  const before = live.current;
  assertEquals(await live.reload(), {
    kind: "reloaded",
    changed: [],
    waiting: ["listen", "log_format"],
  });
  assert(live.current === before && heard === 1);
});

Deno.test("reload() leaves the shape of clusters to a restart, and logins to those that are there", async () => {
  const two = `[[clusters]]
name = "a"
servers = ["h:1", "h:2"]
[[clusters.tenants]]
name = "t"
schema = "s"
[[clusters]]
name = "b"
servers = ["h:3"]
`;
  const { disk, live } = startWith(two + USER);
  disk.files.set(
    FILE,
    `[proxy]
default_cluster = "c"
${two.replace('"h:2"', '"h:4"').replace('"s"', '"s2"\nmax_connections = 9').replace('"b"', '"c"')}
[[users]]
name = "app"
password = "secret"
cluster = "c"
`,
  );
  assertEquals(await live.reload(), {
    kind: "reloaded",
    changed: ["users", "clusters.a"],
    waiting: ["default_cluster", "clusters.a", "clusters.b", "clusters.c"],
  });
  const { clusters, proxy } = live.current;
  assertEquals(proxy.defaultCluster, "a");
  assertEquals(clusters.map(({ name, servers }) => [name, servers.map((one) => one.name)]), [
    ["a", ["h:1", "h:2"]],
    ["b", ["h:3"]],
  ]);
  assertEquals(clusters[0]?.tenants, [
    { name: "t", servers: [], schema: "s2", maxConnections: 9 },
  ]);
  // A limit that has gone from the file goes.
  disk.files.set(FILE, two + USER);
  assertEquals(await live.reload(), {
    kind: "reloaded",
    changed: ["users", "clusters.a"],
    waiting: [],
  });
  assertEquals(live.current.clusters[0]?.tenants, [{ name: "t", servers: [], schema: "s" }]);
});

Deno.test("reload() reads passwords from their files again", async () => {
  const disk = new MemoryDisk({
    [FILE]: `${CLUSTER}[[users]]\nname = "a"\npassword_file = "pw"\n`,
    "/etc/sluice/pw": "first",
  });
  const live = startOn(disk);
  disk.files.set("/etc/sluice/pw", "second");
  assertEquals(await live.reload(), { kind: "reloaded", changed: ["users"], waiting: [] });
  assertEquals(live.current.users[0]?.secret, { kind: "clear", password: "second" });
});

Deno.test("reload() of something broken changes nothing and logs what is wrong where", async () => {
  const log = await LogRecords.take();
  const { disk, live } = startWith();
  await live.set("client_max_connections", "5");
  live.onChange(() => {
    throw new Error("heard of a change");
  });
  const broken: readonly (readonly [file: string | undefined, overlay: string, at: unknown[]])[] = [
    [`${VALID}[log]\nlevel = "loud"\n`, "", [FILE, 8, "log.level"]],
    [VALID, "[proxy]\nold = 1\n", [OVERLAY, 2, "proxy.old"]],
    ["[proxy\n", "", [FILE, 1, undefined]],
    [undefined, "", [FILE, undefined, undefined]],
  ];
  for (const [file, overlay, at] of broken) {
    if (file === undefined) disk.files.delete(FILE);
    else disk.files.set(FILE, file);
    disk.files.set(OVERLAY, overlay);
    const before = stateOf(live, disk);
    log.lines.length = 0;
    assertEquals((await live.reload()).kind, "refused");
    assertEquals(stateOf(live, disk), before);
    const [line] = log.of("configuration not reloaded");
    assertEquals([line?.fields.file, line?.fields.line, line?.fields.key], at);
    assertEquals(line?.level, "error");
    assert(typeof line?.fields.problem === "string");
  }
  disk.files.set(FILE, VALID);
  disk.files.set(OVERLAY, "[proxy]\nclient_max_connections = 5\n");
  assertEquals(await live.reload(), { kind: "reloaded", changed: [], waiting: [] });
});
