/**
 * The state of a session as a value: what a client's session must look like (wanted), or what a
 * server session was told or has reported (known). Both are this type.
 *
 * A state is a small holder of parts that are never changed once they are shared: copying one state
 * to another copies references, and two states are the same when their parts are.
 */

import { INSERT_ID, isHiddenCollation } from "./variables.ts";

/**
 * A value that a server session has and nobody else has seen yet: a variable that a statement
 * computed, or one whose change servers do not report. Every state that has the value shares the
 * cell, so reading it once is enough for all of them.
 */
export class Unread {
  /** Text of a system variable, or an expression for a user variable; undefined until it is read. */
  text: string | undefined;
  /** What was reported of it, where that alone does not tell the value. */
  readonly reported: string | undefined;

  constructor(reported?: string) {
    this.reported = reported;
  }
}

export type StateValue = string | Unread;

/** The text of a value; undefined where nobody has read it. */
export function textOf(value: StateValue | undefined): string | undefined {
  return value instanceof Unread ? value.text : value;
}

/** Cells by name, to be read on the server session that has the values. */
export interface UnreadValues {
  readonly variables: readonly (readonly [name: string, cell: Unread])[];
  readonly userVariables: readonly (readonly [name: string, cell: Unread])[];
}

/** Nobody knows which roles are active: only the end of the session brings certainty. */
export const UNKNOWN_ROLE = "?";

const NO_VALUES: ReadonlyMap<string, StateValue> = new Map();
const NO_TEXTS: ReadonlyMap<string, string> = new Map();

export class SessionState {
  /** Counts changes; a copy has the version of what it was copied from. */
  version = 0;
  /** Empty where no schema is selected. */
  schema = "";
  /** The statement that changed the active roles; empty for those of the login. */
  role = "";
  /** Whether a text may have several statements; undefined: as the login has said. */
  several: boolean | undefined;
  /**
   * What LAST_INSERT_ID() gives. Every INSERT may change it and few clients ask, so it is beside
   * the rest: copies and comparisons leave it out.
   */
  insertId: StateValue = "0";
  /** Something happened that nobody can tell the outcome of: only a reset brings certainty. */
  isUncertain = false;
  /** Changes may be there that the server reports with its next OK only. */
  isPending = false;

  #login: ReadonlyMap<string, string> = NO_TEXTS;
  #variables: ReadonlyMap<string, StateValue> = NO_VALUES;
  #userVariables: ReadonlyMap<string, StateValue> = NO_VALUES;
  /** Whether the map is this state's alone and may be changed in place. */
  #ownsVariables = false;
  #ownsUserVariables = false;
  /** False: certainly nothing in the maps is unread. */
  #mayHaveUnread = false;

  /**
   * The state right behind a login.
   * @param login values that servers reported at once (see `login_statement.ts`); shared, not copied
   */
  static afterLogin(schema: string, login: ReadonlyMap<string, string>): SessionState {
    const state = new SessionState();
    state.schema = schema;
    state.#login = login;
    return state;
  }

  /** Values of variables right behind the login, as far as they were reported. */
  get login(): ReadonlyMap<string, string> {
    return this.#login;
  }

  /** System variables that were changed since the login; names in lower case. */
  get variables(): ReadonlyMap<string, StateValue> {
    return this.#variables;
  }

  /** User variables: names in lower case without `@`, values as expressions that recreate them. */
  get userVariables(): ReadonlyMap<string, StateValue> {
    return this.#userVariables;
  }

  /** The value of a system variable, if it was ever reported. */
  variable(name: string): StateValue | undefined {
    return this.#variables.get(name) ?? this.#login.get(name);
  }

  setSchema(schema: string): void {
    if (schema === this.schema) return;
    this.schema = schema;
    this.version++;
  }

  setRole(statement: string): void {
    if (statement === this.role) return;
    this.role = statement;
    this.isUncertain ||= statement === UNKNOWN_ROLE;
    this.version++;
  }

  setSeveral(several: boolean | undefined): void {
    if (several === this.several) return;
    this.several = several;
    this.version++;
  }

  setUncertain(): void {
    if (this.isUncertain) return;
    this.isUncertain = true;
    this.version++;
  }

