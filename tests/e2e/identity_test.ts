/** The identity script through the compiled file, on every engine that can be had. */
import { assertEquals } from "@std/assert";
import { type EngineName, startEngine } from "../../src/dev/engines/engine.ts";
import { makeIdentityAccounts, runIdentity } from "../identity/identity.ts";
import { report } from "../support/report.ts";
import { isAvailable } from "../support/shared_engine.ts";
import { configText } from "../support/test_proxy.ts";
import { compileProxy, RunningProxy } from "./proxy.ts";

await compileProxy(report);

for (const name of ["mariadb", "mysql", "seekdb"] as const) {
  Deno.test({
    name: `The same bytes directly and through the compiled file on ${name}`,
    ignore: !(await isAvailable(name)),
    fn: () => compareOn(name),
  });
}

async function compareOn(name: EngineName): Promise<void> {
  await using engine = await startEngine(name);
  const { admin } = engine;
  const accounts = makeIdentityAccounts();
  const users = [accounts.main, accounts.second]
    .map(({ user, password }) => ({ name: user, password }));
  const proxy = await RunningProxy.start(configText({ servers: [engine.port], users }));
  try {
    const proxied = { hostname: "127.0.0.1", port: proxy.port };
    const result = await runIdentity(engine, proxied, { engine: name, admin, accounts });
    report(
      `identity on ${name}: ${result.classes.length} classes, ${result.commands} commands, ` +
        `${result.longest} in the longest script`,
    );
    assertEquals(result.differences, []);
    assertEquals(proxy.defects, []);
  } finally {
    await proxy.stop();
  }
}
