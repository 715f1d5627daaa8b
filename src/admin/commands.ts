/** Which of the proxy's own statements some tokens are, if any. */
import { SluiceError } from "../errors.ts";
import type { Token } from "./token.ts";
import { type CommandRow, COMMANDS } from "./command_rows.ts";
import { Operands } from "./operands.ts";
import { badCommand } from "./refusals.ts";
import type { Identity } from "./scope.ts";
import type { AdminStatement } from "./statement.ts";
import { isMatch, type Match, type Mismatch } from "./syntax.ts";

export type { AdminStatement } from "./statement.ts";

/**
 * The most tokens that a statement of the proxy has. Callers need not make more of a text: what has
 * this many is refused as too long.
 */
export const TOKEN_LIMIT = 1024;

const BY_FIRST_WORD = Map.groupBy(COMMANDS, ({ syntax }) => syntax.firstWord);

/**
 * The proxy's own statement that these tokens are; undefined: it goes to the server. Malformed ones
 * give a statement whose `run` throws. Everything of proxysys and inspector is a statement of the
 * proxy.
 */
export function findStatement(
  tokens: readonly Token[],
  identity: Identity,
): AdminStatement | undefined {
  const found = identity === "inspector" ? undefined : findRow(tokens);
  const isOperator = identity === "proxysys" || identity === "root_sys";
  if (found !== undefined && (isOperator || found.row.gate === "everybody")) {
    return statementOf(found, tokens);
  }
  // A server would take it for KILL with one word too many.
  if (found?.row.syntax.text.startsWith("KILL PROXYSESSION") && identity === "ordinary") {
    const { name } = found.row.syntax;
    return refused(name, tokens, badCommand(`${name} is for root@proxysys and root@sys`));
  }
  return undefined;
}

interface Found {
  readonly row: CommandRow;
  readonly outcome: Match | Mismatch;
}

/** The row that fits, or else the one that fits farthest of those whose keyword is there. */
function findRow(tokens: readonly Token[]): Found | undefined {
  const first = tokens[0];
  if (first?.kind !== "word") return undefined;
  let best: (Found & { readonly outcome: Mismatch }) | undefined;
  for (const row of BY_FIRST_WORD.get(first.text.toUpperCase()) ?? []) {
    const outcome = row.syntax.match(tokens);
    if (isMatch(outcome)) return { row, outcome };
    if (outcome.isRecognised && outcome.at > (best?.outcome.at ?? -1)) best = { row, outcome };
  }
  return best;
}

function statementOf({ row, outcome }: Found, tokens: readonly Token[]): AdminStatement {
  const { name } = row.syntax;
  if (tokens.length >= TOKEN_LIMIT) {
    return refused(name, tokens, badCommand(`wanted less than ${TOKEN_LIMIT} words, got more`));
  }
  if (!isMatch(outcome)) return refused(name, tokens, badCommand(describe(outcome, tokens)));
  const parameters = tokens.filter(({ kind }) => kind === "parameter");
  const { columns = [] } = row;
  return {
    name,
    parameters: parameters.length,
    columns: typeof columns === "function"
      ? columns(new Operands(outcome, parameters, []))
      : columns,
    run: async (scope, values) => await row.run(scope, new Operands(outcome, parameters, values)),
  };
}

function refused(name: string, tokens: readonly Token[], refusal: SluiceError): AdminStatement {
  return {
    name,
    parameters: tokens.filter(({ kind }) => kind === "parameter").length,
    columns: [],
    refusal,
    run: () => Promise.reject(new SluiceError(refusal.kind, refusal.message)),
  };
}

/** Longest part of a statement that a message repeats. */
const SHOWN = 40;

function describe({ at, wanted }: Mismatch, tokens: readonly Token[]): string {
  const before = tokens.slice(Math.max(0, at - 3), at).map(({ text }) => text).join(" ");
  const given = tokens[at];
  return `wanted ${wanted.join(" or ")} behind ${shorten(before)}, got ${
    given === undefined ? "the end" : shorten(given.text)
  }`;
}

function shorten(text: string): string {
  const characters = [...text.slice(0, 2 * SHOWN)];
  return characters.length <= SHOWN ? text : `${characters.slice(0, SHOWN).join("")}...`;
}
