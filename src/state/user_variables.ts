/**
 * Values of user variables as text that recreates them in any session: the value with its type,
 * character set and collation, and those of a NULL too, which keeps them from the value before.
 *
 * Servers keep five types: integers with and without sign, decimals, doubles, strings; MariaDB
 * keeps geometries too. Values of other types become strings as they are assigned. MySQL's numbers
 * have the collation that the connection had as they were assigned: that of strings made from them.
 * https://dev.mysql.com/doc/refman/9.0/en/user-variables.html
 */
import { decodeText } from "../protocol/bytes.ts";
import { BINARY_CHARSET, ColumnFlag, ColumnType } from "../protocol/constants.ts";
import type { AssignedVariable } from "../sql/classify.ts";
import type { Dialect } from "./dialect.ts";
import { type SessionState, textOf } from "./session_state.ts";
import { charsetOf } from "./variables.ts";

const PLAIN_NAME = /^[a-z0-9_$.]+$/;

/** Whether a variable of that name can be set on every server, whatever the session is like. */
export function isMovableName(name: string, dialect: Dialect): boolean {
  if (PLAIN_NAME.test(name)) return true;
  // OceanBase does not know quoted names; bytes above 0x7F are other names in other sessions.
  return dialect !== "oceanbase" && /^[ -~]+$/.test(name);
}

/** The variable as it is written in statements. */
export function userVariable(name: string): string {
  return PLAIN_NAME.test(name) ? `@${name}` : `@\`${name.replaceAll("`", "``")}\``;
}

/** Longer literals stay on the server until somebody needs them elsewhere. */
const LONGEST_LITERAL = 256;

const WITH_COLLATION = /^_[a-z\d]+ ?('.+'|x'[\da-f]*'|0x[\da-f]+) collate \w+$/i;
const WITH_INTRODUCER = /^_/;
const BINARY = /^_binary ?'.+'$/;

const NUMBER = /^([-+.]|\d(?![xb])|TRUE|FALSE)/i;

/** What recreates a user variable. */
export interface Assignment {
  /** Stands behind `@name:=`. */
  readonly text: string;
  /** What `collation_connection` must be meanwhile; undefined for all the same. */
  readonly under: string | undefined;
}

/** Between the two parts of an assignment that is kept as one string; neither has it. */
const UNDER = "\0";

/** @param value as states keep it */
export function assignmentOf(value: string): Assignment {
  const [text, under] = value.split(UNDER);
  return { text: text!, under };
}

/** As a literal, for people. */
export function shownValue(value: string): string {
  const { text } = assignmentOf(value);
  return text.endsWith(":=NULL") ? "NULL" : text;
}

export interface AssignedOptions {
  readonly dialect: Dialect;
  /** The statement sets `collation_connection` too, and nobody knows which one first. */
  readonly setsCollation?: boolean;
}

/**
 * The value to keep of what a statement assigned; undefined where only the server can tell.
 * @param state of the session that ran the statement
 */
export function assignedText(
  { name, literal, takesConnectionCharset }: AssignedVariable,
  state: SessionState,
  { dialect, setsCollation = false }: AssignedOptions,
): string | undefined {
  if (literal === undefined || literal.length > LONGEST_LITERAL) return undefined;
  if (literal === "NULL") return assignedNull(name, state, dialect);
  const collation = setsCollation ? undefined : textOf(state.variable("collation_connection"));
  if (takesConnectionCharset) return connectionString(literal, collation, dialect);
  if (dialect === "mysql" && NUMBER.test(literal)) {
    return collation === undefined ? undefined : `${literal}${UNDER}${collation}`;
  }
  // Without a collation, the session's settings choose one.
  const isComplete = !WITH_INTRODUCER.test(literal) || WITH_COLLATION.test(literal) ||
    BINARY.test(literal);
  return isComplete ? literal : undefined;
}

/** NULL takes the type of the value before. */
function assignedNull(name: string, state: SessionState, dialect: Dialect): string | undefined {
  if (dialect === "oceanbase") return "NULL";
  return state.isUncertain || state.userVariables.has(name)
    ? undefined
    : `x'',${userVariable(name)}:=NULL`;
}

function connectionString(
  literal: string,
  collation: string | undefined,
  dialect: Dialect,
): string | undefined {
  if (collation === undefined || dialect === "oceanbase") return undefined;
  const charset = charsetOf(collation);
  if (charset === "binary") return `_binary${literal}`;
  // Of wide sets, the bytes in the literal are none of the characters.
  return WIDE.test(charset) ? undefined : `_${charset}${literal} COLLATE ${collation}`;
}

