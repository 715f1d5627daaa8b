/** Statements that change what OK packets report: session tracking, or nothing without it. */
import { named } from "../commands.ts";
import { fails, type Line, masked, needs, on } from "../step.ts";
import { Capability } from "../../../src/protocol/constants.ts";
import { SCHEMA } from "./script.ts";

const changes: readonly Line[] = [
  "SET NAMES utf8mb4",
  "SET time_zone = '+01:00'",
  "SET time_zone = '+00:00', autocommit = 0",
  "SET autocommit = 1",
  "SET @tracked = 1",
  "USE information_schema",
  `USE ${SCHEMA}`,
  named("INIT_DB", SCHEMA),
  "START TRANSACTION READ ONLY",
  "SELECT n FROM numbers ORDER BY n",
  "COMMIT",
  "START TRANSACTION READ WRITE",
  "SELECT n FROM numbers WHERE n = 1",
  "UPDATE numbers SET word = 'one' WHERE n = 1",
  "UPDATE numbers SET word = 'changed' WHERE n = 1",
  fails("SELECT * FROM absent"),
  "ROLLBACK",
  "SET TRANSACTION ISOLATION LEVEL READ COMMITTED",
  "SELECT 1",
  "SET SESSION sql_mode = @@sql_mode",
  "SET SESSION group_concat_max_len = 5000",
  "CREATE TABLE tracked (a INT AUTO_INCREMENT PRIMARY KEY)",
  "INSERT INTO tracked VALUES (NULL), (NULL)",
  "PREPARE tracked_statement FROM 'SET @y = 2'",
  "EXECUTE tracked_statement",
  "DEALLOCATE PREPARE tracked_statement",
  "DROP TABLE tracked",
  "CALL no_result()",
  "CALL two_results()",
  needs(
    { capabilities: Capability.MULTI_STATEMENTS },
    `SET time_zone = '+02:00'; SELECT n FROM numbers ORDER BY n; USE ${SCHEMA}; ` +
      "UPDATE numbers SET word = word; SELECT 2",
    "SET @z = 3; SET time_zone = '+00:00'; COMMIT",
  ),
  "CREATE DATABASE identity_three",
  "USE identity_three",
  "DROP DATABASE identity_three",
  "SELECT DATABASE()",
  fails("SELECT * FROM numbers"),
  `USE ${SCHEMA}`,
];

function withSettings(...settings: string[]): Line[] {
  return [settings.map((setting) => `SET SESSION session_track_${setting}`), changes];
}

export const tracking: readonly Line[] = [
  changes,
  on(
    "mariadb",
    masked(
      "unreported",
      withSettings(
        "schema = ON, session_track_state_change = ON, session_track_system_variables = '*'",
        "transaction_info = 'CHARACTERISTICS'",
      ),
      withSettings(
        "schema = OFF, session_track_state_change = OFF, session_track_system_variables = ''",
        "transaction_info = 'STATE'",
      ),
    ),
  ),
  on(
    "mysql",
    withSettings(
      // All of them would include the server's own count of statements.
      "schema = ON, session_track_state_change = ON, session_track_system_variables = " +
        "'autocommit,time_zone,sql_mode,group_concat_max_len,character_set_client'",
      "transaction_info = 'CHARACTERISTICS'",
    ),
    withSettings(
      "schema = OFF, session_track_state_change = OFF, session_track_system_variables = ''",
      "transaction_info = 'STATE'",
    ),
  ),
];
