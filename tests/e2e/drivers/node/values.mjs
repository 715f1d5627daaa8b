// The driver's values: how they compare with those of the job, and how parameters are given.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

export const job = JSON.parse(readFileSync(process.argv[2], "utf8"));

// `value` as the canonical text of its column's kind (see spec.ts).
export function canonical(kind, value) {
  if (value === null) return null;
  switch (kind) {
    case "float":
    case "double":
      return Number(value);
    case "bit":
      return Buffer.isBuffer(value)
        ? BigInt(`0x${value.toString("hex")}`).toString()
        : String(Number(value));
    case "bytes":
      assert(Buffer.isBuffer(value), `wanted bytes, got ${typeof value}`);
      return value.toString("hex");
    case "time":
    case "datetime":
      return padFraction(value);
    case "json":
      return typeof value === "string" ? JSON.parse(value) : value;
    default:
      return String(value);
  }
}

export function wanted(kind, text) {
  if (text === null) return null;
  if (kind === "float" || kind === "double") return Number(text);
  return kind === "json" ? JSON.parse(text) : text;
}

// The native value that a parameter of this kind is given as.
export function parameter(kind, text) {
  if (text === null) return null;
  switch (kind) {
    case "int":
      return Number.isSafeInteger(Number(text)) ? Number(text) : BigInt(text);
    case "uint":
      return BigInt(text);
    case "float":
    case "double":
    case "bit":
    case "year":
      return Number(text);
    case "bytes":
      return Buffer.from(text, "hex");
    case "datetime":
      // A Date holds milliseconds: finer values travel as text.
      return text.endsWith("000") ? new Date(`${text.replace(" ", "T")}Z`) : text;
    default:
      return text;
  }
}

export function rowValues(row) {
  return job.columns.map((column) => column.values[row] ?? null);
}

// Rows of `SELECT * FROM types ORDER BY id` as arrays.
export function checkTypes(rows) {
  assert.equal(rows.length, 3);
  rows.forEach((row, index) => {
    assert.equal(Number(row[0]), index + 1);
    job.columns.forEach((column, at) => {
      assert.deepEqual(
        canonical(column.kind, row[at + 1]),
        wanted(column.kind, column.values[index] ?? null),
        `row ${index + 1}, column ${column.name}`,
      );
    });
  });
}

function padFraction(text) {
  const [seconds, fraction = ""] = text.split(".");
  return `${seconds}.${fraction.padEnd(6, "0")}`;
}
