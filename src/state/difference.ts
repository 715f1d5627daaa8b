/**
 * What must be sent to a server session so that it becomes what a client's session is wanted to be.
 */
import type { Dialect } from "./dialect.ts";
import {
  type SessionState,
  type StateValue,
  textOf,
  Unread,
  type UnreadValues,
} from "./session_state.ts";
import { type Assignment, assignmentOf, NOT_SET, userVariable } from "./user_variables.ts";
import {
  assignable,
  backTo,
  charsetOf,
  CONNECTION,
  hiddenCollations,
  INSERT_ID,
  isHiddenCollation,
  rowOf,
  SET_BY_SCHEMA,
} from "./variables.ts";

export interface CatchUp {
  /** For COM_INIT_DB, ahead of everything else. */
  readonly schema: string | undefined;
  /** A statement that changes the active roles. */
  readonly role: string | undefined;
  /** For COM_SET_OPTION: whether texts may have several statements. */
  readonly several: boolean | undefined;
  /** One SET statement, in ASCII, and how many variables it sets. */
  readonly set: string | undefined;
  readonly count: number;
  /**
   * What comes first: COM_RESET_CONNECTION, or COM_CHANGE_USER where not even that helps. Then it is
   * the difference from the state behind it that counts.
   */
  readonly again: "reset" | "login" | undefined;
  /** Wanted values that only another server session has: they must be read there first. */
  readonly unread: UnreadValues | undefined;
  /** Of catching up, in microseconds of a server: for choosing among idle server sessions. */
  readonly cost: number;
}

export interface DifferenceOptions {
  readonly dialect: Dialect;
  /**
   * False leaves last_insert_id as it is: for statements that do not ask for it.
   */
  readonly asksInsertId?: boolean;
  /** Whatever nobody knows of the server session is of the client's own making, and stays. */
  readonly keepsUnknown?: boolean;
}

/** Measured with MySQL 9.7 and MariaDB 10.11 over loopback; only their proportions matter. */
const Cost = {
  schema: 15,
  /** Where there is none: the way back is a login, and others may have none either. */
  firstSchema: 30,
  several: 10,
  role: 40,
  set: 40,
  variable: 2,
  read: 60,
  reset: 220,
  login: 260,
};

/** Undefined where nothing differs. */
export function difference(
  wanted: SessionState,
  known: SessionState,
  options: DifferenceOptions,
): CatchUp | undefined {
  const { asksInsertId = true, keepsUnknown = false } = options;
  if (wanted.isSameAs(known) && !(asksInsertId && wanted.insertId !== known.insertId)) {
    return undefined;
  }
  // Not even a reset leads back to the roles of the login.
  const isLoginRole = wanted.role === "" && known.role !== "";
  if (isLoginRole || (wanted.schema === "" && known.schema !== "")) return afresh("login");
  if (known.isUncertain && !keepsUnknown) return afresh("reset");
  const plan = new Assignments(wanted, known, options);
  if (!plan.addUserVariables() || !plan.addVariables()) return afresh("reset");
  const { set, unread, count } = plan;
  const schema = plan.needsSchema || wanted.schema !== known.schema ? wanted.schema : undefined;
  const role = wanted.role === known.role ? undefined : wanted.role;
  const several = wanted.several === known.several ? undefined : wanted.several ?? !known.several;
  if ((schema ?? role ?? several ?? set ?? unread) === undefined) return undefined;
  const schemaCost = known.schema === "" ? Cost.firstSchema : Cost.schema;
  const cost = (schema === undefined ? 0 : schemaCost) + (role === undefined ? 0 : Cost.role) +
    (several === undefined ? 0 : Cost.several) +
    (set === undefined ? 0 : Cost.set + count * Cost.variable) +
    (unread === undefined ? 0 : Cost.read);
  return { schema, role, several, set, count, unread, again: undefined, cost };
}