/** How many columns {@link readBackColumns} has per variable. */
export const READ_BACK_COLUMNS = 4;

/**
 * Columns that tell all about a variable, in bytes that no setting of the session converts.
 */
export function readBackColumns(name: string, dialect: Dialect): string {
  const variable = userVariable(name);
  // Only its type is of interest; the value would be converted.
  const typed = dialect === "oceanbase"
    ? `NULLIF(${variable},${variable})`
    : `IF(0,${variable},NULL)`;
  const about = dialect === "oceanbase" ? "COERCIBILITY" : "CHARSET";
  // Its own, or of a number that of strings made from it.
  const collated = dialect === "mysql" ? `IF(0,${variable},'')` : variable;
  return `CAST(${variable} AS BINARY),${typed},` +
    `CAST(COLLATION(${collated}) AS BINARY),CAST(${about}(${variable}) AS BINARY)`;
}

/** What the typed column of a read-back says. */
export interface UserVariableType {
  /** Of {@link ColumnType}. */
  readonly type: number;
  readonly flags: number;
  readonly charset: number;
  readonly length: number;
}

/** In place of a value: nothing was ever assigned. */
export const NOT_SET = "";

/** How servers show that, where they show it otherwise than NULL. */
function isNotSet({ type, charset, length }: UserVariableType, dialect: Dialect): boolean {
  if (charset !== BINARY_CHARSET) return false;
  return dialect === "mysql" ? type === ColumnType.VAR_STRING : length === 1 << 24;
}

/**
 * {@link NOT_SET}, or the value to keep; a NULL assigns twice.
 * @param row the cells of {@link readBackColumns}
 * @returns undefined where no statement recreates it: a string whose bytes are no characters, as
 *   parameters of prepared statements may leave them
 */
export function recreatedValue(
  name: string,
  row: readonly (Uint8Array | null)[],
  { type, dialect }: { readonly type: UserVariableType; readonly dialect: Dialect },
): string | undefined {
  const [value, , collation, about] = row;
  const collationName = decodeText(collation ?? new Uint8Array(0));
  const aboutText = decodeText(about ?? new Uint8Array(0));
  const kept = { type, collation: collationName, about: aboutText, dialect };
  if (value !== null && value !== undefined) {
    return isText(value, kept) ? valueText(value, kept) + under(kept) : undefined;
  }
  if (dialect === "oceanbase") return "NULL";
  if (isNotSet(type, dialect)) return NOT_SET;
  return `${sampleText(kept)},${userVariable(name)}:=NULL${under(kept)}`;
}

interface Kept {
  readonly type: UserVariableType;
  readonly collation: string;
  /** The character set; on OceanBase the coercibility. */
  readonly about: string;
  readonly dialect: Dialect;
}

/** ASCII in whatever character set, of which some have zeros between the letters. */
export function asciiText(value: Uint8Array): string {
  return decodeText(value.filter((byte) => byte !== 0));
}

/** Digits come in the set of collation_connection or of results. */
export function numberText(value: Uint8Array): string {
  return asciiText(value);
}

/** NaN for NULL. */
export function cellNumber(cell: Uint8Array | null | undefined): number {
  return cell === null || cell === undefined ? NaN : Number(numberText(cell));
}

/** Character sets in which not all bytes are characters, with what others call them. */
const MULTI_BYTE: ReadonlyMap<string, string> = new Map([
  ...["utf8", "utf8mb3", "utf8mb4"].map((name) => [name, "utf-8"] as const),
  ...["gb2312", "gbk"].map((name) => [name, "gbk"] as const),
  ...["cp932", "sjis"].map((name) => [name, "shift_jis"] as const),
  ...["eucjpms", "ujis"].map((name) => [name, "euc-jp"] as const),
  ["big5", "big5"],
  ["euckr", "euc-kr"],
  ["gb18030", "gb18030"],
]);

/** Servers take no literal of bytes that are no characters. */
function isText(value: Uint8Array, { collation }: Kept): boolean {
  const encoding = MULTI_BYTE.get(charsetOf(collation));
  if (encoding === undefined || isHarmless(value)) return true;
  try {
    new TextDecoder(encoding, { fatal: true }).decode(value);
    return true;
  } catch {
    return false;
  }
}

const NUMERIC: ReadonlySet<number> = new Set([
  ColumnType.LONG,
  ColumnType.LONGLONG,
  ColumnType.NEWDECIMAL,
  ColumnType.DOUBLE,
]);

function under({ type, collation, dialect }: Kept): string {
  return dialect === "mysql" && NUMERIC.has(type.type) ? `${UNDER}${collation}` : "";
}

