/**
 * What a session of `root@proxysys` answers beside the statements of the proxy, so that drivers,
 * command-line clients and tools can log in and work although there is no server behind it.
 */
import { SluiceError } from "../errors.ts";
import type { Column } from "../protocol/resultset.ts";
import { OK, type Row } from "./answer.ts";
import { listing, textColumn } from "./columns.ts";
import { readNameFilter } from "./name_filter.ts";
import { notSupported } from "./refusals.ts";
import type { AdminScope } from "./scope.ts";
import { readSelectList } from "./select_list.ts";
import { SHORT_LISTS } from "./short_lists.ts";
import type { AdminStatement } from "./statement.ts";
import { statusVariables } from "./status_variables.ts";
import { showVariable, SYSTEM_VARIABLES } from "./system_variables.ts";
import type { Token } from "../sql/tokens.ts";
import { TokenReader } from "./token_reader.ts";

type Reading = (reader: TokenReader, tokens: readonly Token[]) => AdminStatement | undefined;

/** By first word, which is read already. Transactions hold nothing here. */
const STATEMENTS: Readonly<Record<string, Reading>> = {
  BEGIN: () => answersOk("BEGIN"),
  COMMIT: () => answersOk("COMMIT"),
  ROLLBACK: () => answersOk("ROLLBACK"),
  START: (reader) => reader.words("TRANSACTION") ? answersOk("START TRANSACTION") : undefined,
  SELECT: readSelect,
  SET: readSet,
  SHOW: readShow,
  USE: readUse,
};

/**
 * The statement that these tokens are; undefined where it is none that such a session answers.
 * Wrong ones give a statement with a refusal.
 */
export function bootstrapStatement(tokens: readonly Token[]): AdminStatement | undefined {
  const reader = new TokenReader(tokens);
  const first = reader.word(...Object.keys(STATEMENTS));
  if (first === undefined) return undefined;
  try {
    return STATEMENTS[first]?.(reader, tokens);
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    const { kind, message } = error;
    const run = () => Promise.reject(new SluiceError(kind, message));
    return { name: first, parameters: 0, columns: [], refusal: error, run };
  }
}

function answersOk(name: string): AdminStatement {
  return { name, parameters: 0, columns: [], run: () => Promise.resolve(OK) };
}

function answersRows(
  name: string,
  columns: readonly Column[],
  rows: (scope: AdminScope) => readonly Row[] | Promise<readonly Row[]>,
): AdminStatement {
  return {
    name,
    parameters: 0,
    columns,
    run: async (scope) => listing(columns, await rows(scope)),
  };
}

function readSelect(reader: TokenReader): AdminStatement | undefined {
  const list = readSelectList(reader);
  if (list === undefined) return undefined;
  const { expressions, hasRow } = list;
  return answersRows("SELECT", expressions.map(({ column }) => column), async (scope) => {
    const row = await Promise.all(expressions.map(({ value }) => value(scope)));
    return hasRow ? [row] : [];
  });
}

/** What SET may not change here, right behind SET or a comma. */
const NOT_OF_A_SESSION = ["GLOBAL", "PERSIST", "PERSIST_ONLY", "PASSWORD", "ROLE", "DEFAULT"];
const GLOBAL_VARIABLE = /^@@(?:global|persist|persist_only)\b/i;

/** Settings of the session have nothing to act on; OK is what programs wait for. */
function readSet(reader: TokenReader, tokens: readonly Token[]): AdminStatement | undefined {
  if (reader.isAtEnd) return undefined;
  const wrong = tokens.find(({ kind, text }, index) => {
    if (kind === "variable") return GLOBAL_VARIABLE.test(text);
    const before = tokens[index - 1];
    const isFirst = index === 1 || (before?.kind === "symbol" && before.text === ",");
    return kind === "word" && isFirst && NOT_OF_A_SESSION.includes(text.toUpperCase());
  });
  if (wrong === undefined) return answersOk("SET");
  throw notSupported(`SET ${wrong.text.toUpperCase()}; use ALTER PROXYCONFIG SET`);
}

function readUse(reader: TokenReader): AdminStatement | undefined {
  const schema = reader.take("word", "quoted_name", "string")?.text;
  if (schema === undefined || !reader.isAtEnd) return undefined;
  throw new SluiceError("unknown_database", `Unknown database '${schema}'`);
}

function readShow(reader: TokenReader): AdminStatement | undefined {
  reader.word("GLOBAL", "SESSION", "LOCAL");
  switch (reader.word("VARIABLES", "STATUS")) {
    case "VARIABLES":
      return showNamed("SHOW VARIABLES", reader, (scope) =>
        Promise.all(
          SYSTEM_VARIABLES.map(async (variable) =>
            [variable.name, await showVariable(variable, scope)] as const
          ),
        ));
    case "STATUS":
      return showNamed("SHOW STATUS", reader, statusVariables);
  }
  const list = SHORT_LISTS.find(({ words }) => words.some((form) => reader.words(form)));
  if (list === undefined) return undefined;
  if (list.ofSchema && reader.word("FROM", "IN") !== undefined) {
    reader.take("word", "quoted_name");
  }
  const columns = list.columns;
  const filter = readNameFilter(reader, columns[0]!.name.toUpperCase());
  if (filter === undefined) return undefined;
  const rows = list.rows.filter(([name]) => filter(String(name)));
  return answersRows(`SHOW ${list.words[0]}`, columns, () => rows);
}

const NAMED_COLUMNS = [textColumn("Variable_name"), textColumn("Value")];

function showNamed(
  name: string,
  reader: TokenReader,
  list: (scope: AdminScope) => Promise<readonly (readonly [name: string, value: string])[]>,
): AdminStatement | undefined {
  const filter = readNameFilter(reader, "VARIABLE_NAME");
  if (filter === undefined) return undefined;
  return answersRows(
    name,
    NAMED_COLUMNS,
    async (scope) => (await list(scope)).filter(([variable]) => filter(variable)),
  );
}
