/** LOAD DATA LOCAL INFILE; what the files hold is in `files.ts`. */
import { Capability } from "../../../src/protocol/constants.ts";
import { fails, type Line, needs } from "../step.ts";

function load(file: string, table = "loaded"): string {
  return `LOAD DATA LOCAL INFILE '${file}' INTO TABLE ${table} FIELDS TERMINATED BY ','`;
}

export const infile: readonly Line[] = needs(
  { capabilities: Capability.LOCAL_FILES },
  load("rows.csv"),
  "SELECT a, b FROM loaded ORDER BY a",
  load("split.csv"),
  load("empty.csv"),
  load("not_there.csv"),
  load("bad.csv"),
  "SHOW WARNINGS",
  fails(load("rows.csv", "absent")),
  fails(load("many.csv", "absent")),
  fails(load("rows.csv", "joined")),
  load("many.csv"),
  "SELECT COUNT(*), SUM(a), SUM(LENGTH(b)) FROM loaded",
  "DELETE FROM loaded",
  load("full.csv"),
  "SELECT COUNT(*), SUM(a), SUM(LENGTH(b)) FROM loaded",
  `${load("rows.csv")} IGNORE 1 LINES (@a, b) SET a = @a + 100`,
  `${load("rows.csv", "numbers")} (n, word)`,
  "SHOW WARNINGS",
  needs(
    { capabilities: Capability.MULTI_STATEMENTS },
    `${load("rows.csv")}; SELECT 1`,
    `SELECT 0; ${load("rows.csv")}; ${load("empty.csv")}; SELECT 2`,
  ),
  "DELETE FROM loaded",
);
