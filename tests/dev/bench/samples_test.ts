import { assertEquals } from "@std/assert";
import { Samples } from "../../../src/dev/bench/samples.ts";

Deno.test("a summary has the median, the best round and the split of CPU time", () => {
  const samples = new Samples();
  samples.add("rate", "direct", { round: 1, value: 10 });
  samples.add("rate", "direct", { round: 2, value: 30 });
  samples.add("rate", "direct", { round: 3, value: NaN });
  assertEquals(samples.summary("rate", "direct", "high"), {
    median: 20,
    best: 30,
    worst: 10,
    rounds: 2,
  });
  const use = { micros: 1000, userTicks: 1, systemTicks: 3 };
  samples.addCpu("cpu", "proxy", { round: 1, use, per: 50 });
  assertEquals(samples.summary("cpu", "proxy", "low"), {
    median: 20,
    best: 20,
    worst: 20,
    rounds: 1,
    user: 5,
    system: 15,
  });
  assertEquals(samples.summary("cpu", "other", "low"), undefined);
});

Deno.test("ratios are taken inside a round, from rounds that have both", () => {
  const samples = new Samples();
  const pairs = [[2, 1], [30, 10], [8, 2], [5, undefined], [5, 0]] as const;
  pairs.forEach(([value, other], round) => {
    samples.add("cpu", "proxy", { round, value });
    if (other !== undefined) samples.add("cpu", "reference", { round, value: other });
  });
  assertEquals(samples.ratio("cpu", "proxy", "reference"), { median: 3, low: 2.5, high: 3.5 });
  assertEquals(samples.ratio("cpu", "nobody", "reference"), undefined);
});
