/** Reads the conditions of a statement on the server session that ran it: SHOW WARNINGS, and more. */
import { Capability } from "../protocol/constants.ts";
import { decodeTextRow, encodeTextRow } from "../protocol/resultset.ts";
import { decodeIn } from "../sql/charsets.ts";
import {
  type Condition,
  MARIADB_CONDITIONS,
  mariadbConditions,
  MYSQL_CONDITIONS,
  mysqlConditions,
} from "../state/diagnostics.ts";
import { asciiText, cellNumber, numberText } from "../state/user_variables.ts";
import { ask, CLEARS_CONDITIONS, numberOf, resultOf } from "./read_out.ts";
import { queryCommand, type Reply } from "./server_exchange.ts";
import type { ServerSession } from "./server_session.ts";

/** What SHOW WARNINGS and the like have answered, as payloads, and what GET DIAGNOSTICS tells. */
export interface Conditions {
  readonly warningCount: Reply;
  readonly errorCount: Reply;
  readonly list: Reply;
  /** `@@warning_count`, and `@@error_count`, as a SELECT has them. */
  readonly warnings: number;
  readonly errors: number;
  /** Undefined where the server cannot be asked: OceanBase, and blocks without MULTI_RESULTS. */
  readonly told: ToldConditions | undefined;
}

export interface ToldConditions {
  readonly all: readonly Condition[];
  /** Of the server's own texts. */
  readonly collation: string;
}

const SHOWN = ["SHOW COUNT(*) WARNINGS", "SHOW COUNT(*) ERRORS", "SHOW WARNINGS"] as const;

/** Statements behind those, the last of which takes the conditions away. */
function tellingStatements({ dialect, capabilities }: ServerSession): readonly string[] {
  const hasBlocks = dialect === "mariadb" && (capabilities.base & Capability.MULTI_RESULTS) !== 0;
  if (dialect === "mysql") return MYSQL_CONDITIONS;
  return [...(hasBlocks ? [MARIADB_CONDITIONS] : []), CLEARS_CONDITIONS[dialect]];
}

/** They are taken away there. @throws {SluiceError} */
export async function readConditions(server: ServerSession): Promise<Conditions> {
  const telling = tellingStatements(server);
  const statements = [...SHOWN, ...telling];
  const replies = await ask(server, statements.map((sql) => queryCommand(server, sql)));
  server.state.mayHaveConditions = false;
  const [warningCount, errorCount, list] = replies as [Reply, Reply, Reply];
  // To a SELECT, there are none on OceanBase.
  const countIn = (reply: Reply) =>
    server.dialect === "oceanbase" ? 0 : Number(numberOf(reply, server));
  return {
    warningCount,
    errorCount,
    list,
    warnings: countIn(warningCount),
    errors: countIn(errorCount),
    told: telling.length === 1 ? undefined : toldOf(server, list, replies.at(-2)!),
  };
}

/** @param reply to the statement before the last one */
function toldOf(server: ServerSession, list: Reply, reply: Reply): ToldConditions {
  if (server.dialect === "mariadb") {
    // The OK of the block is behind its result.
    const [all, collation] = cellsOf(server, reply.slice(0, -1));
    return { all: mariadbConditions(all!), collation: collation! };
  }
  const { columns, rows } = resultOf(list, server);
  const shown = rows.map(([, code, message]) => ({
    code: cellNumber(code),
    message: decodeIn(columns[2]!.charset, message!),
  }));
  const [collation, ...cells] = cellsOf(server, reply);
  return { all: mysqlConditions(shown, cells), collation: collation! };
}

/** The row, of ASCII in whatever character set. */
function cellsOf(server: ServerSession, reply: Reply): string[] {
  const { rows: [row] } = resultOf(reply, server);
  return row!.map((cell) => asciiText(cell ?? new Uint8Array(0)));
}

/**
 * Conditions that have come behind others.
 * @param most how many the session keeps
 */
export function joined(older: Conditions | undefined, newer: Conditions, most: number): Conditions {
  if (older === undefined) return newer;
  const warnings = older.warnings + newer.warnings;
  const errors = older.errors + newer.errors;
  const ends = older.list.length - 1;
  const count = newer.told?.all.length ?? 0;
  const room = Math.max(0, most - (older.told?.all.length ?? 0));
  const rows = newer.list.slice(-1 - count, -1).slice(0, room);
  return {
    warningCount: withNumber(older.warningCount, warnings),
    errorCount: withNumber(older.errorCount, errors),
    list: [...older.list.slice(0, ends), ...rows, older.list[ends]!],
    warnings,
    errors,
    told: older.told && {
      ...older.told,
      all: [...older.told.all, ...(newer.told?.all ?? []).slice(0, room)],
    },
  };
}

/** Another number in the only row of a reply, in the character set of the one that is there. */
function withNumber(reply: Reply, number: number): Reply {
  const [cell] = decodeTextRow(reply.at(-2)!, 1);
  const digits = numberText(cell!);
  const width = cell!.length / digits.length;
  const pattern = cell!.subarray(0, width);
  const place = pattern.findIndex((byte) => byte !== 0);
  const own = new Uint8Array(String(number).length * width);
  for (const [at, digit] of [...String(number)].entries()) {
    own[at * width + place] = digit.charCodeAt(0);
  }
  return [...reply.slice(0, -2), encodeTextRow([own]), reply.at(-1)!];
}
