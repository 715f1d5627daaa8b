/**
 * Broken statements: classifying them throws nothing and reads nothing beyond them, and the filter
 * of the data path overlooks nothing. `SLUICE_FUZZ` sets how many, `SLUICE_SEED` repeats a run.
 */
import { assert, assertEquals } from "@std/assert";
import { concat } from "../../src/protocol/bytes.ts";
import { type Classified, classify, classifyText, mayHaveEffects } from "../../src/sql/classify.ts";
import type { SqlMode } from "../../src/sql/mode.ts";
import { splitStatements } from "../../src/sql/split.ts";
import { Mutator } from "../support/mutate.ts";
import { seededRandom } from "../support/random.ts";
import { seed, testBroken } from "./broken_statements.ts";
import { ALL_ROWS, describe } from "./classify_texts.ts";
import { randomSelect } from "./random_expressions.ts";
import { bytesOf, whole } from "./texts.ts";

const STATEMENTS = ALL_ROWS.map(([text]) => bytesOf(text));

/** Statements that do nothing: what gets into them should be seen. */
const PLAIN = [
  "SELECT c FROM sbtest1 WHERE id = 5 AND (a IN (1, 2) OR COALESCE(b, 0) > 5) ORDER BY c LIMIT 5",
  "INSERT INTO `s`.`t` (a, b, value) VALUES (1, 'a@b.net', NOW()), (2, 'x', LOWER('y'))",
  "UPDATE t SET a = a + 1, b = 'it''s; -- x' WHERE c = \"d\" -- e\n AND value = 5",
  "WITH x (a) AS (SELECT 1) SELECT a, COUNT(*) FROM x GROUP BY a WITH ROLLUP",
  "SHOW TABLES LIKE 'a%'",
].map(bytesOf);

/** What turns one text into another when it gets in between. */
const PIECES = [
  ...["'", '"', "`", "\\", ";", "; ", "/*", "*/", "/*!", "/*!50000 ", "/*!999999 ", "/*M!", "/*+"],
  ...["-- ", "--", "#", "\n", "\0", "@", "@@", "$$", ".", " . ", "(", ")", " (", "\n(", ",", "x'"],
  ...[" AS ", " INTO ", " FROM ", " WITH ", "SELECT ", " abs", " f(1)", "f", "`f`", " in (", " t"],
  ...[
    "/* sluice: server=a */",
    " sluice",
    ":=",
    " VALUE FOR ",
    "NEXT VALUE",
    ".nextval",
    "lastval(",
  ],
  ...[" SQL_CALC_FOUND_ROWS ", "get_lock(", "'a')", "last_insert_id(", "@a", "@@last_insert_id"],
  ...["SHOW WARNINGS", "SHOW ", "SET ", "@@session . ", "\xa0", "\xff", "\xbf", "\x81\x30", "\xc3"],
].map(bytesOf);

const mutator = new Mutator(seededRandom(seed), [...STATEMENTS, ...PLAIN, ...PIECES]);
const random = seededRandom(seed + 1);

function randomText(): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let left = 1 + mutator.below(2); left > 0; left--) {
    const kind = mutator.below(4);
    if (kind === 0) parts.push(bytesOf(randomSelect(random)));
    else parts.push(mutator.pick(kind === 1 ? STATEMENTS : PLAIN));
    if (left > 1) parts.push(bytesOf(mutator.pick([";", "; ", " ; /* x */ ", " "])));
  }
  return concat(parts);
}

function doesNothing({ effects, asks, server }: Classified): boolean {
  return effects === 0 && asks === 0 && server === undefined;
}

function check(text: Uint8Array, mode: SqlMode, fill: Uint8Array): "nothing" | "seen" | "more" {
  const bytes = concat([fill, text, fill]);
  const range = { start: fill.length, end: fill.length + text.length };
  const all = classifyText(bytes, range, mode);
  const may = mayHaveEffects(bytes, range.start, range.end);
  assert(may || doesNothing(all), `the filter overlooks ${describe(all)}`);
  assertEquals(describe(classifyText(text, whole(text), mode)), describe(all), "what is around");
  assertEquals(mayHaveEffects(text, 0, text.length), may);
  for (const statement of splitStatements(bytes, range, mode)) {
    const one = classify(bytes, statement, mode);
    const mayOne = mayHaveEffects(bytes, statement.start, statement.end);
    assert(mayOne || doesNothing(one), `the filter overlooks ${describe(one)} in a statement`);
    assertEquals(one.effects & ~all.effects, 0, "a statement's effects are not the text's");
    assertEquals(one.asks & ~all.asks, 0);
  }
  return doesNothing(all) ? may ? "more" : "nothing" : "seen";
}

testBroken("broken statements to classify", {
  mutator,
  pieces: PIECES,
  outcomes: ["nothing", "seen", "more"],
  randomText,
  isMutated: () => mutator.below(3) === 0,
  check,
});
