/**
 * One structured line per event, on LogTape. Fields are values, never SQL texts or secrets.
 * https://logtape.org/
 */
import {
  configure,
  getJsonLinesFormatter,
  getLogfmtFormatter,
  getLogger,
  type TextFormatter,
} from "@logtape/logtape";

export interface LogOptions {
  readonly level: "debug" | "info" | "warning" | "error";
  readonly format: "logfmt" | "json";
  /** Path of a file that lines are appended to; empty means standard error. */
  readonly file: string;
}

/** Values that a line may carry; undefined ones are left out. */
export type LogFields = Readonly<Record<string, string | number | bigint | boolean | undefined>>;

const FORMATTERS: Record<LogOptions["format"], () => TextFormatter> = {
  logfmt: () => getLogfmtFormatter({ message: "template" }),
  json: () => getJsonLinesFormatter({ message: "template" }),
};

const logger = getLogger(["sluice"]);
const encoder = new TextEncoder();

/**
 * Sends lines to where the configuration wants them. Before the first call nothing is written.
 * @throws where the file cannot be opened for appending
 */
export async function configureLog(options: LogOptions): Promise<void> {
  const output = options.file === ""
    ? Deno.stderr
    : await Deno.open(options.file, { append: true, create: true });
  const format = FORMATTERS[options.format]();
  await configure({
    reset: true,
    sinks: { output: (record) => writeLine(output, encoder.encode(format(record))) },
    loggers: [
      { category: ["sluice"], lowestLevel: options.level, sinks: ["output"] },
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: ["output"] },
    ],
  });
}

/** A full disk or a closed pipe must not end anybody's session: the line is lost instead. */
function writeLine(output: { writeSync(bytes: Uint8Array): number }, line: Uint8Array): void {
  try {
    for (let at = 0; at < line.length;) at += output.writeSync(line.subarray(at));
  } catch {
    return;
  }
}

function defined(fields: LogFields): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

export function logDebug(message: string, fields: LogFields = {}): void {
  logger.debug(message, defined(fields));
}

export function logInfo(message: string, fields: LogFields = {}): void {
  logger.info(message, defined(fields));
}

export function logWarning(message: string, fields: LogFields = {}): void {
  logger.warning(message, defined(fields));
}

export function logError(message: string, fields: LogFields = {}): void {
  logger.error(message, defined(fields));
}
