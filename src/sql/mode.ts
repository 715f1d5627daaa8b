/** What the meaning of a text depends on besides its bytes. */
import { readingOf } from "./charsets.ts";

export interface SqlMode {
  /** `"` quotes names, not strings: ANSI_QUOTES is in the session's sql_mode. */
  readonly ansiQuotes: boolean;
  /** `\` in strings means itself: NO_BACKSLASH_ESCAPES is in the session's sql_mode. */
  readonly noBackslashEscapes: boolean;
  /** Collation id of character_set_client, as in the login packet. */
  readonly charset: number;
  /**
   * The server's version as versioned comments count it: 80044, 90700, 101114. Where it is not
   * given, the contents of versioned comments are text up to 199999, which no server has reached.
   */
  readonly serverVersion?: number;
}

/** The same text for modes in which every statement means the same. */
export function modeKey(mode: SqlMode): string {
  const flags = (mode.ansiQuotes ? 1 : 0) + (mode.noBackslashEscapes ? 2 : 0);
  return `${flags}.${readingOf(mode.charset)}.${mode.serverVersion ?? ""}`;
}

/** Byte positions in a buffer; `end` is the first one behind. */
export interface Range {
  readonly start: number;
  readonly end: number;
}
