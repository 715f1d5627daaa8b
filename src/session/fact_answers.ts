/**
 * Statements that ask a session about the statement before (SHOW WARNINGS, ROW_COUNT() ...), where
 * that ran on a server session that somebody else has used since: answered from what was read out.
 */
import type { Conditions } from "../backend/read_conditions.ts";
import type { Reply } from "../backend/server_exchange.ts";
import type { ServerSession } from "../backend/server_session.ts";
import { SluiceError } from "../errors.ts";
import { Capability, Head, SESSION_STATUS, Status } from "../protocol/constants.ts";
import { decodeTextRow } from "../protocol/resultset.ts";
import { classify } from "../sql/classify.ts";
import { Ask } from "../sql/effects.ts";
import { readGetDiagnostics } from "../sql/get_diagnostics.ts";
import type { SessionValues } from "../sql/session_values.ts";
import { type Range, type SqlMode, type Token, tokenize } from "../sql/tokens.ts";
import { asciiText } from "../state/user_variables.ts";
import type { LastFacts } from "./last_statement.ts";
import { type AskedDiagnostics, DiagnosticsAnswer } from "./diagnostics_answer.ts";
import type { OwnAnswers } from "./own_answer.ts";
import type { AnswerPart } from "./plan.ts";
import type { ServerNeed } from "./server_need.ts";

/** What only the server knows that ran the last statement. */
export const LAST_FACTS = Ask.rowCount | Ask.foundRows | Ask.diagnostics;

/**
 * Replies of MySQL to commands that are no statements repeat how many warnings the last statement
 * had: the client's, whoever used the server session since.
 */
export class KeptWarnings implements ServerNeed {
  readonly #count: () => number | undefined;

  /** @param count undefined where only the server can tell */
  constructor(count: () => number | undefined) {
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
    const count = this.#count();
    if (dialect === "mysql" && count !== undefined) tracker.tellWarnings(count);
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
function shownConditions(
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
  return asciiText(level ?? new Uint8Array(0)) === "Error";
}

/** Where the packet that ends rows has its status flags, in both of its forms. */
const STATUS_AT = 3;

/** Flags that are those of the time of the answer, and not of the reply. */
const OF_ANSWER = SESSION_STATUS | Status.MORE_RESULTS_EXISTS;

/** Longer packets that begin like an end are rows. */
const LONGEST_END = 9;

/** The reply with the flags that the session has now, and the one that says whether others follow. */
function withStatus(reply: Reply, status: number): Reply {
  return reply.map((payload) => {
    if (payload[0] !== Head.EOF || payload.length > LONGEST_END) return payload;
    const end = payload.slice();
    const view = new DataView(end.buffer);
    const old = view.getUint16(STATUS_AT, true);
    view.setUint16(STATUS_AT, (old & ~OF_ANSWER) | (status & OF_ANSWER), true);
    return end;
  });
}

/** A text, of which one statement asks. */
export interface AskingText {
  readonly bytes: Uint8Array;
  readonly mode: SqlMode;
  readonly facts: LastFacts;
}

/**
 * The statements at the text's begin that are GET DIAGNOSTICS, together.
 * @returns undefined where there is none, or where not all is known that it may ask for
 */
export function diagnosticsOf(
  ranges: readonly Range[],
  { bytes, mode, facts }: AskingText,
): { readonly count: number; readonly need: ServerNeed } | undefined {
  const { conditions } = facts;
  if (conditions !== undefined && conditions.told === undefined) return undefined;
  const asked: AskedDiagnostics[] = [];
  for (const range of ranges) {
    const request = readGetDiagnostics(bytes, range, mode);
    if (request === undefined) break;
    asked.push({ text: bytes.slice(range.start, range.end), request });
  }
  if (asked.length === 0) return undefined;
  return { count: asked.length, need: new DiagnosticsAnswer(asked, facts, mode) };
}

/** Whether a text is nothing but GET DIAGNOSTICS, in whatever number. */
export function isAllDiagnostics(
  bytes: Uint8Array,
  ranges: readonly Range[],
  mode: SqlMode,
): boolean {
  return ranges.every((range) => readGetDiagnostics(bytes, range, mode) !== undefined);
}

/**
 * The answer to another statement that asks, from memory.
 * @returns undefined where any server can answer: there is nothing that it could tell
 */
export function answerFromFacts(
  range: Range,
  { bytes, mode, facts }: AskingText,
  { answers, capabilities }: { readonly answers: OwnAnswers; readonly capabilities: number },
): AnswerPart | undefined {
  const { conditions } = facts;
  const { asks } = classify(bytes, range, mode);
  if (conditions === undefined && (asks & LAST_FACTS) === Ask.diagnostics) return undefined;
  const tokens = tokenize(bytes, range, mode);
  const isDiagnostics = tokens[0]?.text.toUpperCase() === "GET";
  // Every server refuses it that can be asked.
  if (isDiagnostics && readGetDiagnostics(bytes, range, mode) === undefined) return undefined;
  const reply = conditions && shownConditions(tokens, conditions, capabilities);
  if (reply !== undefined) {
    facts.warnings = 0;
    return answers.payloads((status) => withStatus(reply, status));
  }
  return answers.error(
    new SluiceError(
      "state_lost",
      "The counts and warnings of the last statement are not known in this form: its server " +
        'session has been given to another client, as sharing = "transaction" allows',
    ),
  );
}
