/** Values as servers print them in text rows. */
import type { DateTime, TimeSpan, Value } from "./binary_value.ts";
import { decodeText } from "./bytes.ts";
import { ColumnType } from "./constants.ts";

/**
 * The text of a value that is not NULL, as a server prints it for a column of that type.
 * @param decimals digits of a second's fraction; more than 6 (or none given) shows what there is
 */
export function toText(value: NonNullable<Value>, type: number, decimals = 31): string {
  if (value instanceof Uint8Array) return decodeText(value);
  if (typeof value === "number") return numberText(value);
  if (typeof value !== "object") return String(value);
  return "days" in value ? timeText(value, decimals) : dateText(value, type, decimals);
}

/** Servers leave out the plus sign of an exponent, and print a negative zero as `-0`. */
function numberText(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value).replace("e+", "e");
}

function pad(value: number, digits: number): string {
  return String(value).padStart(digits, "0");
}

function fraction(microseconds: number, decimals: number): string {
  const digits = decimals <= 6 ? decimals : (microseconds === 0 ? 0 : 6);
  return digits === 0 ? "" : `.${pad(microseconds, 6).slice(0, digits)}`;
}

function dateText(value: DateTime, type: number, decimals: number): string {
  const date = `${pad(value.year, 4)}-${pad(value.month, 2)}-${pad(value.day, 2)}`;
  if (type === ColumnType.DATE || type === ColumnType.NEWDATE) return date;
  const time = `${pad(value.hour, 2)}:${pad(value.minute, 2)}:${pad(value.second, 2)}`;
  return `${date} ${time}${fraction(value.microsecond, decimals)}`;
}

function timeText(value: TimeSpan, decimals: number): string {
  const hours = pad(24 * value.days + value.hours, 2);
  const text = `${hours}:${pad(value.minutes, 2)}:${pad(value.seconds, 2)}`;
  return `${value.negative ? "-" : ""}${text}${fraction(value.microseconds, decimals)}`;
}
