/**
 * Decides, for each command of one client, what becomes of it: it goes to a server as it is, or it
 * has parts that the proxy answers or rewrites. Called for every command: in the usual case it
 * looks at the bytes once and allocates nothing.
 */
import { type AdminStatement, findStatement, processList, TOKEN_LIMIT } from "../admin/commands.ts";
import { killConnection } from "../admin/kill.ts";
import type { AdminScope } from "../admin/scope.ts";
import { SluiceError } from "../errors.ts";
import { decodeProcessKill, decodeSetOption, encodeQuery } from "../protocol/command.ts";
import { Capability, Command } from "../protocol/constants.ts";
import { commandRow } from "../protocol/replies.ts";
import { classify } from "../sql/classify.ts";
import { withSessionValues } from "../sql/session_values.ts";
import { Ask } from "../sql/effects.ts";
import { mayConcernProxy } from "../sql/interest.ts";
import { splitStatements } from "../sql/split.ts";
import { type Range, type SqlMode, tokenize } from "../sql/tokens.ts";
import type { PreparedBook } from "../state/prepared_registry.ts";
import type { ClientCommand } from "./client_command.ts";
import type { ClientInput } from "./client_input.ts";
import { CommandForecast, type ForecastOptions, isWhole } from "./command_forecast.ts";
import type { LastFacts } from "./last_statement.ts";
import { ANSWERED } from "./diagnostics_answer.ts";
import {
  answerFromFacts,
  type AskingText,
  diagnosticsOf,
  LAST_FACTS,
  valuesOf,
} from "./fact_answers.ts";
import { NamedStatements } from "./named_statements.ts";
import { type AnswerForm, OwnAnswers } from "./own_answer.ts";
import { planOwnCommand } from "./own_commands.ts";
import { OwnPrepared } from "./own_prepared.ts";
import { type Payload, sendPart, syntaxError } from "./command_parts.ts";
import type { AnswerPart, Plan, SendPart } from "./plan.ts";
import type { PlannedCommand } from "./planned_command.ts";
import { SharedStatements } from "./shared_statements.ts";

/** Bytes that are looked at of a statement that is larger than a buffer. */
const HEAD = 256;

/** Bytes of a command about a prepared statement that has its id. */
const SHORTEST = 5;

const QUERY_ROW = commandRow(Command.QUERY)!;

export interface PlannerOptions extends AnswerForm, ForecastOptions {
  readonly scope: AdminScope;
  /** Whether server sessions are shared, so that it matters what statements do to theirs. */
  readonly isShared: boolean;
  /** Whether answers of the proxy can have the flags that the server would tell now. */
  isStatusKnown(): boolean;
  /** See `ServerHold`. */
  countNoWarnings(): void;
  readonly preparedBook: PreparedBook;
  /** See `ServerHold`. */
  facts(asks: number, command: PlannedCommand): LastFacts | undefined;
}

export class CommandPlanner {
  /** What the command does that was planned last. */
  readonly planned: CommandForecast;
  readonly #options: PlannerOptions;
  /** Where not, everything is answered here. */
  readonly #usesServers: boolean;
  #allowsSeveral: boolean;
  #prepared: OwnPrepared | undefined;
  #shared: SharedStatements | undefined;
  #named: NamedStatements | undefined;
  #answers: OwnAnswers | undefined;

  constructor(options: PlannerOptions) {
    const { base } = options.capabilities;
    this.#options = options;
    const { identity } = options.scope.caller;
    this.#usesServers = identity !== "proxysys" && identity !== "inspector";
    this.planned = new CommandForecast(options);
    this.#allowsSeveral = (base & Capability.MULTI_STATEMENTS) !== 0;
  }

  get answers(): OwnAnswers {
    return this.#answers ??= new OwnAnswers(this.#options);
  }

