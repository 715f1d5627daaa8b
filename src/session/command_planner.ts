/**
 * Decides, for each command of one client, what becomes of it: it goes to a server as it is, or it
 * has parts that the proxy answers or rewrites. Called for every command: in the usual case it
 * looks at the bytes once and allocates nothing.
 */
import { type AdminStatement, findStatement, processList, TOKEN_LIMIT } from "../admin/commands.ts";
import { killConnection } from "../admin/kill.ts";
import type { AdminScope } from "../admin/scope.ts";
import { SluiceError } from "../errors.ts";
import { MAX_PAYLOAD } from "../protocol/bytes.ts";
import {
  decodeProcessKill,
  decodeQuery,
  decodeSetOption,
  encodeQuery,
} from "../protocol/command.ts";
import { Capability, Command } from "../protocol/constants.ts";
import { commandRow } from "../protocol/replies.ts";
import { type Classified, PLAIN, UNKNOWN } from "../sql/classified.ts";
import { classify, classifyText } from "../sql/classify.ts";
import { withSessionValues } from "../sql/session_values.ts";
import { Ask } from "../sql/effects.ts";
import { mayHaveEffects } from "../sql/effect_filter.ts";
import { mayConcernProxy } from "../sql/interest.ts";
import { splitStatements } from "../sql/split.ts";
import { type Range, type SqlMode, tokenize } from "../sql/tokens.ts";
import type { PreparedBook } from "../state/prepared_registry.ts";
import type { ClientCommand } from "./client_command.ts";
import type { ClientInput } from "./client_input.ts";
import {
  type CommandNature,
  natureOfCommand,
  natureOfText,
  UNKNOWN_NATURE,
} from "./command_nature.ts";
import type { LastFacts } from "./client_state.ts";
import { ANSWERED } from "./diagnostics_answer.ts";
import {
  answerFromFacts,
  type AskingText,
  diagnosticsOf,
  isAllDiagnostics,
  KeptWarnings,
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
import type { ServerNeed } from "./server_need.ts";
import { NAMING, SharedNames } from "./shared_names.ts";
import { SharedStatements } from "./shared_statements.ts";
import { StatementText } from "./statement_text.ts";

/** Bytes that are looked at of a statement that is larger than a buffer. */
const HEAD = 256;

/** Commands that are no text and may leave a session in any state. */
const UNKNOWN_COMMANDS: ReadonlySet<number> = new Set([
  ...[Command.SET_OPTION, Command.BINLOG_DUMP, Command.BINLOG_DUMP_GTID],
  Command.REGISTER_REPLICA,
]);

/** Bytes of a command about a prepared statement that has its id. */
const SHORTEST = 5;

/** Commands whose replies repeat how many warnings the last statement had. */
const REPEATS_WARNINGS: ReadonlySet<number> = new Set([
  ...[Command.PING, Command.INIT_DB, Command.SET_OPTION],
]);

const QUERY_ROW = commandRow(Command.QUERY)!;

export interface PlannerOptions extends AnswerForm {
  readonly scope: AdminScope;
  /** Whether server sessions are shared, so that it matters what statements do to theirs. */
  readonly isShared: boolean;
  readonly preparedBook: PreparedBook;
  /** Most prepared statements of a server session that is shared. */
  preparedLimit(): number;
  /** See `ServerHold`. */
  warnings(): number | undefined;
  facts(asks: number, command: PlannedCommand): LastFacts | undefined;
  /** Whether the client is pinned by what statements may end that seem to do nothing. */
  isSensitive(): boolean;
  /** How the client's texts are to be read, as of now. */
  mode(): SqlMode;
}

export class CommandPlanner implements PlannedCommand {
  // All of these are of the command that was planned last.
  command = 0;
  classified: Classified = PLAIN;
  isAlone = true;
  statementId: number | undefined;
  need: ServerNeed | undefined;
  readonly text = new StatementText();
  readonly #options: PlannerOptions;
  readonly #hasAttributes: boolean;
  /** Where not, everything is answered here. */
  readonly #usesServers: boolean;
  #allowsSeveral: boolean;
  #prepared: OwnPrepared | undefined;
  #shared: SharedStatements | undefined;
  #names: SharedNames | undefined;
  #named: NamedStatements | undefined;
  #keptWarnings: KeptWarnings | undefined;
  #answers: OwnAnswers | undefined;

  constructor(options: PlannerOptions) {
    const { base } = options.capabilities;
    this.#options = options;
    const { identity } = options.scope.caller;
    this.#usesServers = identity !== "proxysys" && identity !== "inspector";
    this.#hasAttributes = (base & Capability.QUERY_ATTRIBUTES) !== 0;
    this.#allowsSeveral = (base & Capability.MULTI_STATEMENTS) !== 0;
  }

  get answers(): OwnAnswers {
    return this.#answers ??= new OwnAnswers(this.#options);
  }

  get #scope(): AdminScope {
    return this.#options.scope;
  }

  /** @returns undefined for a command that goes to a server as it is */
  plan(command: ClientCommand, input: ClientInput): Plan | undefined {
    if (this.#options.isShared) this.#foresee(command, input);
    const plan = this.#plan(command, input);
    if (plan !== undefined && !plan.some(({ kind }) => kind === "send")) this.#foreseeNothing();
    if (plan !== undefined || this.#usesServers) return plan;
    return planOwnCommand(command.code, this.#scope.caller.identity, this.answers);
  }

  get mode(): SqlMode {
    return this.#options.mode();
  }

  textUpTo(characters: number): string | undefined {
    return this.text.read(characters);
  }

  /** What a command may do that is lost. @param payload of the one that was planned last */
  natureOf(payload: Uint8Array | undefined): CommandNature {
    if (payload === undefined) return UNKNOWN_NATURE;
    const [code = Command.SLEEP] = payload;
    if (code === Command.STMT_EXECUTE) return natureOfText(this.classified);
    if (code !== Command.QUERY) return natureOfCommand(code);
    const end = payload.length;
    const start = this.#textStart(payload, 0, end);
    const classified = classifyText(payload, { start, end }, this.mode);
    return natureOfText(classified, payload.subarray(start));
  }

  /** The command reaches no server. */
  #foreseeNothing(): void {
    this.classified = PLAIN;
    this.need = undefined;
    this.statementId = undefined;
    this.isAlone = true;
  }

  /** What the command may do to its session. */
  #foresee(command: ClientCommand, input: ClientInput): void {
    this.#foreseeNothing();
    this.command = command.code;
    if (UNKNOWN_COMMANDS.has(command.code)) this.classified = UNKNOWN;
    if (REPEATS_WARNINGS.has(command.code)) {
      this.need = this.#keptWarnings ??= new KeptWarnings(() => this.#options.warnings());
    }
    if (command.code !== Command.QUERY) return;
    const { bytes, start } = input;
    const end = Math.min(start + 4 + command.length, input.end);
    const at = this.#textStart(bytes, start + 4, end);
    if (!mayHaveEffects(bytes, at, end) && !this.#options.isSensitive()) return;
    this.classified = isWhole(command, input)
      ? classifyText(bytes, { start: at, end }, this.mode)
      : UNKNOWN;
    this.isAlone = !bytes.subarray(at, end).includes(0x3b) ||
      (this.classified.asks & Ask.diagnosticsArea) !== 0 && this.#isAllDiagnostics(bytes, at, end);
    if ((this.classified.effects & NAMING) !== 0) this.#planNames(bytes.subarray(at, end));
  }

  /** Several of them leave what one does. */
  #isAllDiagnostics(bytes: Uint8Array, start: number, end: number): boolean {
    const ranges = splitStatements(bytes, { start, end }, this.mode);
    return isAllDiagnostics(bytes, ranges, this.mode);
  }

  #planNames(text: Uint8Array): void {
    this.need = this.#names ??= new SharedNames({
      mode: () => this.mode,
      limit: () => this.#options.preparedLimit(),
    });
    this.classified = this.#names.plan(text, this.classified, this.isAlone);
  }

  #plan(command: ClientCommand, input: ClientInput): Plan | undefined {
    switch (command.code) {
      case Command.QUERY:
        return this.#query(command, input);
      case Command.STMT_PREPARE:
        return this.#prepare(command, input);
    }
    this.text.forget();
    switch (command.code) {
      case Command.STMT_EXECUTE:
      case Command.STMT_SEND_LONG_DATA:
      case Command.STMT_CLOSE:
      case Command.STMT_RESET:
      case Command.STMT_FETCH:
      case Command.MARIADB_STMT_BULK_EXECUTE:
        return this.#planStatement(command, payloadOf(command, input));
      case Command.RESET_CONNECTION:
        this.forgetStatements();
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
    const at = this.#textStart(input.bytes, start, end);
    this.text.note(input, at, end);
    if (isWhole(command, input)) {
      if (!this.#mayConcern(input.bytes, at, end)) return undefined;
      return this.#texts({ bytes: input.bytes, start, end, row: QUERY_ROW }, at);
    }
    return this.#refuseLong(input.bytes, at, end);
  }

  #mayConcern(bytes: Uint8Array, start: number, end: number): boolean {
    return mayConcernProxy(bytes, start, end) || !this.#usesServers ||
      this.#asksOwnFacts(this.classified.asks) !== undefined;
  }

  /** Behind the command byte and the attributes. */
  #textStart(bytes: Uint8Array, start: number, end: number): number {
    if (!this.#hasAttributes) return start + 1;
    if (bytes[start + 1] === 0) return start + 3;
    try {
      const { text } = decodeQuery(bytes.subarray(start, end), Capability.QUERY_ATTRIBUTES);
      return end - text.length;
    } catch {
      // What cannot be read is the server's to refuse.
      return end;
    }
  }

  /** A statement of the proxy never is this long: what begins like one is no statement at all. */
  #refuseLong(bytes: Uint8Array, start: number, end: number): Plan | undefined {
    const head = { start, end: Math.min(end, start + HEAD) };
    if (!this.#mayConcern(bytes, head.start, head.end)) return undefined;
    const tokens = tokenize(bytes, head, this.mode);
    const statement = findStatement(tokens, this.#scope.caller.identity);
    if (statement === undefined) return undefined;
    const message = `Unknown operator, bad internal cmd: ${statement.name} is too long`;
    return [this.answers.error(new SluiceError("bad_internal_command", message))];
  }

  #texts(payload: Payload, at: number): Plan | undefined {
    const mode = this.mode;
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
    const isAsked = facts === undefined || (this.classified.asks & Ask.connectionId) !== 0;
    const values = isOwnId && isAsked ? { ...counts, connectionId: caller.id } : counts;
    return withSessionValues(bytes, range, { mode, values });
  }

  /** What is known of the last statement, where this one asks for it and no server can tell. */
  #factsAsked(bytes: Uint8Array, first: Range, mode: SqlMode): LastFacts | undefined {
    if ((this.classified.asks & LAST_FACTS) === 0) return undefined;
    const { asks } = this.isAlone ? this.classified : classify(bytes, first, mode);
    return this.#asksOwnFacts(asks);
  }

  #asksOwnFacts(asks: number): LastFacts | undefined {
    const own = asks & LAST_FACTS;
    return own === 0 ? undefined : this.#options.facts(own, this);
  }

  /** @returns how many statements are answered with what is known */
  #tellDiagnostics(ranges: readonly Range[], text: AskingText): number | undefined {
    if (this.need !== undefined) return undefined;
    const told = diagnosticsOf(ranges, text);
    this.need = told?.need;
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
    this.text.note(input, at, end);
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
    this.need = this.#statements;
    this.#statements.prepare(text);
  }

  get #statements(): SharedStatements {
    const { capabilities, preparedBook } = this.#options;
    return this.#shared ??= new SharedStatements({
      book: preparedBook,
      capabilities,
      answers: this.answers,
      mode: () => this.mode,
      limit: () => this.#options.preparedLimit(),
    });
  }

  /** @param payload as much of it as is there */
  #planStatement(command: ClientCommand, payload: Uint8Array): Plan | undefined {
    const own = this.#prepared?.plan(payload);
    const isShort = payload.length < SHORTEST;
    if (own !== undefined || !this.#options.isShared || isShort || !this.#usesServers) return own;
    const shared = this.#statements;
    const plan = shared.plan(command, payload);
    if (plan !== undefined) return plan;
    this.need = shared;
    this.statementId = shared.statementId;
    this.classified = shared.classified;
    this.text.quote(shared.running);
    const isAboutLast = (this.classified.asks & Ask.diagnosticsArea) !== 0;
    return isAboutLast ? this.#executeDiagnostics(shared.running!.text) : undefined;
  }

  /** A prepared GET DIAGNOSTICS, where somebody else has used the server session. */
  #executeDiagnostics(bytes: Uint8Array): Plan | undefined {
    const facts = this.#asksOwnFacts(this.classified.asks);
    const told = facts && diagnosticsOf([{ start: 0, end: bytes.length }], {
      ...{ bytes, facts, mode: this.mode },
    });
    if (told === undefined) return undefined;
    this.need = told.need;
    const payload = encodeQuery(
      { text: ANSWERED, attributes: [] },
      this.#options.capabilities.base,
    );
    return [{ kind: "send", row: QUERY_ROW, payload }];
  }

  /** The client has left, or its session is reset. */
  forgetStatements(): void {
    this.#prepared = undefined;
    this.#named = undefined;
    this.#names?.clear();
    this.#shared?.closeAll();
  }

  #prepareOwn(bytes: Uint8Array, start: number, end: number): Plan | undefined {
    const mode = this.mode;
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
      return this.#prepared.prepare(statement);
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

function isWhole({ length }: ClientCommand, input: ClientInput): boolean {
  return length < MAX_PAYLOAD && length + 4 <= input.available;
}

function payloadOf({ length }: ClientCommand, { bytes, start, end }: ClientInput): Uint8Array {
  return bytes.subarray(start + 4, Math.min(start + 4 + length, end));
}
