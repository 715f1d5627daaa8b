/**
 * Log lines in logfmt, byte for byte as LogTape's own formatter makes them of a record. Every short
 * session leaves a line: this one takes its parts as they are, and looks closer only at texts.
 * https://brandur.org/logfmt
 */

/** Values that a line may carry; undefined ones are left out. Names are words: no blanks, no `=`. */
export type LogFields = Readonly<Record<string, string | number | bigint | boolean | undefined>>;

export interface LogEvent {
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly level: string;
  readonly message: string;
}

/** Cc are the control characters, those from U+0080 on among them. */
const NEEDS_QUOTES = /[\p{Cc} "=\\\ufffd]/u;
const NEEDS_ESCAPE = /[\p{Cc}"\\]/gu;

/** Texts that would be read as something else. */
const WORDS: ReadonlySet<string> = new Set(["", "null", "undefined", "true", "false"]);

const ESCAPES: Readonly<Record<string, string>> = {
  "\t": "\\t",
  "\n": "\\n",
  "\r": "\\r",
  '"': '\\"',
  "\\": "\\\\",
};

/** One line, with its end. */
export function logfmtLine({ time, level, message }: LogEvent, fields: LogFields): string {
  const date = new Date(time).toISOString();
  let line = `time=${date} level=${level} logger=sluice msg=${quotedWhereNeeded(message)}`;
  for (const name in fields) {
    const value = fields[name];
    if (value === undefined) continue;
    line += ` ${name}=${typeof value === "string" ? quotedWhereNeeded(value) : value}`;
  }
  return `${line}\n`;
}

function quotedWhereNeeded(text: string): string {
  if (!NEEDS_QUOTES.test(text) && !WORDS.has(text)) return text;
  return `"${text.replaceAll(NEEDS_ESCAPE, escape)}"`;
}

function escape(character: string): string {
  return ESCAPES[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