  get #mode(): SqlMode {
    return this.#options.mode();
  }

  get #scope(): AdminScope {
    return this.#options.scope;
  }

  /** @returns undefined for a command that goes to a server as it is */
  plan(command: ClientCommand, input: ClientInput): Plan | undefined {
    if (this.#options.isShared) this.planned.foresee(command, input);
    const plan = this.#plan(command, input);
    if (plan !== undefined && !plan.some(({ kind }) => kind === "send")) this.planned.clear();
    if (plan !== undefined || this.#usesServers) return plan;
    return planOwnCommand(command.code, this.#scope.caller.identity, this.answers);
  }

  #plan(command: ClientCommand, input: ClientInput): Plan | undefined {
    switch (command.code) {
      case Command.QUERY:
        return this.#query(command, input);
      case Command.STMT_PREPARE:
        return this.#prepare(command, input);
    }
    this.planned.text.forget();
    switch (command.code) {
      case Command.STMT_EXECUTE:
      case Command.STMT_SEND_LONG_DATA:
      case Command.STMT_CLOSE:
      case Command.STMT_RESET:
      case Command.STMT_FETCH:
      case Command.MARIADB_STMT_BULK_EXECUTE:
        return this.#planStatement(command, payloadOf(command, input));
      case Command.RESET_CONNECTION:
        // Where a server is asked, it may refuse.
        if (!this.#usesServers) this.forgetStatements();
        return undefined;
      case Command.SET_OPTION:
        this.#setOption(payloadOf(command, input));
        return undefined;
      case Command.PROCESS_INFO:
        return [this.answers.of(() => processList(this.#scope))];
      case Command.PROCESS_KILL:
        return [this.#kill(payloadOf(command, input))];
      default:
        return undefined;
    }
  }

  // ---- statements as text ----

  #query(command: ClientCommand, input: ClientInput): Plan | undefined {
    const start = input.start + 4;
    const end = Math.min(start + command.length, input.end);
    const at = this.planned.textStart(input.bytes, start, end);
    this.planned.text.note(input, at, end);
    if (isWhole(command, input)) {
      if (!this.#mayConcern(input.bytes, at, end)) return undefined;
      return this.#texts({ bytes: input.bytes, start, end, row: QUERY_ROW }, at);
    }
    return this.#refuseLong(input.bytes, at, end);
  }

  #mayConcern(bytes: Uint8Array, start: number, end: number): boolean {
    return mayConcernProxy(bytes, start, end) || !this.#usesServers ||
      this.#asksOwnFacts(this.planned.classified.asks) !== undefined;
  }

  /** A statement of the proxy never is this long: what begins like one is no statement at all. */
  #refuseLong(bytes: Uint8Array, start: number, end: number): Plan | undefined {
    const head = { start, end: Math.min(end, start + HEAD) };
    if (!this.#mayConcern(bytes, head.start, head.end)) return undefined;
    const tokens = tokenize(bytes, head, this.#mode);
    const statement = findStatement(tokens, this.#scope.caller.identity);
    if (statement === undefined) return undefined;
    const message = `Unknown operator, bad internal cmd: ${statement.name} is too long`;
    return [this.answers.error(new SluiceError("bad_internal_command", message))];
  }

  #texts(payload: Payload, at: number): Plan | undefined {
    const mode = this.#mode;
    const { bytes, end } = payload;
    const ranges = splitStatements(bytes, { start: at, end }, mode);
    const [first] = ranges;
    if (first === undefined) return undefined;
    if (ranges.length > 1 && !this.#allowsSeveral) {
      const error = syntaxError(bytes, ranges[1]!);
      return this.#own(bytes, first, mode) && [this.answers.error(error)];
    }
    const parts: (SendPart | AnswerPart)[] = [];
    let pieces: Uint8Array[] = [];
    let isChanged = false;
    const send = () => {
      if (pieces.length === 0) return;
      parts.push(sendPart(payload, at, pieces));
      pieces = [];
    };
    const facts = this.#factsAsked(bytes, first, mode);
    const told = facts && this.#tellDiagnostics(ranges, { bytes, mode, facts });
    for (const [index, range] of ranges.entries()) {
      const asked = range === first ? facts : undefined;
      const rewritten = index < (told ?? 0)
        ? ANSWERED
        : this.#rewritten(bytes, range, { mode, facts: asked });
      const own = this.#own(bytes, range, mode) ??
        (asked === undefined || rewritten !== undefined
          ? undefined
          : this.#answerFromFacts(range, { bytes, mode, facts: asked }));
      if (own === undefined) {
        isChanged ||= rewritten !== undefined;
        pieces.push(rewritten ?? bytes.slice(range.start, range.end));
        // Each of them has a reply of its own to be told in.
        if (rewritten === ANSWERED) send();
      } else {
        send();
        parts.push(own);
      }
    }
    if (parts.length === 0 && !isChanged) return undefined;
    send();
    return parts;
  }

  #own(bytes: Uint8Array, range: Range, mode: SqlMode): AnswerPart | undefined {
    const tokens = tokenize(bytes, range, mode, TOKEN_LIMIT);
    const statement = findStatement(tokens, this.#scope.caller.identity);
    if (statement !== undefined) return this.#run(statement);
    const found = NamedStatements.concerns(tokens) &&
      (this.#named ??= new NamedStatements(this.#scope.caller.identity, mode)).take(tokens);
    if (!found) return undefined;
    return found.kind === "run" ? this.#run(found.statement) : this.answers.of(found.answer);
  }

  #rewritten(
    bytes: Uint8Array,
    range: Range,
    { mode, facts }: { readonly mode: SqlMode; readonly facts?: LastFacts | undefined },
  ): Uint8Array | undefined {
    const { caller, proxy } = this.#scope;
    const counts = facts === undefined ? {} : valuesOf(facts);
    const isOwnId = proxy.config.current.proxy.clientSessionIdVersion !== 1;
    const isAsked = facts === undefined || (this.planned.classified.asks & Ask.connectionId) !== 0;
    const values = isOwnId && isAsked ? { ...counts, connectionId: caller.id } : counts;
    return withSessionValues(bytes, range, { mode, values });
  }

  /** What is known of the last statement, where this one asks for it and no server can tell. */
  #factsAsked(bytes: Uint8Array, first: Range, mode: SqlMode): LastFacts | undefined {
    if ((this.planned.classified.asks & LAST_FACTS) === 0) return undefined;
    const { asks } = this.planned.isAlone ? this.planned.classified : classify(bytes, first, mode);
    return this.#asksOwnFacts(asks);
  }

  #asksOwnFacts(asks: number): LastFacts | undefined {
    const own = asks & LAST_FACTS;
    return own === 0 ? undefined : this.#options.facts(own, this.planned);
  }

  /** @returns how many statements are answered with what is known */
  #tellDiagnostics(ranges: readonly Range[], text: AskingText): number | undefined {
    if (this.planned.need !== undefined) return undefined;
    const told = diagnosticsOf(ranges, text);
    this.planned.need = told?.need;
    return told?.count;
  }

  #answerFromFacts(range: Range, text: AskingText): AnswerPart | undefined {
    const { base } = this.#options.capabilities;
    return answerFromFacts(range, text, { answers: this.answers, capabilities: base });
  }

  // ---- prepared statements ----

  #prepare(command: ClientCommand, input: ClientInput): Plan | undefined {
    const start = input.start + 4;
    const end = Math.min(start + command.length, input.end);
    const at = start + 1;
    this.planned.text.note(input, at, end);
    const { bytes } = input;
    const plan = isWhole(command, input)
      ? this.#mayConcern(bytes, at, end) ? this.#prepareOwn(bytes, at, end) : undefined
      : this.#refuseLong(bytes, at, end);
    const part = plan?.[0];
    if (part?.kind === "answer") return plan;
    this.#prepared?.onServerPrepare();
    const text = part?.payload.slice(1) ??
      (isWhole(command, input) ? bytes.slice(at, end) : undefined);
    if (this.#options.isShared) this.#prepareShared(text);
    return plan;
  }

  #prepareShared(text: Uint8Array | undefined): void {
    this.planned.need = this.#statements;
    this.#statements.prepare(text);
  }

  get #statements(): SharedStatements {
    const { capabilities, preparedBook } = this.#options;
    return this.#shared ??= new SharedStatements({
      book: preparedBook,
      capabilities,
      answers: this.answers,
      mode: () => this.#mode,
      isStatusKnown: () => this.#options.isStatusKnown(),
      countNoWarnings: () => this.#options.countNoWarnings(),
      limit: () => this.#options.preparedLimit(),
    });
  }

  /** @param payload as much of it as is there */
  #planStatement(command: ClientCommand, payload: Uint8Array): Plan | undefined {
    const own = this.#prepared?.plan(payload);
    this.planned.text.quote(this.#prepared?.running);
    const isShort = payload.length < SHORTEST;
    if (own !== undefined || !this.#options.isShared || isShort || !this.#usesServers) return own;
    const shared = this.#statements;
    const plan = shared.plan(command, payload);
    if (plan !== undefined) return plan;
    this.planned.foreseeStatement(shared);
    const isAboutLast = (this.planned.classified.asks & Ask.diagnosticsArea) !== 0;
    return isAboutLast ? this.#executeDiagnostics(shared.running!.text) : undefined;
  }

  /** A prepared GET DIAGNOSTICS, where somebody else has used the server session. */
  #executeDiagnostics(bytes: Uint8Array): Plan | undefined {
    const facts = this.#asksOwnFacts(this.planned.classified.asks);
    const told = facts && diagnosticsOf([{ start: 0, end: bytes.length }], {
      ...{ bytes, facts, mode: this.#mode },
    });
    if (told === undefined) return undefined;
    this.planned.need = told.need;
    const payload = encodeQuery(
      { text: ANSWERED, attributes: [] },
      this.#options.capabilities.base,
    );
    return [{ kind: "send", row: QUERY_ROW, payload }];
  }

  /** The client has left, or its session was reset. */
  forgetStatements(): void {
    this.#prepared = undefined;
    this.#named = undefined;
    this.planned.forgetNames();
    this.#shared?.closeAll();
  }

  #prepareOwn(bytes: Uint8Array, start: number, end: number): Plan | undefined {
    const mode = this.#mode;
    const [range, more] = splitStatements(bytes, { start, end }, mode);
    // Several statements cannot be prepared: the server says so.
    if (range === undefined || more !== undefined) return undefined;
    const { identity } = this.#scope.caller;
    const statement = findStatement(tokenize(bytes, range, mode, TOKEN_LIMIT), identity);
    if (statement !== undefined) {
      this.#prepared ??= new OwnPrepared(
        this.#scope,
        this.answers,
        this.#options.capabilities.base,
      );
      this.#shared?.forgetLast();
      return this.#prepared.prepare(statement, bytes.slice(start, end));
    }
    const rewritten = this.#rewritten(bytes, range, { mode });
    if (rewritten === undefined) return undefined;
    const row = commandRow(Command.STMT_PREPARE)!;
    return [sendPart({ bytes, start: start - 1, end, row }, start, [rewritten])];
  }

  // ---- the rest ----

  #run(statement: AdminStatement): AnswerPart {
    if (statement.parameters > 0) {
      const message = "Parameters are for prepared statements only";
      return this.answers.error(new SluiceError("syntax", message));
    }
    return this.answers.of(() => statement.run(this.#scope, []));
  }

  #kill(payload: Uint8Array): AnswerPart {
    const request = payload.slice();
    return this.answers.of(async () =>
      await killConnection(BigInt(decodeProcessKill(request)), this.#scope)
    );
  }

  #setOption(payload: Uint8Array): void {
    if (payload.length < 3) return;
    this.#allowsSeveral = decodeSetOption(payload) === 0;
  }
}

function payloadOf({ length }: ClientCommand, { bytes, start, end }: ClientInput): Uint8Array {
  return bytes.subarray(start + 4, Math.min(start + 4 + length, end));
}
