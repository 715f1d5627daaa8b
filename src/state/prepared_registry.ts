/**
 * Prepared statements of the binary protocol: which the clients have, under ids of the proxy's own,
 * and which the server sessions have, under theirs. What clients prepare alike is kept once.
 */
import type { Classified } from "../sql/classified.ts";
import { modeKey, type SqlMode } from "../sql/mode.ts";
import { bytesOfText, isTextOf, textOfBytes } from "../protocol/byte_text.ts";
import type { Dialect } from "./dialect.ts";
import { contextOf, type PrepareContext } from "./prepare_context.ts";
import type { SessionState } from "./session_state.ts";

/** What the reply to COM_STMT_PREPARE says. */
export interface PreparedReply {
  readonly parameters: number;
  readonly columns: number;
}

/** What a client has prepared, and where. */
export interface PreparedText extends PreparedReply {
  readonly context: PrepareContext;
  /** Bytes of COM_STMT_PREPARE behind the command byte; undefined where nobody knows all of it. */
  readonly text: Uint8Array | undefined;
  /** How the text is read, which not every context tells. */
  readonly mode: SqlMode;
  /** Made where nobody has the statement yet. */
  classify(text: Uint8Array, mode: SqlMode): Classified;
}

/** A server session that has statements. */
export interface StatementHolder {
  /** No client has the statement any more. */
  drop(statement: SharedStatement): void;
  /** The client does not have it any more, which was reserved for it. */
  discard(statement: ClientStatement): void;
}

/** A statement that clients have prepared. */
export class SharedStatement {
  /** What was prepared, and in which circumstances: the same key, the same statement. */
  readonly key: string;
  readonly parameters: number;
  readonly columns: number;
  /** What it does when it is executed. */
  readonly classified: Classified;
  /** How many clients have it prepared, each as often as it has. */
  clients = 0;
  /** What {@link ClientStatement} says of it, for those that bind alike. */
  types = "";
  readonly #textAt: number;
  #holders: Set<StatementHolder> | undefined;

  constructor(key: string, prepared: PreparedText) {
    const { text = NO_TEXT, mode, parameters, columns } = prepared;
    this.key = key;
    this.#textAt = key.length - text.length;
    this.parameters = parameters;
    this.columns = columns;
    this.classified = prepared.classify(text, mode);
  }

