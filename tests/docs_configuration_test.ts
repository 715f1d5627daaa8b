import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { LiveConfig } from "../src/config/live_config.ts";
import { CLUSTER, configOf, USER } from "./config/config_tools.ts";

const PAGE = Deno.readTextFileSync(new URL("../docs/configuration.md", import.meta.url));

function expectedTable(): string {
  const rows = new LiveConfig(configOf(CLUSTER + USER)).rows().map((row) => {
    // The cluster's name is that of the test.
    const value = row.name === "default_cluster" ? "" : row.defaultValue;
    const cells = [
      `\`${row.name}\``,
      value === "" ? "" : `\`${value}\``,
      row.range,
      row.needsRestart ? "restart" : "live",
      row.info,
    ];
    return `| ${cells.join(" | ")} |\n`;
  });
  return "| name | default | range | takes effect | meaning |\n| --- | --- | --- | --- | --- |\n" +
    rows.join("");
}

Deno.test("docs/configuration.md lists every parameter as SHOW PROXYCONFIG does", () => {
  const table = PAGE.slice(PAGE.indexOf("| name | default |"));
  assertEquals(table, expectedTable(), "the last table of docs/configuration.md is not up to date");
});

Deno.test("docs/configuration.md speaks of keys that there are", () => {
  const names = new Set(configKeys());
  const spoken = [...PAGE.matchAll(/`([a-z]+(?:_[a-z]+)+)`/g)].map((match) => match[1]!);
  assert(spoken.length > 10);
  // Names of others: servers' variables and what ODP calls things.
  const others = ["wait_timeout", "mysql_native_password", "syslog_level"]
    .concat(["resource_max_connections", "resource_unit"]);
  assertEquals(spoken.filter((name) => !names.has(name) && !others.includes(name)), []);
  assertStringIncludes(PAGE, "config.example.toml");
});

function configKeys(): string[] {
  const example = Deno.readTextFileSync(new URL("../config.example.toml", import.meta.url));
  const keys = [...example.matchAll(/^#?([a-z_]+) = /gm)].map((match) => match[1]!);
  return [...keys, "log_level", "log_format", "log_file"];
}