const BOOLEANS = new Map([["0", "FALSE"], ["1", "TRUE"]]);

function isUnsigned({ flags }: UserVariableType): boolean {
  return (flags & ColumnFlag.UNSIGNED) !== 0;
}

function valueText(value: Uint8Array, kept: Kept): string {
  const { type, dialect } = kept;
  switch (type.type) {
    case ColumnType.TINY:
      return BOOLEANS.get(numberText(value)) ?? numberText(value);
    case ColumnType.SHORT:
    case ColumnType.INT24:
    case ColumnType.LONG:
    case ColumnType.LONGLONG:
      return integerText(numberText(value), isUnsigned(type));
    case ColumnType.DECIMAL:
    case ColumnType.NEWDECIMAL:
      return decimalText(numberText(value));
    case ColumnType.DOUBLE:
      return doubleText(numberText(value));
    case ColumnType.FLOAT:
      return `CAST(${doubleText(numberText(value))} AS FLOAT)`;
    case ColumnType.JSON:
      return `CAST(${characters(value, "utf8mb4")} AS JSON)`;
    case ColumnType.GEOMETRY:
      return geometryText(value);
    default:
      return dialect === "oceanbase" ? oceanbaseString(value, kept) : stringText(value, kept);
  }
}

/** A point, of which servers know no more than of every geometry that is recreated. */
const SAMPLE_GEOMETRY = Uint8Array.of(0, 0, 0, 0, 1, 1, 0, 0, 0, ...new Uint8Array(16));

/** A value of the type, which NULL takes over. */
function sampleText(kept: Kept): string {
  const { type } = kept;
  switch (type.type) {
    case ColumnType.LONGLONG:
    case ColumnType.LONG:
      return isUnsigned(type) ? "CAST(0 AS UNSIGNED)" : "0";
    case ColumnType.NEWDECIMAL:
      return "0.";
    case ColumnType.DOUBLE:
      return "0e0";
    case ColumnType.GEOMETRY:
      return geometryText(SAMPLE_GEOMETRY);
    default:
      return stringText(new Uint8Array(0), kept);
  }
}

/** Only what does not fit a signed integer is unsigned by itself. */
function integerText(text: string, unsigned: boolean): string {
  return unsigned && BigInt(text) < 1n << 63n ? `CAST(${text} AS UNSIGNED)` : text;
}

function decimalText(text: string): string {
  return text.includes(".") ? text : `${text}.`;
}

function doubleText(text: string): string {
  return /e/i.test(text) ? text : `${text}e0`;
}

/** Servers keep the number of the reference system in front of the well-known binary. */
function geometryText(value: Uint8Array): string {
  const view = new DataView(value.buffer, value.byteOffset, value.length);
  return `ST_GeomFromWKB(x'${value.subarray(4).toHex()}',${view.getUint32(0, true)})`;
}

function stringText(value: Uint8Array, { collation, about }: Kept): string {
  if (collation === "binary") return `x'${value.toHex()}'`;
  return `${characters(value, about)} COLLATE ${collation}`;
}

/** Bytes that are characters of a set. The empty string in quotes may mean NULL to MariaDB. */
function characters(value: Uint8Array, charset: string): string {
  const text = isHarmless(value) && !WIDE.test(charset) ? decodeText(value) : "";
  return text === "" ? `_${charset} x'${value.toHex()}'` : `_${charset}'${text}'`;
}

/** Sets whose characters are not bytes of ASCII. */
const WIDE = /^(ucs2|utf16|utf16le|utf32)$/;

/** Printable ASCII without quotes and backslashes. */
function isHarmless(value: Uint8Array): boolean {
  return value.every((byte) =>
    byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x27 && byte !== 0x5c
  );
}

/** A string keeps what it was made from: a literal, a function, an explicit collation. */
function oceanbaseString(value: Uint8Array, { collation, about }: Kept): string {
  if (collation === "binary") {
    return about === "2" ? `CAST(x'${value.toHex()}' AS BINARY)` : `x'${value.toHex()}'`;
  }
  const charset = charsetOf(collation);
  const string = characters(value, charset);
  // What a literal in a session with another collation has by itself, others have by COLLATE only.
  if (about === "0" || !DEFAULT_COLLATION.test(collation)) return `${string} COLLATE ${collation}`;
  return about === "2" ? `CONVERT(${string} USING ${charset})` : string;
}

const DEFAULT_COLLATION =
  /^(utf8mb4_general_ci|utf16_general_ci|latin1_swedish_ci|gb.*_chinese_ci)$/;
