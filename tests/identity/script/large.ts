/** Packets of 16 MiB and around it, in both directions, and results that are long. */
import { encodeText } from "../../../src/protocol/bytes.ts";
import { Capability } from "../../../src/protocol/constants.ts";
import {
  blob,
  closeStatement,
  CURSOR,
  execute,
  fetch,
  int,
  longData,
  prepare,
} from "../commands.ts";
import { type Line, on, type Step, step } from "../step.ts";

const FULL = 0xffffff;

/** A statement whose request has a payload of that many bytes. */
function queryOf(length: number): Step {
  return step(`COM_QUERY of ${length} bytes`, ({ client }) => {
    const hasAttributes = (client.capabilities & Capability.QUERY_ATTRIBUTES) !== 0;
    const text = "SELECT 'long request' /* ";
    const rest = length - text.length - " */".length - (hasAttributes ? 3 : 1);
    return client.query(`${text}${"q".repeat(rest)} */`);
  });
}

/** Text row of one column whose packet, or packets, have that many bytes of payload. */
function rowOf(length: number): string {
  const head = length - 4 < 1 << 24 ? 4 : 9;
  return `SELECT REPEAT('r', ${length - head})`;
}

/** The same behind a short column, with rows around it. */
function rowsAround(length: number): string {
  return `SELECT n, IF(n = 2, REPEAT('s', ${length}), 'short') FROM numbers WHERE n < 4 ORDER BY n`;
}

const AROUND = [-1, 0, 1];

export const large: readonly Line[] = [
  ...AROUND.map((more) => queryOf(FULL + more)),
  queryOf(2 * FULL),
  queryOf(100_000),
  ...AROUND.map((more) => rowOf(FULL + more)),
  ...AROUND.map((more) => rowOf(2 * FULL + more)),
  rowOf((1 << 24) + 3),
  rowOf((1 << 24) + 4),
  rowsAround(FULL - 6),
  rowsAround(FULL + 100),
  // A prepared row has one byte of head and one of NULL bits.
  prepare("wide", "SELECT REPEAT('b', ?)"),
  ...[FULL - 6, FULL - 5, 1 << 24, 2 * FULL - 11].map((length) => execute("wide", [int(length)])),
  prepare("length", "SELECT LENGTH(?), CRC32(?)"),
  execute("length", [blob(pattern(FULL)), blob(pattern(10))]),
  longData("length", 0, pattern(FULL - 7)),
  longData("length", 0, pattern(FULL)),
  longData("length", 1, encodeText("little")),
  execute("length", [blob(undefined), blob(undefined)]),
  closeStatement("length"),
  // The idle buffers of both sides grow with what a session moves.
  ...[500, 508, 512, 1024, 4096, 16_000, 16_384, 16_385, 65_536, 98_300, 98_304, 98_310, 200_000]
    .map((length) => `SELECT REPEAT('g', ${length})`),
  "SELECT a.id, b.id, c.id, REPEAT('w', 100) FROM all_types a, all_types b, all_types c ORDER BY 1, 2, 3",
  on("mariadb", "SELECT seq, REPEAT('x', seq MOD 300) FROM seq_1_to_100000"),
  on(
    "mysql seekdb",
    "SET @@cte_max_recursion_depth = 100000",
    "WITH RECURSIVE s AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM s WHERE i < 50000) " +
      "SELECT i, REPEAT('x', i MOD 300) FROM s",
  ),
  prepare(
    "streamed",
    "SELECT a.id, REPEAT('y', 65000) FROM all_types a, all_types b ORDER BY a.id, b.id",
  ),
  execute("streamed"),
  execute("streamed", [], CURSOR),
  fetch("streamed", 4),
  fetch("streamed", 100),
  closeStatement("streamed"),
  "SELECT 'still here'",
];

function pattern(length: number): Uint8Array {
  return new Uint8Array(length).fill(0xfe);
}
