/**
 * The compiled file between real drivers and real servers. Each program runs directly and through
 * the proxy at the same time; every case must pass both ways and must see the same.
 */

import { assert, assertEquals } from "@std/assert";
import { EngineUnavailable } from "../../src/dev/engines/engine.ts";
import { type CaseReport, type Program, ToolMissing } from "./driver.ts";
import { drivers, removeTemporaryFolders } from "./programs.ts";
import { compileProxy } from "./proxy.ts";
import { CASES, type Job } from "./spec.ts";
import { type JobPair, type Place, Stage } from "./stage.ts";

/** By what the summary calls them. */
const PLACES = {
  mariadb: { engine: "mariadb", sharing: "session" },
  mysql: { engine: "mysql", sharing: "session" },
  seekdb: { engine: "seekdb", sharing: "session" },
  "mariadb, shared": { engine: "mariadb", sharing: "transaction" },
  "mysql, shared": { engine: "mysql", sharing: "transaction" },
  "seekdb, shared": { engine: "seekdb", sharing: "transaction" },
} as const satisfies Record<string, Place>;

type PlaceName = keyof typeof PLACES;

const NAMES = Object.keys(PLACES) as PlaceName[];

const stages = new Map<PlaceName, Stage>();
const programs = new Map<string, Program>();
/** By driver and place: what the summary says. */
const outcomes = new Map<string, string>();

function outcome(driver: string, place: PlaceName): string {
  if (!stages.has(place)) return "no server";
  if (!programs.has(driver)) return "no toolchain";
  return outcomes.get(`${driver} ${place}`) ?? "not run";
}

function tell(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`${text}\n`));
}

async function openStages(): Promise<void> {
  for (const name of NAMES) {
    try {
      stages.set(name, await Stage.open(PLACES[name], tell));
    } catch (error) {
      if (!(error instanceof EngineUnavailable)) throw error;
      tell(`Skipping ${name}: ${error.message}`);
    }
  }
}

async function preparePrograms(): Promise<void> {
  for (const driver of drivers) {
    try {
      programs.set(driver.name, await driver.prepare(tell));
    } catch (error) {
      if (!(error instanceof ToolMissing)) throw error;
      tell(`Skipping ${driver.name}: ${error.message}`);
    }
  }
}

async function closeAll(): Promise<void> {
  await removeTemporaryFolders();
  const open = [...stages.values()];
  stages.clear();
  const failures = (await Promise.allSettled(open.map((stage) => stage.close())))
    .filter((result) => result.status === "rejected").map(({ reason }) => reason);
  if (failures.length > 0) throw new AggregateError(failures, String(failures[0]));
}

/** What may differ between two connections: thread ids, and the names of the two schemas. */
function masked(detail: string, { database }: Job): string {
  return detail.replaceAll(database, "SCHEMA")
    .replaceAll(/\b(conn(?:ection)?(?: id)?[:=] ?)\d+/gi, "$1N");
}

/** One line for each case, comparable with the other way. */
function lines(reports: readonly CaseReport[], job: Job): string[] {
  return reports.map(({ case: name, ok, detail, skip }) =>
    `${name}: ${ok ? "ok" : "FAILED"} ${skip ?? masked(detail, job)}`
  );
}

function summarize(reports: readonly CaseReport[]): string {
  const skipped = reports.filter(({ skip }) => skip !== undefined).length;
  const failed = reports.filter(({ ok }) => !ok).length;
  const passed = reports.length - skipped - failed;
  return [`${passed} passed`, skipped && `${skipped} skipped`, failed && `${failed} FAILED`]
    .filter(Boolean).join(", ");
}

async function compare(program: Program, { direct, proxied }: JobPair): Promise<CaseReport[]> {
  const [directly, through] = await Promise.all([program(direct), program(proxied)]);
  for (const [way, reports] of [["directly", directly], ["through the proxy", through]] as const) {
    const failed = reports.filter(({ ok }) => !ok).map((r) => `${r.case}: ${r.detail}`);
    assert(failed.length === 0, `Cases failed ${way}:\n${failed.join("\n")}`);
    assertEquals(reports.map((report) => report.case), CASES);
  }
  assertEquals(lines(through, proxied), lines(directly, direct), "the proxy makes a difference");
  return through;
}

function table(): string {
  const width = Math.max(...drivers.map(({ name }) => name.length));
  const head = [" ".repeat(width), ...NAMES.map((place) => place.padEnd(22))].join("  ");
  const rows = drivers.map(({ name }) =>
    [
      name.padEnd(width),
      ...NAMES.map((place) => outcome(name, place).padEnd(22)),
    ].join("  ").trimEnd()
  );
  return [head.trimEnd(), ...rows].join("\n");
}

try {
  await compileProxy(tell);
  await openStages();
  await preparePrograms();
} catch (error) {
  await closeAll();
  throw error;
}

for (const place of NAMES) {
  for (const { name, hasFullLogin } of drivers) {
    const stage = stages.get(place);
    const program = programs.get(name);
    Deno.test({
      name: `${name} against ${place}`,
      ignore: stage === undefined || program === undefined,
      async fn() {
        outcomes.set(`${name} ${place}`, "FAILED");
        const jobs = await stage!.jobs(hasFullLogin);
        try {
          const reports = await compare(program!, jobs);
          outcomes.set(`${name} ${place}`, summarize(reports));
        } finally {
          await stage!.drop(jobs);
        }
        assertEquals(stage!.proxy.defects, []);
      },
    });
  }
}

Deno.test.afterAll(async () => {
  tell(`\nCases through the proxy, the same as directly:\n${table()}`);
  await closeAll();
});
