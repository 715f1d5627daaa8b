/**
 * Every way to kill a session in every phase of its life, on real servers. What `KILL QUERY` comes
 * to is also tried on the servers themselves: the proxy must not make a difference there.
 */
import { report } from "../support/report.ts";
import { type SharedEngine, sharedEngine } from "../support/shared_engine.ts";
import { textTable } from "../support/text_table.ts";
import { type Outcome, playCell, slowest } from "./kill_matrix/cell.ts";
import { type FormName, FORMS } from "./kill_matrix/forms.ts";
import { type PhaseName, PHASES } from "./kill_matrix/phases.ts";
import { PREPARE, Stage, type Way } from "./kill_matrix/stage.ts";

/**
 * The columns of {@linkcode Outcome}. A server in brackets: on that one only, in place of the row
 * for all.
 *
 * Servers notice KILL QUERY of a result that nobody reads when they can send again, and of a file
 * when its next row has come; a command that has not come whole does not run yet. MySQL's SLEEP is
 * not interrupted by an error, but returns 1.
 */
const TABLE = `
phase                   form                         killer session statement server lock  victim                      next
login                   KILL id                      OK     gone    none      none   none  closed
login                   KILL QUERY id                OK     there   none      none   none  nothing                     row 1
login                   KILL PROXYSESSION id         OK     gone    none      none   none  closed
login                   KILL PROXYSESSION id ss_id   1094   there   none      none   none  nothing                     row 1
login                   COM_PROCESS_KILL             OK     gone    none      none   none  closed
login on a server       KILL id                      OK     gone    none      gone   none  closed
login on a server       KILL QUERY id                OK     there   none      there  none  OK                          row 1
login on a server       KILL PROXYSESSION id         OK     gone    none      gone   none  closed
login on a server       KILL PROXYSESSION id ss_id   OK     gone    none      gone   none  1317 of the server session
login on a server       COM_PROCESS_KILL             OK     gone    none      gone   none  closed
connecting              KILL id                      OK     gone    none      gone   none  closed
connecting              KILL QUERY id                OK     there   none      gone   none  1317                        row 1
connecting              KILL PROXYSESSION id         OK     gone    none      gone   none  closed
connecting              KILL PROXYSESSION id ss_id   OK     there   none      gone   none  1317 of the server session  row 1
connecting              COM_PROCESS_KILL             OK     gone    none      gone   none  closed
idle                    KILL id                      OK     gone    none      gone   none  closed
idle                    KILL QUERY id                OK     there   none      there  none  nothing                     row 1
idle                    KILL PROXYSESSION id         OK     gone    none      gone   none  closed
idle                    KILL PROXYSESSION id ss_id   OK     there   none      gone   none  nothing                     row 1
idle                    COM_PROCESS_KILL             OK     gone    none      gone   none  closed
executing               KILL id                      OK     gone    gone      gone   none  closed
executing               KILL QUERY id                OK     there   gone      there  none  1317                        row 1
executing               KILL QUERY id [mysql]        OK     there   gone      there  none  row 1                       row 1
executing               KILL PROXYSESSION id         OK     gone    gone      gone   none  closed
executing               KILL PROXYSESSION id ss_id   OK     there   gone      gone   none  1317 of the server session  row 1
executing               COM_PROCESS_KILL             OK     gone    gone      gone   none  closed
streaming               KILL id                      OK     gone    gone      gone   none  closed
streaming               KILL QUERY id                OK     there   runs      there  none  1317                        row 1
streaming               KILL PROXYSESSION id         OK     gone    gone      gone   none  closed
streaming               KILL PROXYSESSION id ss_id   OK     there   gone      gone   none  1317 of the server session  row 1
streaming               COM_PROCESS_KILL             OK     gone    gone      gone   none  closed
streaming a row         KILL id                      OK     gone    gone      gone   none  closed
streaming a row         KILL QUERY id                OK     there   runs      there  none  1317                        row 1
streaming a row         KILL PROXYSESSION id         OK     gone    gone      gone   none  closed
streaming a row         KILL PROXYSESSION id ss_id   OK     gone    gone      gone   none  closed
streaming a row         COM_PROCESS_KILL             OK     gone    gone      gone   none  closed
sending a command       KILL id                      OK     gone    none      gone   none  closed
sending a command       KILL QUERY id                OK     there   none      there  none  row 7                       row 1
sending a command       KILL PROXYSESSION id         OK     gone    none      gone   none  closed
sending a command       KILL PROXYSESSION id ss_id   OK     there   none      gone   none  1317 of the server session  row 1
sending a command       COM_PROCESS_KILL             OK     gone    none      gone   none  closed
sending a file          KILL id                      OK     gone    gone      gone   none  closed
sending a file          KILL QUERY id                OK     there   runs      there  none  OK                          row 1
sending a file          KILL PROXYSESSION id         OK     gone    gone      gone   none  closed
sending a file          KILL PROXYSESSION id ss_id   OK     there   gone      gone   none  1317 of the server session  row 1
sending a file          COM_PROCESS_KILL             OK     gone    gone      gone   none  closed
second statement        KILL id                      OK     gone    gone      gone   none  closed
second statement        KILL QUERY id                OK     there   gone      there  none  1317                        row 1
second statement        KILL PROXYSESSION id         OK     gone    gone      gone   none  closed
second statement        KILL PROXYSESSION id ss_id   OK     there   gone      gone   none  1317 of the server session  row 1
second statement        COM_PROCESS_KILL             OK     gone    gone      gone   none  closed
behind an own statement KILL id                      OK     gone    gone      gone   none  closed
behind an own statement KILL QUERY id                OK     there   gone      there  none  1317                        row 1
behind an own statement KILL PROXYSESSION id         OK     gone    gone      gone   none  closed
behind an own statement KILL PROXYSESSION id ss_id   OK     there   gone      gone   none  1317 of the server session  row 1
behind an own statement COM_PROCESS_KILL             OK     gone    gone      gone   none  closed
transaction             KILL id                      OK     gone    none      gone   free  closed
transaction             KILL QUERY id                OK     there   none      there  held  nothing                     row 1
transaction             KILL PROXYSESSION id         OK     gone    none      gone   free  closed
transaction             KILL PROXYSESSION id ss_id   OK     there   none      gone   free  nothing                     1317 of the server session, row 1
transaction             COM_PROCESS_KILL             OK     gone    none      gone   free  closed
lock wait               KILL id                      OK     gone    gone      gone   free  closed
lock wait               KILL QUERY id                OK     there   gone      there  held  1317                        row 1
lock wait               KILL PROXYSESSION id         OK     gone    gone      gone   free  closed
lock wait               KILL PROXYSESSION id ss_id   OK     there   gone      gone   free  1317 of the server session  row 1
lock wait               COM_PROCESS_KILL             OK     gone    gone      gone   free  closed
`;

