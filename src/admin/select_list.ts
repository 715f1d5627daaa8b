/**
 * SELECT without a table, as far as programs use it before their own work: variables, functions
 * that tell of the session, constants.
 */
import { ColumnFlag, ColumnType } from "../protocol/constants.ts";
import type { DateTime, Value } from "../protocol/binary_value.ts";
import { type Column, makeColumn } from "../protocol/resultset.ts";
import { numberColumn, textColumn, unsignedColumn } from "./columns.ts";
import type { AdminScope } from "./scope.ts";
import {
  selectVariable,
  serverVersion,
  systemVariable,
  variableColumn,
} from "./system_variables.ts";
import type { TokenReader } from "./token_reader.ts";

export interface Expression {
  readonly column: Column;
  value(scope: AdminScope): Value | Promise<Value>;
}

export interface SelectList {
  readonly expressions: readonly Expression[];
  /** What LIMIT leaves of the one row. */
  readonly hasRow: boolean;
}

/** What an expression is before it has its name. */
interface Unnamed {
  /** Its name without an alias, where that is not as it was typed. */
  readonly name?: string;
  column(name: string): Column;
  value(scope: AdminScope): Value | Promise<Value>;
}

/**
 * What follows the word SELECT; undefined where it is more than this.
 * @throws {SluiceError} for an unknown system variable
 */
export function readSelectList(reader: TokenReader): SelectList | undefined {
  const expressions: Expression[] = [];
  do {
    const expression = readNamed(reader);
    if (expression === undefined) return undefined;
    expressions.push(expression);
  } while (reader.symbol(","));
  reader.words("FROM DUAL");
  const hasRow = readLimit(reader);
  return hasRow === undefined || !reader.isAtEnd ? undefined : { expressions, hasRow };
}

/** Where one row is left after LIMIT; undefined where the text makes no sense. */
function readLimit(reader: TokenReader): boolean | undefined {
  if (reader.word("LIMIT") === undefined) return true;
  const first = reader.take("number");
  if (first === undefined) return undefined;
  if (reader.symbol(",")) {
    const count = reader.take("number");
    return count && Number(first.text) === 0 && Number(count.text) > 0;
  }
  if (reader.word("OFFSET") === undefined) return Number(first.text) > 0;
  const offset = reader.take("number");
  return offset && Number(offset.text) === 0 && Number(first.text) > 0;
}

function readNamed(reader: TokenReader): Expression | undefined {
  const start = reader.at;
  const expression = readExpression(reader);
  if (expression === undefined) return undefined;
  const typed = reader.textSince(start);
  const isNamed = reader.word("AS") !== undefined;
  const alias = isNamed || !reader.isNext("FROM", "LIMIT")
    ? reader.take("word", "quoted_name", "string")?.text
    : undefined;
  if (isNamed && alias === undefined) return undefined;
  return { column: expression.column(alias ?? expression.name ?? typed), value: expression.value };
}

function readExpression(reader: TokenReader): Unnamed | undefined {
  return readVariable(reader) ?? readConstant(reader) ?? readFunction(reader);
}

const SCOPE = /^(?:global|session|local|persist|persist_only)\./i;

/** `@@name`, `@@session.name`: of the server's variables. Users' own are not kept. */
function readVariable(reader: TokenReader): Unnamed | undefined {
  const token = reader.take("variable");
  if (!token?.text.startsWith("@@")) return undefined;
  let path = token.text.slice(2);
  while (path === "" || reader.symbol(".")) {
    const part = reader.take("word", "quoted_name");
    if (part === undefined) return undefined;
    path += path === "" ? part.text : `.${part.text}`;
  }
  const name = path.replaceAll("`", "").replace(SCOPE, "");
  if (name === "") return undefined;
  const variable = systemVariable(name);
  return {
    column: (typed) => variableColumn(variable, typed),
    value: (scope) => selectVariable(variable, scope),
  };
}

function readConstant(reader: TokenReader): Unnamed | undefined {
  const text = reader.take("string")?.text;
  if (text !== undefined) return { name: text, column: textColumn, value: () => text };
  const digits = reader.take("number")?.text;
  if (digits !== undefined) {
    if (!/^\d{1,18}$/.test(digits)) return undefined;
    return { column: integerColumn, value: () => BigInt(digits) };
  }
  switch (reader.word("NULL", "TRUE", "FALSE")) {
    case "NULL":
      return {
        column: (name) => makeColumn(name, { type: ColumnType.NULL, length: 0 }),
        value: () => null,
      };
    case "TRUE":
      return { column: integerColumn, value: () => 1 };
    case "FALSE":
      return { column: integerColumn, value: () => 0 };
  }
}

/** Clients leave no room for NULL where a column says that it has none. */
function integerColumn(name: string): Column {
  const flags = ColumnFlag.NOT_NULL | ColumnFlag.BINARY;
  return makeColumn(name, { type: ColumnType.LONGLONG, flags });
}

/** Parentheses may be left out where `bare`. */
interface SessionFunction extends Unnamed {
  readonly bare?: boolean;
}

const USER: Unnamed = { column: textColumn, value: currentUser };
const SCHEMA: Unnamed = { column: textColumn, value: () => null };
const NOW: Unnamed = {
  column: (name) =>
    makeColumn(name, {
      type: ColumnType.DATETIME,
      length: 19,
      decimals: 0,
      flags: ColumnFlag.NOT_NULL | ColumnFlag.BINARY,
    }),
  value: () => localTime(new Date()),
};

const FUNCTIONS: Readonly<Record<string, SessionFunction>> = {
  CONNECTION_ID: { column: unsignedColumn, value: ({ caller }) => caller.id },
  CURRENT_TIMESTAMP: { ...NOW, bare: true },
  CURRENT_USER: {
    column: textColumn,
    value: ({ caller }) => `${caller.user}@%`,
    bare: true,
  },
  DATABASE: SCHEMA,
  NOW,
  SCHEMA,
  SESSION_USER: USER,
  SYSTEM_USER: USER,
  UNIX_TIMESTAMP: { column: numberColumn, value: () => Math.floor(Date.now() / 1000) },
  USER,
  VERSION: { column: textColumn, value: serverVersion },
};

function readFunction(reader: TokenReader): Unnamed | undefined {
  const name = reader.word(...Object.keys(FUNCTIONS));
  if (name === undefined) return undefined;
  const found = FUNCTIONS[name];
  if (reader.symbol("(")) return reader.symbol(")") ? found : undefined;
  return found?.bare === true ? found : undefined;
}

/** `root@127.0.0.1`, from where the session's own client has come. */
function currentUser({ caller, proxy }: AdminScope): string {
  const peer = proxy.manager.clients.find(caller.id)?.info().peer ?? "";
  return `${caller.user}@${peer.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1")}`;
}

function localTime(now: Date): DateTime {
  return {
    year: now.getFullYear(),
    month: now.getMonth() + 1,
    day: now.getDate(),
    hour: now.getHours(),
    minute: now.getMinutes(),
    second: now.getSeconds(),
    microsecond: 0,
  };
}
