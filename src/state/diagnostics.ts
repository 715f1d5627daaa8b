/**
 * The conditions that a statement has left, with all that GET DIAGNOSTICS tells of them: how they
 * are asked for on the server session that has them, and how they are told on another one.
 */
import { concat, decodeText, encodeText } from "../protocol/bytes.ts";
import {
  CONDITION_ITEMS,
  type ConditionItem,
  type DiagnosticsRequest,
} from "../sql/get_diagnostics.ts";
import { mysqlSqlState } from "./mysql_sqlstates.ts";

/** Texts in hexadecimal digits, in the character set of the server's own texts; numbers as such. */
export type Condition = Readonly<Partial<Record<ConditionItem, string | number>>>;

/** Of a row of SHOW WARNINGS. */
export interface ShownCondition {
  readonly code: number;
  readonly message: string;
}

const NUMBERS: ReadonlySet<ConditionItem> = new Set(["MYSQL_ERRNO", "ROW_NUMBER"]);

/** What a condition is like that MySQL itself has raised: SIGNAL may tell more, or otherwise. */
export function mysqlCondition({ code, message }: ShownCondition): Condition {
  const state = mysqlSqlState(code);
  const origin = hexOf(/^[0-4A-H]/.test(state) ? "ISO 9075" : "MySQL");
  return {
    CLASS_ORIGIN: origin,
    SUBCLASS_ORIGIN: origin,
    RETURNED_SQLSTATE: hexOf(state),
    MESSAGE_TEXT: hexOf(message),
    MYSQL_ERRNO: code,
  };
}

function hexOf(text: string): string {
  return encodeText(text).toHex();
}

// ---- MariaDB: a block with variables of its own ----

const MARIADB_ITEMS: readonly ConditionItem[] = [...CONDITION_ITEMS, "ROW_NUMBER"];

/**
 * One row: the conditions with a `;` behind each, their items, in hexadecimal digits, with a `,`
 * behind each; and the collation of the server's own texts. It leaves the conditions there. In
 * sql_mode ORACLE there are no other loops, and no more than one DECLARE; a BLOB takes any bytes.
 */
export const MARIADB_CONDITIONS = mariadbBlock();

function mariadbBlock(): string {
  const variables = MARIADB_ITEMS.map((item) => `c_${item}`);
  const gets = MARIADB_ITEMS.map((item) => `c_${item}=${item}`).join();
  const told = MARIADB_ITEMS.map((item) => NUMBERS.has(item) ? `c_${item}` : `HEX(c_${item})`);
  return "BEGIN NOT ATOMIC " +
    `DECLARE c_at,c_count,c_all,${variables.join()} LONGBLOB;` +
    "BEGIN " +
    "SET c_at=1,c_all=x'';" +
    "GET DIAGNOSTICS c_count=NUMBER;" +
    "IF c_count>0 THEN REPEAT " +
    `GET DIAGNOSTICS CONDITION c_at ${gets};` +
    `SET c_all=CONCAT(c_all,CONCAT_WS(',',${told.join()}),';'),c_at=c_at+1;` +
    "UNTIL c_at+0>c_count+0 END REPEAT;END IF;" +
    "SELECT c_all,COLLATION(USER());" +
    "END;END";
}

/** @param list the first cell of {@link MARIADB_CONDITIONS} */
export function mariadbConditions(list: string): Condition[] {
  return list.split(";").slice(0, -1).map((texts) => conditionOf(MARIADB_ITEMS, texts.split(",")));
}

function conditionOf(items: readonly ConditionItem[], cells: readonly string[]): Condition {
  return Object.fromEntries(
    items.map((item, at) => [item, NUMBERS.has(item) ? Number(cells[at]) : cells[at]!]),
  );
}

// ---- MySQL: user variables are all that there is ----

/** The user variables begin with it; they are NULL where nothing is being read. */
export const OWN_VARIABLES = "sluice_condition";

/** The last condition: its number is not known before. */
const LAST = `@${OWN_VARIABLES}s`;

/** Which conditions are read whole. In blocks and triggers, SIGNAL's come at either end. */
const PLACES = [LAST, "1", "2"] as const;

function variableOf(place: number, item: ConditionItem): string {
  return `@${OWN_VARIABLES}_${place}_${item.toLowerCase()}`;
}

/**
 * Statements that take them to user variables, the SELECT that has them in one row, and the SET that
 * forgets them, which takes the conditions away, too.
 */
export const MYSQL_CONDITIONS = mysqlStatements();

function mysqlStatements(): readonly string[] {
  const gets = PLACES.map((number, place) =>
    `GET DIAGNOSTICS CONDITION ${number} ` +
    CONDITION_ITEMS.map((item) => `${variableOf(place, item)}=${item}`).join()
  );
  const variables = PLACES.flatMap((_, place) =>
    CONDITION_ITEMS.map((item) => variableOf(place, item))
  );
  const columns = PLACES.flatMap((_, place) =>
    CONDITION_ITEMS.map((item) =>
      NUMBERS.has(item) ? variableOf(place, item) : `HEX(${variableOf(place, item)})`
    )
  );
  return [
    `GET DIAGNOSTICS ${LAST}=NUMBER`,
    ...gets,
    `SELECT COLLATION(USER()),${columns.join()}`,
    `SET ${[LAST, ...variables].map((variable) => `${variable}=NULL`).join()}`,
  ];
}

/**
 * @param shown all conditions, as SHOW WARNINGS has them
 * @param cells of the SELECT, behind the first one
 */
export function mysqlConditions(
  shown: readonly ShownCondition[],
  cells: readonly string[],
): Condition[] {
  const conditions = shown.map(mysqlCondition);
  const places = [shown.length - 1, 0, 1];
  for (const [place, at] of places.entries()) {
    if (at < 0 || at >= shown.length) continue;
    const own = cells.slice(place * CONDITION_ITEMS.length, (place + 1) * CONDITION_ITEMS.length);
    conditions[at] = conditionOf(CONDITION_ITEMS, own);
  }
  return conditions;
}

// ---- answers ----

/** What a statement has left, as far as GET DIAGNOSTICS tells. */
export interface Diagnostics {
  readonly rowCount: number | bigint;
  readonly conditions: readonly Condition[];
  /** Of the server's own texts. */
  readonly collation: string;
}

/**
 * A SET that assigns to the variables what GET DIAGNOSTICS would.
 * @param number of the condition, where one is asked about; there must be one
 */
export function assignment(
  { kind, targets }: DiagnosticsRequest,
  { rowCount, conditions, collation }: Diagnostics,
  number: number,
): Uint8Array {
  const condition = conditions[number - 1];
  const valueOf = (item: string) => {
    if (kind === "condition") return textOf(condition![item as ConditionItem] ?? "", collation);
    return item === "NUMBER" ? textOf(conditions.length, collation) : String(rowCount);
  };
  return concat([
    encodeText("SET "),
    ...targets.flatMap(({ variable, item }, at) => [
      encodeText(at === 0 ? "" : ","),
      variable,
      encodeText(`=${valueOf(item)}`),
    ]),
  ]);
}

function textOf(value: string | number, collation: string): string {
  if (typeof value === "number") return `CAST(${value} AS UNSIGNED)`;
  return `_${collation.split("_")[0]} x'${wellFormed(value)}' COLLATE ${collation}`;
}

/** SIGNAL takes any bytes for a text, and a literal does not. */
function wellFormed(hex: string): string {
  const text = decodeText(Uint8Array.fromHex(hex));
  return text.includes("\ufffd") ? hexOf(text.replaceAll("\ufffd", "?")) : hex;
}
