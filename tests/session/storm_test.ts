/**
 * A storm of KILL statements over many clients of a proxy that runs as a program of its own. At the
 * end everything is as before. SLUICE_STORM sets how many kills, 10,000 are in order; SLUICE_SEED
 * repeats the choices, though not their order in time.
 */
import { type SharedEngine, sharedEngine } from "../support/shared_engine.ts";
import { ProxyProcess } from "../support/proxy_process.ts";
import { STORM_PREPARE, stormConfig } from "../support/storm/storm.ts";
import { weather } from "../support/storm/weather.ts";

const KILLS = Number(Deno.env.get("SLUICE_STORM") ?? 400);

const engines: Record<"mariadb" | "mysql", SharedEngine> = {
  mariadb: await sharedEngine("mariadb", STORM_PREPARE),
  mysql: await sharedEngine("mysql", STORM_PREPARE),
};

for (const [name, shared] of Object.entries(engines)) {
  Deno.test(`${name}: nothing is left of ${KILLS} kills`, { ignore: shared.ignore }, async () => {
    await using proxy = await ProxyProcess.start(stormConfig(shared.engine.port));
    await weather(proxy, shared, KILLS);
  });
}
