import { type BenchRun, targetNames } from "./bench_run.ts";
import type { Bar, Figure } from "./figure.ts";
import { FIGURES } from "./figures.ts";
import type { Machine } from "./machine.ts";
import type { Ratio, Summary } from "./samples.ts";

/** The proxy whose figures are judged by the bars, and the one that ratios refer to. */
const JUDGED = "sluice";
const REFERENCE = "HAProxy";
/** Units of figures that are shares already: a ratio of them to the reference says nothing. */
const SHARES: ReadonlySet<string> = new Set(["×", "%"]);

export interface ReportFigure extends Figure {
  readonly key: string;
  readonly targets: Record<string, Summary>;
  readonly ratios: Record<string, Ratio>;
  /** Undefined where the figure has no bar or was not measured. */
  readonly met?: boolean;
}

export interface Report {
  readonly machine: Machine;
  readonly versions: Record<string, string>;
  readonly rounds: number;
  readonly seconds: number;
  readonly columns: readonly string[];
  readonly figures: readonly ReportFigure[];
  readonly failures: readonly string[];
}

export function makeReport(
  run: BenchRun,
  machine: Machine,
  versions: Record<string, string>,
): Report {
  const columns = targetNames(run);
  const figures = [...FIGURES].map(([key, figure]) => reportFigure(run, key, figure));
  return {
    machine,
    versions,
    rounds: run.options.rounds,
    seconds: run.options.seconds,
    columns,
    figures: figures.filter((figure) => Object.keys(figure.targets).length > 0),
    failures: run.failures,
  };
}

function reportFigure(run: BenchRun, key: string, figure: Figure): ReportFigure {
  const targets: Record<string, Summary> = {};
  const ratios: Record<string, Ratio> = {};
  for (const name of targetNames(run)) {
    const summary = run.samples.summary(key, name, figure.best);
    if (summary !== undefined) targets[name] = summary;
    const ratio = run.samples.ratio(key, name, REFERENCE);
    if (ratio !== undefined && !SHARES.has(figure.unit)) ratios[name] = ratio;
  }
  const judged = judgedValue(figure.bar, targets[JUDGED], ratios[JUDGED]);
  const met = figure.bar === undefined || judged === undefined
    ? {}
    : { met: "max" in figure.bar ? judged <= figure.bar.max : judged >= figure.bar.min };
  return { key, ...figure, targets, ratios, ...met };
}

function judgedValue(
  bar: Bar | undefined,
  summary: Summary | undefined,
  ratio: Ratio | undefined,
): number | undefined {
  switch (bar?.of) {
    case "ratio":
      return ratio?.median;
    case "value":
      return summary?.median;
    case "worst":
      return summary?.worst;
  }
}

/** The table and what belongs to it, as Markdown that reads well in a terminal too. */
export function formatReport(report: Report): string {
  const others = report.columns.slice(1).filter((name) => name !== REFERENCE);
  const withRatios = report.columns.includes(REFERENCE) ? others : [];
  const head = ["figure", ...report.columns]
    .concat(withRatios.map((name) => `${name} ÷ ${REFERENCE}`), "bar");
  const rows = report.figures.map((figure) =>
    [`${figure.title}, ${figure.unit}`]
      .concat(report.columns.map((name) => summaryText(figure, figure.targets[name])))
      .concat(withRatios.map((name) => ratioText(figure.ratios[name])))
      .concat(barText(figure))
  );
  const { machine } = report;
  const versions = Object.entries(report.versions).map(([name, version]) => `${name} ${version}`);
  return [
    `${machine.cores} × ${machine.processor}, ${machine.memoryGib} GiB, ` +
    `Linux ${machine.kernel}, load average ${machine.loadAverage.toFixed(2)} at the start`,
    versions.join(", "),
    `Rounds: ${report.rounds} of ${report.seconds} s. Cells: median / best round ` +
    "(CPU: user + system). Ratios: median of the rounds (middle half of them)",
    "",
    ...tableLines([head, ...rows]),
    ...report.failures.map((failure) => `\nFailed: ${failure}`),
  ].join("\n");
}

function summaryText(figure: Figure, summary: Summary | undefined): string {
  if (summary === undefined) return "–";
  const show = (value: number) => {
    return value.toLocaleString("en", {
      minimumFractionDigits: figure.digits,
      maximumFractionDigits: figure.digits,
    });
  };
  if (figure.bar?.of === "worst") return `${show(summary.median)} / worst ${show(summary.worst)}`;
  const text = `${show(summary.median)} / ${show(summary.best)}`;
  const { user, system } = summary;
  return user === undefined || system === undefined
    ? text
    : `${text} (${show(user)} + ${show(system)})`;
}

function ratioText(ratio: Ratio | undefined): string {
  if (ratio === undefined) return "–";
  return `${ratio.median.toFixed(2)} (${ratio.low.toFixed(2)}–${ratio.high.toFixed(2)})`;
}

function barText({ bar, met, unit }: ReportFigure): string {
  if (bar === undefined) return "";
  const bound = "max" in bar ? `≤ ${bar.max}` : `≥ ${bar.min}`;
  const limit = `${bound} ${bar.of === "ratio" ? "×" : unit}`;
  return met === undefined ? limit : `${limit} ${met ? "met" : "MISSED"}`;
}

function tableLines(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const lines = rows.map((row) => {
    return `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")} |`;
  });
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return [lines[0]!, rule, ...lines.slice(1)];
}
