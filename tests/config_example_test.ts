import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { parse } from "@std/toml";
import { exampleConfig } from "../src/config/example.ts";
import { parseConfig } from "../src/config/load.ts";
import type { KeyRow } from "../src/config/key_row.ts";
import { KEYS, SECTIONS } from "../src/config/schema.ts";
import { headerOf } from "../src/config/wanted.ts";
import { configOf, memorySystem, problemLines } from "./config/config_tools.ts";

const EXAMPLE = Deno.readTextFileSync(new URL("../config.example.toml", import.meta.url));
const ROWS: readonly KeyRow[] = KEYS;

interface Setting {
  readonly section: string;
  readonly key: string;
  readonly value: string;
  /** Not in effect: behind a "#". */
  readonly off: boolean;
  /** The comment right above it. */
  readonly comment: string;
}

/** Every setting of the example. A line that is neither that, nor section, nor prose is an error. */
function settingsOf(text: string): Setting[] {
  const settings: Setting[] = [];
  let section = "";
  let comment = "";
  for (const line of text.split("\n")) {
    const header = /^#?(\[\[?[a-z.]+\]?\])$/.exec(line)?.[1];
    const [, off, key, value] = /^(#?)([a-z_]+) = (\S.*)$/.exec(line) ?? [];
    if (header !== undefined) {
      section = SECTIONS.find((row) => headerOf(row) === header)?.name ?? `unknown ${header}`;
    } else if (key !== undefined && value !== undefined) {
      settings.push({ section, key, value, off: off === "#", comment });
    } else {
      assert(/^(?:|#|# .*)$/.test(line), `Neither a setting nor a comment: ${line}`);
    }
    comment = line.startsWith("# ") ? line.slice(2) : "";
  }
  return settings;
}

Deno.test("config.example.toml is what the schema makes", () => {
  assertEquals(
    EXAMPLE,
    exampleConfig(),
    "config.example.toml is not up to date: write exampleConfig() of src/config/example.ts to it",
  );
});

Deno.test("config.example.toml is valid, and what it leaves out has its default", () => {
  const config = configOf(EXAMPLE);
  const least = configOf(
    '[[clusters]]\nname = "main"\nservers = ["127.0.0.1:3306"]\n' +
      '[[users]]\nname = "app"\npassword = "change-me"\n',
  );
  assertEquals(config, least);
});

Deno.test("config.example.toml has each key once with its default and its meaning", () => {
  const settings = settingsOf(EXAMPLE);
  assertEquals(
    settings.map(({ section, key }) => `${section}.${key}`).sort(),
    ROWS.map(({ section, key }) => `${section}.${key}`).sort(),
  );
  for (const { section, key, value, off, comment } of settings) {
    const row = ROWS.find((row) => row.section === section && row.key === key);
    const path = `${section}.${key}`;
    const given = (parse(`value = ${value}`) as { value: unknown }).value;
    assertEquals(given, row?.default ?? row?.example, path);
    assertStringIncludes(comment, row?.description ?? "?", path);
    assert(comment.length <= 98, `${path}: its comment is longer than a line`);
    for (const choice of row?.choices ?? []) assertStringIncludes(comment + value, choice, path);
    if (!off) assert(row?.required || row?.shown, `${path} is set without need`);
  }
});

Deno.test("config.example.toml stays valid when its optional settings are set", () => {
  const whose = ["app", "server", "obproxy_sys", "inspector"];
  const system = memorySystem(
    Object.fromEntries(whose.map((name) => [`/run/secrets/${name}_password`, "a"])),
    Object.fromEntries(whose.map((name) => [`${name.toUpperCase()}_PASSWORD`, "b"])),
  );
  // At most one of these may be set at a time.
  const exclusive = ["password", "password_file", "password_env", "password_hash"];
  // Blocks of servers stand in place of the list.
  const everything = EXAMPLE.replace(/^servers = .*$/m, "").replace(/^#(?=[[a-z])/gm, "");
  for (const chosen of exclusive) {
    const kept = everything.split("\n").filter((line) => {
      const [, whose, key] = /^(\w+_)?(password(?:_[a-z]+)?) = /.exec(line) ?? [];
      // There is no hash to log in to servers with.
      const wanted = whose === "server_" && chosen === "password_hash" ? "password" : chosen;
      return key === undefined || key === wanted;
    }).join("\n").replace('server_user = ""', 'server_user = "real"');
    assertEquals(problemLines(parseConfig(kept, { ...system, file: "f" })), [], chosen);
  }
});
