/**
 * Storms of KILL statements over the compiled file; SLUICE_STORM sets how many kills. See
 * tests/session/storm_test.ts for smaller ones over the program as it stands.
 */
import { ProxyProcess } from "../support/proxy_process.ts";
import { report } from "../support/report.ts";
import { sharedEngine } from "../support/shared_engine.ts";
import { STORM_PREPARE, stormConfig } from "../support/storm/storm.ts";
import { weather } from "../support/storm/weather.ts";
import { compileProxy, EXECUTABLE } from "./proxy.ts";

const KILLS = { mariadb: 3_000, mysql: 1_000 };

const asked = Deno.env.get("SLUICE_STORM");

await compileProxy(report);

for (const name of ["mariadb", "mysql"] as const) {
  const shared = await sharedEngine(name, STORM_PREPARE);
  const kills = Number(asked ?? KILLS[name]);
  Deno.test(`${name}: nothing is left of ${kills} kills`, { ignore: shared.ignore }, async () => {
    const config = stormConfig(shared.engine.port);
    await using proxy = await ProxyProcess.start(config, { command: [EXECUTABLE] });
    await weather(proxy, shared, kills);
  });
}
