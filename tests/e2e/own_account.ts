/**
 * What programs do as `root@proxysys`, the account that administers the proxy and that no server
 * has: the cases, what comes of them, and the command-line clients as one more driver.
 */

import type { CommandLine } from "./command_line_client.ts";
import type { CaseReport } from "./driver.ts";
import type { Job } from "./spec.ts";

/** Each case with the detail that every driver must report. */
export const OWN_ACCOUNT_CASES: Readonly<Record<string, string>> = {
  /** The row of SHOW PROXYSESSION that has the id of CONNECTION_ID(). */
  "own session": "root@proxysys",
  "own session, prepared": "root@proxysys",
  /** SHOW PROXYCONFIG LIKE 'client_max_connections'. */
  parameter: "8192",
  /** The code of `KILL` with an id that there is not. */
  refusal: "1094",
  /** SELECT 1 between the driver's own way to begin and to commit. */
  transaction: "1",
  ping: "",
};

export type OwnAccountJob = Pick<Job, "host" | "port" | "user" | "password" | "cases">;

type Query = (...statements: readonly string[]) => Promise<string>;

/** The columns of each row are parted by tabs. */
const cases: Readonly<Record<string, (query: Query) => Promise<string>>> = {
  async "own session"(query) {
    const [id, ...rows] = (await query("SELECT CONNECTION_ID()", "SHOW PROXYSESSION")).split("\n");
    const own = rows.map((row) => row.split("\t")).filter((columns) => columns[1] === id);
    return own.map(([, , , tenant, user]) => `${user}@${tenant}`).join();
  },
  async parameter(query) {
    return (await query("SHOW PROXYCONFIG LIKE 'client_max_connections'")).split("\t")[1]!;
  },
  async refusal(query) {
    return /ERROR (\d+)/.exec(await query("KILL 2147483000"))?.[1] ?? "";
  },
  transaction: (query) => query("BEGIN", "SELECT 1", "COMMIT"),
  async ping(query) {
    // What the client asks when it prints its own status.
    const status = await query("status");
    return status.includes("sluice") && !status.includes("ERROR") ? "" : status;
  },
};

export async function runOwnAccount(line: CommandLine, job: OwnAccountJob): Promise<CaseReport[]> {
  const account = ["-h", job.host, "-P", String(job.port), "-u", job.user, `-p${job.password}`];
  const query: Query = async (...statements) => {
    const script = statements.map((statement) => `${statement};\n`).join("");
    const arguments_ = [...line.options, ...account, "--batch", "--skip-column-names", "--force"];
    const argv = [...line.command, ...arguments_];
    const child = new Deno.Command(argv[0]!, {
      args: argv.slice(1),
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(script));
    await writer.close();
    const { stdout, stderr } = await child.output();
    const [output, errors] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    return (output! + errors!.replace(/^mysql: \[Warning\].*\n/m, "")).trimEnd();
  };
  const reports: CaseReport[] = [];
  for (const name of job.cases) {
    const body = cases[name];
    if (body === undefined) {
      reports.push({ case: name, ok: true, detail: "", skip: "not a matter of a command line" });
      continue;
    }
    reports.push({ case: name, ok: true, detail: await body(query) });
  }
  return reports;
}
