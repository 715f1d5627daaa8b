/** MariaDB's progress reports, in classes that have them; the first one comes at once. */
import { type Line, on } from "../step.ts";

export const progress: readonly Line[] = on(
  "mariadb",
  "SET progress_report_time = 56",
  "CREATE TABLE reported (a INT, b VARCHAR(100)) ENGINE=MyISAM",
  "INSERT INTO reported SELECT seq, REPEAT('x', 50) FROM seq_1_to_20000",
  "ALTER TABLE reported ADD COLUMN c INT, ENGINE=Aria",
  "CHECK TABLE reported EXTENDED",
  "REPAIR TABLE reported",
  "OPTIMIZE TABLE reported",
  "DROP TABLE reported",
);
