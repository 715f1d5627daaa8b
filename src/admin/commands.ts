/** Which of the proxy's own statements some tokens are, if any. */
import { SluiceError } from "../errors.ts";
import type { Value } from "../protocol/binary_value.ts";
import type { Token } from "../sql/tokens.ts";
import { type AdminAnswer, OK } from "./answer.ts";
import { bootstrapStatement } from "./bootstrap.ts";
import type { CommandRow } from "./command_row.ts";
import { COMMANDS } from "./command_rows.ts";
import { Operands } from "./operands.ts";
import { badCommand, notAllowed } from "./refusals.ts";
import { limited } from "./result_size.ts";
import type { AdminScope, Identity } from "./scope.ts";
import type { AdminStatement } from "./statement.ts";
import { isMatch, type Match, type Mismatch } from "./syntax.ts";

export { processList } from "./process_list.ts";
export type { AdminStatement } from "./statement.ts";

/**
 * The most tokens that a statement of the proxy has. Callers need not make more of a text: what has
 * this many is refused as too long.
 */
export const TOKEN_LIMIT = 1024;

/** What a session without any server says OK to, although nothing comes of it. */
const IDLE_WORDS: ReadonlySet<string> = new Set(["BEGIN", "COMMIT", "ROLLBACK", "SET"]);

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
  const last = tokens.at(-1);
  if (last?.kind === "symbol" && last.text === ";") {
    return findStatement(tokens.slice(0, -1), identity);
  }
  if (identity === "inspector") return inspectorStatement(tokens);
  const found = findRow(tokens);
  if (found !== undefined) {
    const isOperator = identity === "proxysys" || identity === "root_sys";
    if (isOperator || found.row.gate === "everybody") return statementOf(found, tokens);
    // A server would take it for KILL with one word too many.
    const { name } = found.row.syntax;
    if (name === "KILL PROXYSESSION") {
      return refused(name, tokens, notAllowed(`${name} is for root@proxysys and root@sys`));
    }
  }
  if (identity !== "proxysys") return undefined;
  return bootstrapStatement(tokens) ?? unknownStatement(tokens, identity);
}

function inspectorStatement(tokens: readonly Token[]): AdminStatement {
  const first = firstWord(tokens);
  if (IDLE_WORDS.has(first)) {
    return { name: first, parameters: 0, columns: [], run: () => Promise.resolve(OK) };
  }
  const found = findRow(tokens);
  if (found?.row.syntax.name === "PING PROXY") return statementOf(found, tokens);
  return unknownStatement(tokens, "inspector");
}

function unknownStatement(tokens: readonly Token[], identity: Identity): AdminStatement {
  const first = firstWord(tokens);
  return refused(
    first,
    tokens,
    identity === "inspector"
      ? notAllowed("inspector@proxysys may send PING PROXY only")
      : badCommand("no server stands behind root@proxysys; SHOW PROXYHELP lists what there is"),
  );
}

function firstWord(tokens: readonly Token[]): string {
  const [first] = tokens;
  return first?.kind === "word" ? first.text.toUpperCase() : "";
}

interface Found {
  readonly row: CommandRow;
  readonly outcome: Match | Mismatch;
}

/** The row that fits, or else the one that fits farthest of those whose keyword is there. */
function findRow(tokens: readonly Token[]): Found | undefined {
  const first = firstWord(tokens);
  let best: { row: CommandRow; outcome: Mismatch } | undefined;
  for (const row of BY_FIRST_WORD.get(first) ?? []) {
    const outcome = row.syntax.match(tokens);
    if (isMatch(outcome)) return { row, outcome };
    if (!outcome.isRecognised) continue;
    if (best === undefined || outcome.at > best.outcome.at) best = { row, outcome };
    else if (row.isMissing) continue;
    else if (outcome.at === best.outcome.at) {
      best = { row: best.row, outcome: joined(best, outcome) };
    }
  }
  // A function or a table may well have the name.
  return first === "SELECT" || first === "EXPLAIN" ? undefined : best;
}

/** Both syntaxes end at the same place: what is wanted there is what either wants. */
function joined({ outcome }: { readonly outcome: Mismatch }, other: Mismatch): Mismatch {
  const wanted = [...new Set([...outcome.wanted, ...other.wanted])];
  return { at: outcome.at, wanted, isRecognised: true };
}

function statementOf({ row, outcome }: Found, tokens: readonly Token[]): AdminStatement {
  const { name } = row.syntax;
  if (tokens.length >= TOKEN_LIMIT) {
    return refused(name, tokens, badCommand(`wanted less than ${TOKEN_LIMIT} words, got more`));
  }
  if (!isMatch(outcome)) return refused(name, tokens, badCommand(describe(outcome, tokens)));
  const parameters = parametersOf(tokens);
  const operands = (values: readonly Value[]) => new Operands(outcome, parameters, values);
  const { columns = [] } = row;
  return {
    name,
    parameters: parameters.length,
    columns: typeof columns === "function" ? columns(operands([])) : columns,
    run: (scope, values) => runRow(row, scope, operands(values)),
  };
}

async function runRow(
  row: CommandRow,
  scope: AdminScope,
  operands: Operands,
): Promise<AdminAnswer> {
  const answer = await row.run(scope, operands);
  const limit = scope.proxy.config.current.proxy.internalCmdMemLimited;
  if (answer.kind !== "rows" || row.isUnlimited || limit === 0) return answer;
  return { ...answer, rows: limited(answer.rows, limit) };
}

function refused(name: string, tokens: readonly Token[], refusal: SluiceError): AdminStatement {
  return {
    name,
    parameters: parametersOf(tokens).length,
    columns: [],
    refusal,
    // Each with a stack of its own: the statement may be prepared once and run often.
    run: () => Promise.reject(new SluiceError(refusal.kind, refusal.message)),
  };
}

function parametersOf(tokens: readonly Token[]): Token[] {
  return tokens.filter(({ kind }) => kind === "parameter");
}

/** Longest part of a statement that a message repeats. */
const SHOWN = 40;

function describe({ at, wanted }: Mismatch, tokens: readonly Token[]): string {
  const before = tokens.slice(Math.max(0, at - 3), at).map(({ text }) => text).join(" ");
  const given = tokens[at];
  return `wanted ${wanted.join(" or ")} behind ${shorten(before)}, got ${
    given === undefined ? "the end" : `'${shorten(given.text)}'`
  }`;
}

function shorten(text: string): string {
  const characters = [...text.slice(0, 2 * SHOWN)];
  return characters.length <= SHOWN ? text : `${characters.slice(0, SHOWN).join("")}...`;
}