function afresh(again: "reset" | "login"): CatchUp {
  return {
    schema: undefined,
    role: undefined,
    several: undefined,
    set: undefined,
    count: 0,
    unread: undefined,
    again,
    cost: Cost[again],
  };
}

class Assignments {
  readonly #wanted: SessionState;
  readonly #known: SessionState;
  readonly #dialect: Dialect;
  readonly #asksInsertId: boolean;
  /** SET NAMES, ahead of the assignments. */
  readonly #names: string[] = [];
  /** Assignments by variable; those of `#last` come behind the others. */
  readonly #first = new Map<string, string>();
  readonly #last = new Map<string, string>();
  readonly #userVariables: [name: string, Assignment][] = [];
  readonly #unread: [string, Unread][] = [];
  readonly #unreadUser: [string, Unread][] = [];
  needsSchema = false;

  constructor(
    wanted: SessionState,
    known: SessionState,
    { dialect, asksInsertId = true }: DifferenceOptions,
  ) {
    this.#wanted = wanted;
    this.#known = known;
    this.#dialect = dialect;
    this.#asksInsertId = asksInsertId;
  }

  get count(): number {
    return this.#names.length + this.#first.size + this.#last.size + this.#userVariables.length;
  }

  get set(): string | undefined {
    if (this.count === 0) return undefined;
    const assignments = [...this.#first, ...this.#last];
    // Behind one DEFAULT, OceanBase takes everything in the statement for DEFAULT.
    const isLate = ([, to]: [string, string]) => this.#dialect === "oceanbase" && to === "DEFAULT";
    const parts = [
      ...this.#names,
      ...assignments.filter((one) => !isLate(one)).map(written),
      ...this.#userAssignments(),
      ...assignments.filter(isLate).map(written),
    ];
    return `SET ${parts.join()}`;
  }

  /** Some have the collation that the connection has meanwhile; then it has its own again. */
  #userAssignments(): string[] {
    const wanted = textOf(this.#wanted.variable(CONNECTION));
    const parts: string[] = [];
    let connection = wanted;
    for (const [name, { text, under }] of this.#userVariables) {
      if (under !== undefined && wanted !== undefined && under !== connection) {
        parts.push(this.#connection(under));
        connection = under;
      }
      parts.push(`${userVariable(name)}:=${text}`);
    }
    return wanted === undefined || connection === wanted
      ? parts
      : [...parts, this.#connection(wanted)];
  }

  #connection(collation: string): string {
    return written([CONNECTION, assignable(collation, rowOf(CONNECTION, this.#dialect))]);
  }

  get unread(): UnreadValues | undefined {
    const variables = this.#unread;
    const userVariables = this.#unreadUser;
    return variables.length + userVariables.length > 0 ? { variables, userVariables } : undefined;
  }

  /** @returns false where a reset is needed: nothing else removes a user variable */
  addUserVariables(): boolean {
    const wanted = this.#wanted.userVariables;
    const known = this.#known.userVariables;
    if (wanted === known) return true;
    for (const [name, value] of known) {
      if (isSet(value) && !isSet(wanted.get(name))) return false;
    }
    for (const [name, value] of wanted) {
      if (isEqual(value, known.get(name)) || !isSet(value)) continue;
      const text = textOf(value);
      if (text === undefined) this.#unreadUser.push([name, value as Unread]);
      else this.#userVariables.push([name, assignmentOf(text)]);
    }
    return true;
  }

  /** @returns false where a reset is needed */
  addVariables(): boolean {
    const wanted = this.#wanted;
    const known = this.#known;
    const isSameLogin = wanted.login === known.login;
    if (wanted.variables !== known.variables || !isSameLogin) {
      for (const name of wanted.variables.keys()) if (!this.#addVariable(name)) return false;
      for (const name of known.variables.keys()) if (!this.#addVariable(name)) return false;
    }
    if (!isSameLogin) {
      for (const name of wanted.login.keys()) if (!this.#addVariable(name)) return false;
    }
    if (wanted.schema !== this.#known.schema && wanted.variables.has(SET_BY_SCHEMA)) {
      // Whatever it is there: the change of schema sets it.
      this.#add(SET_BY_SCHEMA);
    }
    if (this.#asksInsertId && !isEqual(wanted.insertId, known.insertId)) {
      const to = this.#target(INSERT_ID, wanted.insertId);
      if (to !== undefined) this.#first.set(INSERT_ID, to);
    }
    this.#addCharacterSets();
    return true;
  }

  #isOther(name: string): boolean {
    return !isEqual(this.#wanted.variable(name), this.#known.variable(name));
  }

  /** Those with the collations that only SET NAMES gives them, which is one for all of them. */
  #addCharacterSets(): void {
    const collations = hiddenCollations(this.#dialect);
    const others = [...collations.keys()].filter((name) =>
      this.#isOther(name) || this.#isOther(collations.get(name)!)
    );
    const names = others.map((name) => this.#namesFor(name)).find((one) => one !== undefined);
    if (names === undefined) {
      for (const name of others) this.#add(name);
      return;
    }
    this.#names.push(`NAMES ${charsetOf(names)} COLLATE ${names}`);
    for (const name of [...collations.keys(), CONNECTION]) {
      const isGiven = name === CONNECTION
        ? textOf(this.#wanted.variable(name)) === names
        : this.#namesFor(name) === names;
      if (isGiven) this.#first.delete(name);
      else this.#add(name);
    }
  }

  /** The collation, where only SET NAMES gives it to the character set. */
  #namesFor(name: string): string | undefined {
    const charset = textOf(this.#wanted.variable(name));
    const collation = textOf(this.#wanted.variable(hiddenCollations(this.#dialect).get(name)!));
    const isWhole = charset !== undefined && charset !== "" && collation !== undefined;
    return isWhole && charsetOf(collation) === charset ? collation : undefined;
  }

  #add(name: string): void {
    const to = this.#target(name, this.#wanted.variable(name));
    if (to === undefined) this.#first.delete(name);
    else this.#first.set(name, to);
  }

  #addVariable(name: string): boolean {
    const wanted = this.#wanted.variable(name);
    if (isEqual(wanted, this.#known.variable(name))) return true;
    if (isHiddenCollation(name) || hiddenCollations(this.#dialect).has(name)) return true;
    if (name === SET_BY_SCHEMA && wanted === undefined && this.#wanted.schema !== "") {
      this.needsSchema = true;
      return true;
    }
    const to = this.#target(name, wanted);
    if (to === "reset") return false;
    if (to === undefined) return true;
    const { changes } = rowOf(name, this.#dialect);
    if (!this.#last.has(name)) this.#first.set(name, to);
    if (changes === undefined) return true;
    const changed = this.#target(changes, this.#wanted.variable(changes));
    this.#first.delete(changes);
    if (changed !== undefined) this.#last.set(changes, changed);
    return true;
  }

  /** Undefined where the value must be read first. */
  #target(name: string, wanted: StateValue | undefined): string | undefined {
    if (wanted === undefined) return backTo(name, this.#dialect);
    const text = textOf(wanted);
    if (text !== undefined) return assignable(text, rowOf(name, this.#dialect));
    const isThere = this.#unread.some(([other]) => other === name);
    if (!isThere) this.#unread.push([name, wanted as Unread]);
    return undefined;
  }
}

function written([name, to]: readonly [string, string]): string {
  return `SESSION ${name}=${to}`;
}

/** Whether a user variable has a value at all, for all that is known. */
function isSet(value: StateValue | undefined): boolean {
  return value !== undefined && textOf(value) !== NOT_SET;
}

function isEqual(wanted: StateValue | undefined, known: StateValue | undefined): boolean {
  if (wanted === known) return true;
  const text = textOf(wanted);
  return text !== undefined && text === textOf(known);
}
