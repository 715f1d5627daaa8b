/** How tests go through broken statements: many of them, which a seed brings back. */
import { assert } from "@std/assert";
import { concat } from "../../src/protocol/bytes.ts";
import type { SqlMode } from "../../src/sql/mode.ts";
import type { Mutator } from "../support/mutate.ts";
import { chooseCount, chooseSeed } from "../support/random.ts";
import { CHARSET, textOf, VERSION } from "./texts.ts";

/** Of this run. */
export const seed = chooseSeed();

const inputs = chooseCount();

export interface BrokenStatements<Outcome extends string> {
  readonly mutator: Mutator;
  /** What turns one text into another when it gets in between. */
  readonly pieces: readonly Uint8Array[];
  /** All that `check` may say. */
  readonly outcomes: readonly Outcome[];
  /** One or more statements in one text, before pieces get in between. */
  randomText(): Uint8Array;
  /** Whether a text is broken further, once the pieces are in it. */
  isMutated(): boolean;
  /**
   * @param fill stands around the text and belongs to none
   * @throws where something is wrong
   */
  check(text: Uint8Array, mode: SqlMode, fill: Uint8Array): Outcome;
}

/** Registers the test. @param title goes on behind their number */
export function testBroken<Outcome extends string>(
  title: string,
  broken: BrokenStatements<Outcome>,
): void {
  const { mutator, pieces } = broken;
  Deno.test(`${inputs} ${title}, seed ${seed}`, () => {
    const counts = new Map<Outcome, number>(broken.outcomes.map((outcome) => [outcome, 0]));
    for (let count = 0; count < inputs; count++) {
      const pieced = withPieces(broken.randomText(), mutator, pieces);
      const text = broken.isMutated() ? mutator.mutate(pieced) : pieced;
      const mode = randomMode(mutator);
      try {
        const outcome = broken.check(text, mode, mutator.pick(pieces));
        counts.set(outcome, counts.get(outcome)! + 1);
      } catch (error) {
        const input = `${JSON.stringify(mode)}, input ${text.toHex()}, ${textOf(text)}`;
        throw new Error(`SLUICE_SEED=${seed}, ${input}`, { cause: error });
      }
    }
    // All outcomes must have been tried for the test to mean anything.
    const least = Math.min(...counts.values());
    assert(least > inputs / 50, JSON.stringify(Object.fromEntries(counts)));
  });
}

/** Up to three pieces get in. */
function withPieces(
  whole: Uint8Array,
  mutator: Mutator,
  pieces: readonly Uint8Array[],
): Uint8Array {
  let text = whole;
  for (let left = mutator.below(4); left > 0; left--) {
    const at = mutator.below(text.length + 1);
    text = concat([text.subarray(0, at), mutator.pick(pieces), text.subarray(at)]);
  }
  return text;
}

function randomMode(mutator: Mutator): SqlMode {
  const serverVersion = mutator.pick([undefined, ...Object.values(VERSION)]);
  return {
    ansiQuotes: mutator.below(4) === 0,
    noBackslashEscapes: mutator.below(4) === 0,
    charset: mutator.pick(Object.values(CHARSET)),
    ...(serverVersion === undefined ? {} : { serverVersion }),
  };
}
