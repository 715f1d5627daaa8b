/** The commands without text, and those that no server takes. */
import { command, fieldList, named, pipelined, processKill, setOption } from "../commands.ts";
import { fails, failsOn, type Line, masked, on } from "../step.ts";
import { SCHEMA } from "./script.ts";

export const simpleCommands: readonly Line[] = [
  command("PING"),
  command("PING"),
  named("INIT_DB", SCHEMA),
  fails(named("INIT_DB", "absent_schema")),
  masked("text", command("STATISTICS")),
  on("mariadb seekdb", masked("own", command("PROCESS_INFO"))),
  command("DEBUG"),
  failsOn("mysql", command("REFRESH", 0x10)),
  fails(named("CREATE_DB", "identity_two")),
  fails(named("DROP_DB", "identity_two")),
  setOption(1),
  fails("SELECT 1; SELECT 2"),
  setOption(0),
  "SELECT 1; SELECT 2",
  failsOn("mariadb mysql", setOption(7)),
  fieldList("numbers", ""),
  masked("own", fails(processKill(0x7ffffffe))),
  pipelined("SELECT 1", "SELECT n FROM numbers ORDER BY n", "SELECT 3"),
  pipelined("SET @p = 1", "SELECT * FROM absent", "SELECT @p", "CALL two_results()", "SELECT 5"),
  pipelined(...Array.from({ length: 200 }, (_, index) => `SELECT ${index}, REPEAT('p', 200)`)),
  // More than is kept of what comes early.
  pipelined(...Array.from({ length: 30 }, (_, index) => `SELECT ${index} -- ${"e".repeat(9000)}`)),
  command("RESET_CONNECTION"),
  "SELECT @c, DATABASE(), @@autocommit",
];