const ROWS = textTable(TABLE);

function expectation(engine: string, phase: PhaseName, form: FormName): Outcome {
  const rows = ROWS.filter((row) => row["phase"] === phase);
  const found = rows.find((row) => row["form"] === `${form} [${engine}]`) ??
    rows.find((row) => row["form"] === form);
  if (found === undefined) throw new Error(`Cannot find a row for ${phase}, ${form}`);
  const { phase: _, form: __, ...outcome } = found;
  return outcome as unknown as Outcome;
}

const engines: Record<"mariadb" | "mysql", SharedEngine> = {
  mariadb: await sharedEngine("mariadb", PREPARE),
  mysql: await sharedEngine("mysql", PREPARE),
};

function test(engine: keyof typeof engines, way: Way, phase: PhaseName, form: FormName) {
  const { ignore } = engines[engine];
  const name = `${engine}: ${phase}, ${form}${way === "direct" ? ", without a proxy" : ""}`;
  Deno.test(name, { ignore }, async () => {
    await using stage = await Stage.open(engines[engine], way);
    await playCell(stage, { phase, form }, expectation(engine, phase, form));
  });
}

for (const engine of Object.keys(engines) as (keyof typeof engines)[]) {
  for (const phase of Object.keys(PHASES) as PhaseName[]) {
    for (const form of Object.keys(FORMS) as FormName[]) test(engine, "proxied", phase, form);
    if (PHASES[phase].isDirect) test(engine, "direct", phase, "KILL QUERY id");
  }
}

Deno.test.afterAll(() => {
  report(`Killed statements were gone from the servers after ${slowest.statement.toFixed(0)} ms`);
});
