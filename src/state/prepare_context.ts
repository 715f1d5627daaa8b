/**
 * What a prepared statement takes from its session when it is prepared, and keeps whatever the
 * session is set to later. MySQL resolves and folds at that time, so that almost every variable
 * counts: sql_mode, character sets, div_precision_increment, lc_time_names, group_concat_max_len …;
 * MariaDB keeps the schema, sql_mode, old_mode, character sets and collations; OceanBase prepares
 * anew for every execution and keeps nothing.
 */
import type { Dialect } from "./dialect.ts";
import { SessionState, type StateValue, textOf, Unread } from "./session_state.ts";
import { enterSchema, returnResets } from "./track.ts";
import { isHiddenCollation, rowOf, SET_BY_SCHEMA } from "./variables.ts";

/** The state in which a statement was prepared, as a value of its own. */
export interface PrepareContext {
  /** A copy that nobody changes. */
  readonly state: SessionState;
  /** The same for states in which preparing gives the same. */
  readonly fingerprint: string;
}

/** @param before the context of another statement, which is used again where it is the same */
export function contextOf(
  state: SessionState,
  dialect: Dialect,
  before?: PrepareContext,
): PrepareContext {
  if (before !== undefined && hasSameSettings(before.state, state)) return before;
  const copy = new SessionState();
  copy.copySettingsFrom(state);
  return { state: copy, fingerprint: fingerprintOf(copy, dialect) };
}

function hasSameSettings(state: SessionState, other: SessionState): boolean {
  return state.variables === other.variables && state.login === other.login &&
    state.schema === other.schema;
}

/**
 * The state that a session must have while the statement is prepared for it: what matters then is
 * the context's, and everything else stays, so that no transaction and no role ends by it.
 * @param wanted of the session, which has it before and after
 * @returns undefined where it can be prepared as the session is
 */
export function stateToPrepareIn(
  { state, fingerprint }: PrepareContext,
  wanted: SessionState,
  dialect: Dialect,
): SessionState | undefined {
  if (hasSameSettings(state, wanted)) return undefined;
  const meanwhile = new SessionState();
  meanwhile.copyFrom(wanted);
  if (fingerprintOf(meanwhile, dialect) === fingerprint) return undefined;
  meanwhile.setSchema(state.schema);
  for (const name of new Set([...state.variables.keys(), ...wanted.variables.keys()])) {
    if (!isForPreparing(name, dialect)) continue;
    const value = state.variables.get(name);
    if (value === undefined) meanwhile.dropVariable(name);
    else meanwhile.setVariable(name, value);
  }
  return meanwhile;
}

function isForPreparing(name: string, dialect: Dialect): boolean {
  return !isHiddenCollation(name) && rowOf(name, dialect).isForExecution !== true;
}

/**
 * Follows what executing a statement does, whatever it is: servers go to its schema and back, which
 * sets what a change of schema sets. Those without an OK behind rows do not report it.
 * @param known of the session that has executed it
 * @param isUnsure it may not have come to that: what is wrong with values is found before
 */
export function followExecution(
  { state: { schema } }: PrepareContext,
  known: SessionState,
  { dialect, isUnsure }: { readonly dialect: Dialect; readonly isUnsure: boolean },
): void {
  if (schema === known.schema || !returnResets(known, dialect)) return;
  if (isUnsure) known.setVariable(SET_BY_SCHEMA, new Unread());
  else enterSchema(known, known.schema, dialect);
}

/** A text as it was prepared. */
export interface TextInContext {
  readonly context: PrepareContext;
  readonly text: Uint8Array;
}

/** Whether the text means something only where no schema is selected, which no command brings about. */
export function isBoundToNoSchema({ context, text }: TextInContext): boolean {
  return context.state.schema === "" && NAMES_SCHEMA.test(new TextDecoder().decode(text));
}

const NAMES_SCHEMA = /\b(?:database|schema)\b/i;

/** Settings by their text, each with a short name; few, since sessions are set alike. */
let settings = new Map<string, string>();
let count = 0;
const MOST_SETTINGS = 10_000;

/** By the map that has them, which a state that was copied does not change any more. */
const named = new WeakMap<ReadonlyMap<string, StateValue>, { login: unknown; name: string }>();

function fingerprintOf(state: SessionState, dialect: Dialect): string {
  if (dialect === "oceanbase") return "";
  return `${settingsName(state, dialect)}.${state.schema}`;
}

function settingsName(state: SessionState, dialect: Dialect): string {
  const known = named.get(state.variables);
  if (known?.login === state.login) return known!.name;
  const name = nameOf(settingsText(state, dialect));
  // A value that is not read yet gets a text later.
  if (state.unread() === undefined) named.set(state.variables, { login: state.login, name });
  return name;
}

function nameOf(text: string): string {
  let name = settings.get(text);
  if (name === undefined) {
    if (settings.size >= MOST_SETTINGS) settings = new Map();
    name = (count++).toString(36);
    settings.set(text, name);
  }
  return name;
}

function settingsText(state: SessionState, dialect: Dialect): string {
  const names = [...new Set([...state.login.keys(), ...state.variables.keys()])];
  return names
    .filter((name) => isForPreparing(name, dialect))
    .sort()
    .map((name) => `${name}=${valueText(state.variable(name))}`)
    .join("\n");
}

const cells = new WeakMap<Unread, number>();
let cellCount = 0;

/** What nobody has read is the same as itself only. */
function valueText(value: StateValue | undefined): string | undefined {
  const text = textOf(value);
  if (text !== undefined || !(value instanceof Unread)) return text;
  let cell = cells.get(value);
  if (cell === undefined) cells.set(value, cell = cellCount++);
  return `?${cell}`;
}