  setVariable(name: string, value: StateValue): void {
    const old = this.#variables.get(name);
    if (old === value || (old === undefined && this.#login.get(name) === value)) return;
    const variables = this.#ownVariables();
    if (value === this.#login.get(name)) variables.delete(name);
    else variables.set(name, value);
    this.#mayHaveUnread ||= value instanceof Unread;
    this.version++;
  }

  /** The variable is what it was behind the login, or what the schema makes it. */
  dropVariable(name: string): void {
    const login = this.#login.get(name);
    if (login !== undefined) return this.setVariable(name, login);
    if (!this.#variables.has(name)) return;
    this.#ownVariables().delete(name);
    this.version++;
  }

  setUserVariable(name: string, value: StateValue): void {
    if (this.#userVariables.get(name) === value) return;
    if (!this.#ownsUserVariables) this.#userVariables = new Map(this.#userVariables);
    this.#ownsUserVariables = true;
    (this.#userVariables as Map<string, StateValue>).set(name, value);
    this.#mayHaveUnread ||= value instanceof Unread;
    this.version++;
  }

  #ownVariables(): Map<string, StateValue> {
    if (!this.#ownsVariables) this.#variables = new Map(this.#variables);
    this.#ownsVariables = true;
    return this.#variables as Map<string, StateValue>;
  }

  /** Makes this state the same as the other, which may go on changing by itself. */
  copyFrom(other: SessionState): void {
    if (this === other) return;
    this.copySettingsFrom(other);
    other.#ownsUserVariables = false;
    this.#ownsUserVariables = false;
    this.version = other.version;
    this.isUncertain = other.isUncertain;
    this.isPending = other.isPending;
    this.#userVariables = other.#userVariables;
    this.#mayHaveUnread = other.#mayHaveUnread;
  }

  /** Takes over all but the user variables. */
  copySettingsFrom(other: SessionState): void {
    other.#ownsVariables = false;
    this.#ownsVariables = false;
    this.version++;
    this.schema = other.schema;
    this.role = other.role;
    this.several = other.several;
    this.#login = other.#login;
    this.#variables = other.#variables;
    this.#mayHaveUnread ||= other.#mayHaveUnread;
  }

  /**
   * Whether nothing can differ, by identity of the parts: true for states that were made equal and
   * have not changed since. False says little.
   */
  isSameAs(other: SessionState): boolean {
    return this.#variables === other.#variables && this.#userVariables === other.#userVariables &&
      this.#login === other.#login && this.schema === other.schema && this.role === other.role &&
      this.several === other.several &&
      !this.isUncertain && !other.isUncertain && !this.isPending && !other.isPending;
  }

  /** What only a server session knows; undefined where that is nothing. */
  unread(): UnreadValues | undefined {
    const { insertId } = this;
    const ids: [string, Unread][] = isOpen(insertId) ? [[INSERT_ID, insertId]] : [];
    if (!this.#mayHaveUnread) {
      return ids.length === 0 ? undefined : { variables: ids, userVariables: [] };
    }
    const variables = unreadOf(this.#variables);
    const userVariables = unreadOf(this.#userVariables);
    this.#mayHaveUnread = variables.length + userVariables.length > 0;
    const count = variables.length + userVariables.length + ids.length;
    return count === 0 ? undefined : { variables: [...variables, ...ids], userVariables };
  }
}

function isOpen(value: StateValue): value is Unread {
  return value instanceof Unread && value.text === undefined;
}

function unreadOf(values: ReadonlyMap<string, StateValue>): [string, Unread][] {
  const cells: [string, Unread][] = [];
  for (const [name, value] of values) {
    // The connection's collation, whose cell it has, tells it.
    if (isOpen(value) && !isHiddenCollation(name)) cells.push([name, value]);
  }
  return cells;
}

/** A server session was made what a client's session is wanted to be. */
export function caughtUp(
  known: SessionState,
  wanted: SessionState,
  asksInsertId: boolean,
): void {
  known.copyFrom(wanted);
  if (asksInsertId) known.insertId = wanted.insertId;
}

/**
 * A client's session goes on as its statement has left the server session.
 * @param insertIdBefore the server session's, before the statement: perhaps another client's
 */
export function adopt(
  wanted: SessionState,
  known: SessionState,
  insertIdBefore: StateValue,
): void {
  wanted.copyFrom(known);
  if (known.insertId !== insertIdBefore) wanted.insertId = known.insertId;
}