  /** Bytes of COM_STMT_PREPARE behind the command byte. */
  get text(): Uint8Array {
    return bytesOfText(this.key, this.#textAt);
  }

  /** Server sessions that have it. */
  get holders(): readonly StatementHolder[] {
    return this.#holders === undefined ? NO_HOLDERS : [...this.#holders];
  }

  hold(holder: StatementHolder): void {
    this.#holders ??= new Set();
    this.#holders.add(holder);
  }

  release(holder: StatementHolder): void {
    this.#holders?.delete(holder);
    if (this.#holders?.size === 0) this.#holders = undefined;
  }
}

const NO_TEXT = new Uint8Array(0);
const NO_HOLDERS: readonly StatementHolder[] = [];

/** A statement as one client has it. */
export interface ClientStatement {
  /** The proxy's. */
  readonly id: number;
  readonly shared: SharedStatement;
  readonly context: PrepareContext;
  /** Types that it last bound the parameters to, one character a byte; empty before. */
  types: string;
  /** The server session that alone has it as the client left it: see `ServerStatements.reserve`. */
  reservedOn: StatementHolder | undefined;
  /** It cannot be had anywhere else, and stays reserved until it is closed. */
  isBound: boolean;
  /** Its cursor has given the last row, and is open still where servers keep it. */
  isAtEnd: boolean;
}

/** All statements of this isolate. */
export class PreparedBook {
  readonly #byKey = new Map<string, SharedStatement>();
  /** How many texts nobody knew all of: they are different ones. */
  #unknown = 0;

  get size(): number {
    return this.#byKey.size;
  }

  /** The statement that a server has just prepared. */
  enter(prepared: PreparedText): SharedStatement {
    const { parameters, columns } = prepared;
    const key = keyOf(prepared, prepared.text === undefined ? ++this.#unknown : 0);
    const old = this.#byKey.get(key);
    if (old?.parameters === parameters && old.columns === columns) return old;
    // The tables have changed: who has the old one goes on with it.
    const statement = new SharedStatement(key, prepared);
    this.#byKey.set(key, statement);
    return statement;
  }

  /** No client has it any more: server sessions close it with their next command. */
  leave(statement: SharedStatement): void {
    if (statement.clients > 0) return;
    for (const holder of statement.holders) holder.drop(statement);
    if (this.#byKey.get(statement.key) === statement) this.#byKey.delete(statement.key);
  }
}

function keyOf({ context, text = NO_TEXT, mode }: PreparedText, unknown: number): string {
  // One character a byte: no text is another's in some character set.
  return `${context.fingerprint}\n${modeKey(mode)}\n${unknown}\n${textOfBytes(text)}`;
}

/** Ids from here on are those of statements of the proxy itself: no server reaches them. */
export const FIRST_OWN_ID = 0x7000_0000;

/** MariaDB's name of the statement that was prepared last. */
export const LAST_PREPARED = 0xffff_ffff;

/** Statements, and as many names, of one client: `max_prepared_stmt_count` of servers, as it comes. */
export const MOST_PREPARED = 16_382;

/** The statements of one client session. */
export class ClientStatements {
  readonly #book: PreparedBook;
  readonly #byId = new Map<number, ClientStatement>();
  #nextId = 1;
  #last: ClientStatement | undefined;
  #context: PrepareContext | undefined;

  constructor(book: PreparedBook) {
    this.#book = book;
  }

  get size(): number {
    return this.#byId.size;
  }

  /** The id of the statement that is added next. */
  get nextId(): number {
    while (this.#byId.has(this.#nextId) || this.#nextId >= FIRST_OWN_ID) {
      this.#nextId = this.#nextId >= FIRST_OWN_ID ? 1 : this.#nextId + 1;
    }
    return this.#nextId;
  }

  /** Where the session stands now, as a statement that is prepared now would keep it. */
  context(state: SessionState, dialect: Dialect): PrepareContext {
    return this.#context = contextOf(state, dialect, this.#context);
  }

  /** The client's statement from now on. */
  add(prepared: PreparedText): ClientStatement {
    const shared = this.#book.enter(prepared);
    const id = this.nextId;
    this.#nextId = id + 1;
    const { context } = prepared;
    const statement: ClientStatement = {
      id,
      shared,
      context,
      types: "",
      reservedOn: undefined,
      isBound: false,
      isAtEnd: false,
    };
    shared.clients++;
    this.#byId.set(id, statement);
    this.#last = statement;
    return statement;
  }

  /** Preparing one more has failed, or was not a server's: none is the last one. */
  forgetLast(): void {
    this.#last = undefined;
  }

  /** @param id as a request has it */
  find(id: number): ClientStatement | undefined {
    return id === LAST_PREPARED ? this.#last : this.#byId.get(id);
  }

  /** Remembers the types that a request has bound. */
  bind(statement: ClientStatement, bound: Uint8Array): void {
    if (isTextOf(statement.types, bound)) return;
    const { shared } = statement;
    // Clients that bind alike share the text.
    if (!isTextOf(shared.types, bound)) shared.types = textOfBytes(bound);
    statement.types = shared.types;
  }

  close(statement: ClientStatement): void {
    if (!this.#byId.delete(statement.id)) return;
    if (this.#last === statement) this.#last = undefined;
    statement.reservedOn?.discard(statement);
    statement.shared.clients--;
    this.#book.leave(statement.shared);
  }

  /** The client has left, or its session was reset. */
  closeAll(): void {
    for (const statement of [...this.#byId.values()]) this.close(statement);
    this.#context = undefined;
  }
}
