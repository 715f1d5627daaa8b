/**
 * One structured line per event, on LogTape. Fields are values, never SQL texts or secrets.
 * https://logtape.org/
 */
import {
  type Config,
  configure,
  configureSync,
  getJsonLinesFormatter,
  getLogfmtFormatter,
  getLogger,
  type LogLevel,
  type LogRecord,
  type TextFormatter,
} from "@logtape/logtape";
import { type LogFields, logfmtLine } from "./logfmt.ts";

export type { LogFields };

export interface LogOptions {
  readonly level: "debug" | "info" | "warning" | "error";
  readonly format: "logfmt" | "json";
  /** Path of a file that lines are appended to; empty means standard error. */
  readonly file: string;
}

const FORMATTERS: Record<LogOptions["format"], () => TextFormatter> = {
  logfmt: () => getLogfmtFormatter({ message: "template" }),
  json: () => getJsonLinesFormatter({ message: "template" }),
};

/** Lines wait this long for others to leave with, milliseconds; those of these levels do not. */
const GATHER_FOR = 50;
const GATHER_LENGTH = 16 * 1024;
const URGENT: ReadonlySet<string> = new Set(["error", "fatal"]);

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
  flushLog();
  gathered.output = output;
  gathered.isLogfmt = options.format === "logfmt";
  gathered.format = FORMATTERS[options.format]();
  globalThis.addEventListener("unload", flushLog);
  await configure(loggingFrom(options.level));
}

/** From the next line on; not before {@linkcode configureLog}. */
export function setLogLevel(level: LogOptions["level"]): void {
  configureSync(loggingFrom(level));
}

function loggingFrom(level: LogOptions["level"]): Config<"output", string> {
  return {
    reset: true,
    sinks: { output: (record) => gather(gathered.format(record), URGENT.has(record.level)) },
    loggers: [
      { category: ["sluice"], lowestLevel: level, sinks: ["output"] },
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: ["output"] },
    ],
  };
}

/**
 * Lines that have been made and not written. As bytes: texts would outlive young garbage, and cost
 * the collector more than their making.
 */
const gathered: {
  readonly bytes: Uint8Array<ArrayBuffer>;
  length: number;
  timer: ReturnType<typeof setTimeout> | undefined;
  output: { writeSync(bytes: Uint8Array): number };
  /** Since the configuration asked for it. */
  isLogfmt: boolean;
  /** Of records: all of them in JSON, in logfmt those that LogTape makes of its own troubles. */
  format: TextFormatter;
} = {
  bytes: new Uint8Array(GATHER_LENGTH),
  length: 0,
  timer: undefined,
  output: Deno.stderr,
  isLogfmt: false,
  format: FORMATTERS.logfmt(),
};

/** A write a line would cost short sessions as much as their relaying. */
function gather(line: string, isUrgent: boolean): void {
  if (!append(line)) {
    flushLog();
    if (!append(line)) return writeOut(encoder.encode(line));
  }
  if (isUrgent) return flushLog();
  gathered.timer ??= setTimeout(flushLog, GATHER_FOR);
}

/** @returns false, and the line is not there, where it does not fit any more */
function append(line: string): boolean {
  const { bytes, length } = gathered;
  const { read, written } = encoder.encodeInto(line, bytes.subarray(length));
  if (read < line.length) return false;
  gathered.length = length + written;
  return true;
}

/** Writes the lines that wait. */
export function flushLog(): void {
  clearTimeout(gathered.timer);
  gathered.timer = undefined;
  const { bytes, length } = gathered;
  gathered.length = 0;
  writeOut(bytes.subarray(0, length));
}

function writeOut(bytes: Uint8Array): void {
  try {
    for (let at = 0; at < bytes.length;) at += gathered.output.writeSync(bytes.subarray(at));
  } catch {
    // A full disk or a closed pipe must not end anybody's session: the lines are lost instead.
  }
}

/**
 * In logfmt the line goes where the sink would send it: a record, its copy and the library's way of
 * looking at every character would cost a short session several times as much.
 */
function emit(level: LogLevel, message: string, fields: LogFields): void {
  if (!logger.isEnabledFor(level)) return;
  const time = Date.now();
  if (gathered.isLogfmt) {
    return gather(logfmtLine({ time, level, message }, fields), URGENT.has(level));
  }
  const record: LogRecord = {
    category: logger.category,
    level,
    message: [message],
    rawMessage: message,
    timestamp: time,
    properties: defined(fields),
  };
  logger.emit(record);
}

function defined(fields: LogFields): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  for (const name in fields) {
    const value = fields[name];
    if (value !== undefined) kept[name] = value;
  }
  return kept;
}

/** Whether there are debug lines: asked on busy paths before anything is made for one. */
export function logsDebug(): boolean {
  return logger.isEnabledFor("debug");
}

export function logDebug(message: string, fields: LogFields = {}): void {
  emit("debug", message, fields);
}

export function logInfo(message: string, fields: LogFields = {}): void {
  emit("info", message, fields);
}

export function logWarning(message: string, fields: LogFields = {}): void {
  emit("warning", message, fields);
}

export function logError(message: string, fields: LogFields = {}): void {
  emit("error", message, fields);
}
