/** Looks, as a client that has just logged in, for anything that another client has left behind. */
import { lockOf, LOCKS, PREPARED_NAMES, TEMPORARY_TABLES, USER_VARIABLES } from "./data.ts";
import { compare, type Difference, isExhausted } from "./compare.ts";
import { query } from "./scenario.ts";
import { Side } from "./side.ts";
import type { Op } from "./steps.ts";

const quoted = USER_VARIABLES.map((name) => `@\`${name}\``).join(", ");

/**
 * What the server knows of the last statement. FOUND_ROWS() is not among them, nor are counts of
 * warnings: before its first result a session says what another one had at that place in memory.
 */
const FACTS: readonly Op[] = [
  query("SHOW WARNINGS"),
  query("SELECT ROW_COUNT(), LAST_INSERT_ID(), @@identity"),
];

/** BEGIN keeps the server session, so that the next one looks at another one. */
const STATE: readonly Op[] = [
  // Fails where other tables are locked.
  query("SELECT COUNT(*) FROM one.fixed"),
  query("BEGIN"),
  // Fails where SET TRANSACTION has been left.
  query("INSERT INTO one.probe VALUES (1)"),
  query("SELECT DATABASE(), CURRENT_ROLE(), @@transaction_isolation, @@autocommit"),
  query(`SELECT ${quoted}`),
  { kind: "query", sql: "SHOW SESSION VARIABLES", listsVariables: true },
  ...PREPARED_NAMES.map((name) => query(`EXECUTE ${name}`)),
  ...TEMPORARY_TABLES.map((name) => query(`SELECT * FROM one.${name}`)),
  query("HANDLER h READ FIRST"),
  ...LOCKS.flatMap((name) => [lockOf(name, 0), lockOf(name, 1)]).map((name) =>
    query(`SELECT RELEASE_LOCK('${name}') IS NULL OR IS_USED_LOCK('${name}') > 0`)
  ),
  query("SELECT 'é', @@collation_connection"),
];

export interface ProbeOptions {
  /** Port of the server itself. */
  readonly server: number;
  readonly proxy: number;
  /** Of the server, to the proxy. */
  readonly name: string;
  /** Server sessions that are free: so many are looked at. */
  readonly count: number;
}

export async function probe(
  { server, proxy, name, count }: ProbeOptions,
): Promise<{ op: Op; difference: Difference; isExhausted: boolean } | undefined> {
  const statements = [...FACTS, ...STATE].map((op) =>
    op.kind === "query" ? { ...op, sql: `/* sluice: server=${name} */ ${op.sql}` } : op
  );
  const open: Side[] = [];
  try {
    const direct = await Side.connect(server);
    open.push(direct);
    const expected = [];
    for (const op of statements) expected.push((await direct.perform(op))!);
    await direct.perform(query("ROLLBACK"));
    for (let at = 0; at < count; at++) {
      const shared = await Side.connect(proxy);
      open.push(shared);
      for (const [index, op] of statements.entries()) {
        const answer = (await shared.perform(op))!;
        const difference = compare(op, expected[index]!, answer);
        if (difference !== undefined) return { op, difference, isExhausted: isExhausted(answer) };
      }
    }
    return undefined;
  } finally {
    for (const side of open) {
      await side.perform(query("ROLLBACK"));
      await side.quit();
    }
  }
}
