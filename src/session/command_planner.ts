/**
 * Decides, for each command of one client, what becomes of it: it goes to a server as it is, or it
 * has parts that the proxy answers or rewrites. Called for every command: in the usual case it
 * looks at the bytes once and allocates nothing.
 */
import { type AdminStatement, findStatement, processList, TOKEN_LIMIT } from "../admin/commands.ts";
import { killConnection } from "../admin/kill.ts";
import type { AdminScope } from "../admin/scope.ts";
import { SluiceError } from "../errors.ts";
import { concat, MAX_PAYLOAD } from "../protocol/bytes.ts";
import { decodeProcessKill, decodeQuery, decodeSetOption } from "../protocol/command.ts";
import { Capability, Command } from "../protocol/constants.ts";
import { type CommandRow, commandRow } from "../protocol/replies.ts";
import type { AssignedVariable } from "../sql/classified.ts";
import { classifyText } from "../sql/classify.ts";
import { withConnectionId } from "../sql/connection_id.ts";
import { mayHaveEffects } from "../sql/effect_filter.ts";
import { Effect } from "../sql/effects.ts";
import { mayConcernProxy } from "../sql/interest.ts";
import { splitStatements } from "../sql/split.ts";
import { type Range, type SqlMode, tokenize } from "../sql/tokens.ts";
import type { ClientCommand } from "./client_command.ts";
import type { ClientInput } from "./client_input.ts";
import { NamedStatements } from "./named_statements.ts";
import { type AnswerForm, OwnAnswers } from "./own_answer.ts";
import { planOwnCommand } from "./own_commands.ts";
import { OwnPrepared } from "./own_prepared.ts";
import type { AnswerPart, Plan, SendPart } from "./plan.ts";
import type { DoneStatement } from "./server_hold.ts";
import type { ServerNeed } from "./server_need.ts";
import { StatementText } from "./statement_text.ts";

/** Bytes that are looked at of a statement that is larger than a buffer. */
const HEAD = 256;

/** What commands do to their session that are no text. */
const COMMAND_EFFECTS: Readonly<Partial<Record<number, number>>> = {
  [Command.SET_OPTION]: Effect.unknown,
  [Command.BINLOG_DUMP]: Effect.unknown,
  [Command.BINLOG_DUMP_GTID]: Effect.unknown,
  [Command.REGISTER_REPLICA]: Effect.unknown,
};

const NONE: readonly AssignedVariable[] = [];

const SEMICOLON = Uint8Array.of(0x3b);
const QUERY_ROW = commandRow(Command.QUERY)!;

/** A command's payload, in the client's input. */
interface Payload {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly row: CommandRow;
}

export interface PlannerOptions extends AnswerForm {
  readonly scope: AdminScope;
  /** Whether server sessions are shared, so that it matters what statements do to theirs. */
  readonly isShared: boolean;
  /** How the client's texts are to be read, as of now. */
  mode(): SqlMode;
}

export class CommandPlanner implements DoneStatement {
  /** Of the command that was planned last: bits of `Effect` and of `Ask`. */
  effects = 0;
  asks = 0;
  isAlone = true;
  isQuery = false;
  isPrepare = false;
  isClose = false;
  assigned: readonly AssignedVariable[] = NONE;
  need: ServerNeed | undefined;
  readonly text = new StatementText();
  readonly answers: OwnAnswers;
  readonly #options: PlannerOptions;
  readonly #scope: AdminScope;
  readonly #hasAttributes: boolean;
  /** Where not, everything is answered here. */
  readonly #usesServers: boolean;
  #allowsSeveral: boolean;
  #prepared: OwnPrepared | undefined;
  #named: NamedStatements | undefined;

  constructor(options: PlannerOptions) {
    const { base } = options.capabilities;
    this.#options = options;
    this.#scope = options.scope;
    this.answers = new OwnAnswers(options);
    const { identity } = options.scope.caller;
    this.#usesServers = identity !== "proxysys" && identity !== "inspector";
    this.#hasAttributes = (base & Capability.QUERY_ATTRIBUTES) !== 0;
    this.#allowsSeveral = (base & Capability.MULTI_STATEMENTS) !== 0;
  }

