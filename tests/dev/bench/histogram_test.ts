import { assertAlmostEquals, assertEquals } from "@std/assert";
import { latencyAt, parseHistogram } from "../../../src/dev/bench/histogram.ts";

/** As sysbench 1.0.20 prints it. */
const OUTPUT = `
Latency histogram (values are in milliseconds)
       value  ------------- distribution ------------- count
       0.018 |*                                        100
       0.019 |**********************                   800
       0.021 |                                         3
       1.258 |                                         97

SQL statistics:
`;

Deno.test("a histogram is read row by row", () => {
  assertEquals(parseHistogram(OUTPUT), [
    { value: 0.018, count: 100 },
    { value: 0.019, count: 800 },
    { value: 0.021, count: 3 },
    { value: 1.258, count: 97 },
  ]);
});

Deno.test("latencies are interpolated inside their bucket", () => {
  const buckets = parseHistogram(OUTPUT);
  // Half of 1,000 events lies in the middle of the second bucket.
  assertAlmostEquals(latencyAt(buckets, 0.5), 0.019, 1e-9);
  const early = latencyAt(buckets, 0.2);
  const late = latencyAt(buckets, 0.8);
  assertEquals(early < 0.019 && late > 0.019 && late / early < 1.02, true);
  assertAlmostEquals(latencyAt(buckets, 0.99), 1.258, 0.02);
  assertEquals(latencyAt([], 0.5), NaN);
});
