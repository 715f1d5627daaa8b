import { assertEquals } from "@std/assert";
import type { BenchRun } from "../../../src/dev/bench/bench_run.ts";
import { formatReport, makeReport } from "../../../src/dev/bench/report.ts";
import { Samples } from "../../../src/dev/bench/samples.ts";

const MACHINE = { cores: 2, processor: "P", memoryGib: 4, kernel: "6.1", loadAverage: 0.5 };

function measured(cpuOfSluice: number): string {
  const samples = new Samples();
  const use = { userTicks: 1, systemTicks: 1 };
  samples.addCpu("cpu_16", "HAProxy", { round: 1, use: { ...use, micros: 20 }, per: 1 });
  samples.addCpu("cpu_16", "sluice", { round: 1, use: { ...use, micros: cpuOfSluice }, per: 1 });
  const kinds = [{ name: "HAProxy" }, { name: "sluice" }];
  const options = { rounds: 1, seconds: 2 };
  const run = { samples, kinds, options, failures: ["stream, HAProxy"] } as unknown as BenchRun;
  return formatReport(makeReport(run, MACHINE, { MariaDB: "10.11", sluice: "0.1.0" }));
}

Deno.test("the report is a table with ratios and judged bars", () => {
  assertEquals(
    measured(24).split("\n"),
    [
      "2 × P, 4 GiB, Linux 6.1, load average 0.50 at the start",
      "MariaDB 10.11, sluice 0.1.0",
      "Rounds: 1 of 2 s. Cells: median / best round (CPU: user + system). Ratios: median of the " +
      "rounds (middle half of them)",
      "",
      "| figure                        | direct | HAProxy                   | sluice" +
      "                    | sluice ÷ HAProxy | bar          |",
      "| ----------------------------- | ------ | ------------------------- | ------" +
      "------------------- | ---------------- | ------------ |",
      "| CPU per query, 16 clients, µs | –      | 20.0 / 20.0 (10.0 + 10.0) | 24.0 /" +
      " 24.0 (12.0 + 12.0) | 1.20 (1.20–1.20) | ≤ 1.25 × met |",
      "",
      "Failed: stream, HAProxy",
    ],
  );
});

Deno.test("a missed bar is marked", () => {
  assertEquals(measured(25.2).includes("≤ 1.25 × MISSED"), true);
});

Deno.test("a bar may be a least value", () => {
  const judged = (ratio: number) => {
    const samples = new Samples();
    samples.add("oltp_text_ratio", "sluice", { round: 1, value: ratio });
    const kinds = [{ name: "sluice" }];
    const run = { samples, kinds, options: { rounds: 1, seconds: 2 }, failures: [] };
    const report = formatReport(makeReport(run as unknown as BenchRun, MACHINE, {}));
    return report.match(/≥ .* (met|MISSED)/)?.[0];
  };
  assertEquals(judged(0.95), "≥ 0.95 × met");
  assertEquals(judged(0.94), "≥ 0.95 × MISSED");
});
