/** The proxy's own account through the compiled file with real drivers, on two kinds of servers. */

import { assertEquals } from "@std/assert";
import { type EngineName, startEngine } from "../../src/dev/engines/engine.ts";
import { report } from "../support/report.ts";
import { isAvailable } from "../support/shared_engine.ts";
import { configText } from "../support/test_proxy.ts";
import { type CaseReport, ToolMissing } from "./driver.ts";
import { OWN_ACCOUNT_CASES, type OwnAccountJob } from "./own_account.ts";
import { ownAccountDrivers, removeTemporaryFolders } from "./programs.ts";
import { compileProxy, RunningProxy } from "./proxy.ts";

const ENGINES: readonly EngineName[] = ["mariadb", "mysql"];
const PASSWORD = "own-secret";

await compileProxy(report);
const programs = new Map<string, (job: OwnAccountJob) => Promise<CaseReport[]>>();
for (const { name, prepare } of ownAccountDrivers) {
  try {
    programs.set(name, await prepare(report));
  } catch (error) {
    if (!(error instanceof ToolMissing)) throw error;
    report(`Skipped: ${name}. ${error.message}`);
  }
}
Deno.test.afterAll(removeTemporaryFolders);

for (const name of ENGINES) {
  Deno.test({
    name: `Drivers log in to the proxy itself, which greets as ${name}`,
    ignore: !(await isAvailable(name)),
    fn: () => tryAll(name),
  });
}

/** Greetings differ with the servers, and so does what drivers send first. */
async function tryAll(name: EngineName): Promise<void> {
  await using engine = await startEngine(name);
  const proxy = await RunningProxy.start(configText({
    servers: [engine.port],
    proxy: { obproxy_sys_password: PASSWORD },
  }));
  try {
    const job: OwnAccountJob = {
      host: "127.0.0.1",
      port: proxy.port,
      user: "root@proxysys",
      password: PASSWORD,
      cases: Object.keys(OWN_ACCOUNT_CASES),
    };
    for (const { name: driver, except } of ownAccountDrivers) {
      const program = programs.get(driver);
      if (program === undefined || except === name) continue;
      const found = await program(job);
      const details = found.map((line) => [
        line.case,
        line.skip === undefined ? line.detail : OWN_ACCOUNT_CASES[line.case],
      ]);
      assertEquals([driver, ...details], [driver, ...Object.entries(OWN_ACCOUNT_CASES)]);
    }
    assertEquals(proxy.defects, []);
  } finally {
    await proxy.stop();
  }
}
