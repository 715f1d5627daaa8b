/** The log lines of a test, as values. */
import { configure, type LogRecord } from "@logtape/logtape";
import { eventually } from "./eventually.ts";

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export class LogRecords {
  readonly lines: LogLine[] = [];

  /** Takes all that is logged from now on; an earlier taker of this process gets nothing more. */
  static async take(): Promise<LogRecords> {
    const records = new LogRecords();
    await configure({
      reset: true,
      sinks: { memory: (record: LogRecord) => records.#add(record) },
      loggers: [
        { category: ["sluice"], lowestLevel: "debug", sinks: ["memory"] },
        { category: ["logtape", "meta"], lowestLevel: "error", sinks: ["memory"] },
      ],
    });
    return records;
  }

  /** Lines with this message and, where given, this reason. */
  of(message: string, reason?: string): LogLine[] {
    return this.lines.filter((line) =>
      line.message === message && (reason === undefined || line.fields.reason === reason)
    );
  }

  /** Waits for the first such line. */
  first(message: string, reason?: string): Promise<LogLine> {
    const what = `there is a log line "${message}"${reason === undefined ? "" : ` for ${reason}`}`;
    return eventually(what, () => this.of(message, reason)[0]);
  }

  /** All of it as one text, to look for what must not be there. */
  get text(): string {
    return JSON.stringify(
      this.lines,
      (_, value) => typeof value === "bigint" ? String(value) : value,
    );
  }

  #add({ level, message, properties }: LogRecord): void {
    this.lines.push({ level, message: message.join(""), fields: properties });
  }
}
