import { assertEquals, assertStringIncludes } from "@std/assert";
import { parseConfig } from "../../src/config/load.ts";
import { memorySystem, problemLines } from "./config_tools.ts";
import { WRONG_FILES } from "./wrong_files.ts";

const SYSTEM = memorySystem({
  "key.pem": "not a key",
  "/run/locked": new Deno.errors.PermissionDenied(),
  "/run/folder": Object.assign(new Error(), { code: "EISDIR" }),
  "/run/empty": "\n",
}, { EMPTY: "" });

for (const { what, text, problems } of WRONG_FILES) {
  Deno.test(`parseConfig() tells about ${what}`, () => {
    const lines = problemLines(parseConfig(text, { ...SYSTEM, file: "config.toml" }));
    assertEquals(lines.length, problems.length, lines.join("\n"));
    problems.forEach(([place, ...says], index) => {
      const line = lines[index] ?? "";
      assertEquals(line.slice(0, place.length + 2), `${place}: `, line);
      for (const part of says) assertStringIncludes(line, part);
    });
  });
}
