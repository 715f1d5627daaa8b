/**
 * Prepared statements of the binary protocol: which the clients have, under ids of the proxy's own,
 * and which the server sessions have, under theirs. What clients prepare alike is kept once.
 */
import { bytesOfText, textOfBytes } from "./byte_text.ts";
import type { Dialect } from "./dialect.ts";
import { contextOf, type PrepareContext } from "./prepare_context.ts";
import type { SessionState } from "./session_state.ts";

/** What the reply to COM_STMT_PREPARE says. */
export interface PreparedReply {
  readonly parameters: number;
  readonly columns: number;
  /** All packets with their headers. */
  readonly reply: Uint8Array;
}

/** A statement that clients have prepared. */
export class SharedStatement {
  /** What was prepared, and in which circumstances: the same key, the same statement. */
  readonly key: string;
  readonly parameters: number;
  readonly columns: number;
  /** How many clients have it prepared, each as often as it has. */
  clients = 0;
  /** What {@link ClientStatement} says of it, for those that are prepared next. */
  reply: string;
  types = "";
  readonly #textAt: number;
  #holders: Set<ServerStatements> | undefined;

  constructor(key: string, textAt: number, prepared: PreparedReply) {
    this.key = key;
    this.#textAt = textAt;
    this.parameters = prepared.parameters;
    this.columns = prepared.columns;
    this.reply = textOfReply(prepared.reply);
  }

