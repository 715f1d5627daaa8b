/**
 * Prepared statements of the binary protocol: which the clients have, under ids of the proxy's own,
 * and which the server sessions have, under theirs. What clients prepare alike is kept once.
 */
import type { Dialect } from "./dialect.ts";
import { contextOf, type PrepareContext } from "./prepare_context.ts";
import type { SessionState } from "./session_state.ts";

/** A statement that clients have prepared. */
export class SharedStatement {
  /** What was prepared, and in which circumstances: the same key, the same statement. */
  readonly key: string;
  readonly parameters: number;
  readonly columns: number;
  /** Server sessions that have it. */
  readonly holders: Set<ServerStatements> = new Set();
  /** The reply as the last server sent it: all packets with their headers. */
  reply: Uint8Array;
  /** How many clients have it prepared, each as often as it has. */
  clients = 0;
  /** Types that its parameters were last bound to: most clients bind alike, and share the bytes. */
  types: Uint8Array | undefined;
  readonly #textAt: number;

  constructor(key: string, textAt: number, prepared: PreparedReply) {
    this.key = key;
    this.#textAt = textAt;
    this.parameters = prepared.parameters;
    this.columns = prepared.columns;
    this.reply = prepared.reply.slice();
  }

  /** Bytes of COM_STMT_PREPARE behind the command byte. */
  get text(): Uint8Array {
    const text = new Uint8Array(this.key.length - this.#textAt);
    for (let at = 0; at < text.length; at++) text[at] = this.key.charCodeAt(this.#textAt + at);
    return text;
  }
}

/** What the reply to COM_STMT_PREPARE says. */
export interface PreparedReply {
  readonly parameters: number;
  readonly columns: number;
  /** All packets with their headers; copied where it is kept. */
  readonly reply: Uint8Array;
}

/** What a client has prepared. */
export interface ClientStatement {
  readonly id: number;
  readonly shared: SharedStatement;
  readonly context: PrepareContext;
  /** Definitions that the client was sent; the shared one's unless the tables have changed since. */
  readonly reply: Uint8Array;
  /** Types that this client last bound its parameters to. */
  types: Uint8Array | undefined;
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
      if (!isSameReply(old.reply, prepared.reply)) old.reply = prepared.reply.slice();
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
  let key = `${fingerprint}\n`;
  // One character a byte: no text is another's in some character set.
  for (let at = 0; at < text.length; at += 4_096) {
    key += String.fromCharCode(...text.subarray(at, at + 4_096));
  }
  return key;
}

/** Bytes of the id in the head of the reply, behind the packet's header and its first byte. */
const ID_AT = 5;

/** Whether two replies differ in the id at most. */
function isSameReply(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false;
  return left.every((byte, at) => byte === right[at] || (at >= ID_AT && at < ID_AT + 4));
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
    const statement = { id, shared, context, reply: shared.reply, types: undefined };
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
  bind(statement: ClientStatement, types: Uint8Array): void {
    const { shared } = statement;
    if (isSameBytes(statement.types, types)) return;
    if (!isSameBytes(shared.types, types)) shared.types = types.slice();
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
  /** Types that its parameters were last bound to there, by whichever client. */
  types: Uint8Array | undefined;
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
    const held = { id, types: undefined };
    this.#held.set(statement, held);
    statement.holders.add(this);
    this.shrink(this.#limit);
    return held;
  }

  /** The server's statement is of no use any more. */
  drop(statement: SharedStatement): void {
    const held = this.#held.get(statement);
    if (held === undefined) return;
    this.#held.delete(statement);
    statement.holders.delete(this);
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
    for (const statement of this.#held.keys()) statement.holders.delete(this);
    this.#held.clear();
    this.#closing = [];
  }
}

const NO_IDS: readonly number[] = Object.freeze([]);

function isSameBytes(left: Uint8Array | undefined, right: Uint8Array): boolean {
  if (left === right) return true;
  return left?.length === right.length && left.every((byte, index) => byte === right[index]);
}
