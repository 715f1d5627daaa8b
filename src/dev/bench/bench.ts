/**
 * `deno task bench`: direct connections, HAProxy and sluice side by side. What is measured, how
 * and why so: docs/performance.md.
 */
import { EngineUnavailable, startEngine } from "../engines/engine.ts";
import { query } from "../engines/query.ts";
import { CommandFailed } from "../engines/types.ts";
import type { BenchRun } from "./bench_run.ts";
import { OTHER_SCHEMA } from "./catch_up_loads.ts";
import { haproxyKind } from "./haproxy.ts";
import type { LoadAccount } from "./load_connection.ts";
import { findLoadTool, versionOf } from "./load_tools.ts";
import { POINT_TABLE, STREAM_TABLE } from "./loads.ts";
import { describeMachine } from "./machine.ts";
import { type BenchOptions, HELP, OptionError, parseOptions } from "./options.ts";
import { runBeside } from "./part_beside.ts";
import { runCatchUp } from "./part_catch_up.ts";
import { runIdle, runStart } from "./part_idle.ts";
import { runListing } from "./part_listing.ts";
import { runOltp } from "./part_oltp.ts";
import { runRounds } from "./part_rounds.ts";
import { runSharing } from "./part_sharing.ts";
import { runSharingMemory } from "./part_sharing_memory.ts";
import { interrupt, interrupted } from "./program.ts";
import type { ProxyKind } from "./proxy.ts";
import { formatReport, makeReport } from "./report.ts";
import { Samples } from "./samples.ts";
import { print, say } from "./say.ts";
import { sluiceKinds } from "./sluice.ts";
import { Sysbench } from "./sysbench.ts";

const DATABASE = "sbtest";

/** Errors whose message is enough for the user. */
const EXPECTED = [OptionError, EngineUnavailable, CommandFailed];

async function main(): Promise<number> {
  const options = parseOptions(Deno.args);
  if (options === undefined) {
    print(HELP);
    return 0;
  }
  if (Deno.build.os !== "linux") {
    say("Cannot measure on this system: the figures come from Linux's /proc");
    return 2;
  }
  const machine = await describeMachine();
  if (machine.loadAverage > machine.cores / 4) {
    say("The machine is busy with other work: trust no more than the ratios");
  }
  const account = { user: "app", password: "secret", database: DATABASE };
  await using stack = new AsyncDisposableStack();
  const { kinds, sysbenchPath } = await findPrograms(options, account);
  const folder = await Deno.makeTempDir({ prefix: "sluice-bench-" });
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const engine = stack.use(await startEngine("mariadb", { onProgress: say }));
  await query(engine.port, engine.admin, [
    `CREATE DATABASE ${DATABASE}`,
    `CREATE USER ${account.user}@'%' IDENTIFIED BY '${account.password}'`,
    `GRANT ALL ON ${DATABASE}.* TO ${account.user}@'%'`,
    `CREATE DATABASE ${OTHER_SCHEMA}`,
    `GRANT ALL ON ${OTHER_SCHEMA}.* TO ${account.user}@'%'`,
    `USE ${DATABASE}`,
    ...STREAM_TABLE,
    ...POINT_TABLE,
  ]);
  const sysbench = sysbenchPath === undefined ? undefined : new Sysbench(sysbenchPath, account);
  const server = { hostname: engine.hostname, port: engine.port };
  await sysbench?.prepare(server);
  const samples = new Samples();
  const run: BenchRun = {
    options,
    server,
    serverPid: engine.pid,
    account,
    folder,
    kinds,
    sysbench,
    samples,
    failures: [],
  };
  if (options.parts.has("start")) await runStart(run);
  await runRounds(run);
  if (options.parts.has("beside")) await runBeside(run);
  if (options.parts.has("idle")) await runIdle(run);
  if (options.parts.has("listing")) await runListing(run);
  await runSharing(run);
  if (options.parts.has("sharing-catch-up")) await runCatchUp(run);
  if (options.parts.has("sharing-memory")) await runSharingMemory(run);
  if (options.parts.has("sharing-oltp")) await runOltp(run);
  const versions: Record<string, string> = { MariaDB: engine.version };
  for (const kind of kinds) versions[kind.name] = kind.version;
  if (sysbenchPath !== undefined) {
    versions["sysbench"] = await versionOf([sysbenchPath, "--version"]);
  }
  const report = makeReport(run, machine, versions);
  print(options.json ? JSON.stringify(report, null, 2) : formatReport(report));
  return run.failures.length === 0 ? 0 : 1;
}

/** The proxies to compare, in the order of their columns. */
async function findPrograms(
  options: BenchOptions,
  account: LoadAccount,
): Promise<{ kinds: ProxyKind[]; sysbenchPath: string | undefined }> {
  const sysbenchPath = await findLoadTool("sysbench");
  const haproxyPath = await findLoadTool("haproxy");
  const kinds = haproxyPath === undefined ? [] : [await haproxyKind(haproxyPath)];
  kinds.push(...await sluiceKinds(options, account));
  return { kinds, sysbenchPath };
}

/**
 * The programs lead sessions of their own, so the terminal's Ctrl-C does not reach them. The run
 * then fails at its next step and cleans up on its way out; a second signal does not wait for that.
 */
function stopOnSignals(): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => {
      if (interrupted.aborted) Deno.exit(130);
      say("Stopping");
      interrupt();
    });
  }
}

if (import.meta.main) {
  stopOnSignals();
  try {
    Deno.exit(await main());
  } catch (error) {
    if (interrupted.aborted) Deno.exit(130);
    if (!EXPECTED.some((kind) => error instanceof kind)) throw error;
    say((error as Error).message);
    Deno.exit(2);
  }
}