  /** Bytes of COM_STMT_PREPARE behind the command byte. */
  get text(): Uint8Array {
    return bytesOfText(this.key, this.#textAt);
  }

  /** Server sessions that have it. */
  get holders(): readonly ServerStatements[] {
    return this.#holders === undefined ? NO_HOLDERS : [...this.#holders];
  }

  hold(holder: ServerStatements): void {
    this.#holders ??= new Set();
    this.#holders.add(holder);
  }

  release(holder: ServerStatements): void {
    this.#holders?.delete(holder);
    if (this.#holders?.size === 0) this.#holders = undefined;
  }
}

const NO_HOLDERS: readonly ServerStatements[] = [];

/** What a client has prepared. */
export interface ClientStatement {
  /** The proxy's. */
  readonly id: number;
  readonly shared: SharedStatement;
  readonly context: PrepareContext;
  /**
   * All packets of the reply as the client was sent it, one character a byte, with 0 for the id;
   * another than the shared one's where the tables have changed since.
   */
  readonly reply: string;
  /** Types that it last bound the parameters to, one character a byte; empty before. */
  types: string;
}

/** Bytes of the id in the head of the reply, behind the packet's header and its first byte. */
const ID_AT = 5;

function textOfReply(reply: Uint8Array): string {
  const text = textOfBytes(reply);
  return `${text.slice(0, ID_AT)}\0\0\0\0${text.slice(ID_AT + 4)}`;
}

/** All statements of this isolate. */
export class PreparedBook {
  readonly #byKey = new Map<string, SharedStatement>();

  get size(): number {
    return this.#byKey.size;
  }

  find(context: PrepareContext, text: Uint8Array): SharedStatement | undefined {
    return this.#byKey.get(keyOf(context, text));
  }

  /** The statement that a server has just prepared. */
  enter(context: PrepareContext, text: Uint8Array, prepared: PreparedReply): SharedStatement {
    const key = keyOf(context, text);
    const old = this.#byKey.get(key);
    const isSame = old?.parameters === prepared.parameters && old.columns === prepared.columns;
    if (old !== undefined && isSame) {
      const reply = textOfReply(prepared.reply);
      if (old.reply !== reply) old.reply = reply;
      return old;
    }
    // The tables have changed: who has the old one goes on with it.
    const statement = new SharedStatement(key, key.length - text.length, prepared);
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

function keyOf({ fingerprint }: PrepareContext, text: Uint8Array): string {
  // One character a byte: no text is another's in some character set.
  return `${fingerprint}\n${textOfBytes(text)}`;
}

/** Ids from here on are those of statements of the proxy itself. */
const FIRST_FOREIGN_ID = 0x7000_0000;

/** MariaDB's name of the statement that was prepared last. */
const LAST_PREPARED = 0xffff_ffff;

/** The statements of one client session. */
export class ClientStatements {
  readonly #book: PreparedBook;
  readonly #byId = new Map<number, ClientStatement>();
  #nextId = 1;
  #last: ClientStatement | undefined;

  constructor(book: PreparedBook) {
    this.#book = book;
  }

  get size(): number {
    return this.#byId.size;
  }

  /** Where the session stands now, as a statement that is prepared now would keep it. */
  context(state: SessionState, dialect: Dialect): PrepareContext {
    return contextOf(state, dialect, this.#last?.context);
  }

  /** The client's statement from now on. */
  add(shared: SharedStatement, context: PrepareContext): ClientStatement {
    while (this.#byId.has(this.#nextId) || this.#nextId >= FIRST_FOREIGN_ID) {
      this.#nextId = this.#nextId >= FIRST_FOREIGN_ID ? 1 : this.#nextId + 1;
    }
    const id = this.#nextId++;
    const statement = { id, shared, context, reply: shared.reply, types: "" };
    shared.clients++;
    this.#byId.set(id, statement);
    this.#last = statement;
    return statement;
  }

  /** @param id as a request has it */
  find(id: number): ClientStatement | undefined {
    return id === LAST_PREPARED ? this.#last : this.#byId.get(id);
  }

  /** Remembers the types that a request has bound. */
  bind(statement: ClientStatement, bound: Uint8Array): void {
    const { shared } = statement;
    const types = textOfBytes(bound);
    if (statement.types === types) return;
    // Clients that bind alike share the text.
    if (shared.types !== types) shared.types = types;
    statement.types = shared.types;
  }

  close(id: number): void {
    const statement = this.find(id);
    if (statement === undefined) return;
    this.#byId.delete(statement.id);
    if (this.#last === statement) this.#last = undefined;
    statement.shared.clients--;
    this.#book.leave(statement.shared);
  }

  /** The client has left, or its session was reset. */
  closeAll(): void {
    for (const id of [...this.#byId.keys()]) this.close(id);
  }
}

/** What a server session has prepared. */
export interface ServerStatement {
  /** The server's. */
  readonly id: number;
  /** Types that its parameters were last bound to there, by whichever client; empty before. */
  types: string;
}

/** The statements of one server session: the most recently used ones. */
export class ServerStatements {
  readonly #limit: number;
  /** The least recently used one first. */
  readonly #held = new Map<SharedStatement, ServerStatement>();
  #closing: number[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#held.size;
  }

  /** How many ids wait to be closed. */
  get closing(): number {
    return this.#closing.length;
  }

  has(statement: SharedStatement): boolean {
    return this.#held.has(statement);
  }

  /** The one to use now; undefined where it must be prepared first. */
  use(statement: SharedStatement): ServerStatement | undefined {
    const held = this.#held.get(statement);
    if (held === undefined) return undefined;
    this.#held.delete(statement);
    this.#held.set(statement, held);
    return held;
  }

  /** The server has prepared it. */
  add(statement: SharedStatement, id: number): ServerStatement {
    this.drop(statement);
    const held = { id, types: "" };
    this.#held.set(statement, held);
    statement.hold(this);
    this.shrink(this.#limit);
    return held;
  }

  /** The server's statement is of no use any more. */
  drop(statement: SharedStatement): void {
    const held = this.#held.get(statement);
    if (held === undefined) return;
    this.#held.delete(statement);
    statement.release(this);
    this.#closing.push(held.id);
  }

  /** Drops the least recently used ones. */
  shrink(to: number): void {
    for (const statement of this.#held.keys()) {
      if (this.#held.size <= to) return;
      this.drop(statement);
    }
  }

  /** Ids for COM_STMT_CLOSE, which has no reply, ahead of the next command. */
  takeClosing(): readonly number[] {
    if (this.#closing.length === 0) return NO_IDS;
    const closing = this.#closing;
    this.#closing = [];
    return closing;
  }

  /** The server has forgotten all: it was reset, or is gone. */
  clear(): void {
    for (const statement of this.#held.keys()) statement.release(this);
    this.#held.clear();
    this.#closing = [];
  }
}

const NO_IDS: readonly number[] = Object.freeze([]);
