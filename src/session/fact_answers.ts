/**
 * Statements that ask a session about the statement before (SHOW WARNINGS, ROW_COUNT() ...), where
 * that ran on a server session that somebody else has used since: answered from what was read out.
 */
import type { Conditions } from "../backend/read_out.ts";
import type { Reply } from "../backend/server_exchange.ts";
import type { ServerSession } from "../backend/server_session.ts";
import { Capability, Head, Status } from "../protocol/constants.ts";
import { decodeTextRow } from "../protocol/resultset.ts";
import { Ask } from "../sql/effects.ts";
import type { SessionValues } from "../sql/session_values.ts";
import type { Token } from "../sql/tokens.ts";
import type { LastFacts } from "./client_state.ts";
import type { ServerNeed } from "./server_need.ts";

/** What only the server knows that ran the last statement. */
export const LAST_FACTS = Ask.rowCount | Ask.foundRows | Ask.diagnostics;

/**
 * Replies of MySQL to commands that are no statements repeat how many warnings the last statement
 * had: the client's, whoever used the server session since.
 */
export class KeptWarnings implements ServerNeed {
  readonly #count: () => number;

  constructor(count: () => number) {
    this.#count = count;
  }

  isMet(): boolean {
    return true;
  }

  meet(): Promise<void> {
    return Promise.resolve();
  }

  onSend(): undefined {}

  onSent({ dialect, tracker }: ServerSession): void {
    if (dialect === "mysql") tracker.tellWarnings(this.#count());
  }

  onDone(): void {}
}

/** What stands for the functions and variables of a SELECT. */
export function valuesOf({ rowCount, foundRows, conditions }: LastFacts): SessionValues {
  return {
    rowCount,
    foundRows,
    warningCount: conditions?.warnings ?? 0,
    errorCount: conditions?.errors ?? 0,
  };
}

/** Which of the lists a SHOW asks for, and how much of it. */
interface Show {
  readonly isCount: boolean;
  readonly onlyErrors: boolean;
  readonly offset: number;
  readonly limit: number;
}

/** @returns undefined for every other statement */
function readShow(tokens: readonly Token[]): Show | undefined {
  const words = tokens.map(({ text }) => text.toUpperCase());
  if (words[0] !== "SHOW") return undefined;
  const isCount = words.slice(1, 5).join("") === "COUNT(*)";
  const at = isCount ? 5 : 1;
  const what = words[at];
  if (what !== "WARNINGS" && what !== "ERRORS") return undefined;
  const rest = words.slice(at + 1).filter((word) => word !== ";");
  const [limit, first, separator, second] = rest;
  if (limit === undefined) {
    return { isCount, onlyErrors: what === "ERRORS", offset: 0, limit: Infinity };
  }
  if (isCount || limit !== "LIMIT" || !isNumber(first)) return undefined;
  if (rest.length === 2) {
    return { isCount, onlyErrors: what === "ERRORS", offset: 0, limit: Number(first) };
  }
  if (rest.length !== 4 || separator !== "," || !isNumber(second)) return undefined;
  return { isCount, onlyErrors: what === "ERRORS", offset: Number(first), limit: Number(second) };
}

function isNumber(text: string | undefined): text is string {
  return text !== undefined && /^\d+$/.test(text);
}

/**
 * The reply to SHOW WARNINGS and its like, as payloads.
 * @returns undefined for other statements
 */
export function shownConditions(
  tokens: readonly Token[],
  conditions: Conditions,
  capabilities: number,
): Reply | undefined {
  const show = readShow(tokens);
  if (show === undefined) return undefined;
  if (show.isCount) return show.onlyErrors ? conditions.errorCount : conditions.warningCount;
  const { list } = conditions;
  const columns = list[0]![0]!;
  const rowsFrom = 1 + columns + ((capabilities & Capability.DEPRECATE_EOF) === 0 ? 1 : 0);
  const rows = list.slice(rowsFrom, -1).filter((row) => !show.onlyErrors || isError(row, columns));
  const shown = rows.slice(show.offset, show.offset + show.limit);
  return [...list.slice(0, rowsFrom), ...shown, list.at(-1)!];
}

function isError(row: Uint8Array, columns: number): boolean {
  const [level] = decodeTextRow(row, columns);
  return level !== null && level !== undefined && new TextDecoder().decode(level) === "Error";
}

/** Where the packet that ends rows has its status flags, in both of its forms. */
const STATUS_AT = 3;

/** Flags that are the session's own at the time of the answer, and not those of the reply. */
const OF_SESSION = Status.IN_TRANS | Status.IN_TRANS_READONLY | Status.AUTOCOMMIT |
  Status.NO_BACKSLASH_ESCAPES | Status.MORE_RESULTS_EXISTS;

/** Longer packets that begin like an end are rows. */
const LONGEST_END = 9;

/** The reply with the flags that the session has now, and the one that says whether others follow. */
export function withStatus(reply: Reply, status: number): Reply {
  return reply.map((payload) => {
    if (payload[0] !== Head.EOF || payload.length > LONGEST_END) return payload;
    const end = payload.slice();
    const view = new DataView(end.buffer);
    const old = view.getUint16(STATUS_AT, true);
    view.setUint16(STATUS_AT, (old & ~OF_SESSION) | (status & OF_SESSION), true);
    return end;
  });
}
