import type { CpuUse } from "./process_usage.ts";
import { median, quantile } from "./statistics.ts";

/** One figure of one target over all rounds. */
export interface Summary {
  readonly median: number;
  readonly best: number;
  readonly worst: number;
  readonly rounds: number;
  /** CPU figures only: the median split by the sampled ticks of all rounds. */
  readonly user?: number;
  readonly system?: number;
}

/** Ratio to the reference inside each round: median and the middle half of the rounds. */
export interface Ratio {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

interface Series {
  readonly values: Map<number, number>;
  userTicks: number;
  systemTicks: number;
}

/** Values by figure, target and round. */
export class Samples {
  #series = new Map<string, Series>();

  add(figure: string, target: string, entry: { round: number; value: number }): void {
    if (Number.isFinite(entry.value)) {
      this.#of(figure, target).values.set(entry.round, entry.value);
    }
  }

  /** @param entry `per`: the value is the CPU µs of `use` divided by it. */
  addCpu(figure: string, target: string, entry: { round: number; use: CpuUse; per: number }): void {
    this.add(figure, target, { round: entry.round, value: entry.use.micros / entry.per });
    const series = this.#of(figure, target);
    series.userTicks += entry.use.userTicks;
    series.systemTicks += entry.use.systemTicks;
  }

  get(figure: string, target: string, round: number): number | undefined {
    return this.#series.get(`${figure} ${target}`)?.values.get(round);
  }

  summary(figure: string, target: string, best: "low" | "high"): Summary | undefined {
    const series = this.#series.get(`${figure} ${target}`);
    if (series === undefined || series.values.size === 0) return undefined;
    const values = [...series.values.values()];
    const middle = median(values);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const ticks = series.userTicks + series.systemTicks;
    return {
      median: middle,
      best: best === "low" ? low : high,
      worst: best === "low" ? high : low,
      rounds: values.length,
      ...(ticks === 0 ? {} : {
        user: middle * series.userTicks / ticks,
        system: middle * series.systemTicks / ticks,
      }),
    };
  }

  /** Undefined where no round has both. */
  ratio(figure: string, target: string, reference: string): Ratio | undefined {
    const ratios: number[] = [];
    for (const [round, value] of this.#series.get(`${figure} ${target}`)?.values ?? []) {
      const other = this.get(figure, reference, round);
      if (other !== undefined && other > 0) ratios.push(value / other);
    }
    if (ratios.length === 0) return undefined;
    return {
      median: median(ratios),
      low: quantile(ratios, 0.25),
      high: quantile(ratios, 0.75),
    };
  }

  #of(figure: string, target: string): Series {
    const key = `${figure} ${target}`;
    let series = this.#series.get(key);
    if (series === undefined) {
      series = { values: new Map(), userTicks: 0, systemTicks: 0 };
      this.#series.set(key, series);
    }
    return series;
  }
}
