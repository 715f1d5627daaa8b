/** What statements do to the state that no server reports, taken from their texts. */
import { type AssignedVariable, type Classified, Effect } from "../sql/classify.ts";
import type { Dialect } from "./dialect.ts";
import { type SessionState, UNKNOWN_ROLE, Unread } from "./session_state.ts";
import { returnResets } from "./track.ts";
import { assignedText, isMovableName } from "./user_variables.ts";
import { INSERT_ID, rowOf, saysWhatIsReported, SET_BY_SCHEMA } from "./variables.ts";

export interface StatementResult {
  readonly dialect: Dialect;
  /** It ended with ERR: nobody knows how far it came. */
  readonly isFailed: boolean;
  /** Its reply had no OK packet, which alone has room for reports: it ended in an EOF, for one. */
  readonly hasNoReports?: boolean;
  /** An OK had an insert id, or the reply tells none of those that were generated. */
  readonly hasInsertId?: boolean;
  /** It was one of several statements, or may have been: what failed need not be this one. */
  readonly isOneOfSeveral?: boolean;
}

/** Effects of statements that run code which sets variables. */
const CODE = Effect.calls | Effect.executes | Effect.unknown;

/** Effects of statements that may generate ids, and whose replies do not tell. */
const GENERATES = Effect.setsLastInsertId | Effect.calls | Effect.loadsData | Effect.unknown;

/** Effects of statements whose reports are of values that may not last. */
const PASSING = CODE | Effect.setsUnreported;

/** Whether `applyTrack` must take what a statement reports for passing. */
export function isPassing(effects: number, dialect: Dialect, hasMoreResults: boolean): boolean {
  // SET STATEMENT is MariaDB's, and routines have it, too; elsewhere only reports from the middle
  // of a routine are.
  return (effects & PASSING) !== 0 && (hasMoreResults || dialect === "mariadb");
}

/** Applies a statement that is done; its reports have been applied before. */
export function applyStatement(
  known: SessionState,
  { effects, userVariables, names }: Pick<Classified, "effects" | "userVariables" | "names">,
  result: StatementResult,
): void {
  const { dialect, isFailed, hasNoReports = false, hasInsertId = false } = result;
  // What failed may have set variables, and servers report them later, as behind an EOF. Views and
  // triggers have routines of which no text tells.
  const mayTellLate = hasNoReports && ((effects & CODE) !== 0 || returnResets(known, dialect));
  if (isFailed || mayTellLate) known.isPending = true;
  if (effects === 0 && !hasInsertId) return;
  if (userVariables.length > 0) {
    const setsCollation = mayCollate(names, dialect);
    for (const variable of userVariables) {
      applyVariable(known, variable, { ...result, setsCollation });
    }
  }
  // What stands behind that variable need not have been reported.
  if (changesReports(names, dialect)) {
    for (const { effect, name } of names) {
      if (effect === Effect.setsSystemVariables) leaveOpen(known, name, dialect);
    }
  }
  if ((effects & Effect.setsUnreported) !== 0) {
    for (const { effect, name } of names) {
      // The others report all that are set by their names.
      const isUnreported = dialect === "mariadb" ||
        (name === SET_BY_SCHEMA && dialect === "mysql");
      if (effect === Effect.setsUnreported && isUnreported) leaveOpen(known, name, dialect);
    }
  }
  if (hasInsertId || (effects & GENERATES) !== 0) {
    known.insertId = new Unread();
  }
  if ((effects & Effect.calls) !== 0) {
    for (const name of known.userVariables.keys()) known.setUserVariable(name, new Unread());
    // Routines run in their own schema, and coming back to none is a change of schema.
    if (known.schema === "" && dialect !== "oceanbase") {
      known.setVariable(SET_BY_SCHEMA, new Unread());
    }
  }
  if ((effects & (Effect.calls | Effect.unknown)) !== 0) known.setUncertain();
  if ((effects & Effect.setsRole) !== 0) applyRole(known, names, result);
}

/** Whether a statement sets what servers report from then on. */
export function changesReports(names: Classified["names"], dialect: Dialect): boolean {
  return names.some(({ effect, name }) =>
    effect === Effect.setsSystemVariables && saysWhatIsReported(name, dialect)
  );
}

/** Whether a statement may change the collation that the connection gives to literals. */
function mayCollate(names: Classified["names"], dialect: Dialect): boolean {
  return names.some(({ effect, name }) => {
    if (effect !== Effect.setsSystemVariables) return false;
    return name === undefined || (rowOf(name, dialect).partOf ?? name) === "collation_connection";
  });
}

function applyVariable(
  known: SessionState,
  variable: AssignedVariable,
  { isFailed, ...options }: StatementResult & { readonly setsCollation: boolean },
): void {
  const { dialect } = options;
  if (!isMovableName(variable.name, dialect)) return known.setUncertain();
  // The expression decides the variable's type, even if it fails.
  const text = isFailed ? undefined : assignedText(variable, known, options);
  known.setUserVariable(variable.name, text ?? new Unread());
}

function leaveOpen(known: SessionState, written: string | undefined, dialect: Dialect): void {
  if (written === undefined) return known.setUncertain();
  const { sameAs, partOf, report, changes } = rowOf(written, dialect);
  if (report !== undefined && report !== "clock") return;
  if ((sameAs ?? written) === INSERT_ID) {
    known.insertId = new Unread();
    return;
  }
  known.setVariable(partOf ?? sameAs ?? written, new Unread());
  if (changes !== undefined) known.setVariable(changes, new Unread());
}

/** A statement that may mean another role elsewhere cannot be repeated, nor one that may have failed. */
function applyRole(
  known: SessionState,
  names: Classified["names"],
  { isFailed, isOneOfSeveral = false }: StatementResult,
): void {
  if (isFailed && !isOneOfSeveral) return;
  const last = names.findLast(({ effect }) => effect === Effect.setsRole);
  known.setRole(isFailed ? UNKNOWN_ROLE : last?.name ?? UNKNOWN_ROLE);
}
