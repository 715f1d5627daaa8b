/** Which prepared statements of the binary protocol a server session has, under ids of its own. */
import { ServerNames } from "./named_registry.ts";
import type { ClientStatement, SharedStatement, StatementHolder } from "./prepared_registry.ts";

/** What a server session has prepared. */
export interface ServerStatement {
  /** The server's. */
  readonly id: number;
  /** Types that its parameters were last bound to there, by whichever client; empty before. */
  types: string;
  /** The last execution has failed, perhaps without binding them. */
  hasFailed: boolean;
  /** Types that all of its users agree on, where that matters; empty before the first. */
  agreed: string;
  /** Who has used it; undefined where several have. */
  user: ClientStatement | "nobody" | undefined;
}

export class ServerStatements implements StatementHolder {
  /** The least recently used one first. */
  readonly #held = new Map<SharedStatement, ServerStatement>();
  /** Those of the text protocol. */
  readonly names = new ServerNames();
  #reserved: Map<ClientStatement, ServerStatement> | undefined;
  #closing: number[] = [];

  /** How many ids wait to be closed. */
  get closing(): number {
    return this.#closing.length;
  }

  /** Whether a client has something open on one, which others must not come near. */
  get hasReserved(): boolean {
    return this.#reserved !== undefined || this.names.hasBound;
  }

  /** Whether one of them can be had nowhere else. */
  get hasBound(): boolean {
    return this.names.hasBound || this.#reserved?.keys().some(({ isBound }) => isBound) === true;
  }

  /** The one to use now; undefined where it must be prepared first. */
  use(statement: ClientStatement): ServerStatement | undefined {
    const held = this.peek(statement);
    if (held === undefined) return undefined;
    held.user = held.user === statement || held.user === "nobody" ? statement : undefined;
    const { shared } = statement;
    if (statement.reservedOn === undefined) {
      this.#held.delete(shared);
      this.#held.set(shared, held);
    }
    return held;
  }

  /** The one that would be used. */
  peek(statement: ClientStatement): ServerStatement | undefined {
    if (statement.reservedOn === this) return this.#reserved?.get(statement);
    return statement.reservedOn === undefined ? this.#held.get(statement.shared) : undefined;
  }

  /** The server has prepared it. */
  add(statement: SharedStatement, id: number): ServerStatement {
    this.drop(statement);
    const held: ServerStatement = { id, types: "", hasFailed: false, agreed: "", user: "nobody" };
    this.#held.set(statement, held);
    statement.hold(this);
    return held;
  }

  /**
   * The client's statement has a cursor open there, or has been sent a part of its values: nobody
   * else may use it until {@link release}, not even the same client by another statement.
   */
  reserve(statement: ClientStatement): void {
    const { shared } = statement;
    const held = this.#held.get(shared);
    if (statement.reservedOn !== undefined || held === undefined) return;
    this.#held.delete(shared);
    shared.release(this);
    this.#reserved ??= new Map();
    this.#reserved.set(statement, held);
    statement.reservedOn = this;
  }

  /** Nothing is open any more. */
  release(statement: ClientStatement): void {
    const held = this.#takeReserved(statement);
    if (held === undefined) return;
    const { shared } = statement;
    if (this.#held.has(shared)) {
      this.#closing.push(held.id);
      return;
    }
    this.#held.set(shared, held);
    shared.hold(this);
  }

  /** The server's statement is in a state that nobody can use, or its client has gone. */
  discard(statement: ClientStatement): void {
    const held = this.#takeReserved(statement);
    if (held !== undefined) this.#closing.push(held.id);
    else this.drop(statement.shared);
  }

  /** An execution has failed: what had been sent for it may be wrong until a reset. */
  fail(statement: ClientStatement): void {
    if (statement.reservedOn === this) return this.discard(statement);
    const held = this.#held.get(statement.shared);
    if (held !== undefined) held.hasFailed = true;
  }

  /** The client's COM_STMT_CLOSE has reached the server. */
  forget(statement: ClientStatement): void {
    this.#takeReserved(statement);
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
    this.names.clear();
    for (const statement of [...this.#reserved?.keys() ?? []]) this.#takeReserved(statement);
    this.#closing = [];
  }

  #takeReserved(statement: ClientStatement): ServerStatement | undefined {
    if (statement.reservedOn !== this) return undefined;
    const held = this.#reserved!.get(statement);
    this.#reserved!.delete(statement);
    if (this.#reserved!.size === 0) this.#reserved = undefined;
    statement.reservedOn = undefined;
    return held;
  }
}

/** Whether a request without types runs there as it would on the client's own server session. */
export function isBoundBy(held: ServerStatement, statement: ClientStatement): boolean {
  return held.types === statement.types && (!held.hasFailed || held.user === statement);
}

const NO_IDS: readonly number[] = Object.freeze([]);