  /** @returns undefined for a command that goes to a server as it is */
  plan(command: ClientCommand, input: ClientInput): Plan | undefined {
    if (this.#options.isShared) this.#foresee(command, input);
    const plan = this.#plan(command, input);
    if (plan !== undefined && !plan.some(({ kind }) => kind === "send")) this.#foreseeNothing();
    if (plan !== undefined || this.#usesServers) return plan;
    return planOwnCommand(command.code, this.#scope.caller.identity, this.answers);
  }

  /** The command reaches no server. */
  #foreseeNothing(): void {
    this.effects = this.asks = 0;
    this.assigned = NONE;
    this.need = undefined;
    this.isQuery = this.isPrepare = this.isClose = false;
  }

  /** What the command may do to its session. */
  #foresee(command: ClientCommand, input: ClientInput): void {
    this.#foreseeNothing();
    this.effects = COMMAND_EFFECTS[command.code] ?? 0;
    this.isQuery = command.code === Command.QUERY;
    this.isPrepare = command.code === Command.STMT_PREPARE;
    this.isClose = command.code === Command.STMT_CLOSE;
    if (command.code !== Command.QUERY) return;
    const { bytes, start } = input;
    const end = Math.min(start + 4 + command.length, input.end);
    const at = this.#textStart(bytes, start + 4, end);
    if (!mayHaveEffects(bytes, at, end)) return;
    const known = isWhole(command, input)
      ? classifyText(bytes, { start: at, end }, this.#options.mode())
      : { effects: Effect.unknown, asks: 0, userVariables: [] };
    this.isAlone = !bytes.subarray(at, end).includes(0x3b);
    this.effects = known.effects;
    this.asks = known.asks;
    this.assigned = known.userVariables;
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
        return this.#prepared?.plan(payloadOf(command, input));
      case Command.RESET_CONNECTION:
        this.#prepared = undefined;
        this.#named = undefined;
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
    return mayConcernProxy(bytes, start, end) || !this.#usesServers;
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
    const tokens = tokenize(bytes, head, this.#options.mode());
    const statement = findStatement(tokens, this.#scope.caller.identity);
    if (statement === undefined) return undefined;
    const message = `Unknown operator, bad internal cmd: ${statement.name} is too long`;
    return [this.answers.error(new SluiceError("bad_internal_command", message))];
  }

  #texts(payload: Payload, at: number): Plan | undefined {
    const mode = this.#options.mode();
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
    for (const range of ranges) {
      const own = this.#own(bytes, range, mode);
      if (own === undefined) {
        const rewritten = this.#rewritten(bytes, range, mode);
        isChanged ||= rewritten !== undefined;
        pieces.push(rewritten ?? bytes.slice(range.start, range.end));
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

  #rewritten(bytes: Uint8Array, range: Range, mode: SqlMode): Uint8Array | undefined {
    const { caller, proxy } = this.#scope;
    if (proxy.config.current.proxy.clientSessionIdVersion === 1) return undefined;
    return withConnectionId(bytes, range, { mode, id: caller.id });
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
    if (plan === undefined) this.#prepared?.onServerPrepare();
    return plan;
  }

  #prepareOwn(bytes: Uint8Array, start: number, end: number): Plan | undefined {
    const mode = this.#options.mode();
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
      return this.#prepared.prepare(statement);
    }
    const rewritten = this.#rewritten(bytes, range, mode);
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

/** Statements for a server, with the command's own byte and attributes before them. */
function sendPart(payload: Payload, at: number, texts: readonly Uint8Array[]): SendPart {
  const pieces: Uint8Array[] = [payload.bytes.slice(payload.start, at)];
  texts.forEach((text, index) => {
    if (index > 0) pieces.push(SEMICOLON);
    pieces.push(text);
  });
  return { kind: "send", row: payload.row, payload: concat(pieces) };
}

/** What a server says of a second statement where only one is allowed. */
function syntaxError(bytes: Uint8Array, { start, end }: Range): SluiceError {
  const near = new TextDecoder().decode(bytes.subarray(start, Math.min(end, start + 80)));
  return new SluiceError(
    "syntax",
    "You have an error in your SQL syntax; several statements in one text are not switched on " +
      `near '${near}'`,
  );
}
