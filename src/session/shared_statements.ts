/**
 * Prepared statements of one client whose server sessions are shared. It knows them by ids of the
 * proxy's own; a server session that does not have one when it is needed prepares it again. What
 * binds a statement to a server session, a cursor or a part of its values, is kept apart there.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_command_phase_ps.html
 */
import type { ServerSession } from "../backend/server_session.ts";
import { ProtocolError, SluiceError } from "../errors.ts";
import { concat, MAX_PAYLOAD, payloadLength } from "../protocol/bytes.ts";
import type { Capabilities } from "../protocol/capabilities.ts";
import { Command, Status } from "../protocol/constants.ts";
import { readStatementId, rewriteStatementId } from "../protocol/prepared.ts";
import { NO_STATEMENT } from "../protocol/response.ts";
import { type Classified, PLAIN } from "../sql/classified.ts";
import { classifyText } from "../sql/classify.ts";
import type { SqlMode } from "../sql/tokens.ts";
import type { Dialect } from "../state/dialect.ts";
import {
  mergedTypes,
  ownTypes,
  placeOfTypes,
  type TypesPlace,
  withTypes,
} from "../state/parameter_types.ts";
import { followExecution, isBoundToNoSchema } from "../state/prepare_context.ts";
import {
  type ClientStatement,
  ClientStatements,
  LAST_PREPARED,
  MOST_PREPARED,
  type PreparedBook,
} from "../state/prepared_registry.ts";
import {
  isBoundBy,
  type ServerStatement,
  type ServerStatements,
} from "../state/server_statements.ts";
import type { SessionState } from "../state/session_state.ts";
import type { ClientCommand } from "./client_command.ts";
import type { ClientInput } from "./client_input.ts";
import type { OwnAnswers } from "./own_answer.ts";
import type { AnswerPart, Plan } from "./plan.ts";
import {
  closing,
  prepareAgain,
  readSettings,
  tellsSettings,
  TOO_MANY,
  tooManyPrepared,
} from "./prepare_again.ts";
import { type ServerNeed, UnmetNeed } from "./server_need.ts";

/** What servers say where rows are asked for and no cursor is open. */
const NO_CURSOR: Readonly<Record<Dialect, (id: number) => SluiceError>> = {
  mysql: (id) => noCursor(`The statement (${id}) has no open cursor.`, 1421),
  mariadb: (id) => noCursor(`The statement (${id}) has no open cursor`, 1421),
  oceanbase: () => noCursor("fetch out of sequence", 5931),
};

/** Where a cursor that has given its last row is open until the statement's reset or close. */
const KEEPS_CURSOR: ReadonlySet<Dialect> = new Set(["oceanbase"]);

function noCursor(message: string, code: number): SluiceError {
  return new SluiceError("unknown_prepared", message, { code });
}

export interface SharedStatementsOptions {
  readonly book: PreparedBook;
  /** That the client agreed on. */
  readonly capabilities: Capabilities;
  readonly answers: OwnAnswers;
  /** Whether answers of the proxy can have the flags that the server would tell now. */
  isStatusKnown(): boolean;
  /** COM_STMT_RESET was answered: servers repeat no number of warnings from before it. */
  countNoWarnings(): void;
  /** How the client's texts are to be read, as of now. */
  mode(): SqlMode;
  /** Most statements that a server session has. */
  limit(): number;
}

/** Stands for the command that was planned last: each of them is a need of its own. */
export class SharedStatements implements ServerNeed {
  readonly #options: SharedStatementsOptions;
  readonly #statements: ClientStatements;
  /** Of the server that prepared last. */
  #dialect: Dialect = "mysql";
  #command = 0;
  /** As the client said it. */
  #id = 0;
  #statement: ClientStatement | undefined;
  /** What is prepared, where that is known whole. */
  #text: Uint8Array | undefined;
  #length = 0;
  #types: TypesPlace | undefined;

  constructor(options: SharedStatementsOptions) {
    this.#options = options;
    this.#statements = new ClientStatements(options.book);
  }

  /** The client's id of the statement that the command is about. */
  get statementId(): number | undefined {
    return this.#statement?.id;
  }

  /** What the command does. */
  get classified(): Classified {
    return this.#isExecution ? this.#statement!.shared.classified : PLAIN;
  }

  /** What the command runs. */
  get running(): { readonly text: Uint8Array } | undefined {
    return this.#isExecution ? this.#statement!.shared : undefined;
  }

  get #isExecution(): boolean {
    return this.#statement !== undefined &&
      (this.#command === Command.STMT_EXECUTE ||
        this.#command === Command.MARIADB_STMT_BULK_EXECUTE);
  }

  /** The client has prepared a statement that is no server's. */
  forgetLast(): void {
    this.#statements.forgetLast();
  }

  /** The client has left, or its session is reset. */
  closeAll(): void {
    this.#statements.closeAll();
    this.#statement = undefined;
  }

  /** COM_STMT_PREPARE. @param text undefined where it is too long to be kept */
  prepare(text: Uint8Array | undefined): void {
    this.#begin(Command.STMT_PREPARE, undefined);
    this.#text = text;
  }

