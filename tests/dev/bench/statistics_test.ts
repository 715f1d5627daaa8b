import { assertEquals, assertNotEquals } from "@std/assert";
import { median, quantile, shuffled } from "../../../src/dev/bench/statistics.ts";

Deno.test("median and quantile interpolate between neighbours", () => {
  assertEquals(median([3, 1, 2]), 2);
  assertEquals(median([4, 1, 2, 3]), 2.5);
  assertEquals(quantile([0, 10], 0.25), 2.5);
  assertEquals(quantile([7], 0.9), 7);
  assertEquals(median([]), NaN);
});

Deno.test("shuffled keeps every value and leaves its argument alone", () => {
  const values = [1, 2, 3, 4, 5];
  let step = 0;
  const result = shuffled(values, () => (step++ * 7 % 10) / 10);
  assertEquals(values, [1, 2, 3, 4, 5]);
  assertNotEquals(result, values);
  assertEquals([...result].sort(), values);
});
