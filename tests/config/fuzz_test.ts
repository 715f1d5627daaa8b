import { assert } from "@std/assert";
import { parseConfig } from "../../src/config/load.ts";
import { formatProblem } from "../../src/config/problems.ts";
import { memorySystem } from "./config_tools.ts";

const ROUNDS = 20_000;
const SECRET = "zq9-Fuzz'ed-77x";
const EXAMPLE = Deno.readTextFileSync(new URL("../../config.example.toml", import.meta.url))
  .replaceAll("change-me", SECRET);

/** Pieces that mean something to a reader of TOML. */
const PIECES = ["[", "]", "[[", "]]", "{", "}", '"', "'", '"""', "'''", "\\", "#", "=", ",", "."]
  .concat(["\n", "\r\n", "\r", "\t", " ", "\0", "\uFEFF", "\uD800", "\u2028", "é", "😀"])
  .concat(["0", "-1", "1e400", "inf", "nan", "true", "1979-05-27", "9".repeat(400), "0x"])
  .concat(["__proto__", "constructor", "a.b", "[[clusters]]\n", "[users]\n", '"\\u00"', "[]", "{}"])
  .concat([
    "[proxy]\n",
    'servers = [{address = "h:1"}]\n',
    "@",
    "::1",
    '""',
    "= [\n",
    "name = 1\n",
  ]);

/** The same numbers at each run, so that a failure can be repeated. */
class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** mulberry32: a whole number from 0 up to `limit`, without it. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  }
}

/** One change to a text, as a slip or a broken disk would make it. */
const CHANGES: readonly ((text: string, random: Random) => string)[] = [
  (text, random) => splice(text, random.below(text.length + 1), random.below(40), ""),
  (text, random) => splice(text, random.below(text.length + 1), 0, piece(random)),
  (text, random) => splice(text, random.below(text.length + 1), 1, piece(random)),
  (text, random) => text.slice(0, random.below(text.length + 1)),
  (text, random) => {
    const start = random.below(text.length + 1);
    const copy = text.slice(start, start + random.below(200));
    return splice(text, random.below(text.length + 1), 0, copy);
  },
  (text, random) => {
    const lines = text.split("\n");
    const from = random.below(lines.length);
    const [line = ""] = lines.splice(from, 1);
    lines.splice(random.below(lines.length + 1), 0, line);
    return lines.join("\n");
  },
  (text, random) => {
    const lines = text.split("\n");
    const at = random.below(lines.length);
    lines[at] = (lines[at] ?? "").replace("#", "");
    return lines.join("\n");
  },
];

function splice(text: string, at: number, removed: number, added: string): string {
  return text.slice(0, at) + added + text.slice(at + removed);
}

function piece(random: Random): string {
  return PIECES[random.below(PIECES.length)] ?? "";
}

function mutate(text: string, random: Random): string {
  let changed = text;
  for (let left = 1 + random.below(4); left > 0; left--) {
    const change = CHANGES[random.below(CHANGES.length)];
    changed = change?.(changed, random) ?? changed;
  }
  return changed;
}

Deno.test(`parseConfig() answers ${ROUNDS} broken variants of the example`, () => {
  const random = new Random(20_240_229);
  const system = memorySystem({ "/run/secrets/app_password": SECRET }, { APP_PASSWORD: SECRET });
  let valid = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const text = mutate(EXAMPLE, random);
    const where = `round ${round}`;
    const result = parseConfig(text, { ...system, file: "f" });
    if ("config" in result) {
      valid++;
      assert(Object.isFrozen(result.config), where);
      continue;
    }
    assert(result.problems.length > 0, where);
    const lines = text.split("\n").length;
    for (const problem of result.problems) {
      assert(problem.line >= 0 && problem.line <= lines, `${where}: ${formatProblem(problem)}`);
      const shown = formatProblem(problem);
      assert(!shown.includes("\n") && shown.length < 1_000, `${where}: ${shown}`);
      assert(!shown.includes(SECRET), `${where}: ${shown}`);
    }
  }
  // Both kinds of answer must have been tried for the test to mean anything.
  assert(valid > ROUNDS / 100 && valid < ROUNDS - ROUNDS / 10, `${valid} of ${ROUNDS} are valid`);
});