  /**
   * Another command about a prepared statement.
   * @param payload as much as is there, from the command byte and the id on
   * @returns undefined where it goes to a server
   */
  plan({ code, length }: ClientCommand, payload: Uint8Array): Plan | undefined {
    const id = this.#id = readStatementId(payload);
    const isKnown = id !== LAST_PREPARED || this.#dialect === "mariadb";
    const statement = isKnown ? this.#statements.find(id) : undefined;
    this.#begin(code, statement);
    this.#length = length;
    if (statement === undefined) return hasReply(code) ? undefined : [];
    switch (code) {
      case Command.STMT_CLOSE:
        if (statement.reservedOn !== undefined) return undefined;
        this.#statements.close(statement);
        return [];
      case Command.STMT_RESET:
        if (statement.reservedOn !== undefined || !this.#options.isStatusKnown()) return undefined;
        // No rows are left of a cursor and no part of a value was sent: there is nothing to reset.
        statement.isAtEnd = false;
        this.#options.countNoWarnings();
        return [this.#options.answers.ok()];
      case Command.STMT_FETCH:
        return statement.reservedOn === undefined ? [this.#withoutRows(statement)] : undefined;
      case Command.STMT_EXECUTE:
      case Command.MARIADB_STMT_BULK_EXECUTE:
        this.#findTypes(statement, payload);
    }
    return undefined;
  }

  /** The answer to who asks for rows where there are none. */
  #withoutRows({ id, isAtEnd }: ClientStatement): AnswerPart {
    const { answers } = this.#options;
    return isAtEnd ? answers.lastRow() : answers.error(NO_CURSOR[this.#dialect](id));
  }

  isMet(server: ServerSession): boolean {
    if (this.#command === Command.STMT_PREPARE) {
      return this.#statements.size < MOST_PREPARED && tellsSettings(server);
    }
    const { prepared } = server.state;
    const statement = this.#statement;
    if (statement === undefined || this.#command === Command.STMT_CLOSE) return true;
    const held = prepared?.peek(statement);
    if (held === undefined) return false;
    if (statement.reservedOn !== undefined) return this.#isBound(held, statement);
    // What a parameter was before shows in what it is when its value comes in parts.
    const isParts = this.#command === Command.STMT_SEND_LONG_DATA;
    if (isParts && held.user !== statement && held.user !== "nobody") return false;
    if (this.#types !== undefined && !this.#agrees(held, statement)) return false;
    return this.#isBound(held, statement);
  }

  /** Whether the request says all, or can be made to. */
  #isBound(held: ServerStatement, statement: ClientStatement): boolean {
    if (!this.#isBare || isBoundBy(held, statement)) return true;
    return statement.types !== "" && this.#fits(statement);
  }

  /** Whether nobody else's values have decided the types of results there. */
  #agrees({ user, agreed }: ServerStatement, statement: ClientStatement): boolean {
    if (this.#dialect !== "mysql" || user === statement) return true;
    return mergedTypes(agreed, this.#ownTypes(statement)) !== undefined;
  }

  #ownTypes({ types, shared: { parameters } }: ClientStatement): string {
    return ownTypes(types, { capabilities: this.#options.capabilities.base, parameters });
  }

  async meet(server: ServerSession, wanted: SessionState): Promise<void> {
    if (this.#command === Command.STMT_PREPARE) return await this.#readyToPrepare(server);
    const statement = this.#statement!;
    if (this.#isBare && !this.#fits(statement)) {
      throw new UnmetNeed(
        "not_supported",
        `Cannot execute prepared statement ${statement.id}: expected less than 16 MiB without ` +
          `types of parameters on another server session, got ${this.#length} bytes`,
      );
    }
    // Somebody else's types are bound there, and this client's request must fail without its own.
    server.state.prepared?.discard(statement);
    await prepareAgain(server, statement, wanted);
  }

  async #readyToPrepare(server: ServerSession): Promise<void> {
    if (this.#statements.size < MOST_PREPARED) return await readSettings(server);
    this.#statements.forgetLast();
    throw tooManyPrepared();
  }

  onSend(server: ServerSession, input: ClientInput): Uint8Array | undefined {
    const ahead = closing(server);
    const request = this.#command === Command.STMT_PREPARE
      ? undefined
      : this.#address(server, input);
    if (ahead === undefined) return request;
    return concat([ahead, request ?? partOf(input)]);
  }

  onSent(server: ServerSession): void {
    const { tracker } = server;
    if (this.#command !== Command.STMT_PREPARE) {
      if (this.#statement === undefined) tracker.tellStatementId(this.#id);
      return;
    }
    tracker.tellStatementId(this.#statements.nextId);
  }

  onDone(server: ServerSession): void {
    if (this.#command === Command.STMT_PREPARE) this.#enter(server);
    else if (this.#statement !== undefined) this.#follow(server, this.#statement);
  }

  #begin(command: number, statement: ClientStatement | undefined): void {
    this.#command = command;
    this.#statement = statement;
    this.#text = undefined;
    this.#types = undefined;
  }

  // ---- types of parameters ----

  #findTypes(statement: ClientStatement, payload: Uint8Array): void {
    const { parameters } = statement.shared;
    if (parameters === 0) return;
    const capabilities = this.#options.capabilities.base;
    try {
      this.#types = placeOfTypes(payload, { capabilities, parameters });
    } catch (error) {
      // What cannot be read is the server's to refuse.
      if (!(error instanceof ProtocolError)) throw error;
    }
    const types = this.#types?.types;
    if (types !== undefined) this.#statements.bind(statement, types);
  }

  /** Whether the request leaves the types to those of the last execution. */
  get #isBare(): boolean {
    return this.#types !== undefined && this.#types.types === undefined;
  }

  #fits({ types }: ClientStatement): boolean {
    return this.#length + types.length < MAX_PAYLOAD;
  }

  /** Has the request name the server's own statement. @returns the request, where it must be longer */
  #address(server: ServerSession, input: ClientInput): Uint8Array | undefined {
    const { bytes, start } = input;
    const statement = this.#statement;
    const held = statement && server.state.prepared?.use(statement);
    rewriteStatementId(bytes.subarray(start + 4), held?.id ?? NO_STATEMENT);
    if (held === undefined || this.#types === undefined) return undefined;
    const { types } = statement!;
    const isMissing = this.#isBare && !isBoundBy(held, statement!);
    held.types = types;
    if (isMissing || !this.#isBare) held.hasFailed = false;
    if (this.#dialect === "mysql") {
      const own = this.#ownTypes(statement!);
      held.agreed = mergedTypes(held.agreed, own) ?? own;
    }
    return isMissing ? this.#withTypes(partOf(input), types) : undefined;
  }

  #withTypes(bytes: Uint8Array, types: string): Uint8Array {
    const length = this.#length + types.length;
    const header = Uint8Array.of(length, length >>> 8, length >>> 16, 0);
    return concat([header, withTypes(bytes.subarray(4), this.#types!, types)]);
  }

  // ---- what becomes of statements ----

  /** A server has prepared one. */
  #enter(server: ServerSession): void {
    const { tracker, state: { known } } = server;
    const { mode, limit } = this.#options;
    const prepared = server.state.keepPrepared();
    if (tracker.errorCode !== 0 || known === undefined) {
      this.#statements.forgetLast();
      if (tracker.errorCode === TOO_MANY) prepared.shrink(0);
      return;
    }
    this.#dialect = server.dialect;
    const text = this.#text;
    const statement = this.#statements.add({
      context: this.#statements.context(known, server.dialect),
      text,
      mode: mode(),
      parameters: tracker.parameters,
      columns: tracker.columns,
      classify: (bytes, mode) => classifyText(bytes, { start: 0, end: bytes.length }, mode),
    });
    prepared.add(statement.shared, tracker.statementId);
    const { context } = statement;
    if (text === undefined || isBoundToNoSchema({ context, text })) {
      prepared.reserve(statement);
      statement.isBound = true;
    }
    prepared.shrink(limit());
  }

  /** A command about one is done. */
  #follow(server: ServerSession, statement: ClientStatement): void {
    const { tracker, dialect, state: { known } } = server;
    const isFailed = tracker.errorCode !== 0;
    const prepared = server.state.keepPrepared();
    // It may have been prepared again for this.
    prepared.shrink(this.#options.limit());
    switch (this.#command) {
      case Command.STMT_SEND_LONG_DATA:
        return prepared.reserve(statement);
      case Command.STMT_CLOSE:
        prepared.forget(statement);
        return this.#statements.close(statement);
      case Command.STMT_FETCH:
        if ((tracker.status & Status.LAST_ROW_SENT) === 0) return;
        statement.isAtEnd = KEEPS_CURSOR.has(dialect);
        return release(prepared, statement);
      case Command.STMT_RESET:
        statement.isAtEnd = false;
        return release(prepared, statement);
      default:
        if (known !== undefined) {
          followExecution(statement.context, known, { dialect, isUnsure: isFailed });
        }
        if (isFailed && !statement.isBound) return prepared.fail(statement);
        if (tracker.hasOpenedCursor) prepared.reserve(statement);
        else release(prepared, statement);
    }
  }
}

/** As much of the command as is there, with its header. */
function partOf({ bytes, start, end }: ClientInput): Uint8Array {
  return bytes.subarray(start, Math.min(start + 4 + payloadLength(bytes, start), end));
}

/** Nothing is open any more on the statement. */
function release(prepared: ServerStatements, statement: ClientStatement): void {
  if (!statement.isBound) prepared.release(statement);
}

function hasReply(command: number): boolean {
  return command !== Command.STMT_CLOSE && command !== Command.STMT_SEND_LONG_DATA;
}

/** For commands that need nothing: takes along what the server session has to close. */
export const CLOSES_STATEMENTS: ServerNeed = {
  isMet: () => true,
  meet: () => Promise.resolve(),
  onSend(server, input) {
    const ahead = closing(server);
    return ahead && concat([ahead, partOf(input)]);
  },
  onSent() {},
  onDone() {},
};
