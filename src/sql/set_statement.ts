/**
 * SET in all its forms.
 * https://dev.mysql.com/doc/refman/9.0/en/set-variable.html
 * https://mariadb.com/kb/en/set-statement/
 */
import { Effect } from "./effects.ts";
import { isMariadb } from "./function_names.ts";
import { Kind } from "./lexer.ts";
import { Literal } from "./literal.ts";
import type { StatementReader } from "./statement_reader.ts";

/** Scopes that leave the session as it is, and those that do not. */
const SCOPES: ReadonlyMap<string, "global" | "session"> = new Map([
  ["GLOBAL", "global"],
  ["PERSIST", "global"],
  ["PERSIST_ONLY", "global"],
  ["SESSION", "session"],
  ["LOCAL", "session"],
]);

const TRANSACTION_VARIABLES: ReadonlySet<string> = new Set([
  ...["transaction_isolation", "transaction_read_only", "tx_isolation", "tx_read_only"],
]);

const LAST_INSERT_ID: ReadonlySet<string> = new Set(["last_insert_id", "identity"]);

/** For one statement, or such as belong to no session that somebody else may get. */
const ONE_SHOT: ReadonlySet<string> = new Set([
  ...["insert_id", "last_insert_id", "identity", "timestamp", "rand_seed1", "rand_seed2"],
  ...["pseudo_thread_id", "gtid_seq_no", "gtid_next", "original_commit_timestamp"],
  ...["immediate_server_version", "original_server_version"],
]);

/** What SET NAMES and SET CHARACTER SET change. */
const CHARSET_VARIABLES = [
  ...["character_set_client", "character_set_connection", "character_set_results"],
  "collation_connection",
];

interface Target {
  /** In lower case. */
  readonly name: string;
  readonly scope: "global" | "session" | "none";
  /** It was written with `@@`. */
  readonly hasMark: boolean;
}

/** @returns whether another statement begins at the reader's token */
export function readSet(reader: StatementReader): boolean {
  const { found } = reader;
  found.isWrite = true;
  reader.next();
  switch (reader.word) {
    case "STATEMENT":
      reader.next();
      return readForStatement(reader);
    case "TRANSACTION":
      found.effects |= Effect.setsNextTransaction;
      return false;
    case "ROLE":
      reader.next();
      found.name(Effect.setsRole, readRole(reader));
      return false;
    case "RESOURCE":
      found.effects |= Effect.unknown;
      return false;
    case "DEFAULT":
      found.effects |= Effect.changesAccount | Effect.endsTransaction;
      return false;
  }
  do readItem(reader); while (reader.isSymbol(",") && reader.next());
  return false;
}

/** Characters of a list of roles that can be repeated. */
const LONGEST_ROLE = 2_000;

/** @returns the statement for servers, undefined where it might mean other roles there */
function readRole(reader: StatementReader): string | undefined {
  const { start, bytes } = reader;
  let end = start;
  for (; !reader.isEnd() && !reader.isSymbol(";"); reader.next()) end = reader.end;
  const text = new TextDecoder().decode(bytes.subarray(start, end));
  return text.length < LONGEST_ROLE && /^[ -~\s]+$/.test(text) ? `SET ROLE ${text}` : undefined;
}

/** SET STATEMENT …, … FOR statement */
function readForStatement(reader: StatementReader): boolean {
  const { found } = reader;
  do {
    const target = readTarget(reader);
    if (target === undefined) break;
    found.name(Effect.setsUnreported, target.name);
    if (reader.isSymbol("=") || reader.isSymbol(":=")) reader.next();
    readValue(reader, "FOR");
  } while (reader.isSymbol(",") && reader.next());
  if (reader.skip("FOR")) return true;
  found.effects |= Effect.unknown;
  return false;
}

function readItem(reader: StatementReader): void {
  const { found } = reader;
  switch (reader.word) {
    case "NAMES":
    case "CHARSET":
    case "CHARACTER":
    case "CHAR":
      for (const name of CHARSET_VARIABLES) found.name(Effect.setsSystemVariables, name);
      readValue(reader);
      return;
    case "PASSWORD":
      found.effects |= Effect.changesAccount | Effect.endsTransaction;
      readValue(reader);
      return;
  }
  const variable = reader.takeVariable();
  if (variable !== undefined) {
    reader.next();
    const literal = readAssigned(reader);
    found.assign(variable, literal.text, literal.takesConnectionCharset);
    return;
  }
  const target = readTarget(reader);
  if (target === undefined) {
    found.effects |= Effect.unknown;
    readValue(reader);
    return;
  }
  addTarget(reader, target);
  // Its characteristics are a list, too.
  if (target.name === "transaction") reader.finish();
  else readAssigned(reader);
}

/** A system variable with its scope, or SESSION TRANSACTION. */
function readTarget(reader: StatementReader): Target | undefined {
  if (reader.kind === Kind.variable) return readMarked(reader);
  const word = reader.word;
  const first = reader.name();
  if (first === undefined) return undefined;
  const scope = SCOPES.get(word);
  const isScope = scope !== undefined && !reader.isSymbol("=") && !reader.isSymbol(":=");
  const name = isScope ? reader.name() : first;
  if (name === undefined) return undefined;
  return {
    name: readParts(reader, name),
    scope: isScope ? scope : "none",
    hasMark: false,
  };
}

/** `@@name`, `@@session.name`, `@@session . name` */
function readMarked(reader: StatementReader): Target {
  const [last, first] = reader.text().slice(2).toUpperCase().split(".").reverse();
  reader.next();
  const name = readParts(reader, last!);
  const before = first ?? (name === last!.toLowerCase() ? "" : last!);
  return { name, scope: SCOPES.get(before) ?? "none", hasMark: true };
}

/** The last part of a name with points; structured variables and components have some. */
function readParts(reader: StatementReader, first: string): string {
  let name = first;
  while (reader.isSymbol(".")) {
    reader.next();
    name = reader.name() ?? "";
  }
  return name.toLowerCase();
}

function addTarget(reader: StatementReader, { name, scope, hasMark }: Target): void {
  const { found } = reader;
  if (scope === "global") return;
  if (name === "transaction" && !hasMark) {
    found.name(Effect.setsSystemVariables, "transaction_isolation");
    found.name(Effect.setsSystemVariables, "transaction_read_only");
    return;
  }
  const isBare = hasMark && scope === "none";
  if (isBare && TRANSACTION_VARIABLES.has(name)) {
    found.effects |= Effect.setsNextTransaction;
    return;
  }
  found.name(Effect.setsSystemVariables, name);
  const { serverVersion } = reader.mode;
  const isSilent = serverVersion === undefined || isMariadb(serverVersion);
  if (isBare && isSilent) found.name(Effect.setsUnreported, name);
  if (ONE_SHOT.has(name)) found.name(Effect.setsOneShot, name);
  if (LAST_INSERT_ID.has(name)) found.effects |= Effect.setsLastInsertId;
  if (name === "autocommit") found.effects |= Effect.endsTransaction;
}

function readAssigned(reader: StatementReader): Literal {
  if (reader.isSymbol("=") || reader.isSymbol(":=")) reader.next();
  return readValue(reader);
}

/** Up to the comma behind it, or the word. */
function readValue(reader: StatementReader, word = ","): Literal {
  const literal = new Literal();
  const { depth } = reader;
  // A parenthesis has been counted when it is read.
  const outside = reader.isSymbol("(") ? depth - 1 : depth;
  while (!reader.isEnd()) {
    if (reader.depth === outside && (reader.isSymbol(",") || reader.is(word))) break;
    literal.read(reader);
    reader.next();
  }
  return literal;
}
