/** A row of sysbench's latency histogram: the middle of a bucket in ms, and its events. */
export interface Bucket {
  readonly value: number;
  readonly count: number;
}

/** Reads what `sysbench --histogram=on` prints: `   0.084 |*****        1234`. */
export function parseHistogram(output: string): Bucket[] {
  const rows = output.matchAll(/^\s*(\d+\.\d+) \|\**\s*(\d+)\s*$/gm);
  return [...rows].map((row) => ({ value: Number(row[1]), count: Number(row[2]) }));
}

/**
 * Latency in ms below which `share` of the events lie. The buckets are logarithmic, 1.8 % wide,
 * rounded to their middle; the place inside the bucket is interpolated, otherwise differences of
 * a few µs would vanish in the steps.
 */
export function latencyAt(buckets: readonly Bucket[], share: number): number {
  const total = buckets.reduce((sum, bucket) => sum + bucket.count, 0);
  const wanted = total * share;
  let seen = 0;
  for (const bucket of buckets) {
    if (seen + bucket.count >= wanted) {
      const place = (wanted - seen) / bucket.count;
      return bucket.value * BUCKET_RATIO ** (place - 0.5);
    }
    seen += bucket.count;
  }
  return NaN;
}

/** 1,024 buckets from 0.001 to 100,000 ms, as sysbench's `oper_handle_init` sets them up. */
const BUCKET_RATIO = Math.exp(Math.log(100_000 / 0.001) / 1023);
